/*
 * ticket.h
 *    Tickets: a job's state is the table that holds its ticket.
 *
 * Every job holds exactly one ticket.  Whoever deletes it decides what comes next, and it can be deleted only once.  The
 * functions here are the only ones that read, insert or delete tickets; each compares the row's organization with the
 * caller's, since direct access passes by row-level security.
 */
#ifndef SPL_TICKET_H
#define SPL_TICKET_H

#include "base/ticket_kind.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#define DELAY_ASKED 'd'
#define DELAY_BACKOFF 'b'

#define OUTCOME_COMPLETED 'c'
#define OUTCOME_CANCELLED 'x'
#define OUTCOME_EXPIRED 'e'

#define NO_TIME DT_NOBEGIN /* a null timestamp */

typedef struct Ticket
{
	TicketKind		kind;
	ItemPointerData tid; /* where it was found */

	TimestampTz since; /* when the job came into this state */
	int32		org;
	int32		queue;
	int32		run; /* number of claims so far; only grows */
	int16		priority;
	int16		retry_count;
	int16		releases; /* redeliveries without penalty */
	pg_uuid_t	job_id;
	TimestampTz expires_at; /* NO_TIME: never */

	ItemPointerData job_tid; /* ready, blocked: where the job's row is; may be out of date, invalid when not known */

	TimestampTz due;	/* delayed, blocked (NO_TIME: at once) */
	char		reason; /* delayed: DELAY_*; outcome: OUTCOME_* */

	TimestampTz lease_expires_at; /* lease */
	bool		cancel_requested; /* lease */

	bool			has_run;	/* lease, dead_letter, outcome: the three below are set */
	TimestampTz		started_at; /* lease: the same as since */
	pg_uuid_t		lease_id;
	char		   *worker;
	char		   *error;	/* dead_letter, outcome; or NULL */
	struct varlena *result; /* outcome: json, or NULL */
} Ticket;

typedef enum TakeResult
{
	TAKE_OK,
	TAKE_LOST /* somebody else took it; look again under a fresh snapshot */
} TakeResult;

/*
 * spl_ticket_find reads the ticket of a job in all ticket tables under ONE fresh snapshot.  "queue" and "priority" come
 * from the job's row.  False: the job holds no visible ticket (it is being deleted).  Raises 40001 under REPEATABLE READ when
 * the job has moved since the snapshot.
 */
extern bool spl_ticket_find(int32 org, const pg_uuid_t *job_id, int32 queue, int16 priority, Ticket *ticket);

/*
 * spl_ticket_take deletes a ticket that was found before.  It waits for a transaction that is about to take it, and raises
 * 40001 under REPEATABLE READ when somebody else's take has been committed since the snapshot.
 */
extern TakeResult spl_ticket_take(const Ticket *ticket);

/* spl_ticket_take_many is the same for many; nobody is waited for when "wait" is false (TAKE_LOST instead). */
extern void spl_ticket_take_many(const Ticket *tickets, int count, bool wait, TakeResult *results);

/*
 * spl_ticket_take_seen is the same for tickets that were read under "seen", a snapshot that is registered since; NULL: that were
 * there after the active snapshot was taken.  Vacuum leaves such rows in place, so nothing has to be read again.  Who read them
 * has locked their table for writing (RowExclusiveLock), which is not done again; under less, somebody who builds an index would
 * meet deletions that he counts on not to be there.
 */
extern void spl_ticket_take_seen(const Ticket *tickets, int count, Snapshot seen, bool wait, TakeResult *results);

/* spl_ticket_put inserts tickets; all of one kind. */
extern void spl_ticket_put(const Ticket *tickets, int count);

/*
 * spl_ticket_hold keeps a ticket from being taken until this transaction ends: who adds a child to a parent holds the
 * parent, so that the parent's end either is seen or waits and then sees the child.
 */
extern TakeResult spl_ticket_hold(const Ticket *ticket);

/*
 * spl_ready_take deletes up to "limit" ready tickets of a queue in claim order, without waiting for anybody, and leaves out
 * what has expired.  Returns how many.
 */
extern int spl_ready_take(int32 org, int32 queue, TimestampTz now, int limit, Ticket *tickets);

/* spl_ready_exists tells whether the queue has a claimable ticket. */
extern bool spl_ready_exists(int32 org, int32 queue, TimestampTz now);

/*
 * spl_ready_oldest returns since when the job is claimable that is so for longest among the first ones of each priority, or
 * NO_TIME.  What somebody is just taking may not count.
 */
extern TimestampTz spl_ready_oldest(int32 org, int32 queue);

/* spl_ready_count_ahead counts the tickets that their queue gives out before a ready one, at most "limit". */
extern int spl_ready_count_ahead(const Ticket *ticket, int limit);

/* spl_ready_find finds the ready ticket of a job, first with the priority that is likely. */
extern bool
spl_ready_find(int32 org, const pg_uuid_t *job_id, int32 queue, int16 likely, Snapshot snapshot, Ticket *ticket);

/* spl_lease_placed tells where the rows of new leases are: the sweep has to look there, and this session finds them there. */
extern void spl_lease_placed(const Ticket *leases, const ItemPointerData *tids, int count);

/* spl_lease_find_many reads leases by job id; found[i] tells.  The snapshot may be NULL as in spl_rows_by_id. */
extern void
spl_lease_find_many(int32 org, const pg_uuid_t *job_ids, int count, Snapshot snapshot, Ticket *leases, bool *found);

/* spl_lease_renew writes lease_expires_at of the same run, a heap-only update, and reads cancel_requested as it is now. */
extern TakeResult spl_lease_renew(Ticket *lease);

/* spl_lease_ask_cancel writes cancel_requested; without "wait" a lease that somebody is just changing is lost. */
extern TakeResult spl_lease_ask_cancel(const Ticket *lease, bool wait);

/* spl_lease_list_worker lists up to "limit" leases of a worker. */
extern int spl_lease_list_worker(int32 org, const char *worker, int limit, Ticket *leases);

#endif

/*
 * dependency.c
 *    Parents and children.
 *
 * A child that is added and a parent that ends at the same moment must not miss each other.  Whoever adds the child locks
 * the parent's ticket first: if the parent's end comes later it waits, and reads the edges under a snapshot that it takes
 * after it has deleted the ticket; if it came first, the lock finds the ticket gone and the parent is looked at again.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/tuple.h"

#define MAX_LOOKS 20

static const char failed_parent[] = "Parent job failed or was deadlettered";
static const char purged_parent[] = "Parent was purged";

SplCode
spl_dependency_check_parent(int32 org, const char *parent, int32 queue, pg_uuid_t *parent_id, ParentState *state,
							SplFault *fault)
{
	Job	   job;
	Ticket ticket;

	if (!spl_uuid_parse(parent, parent_id) || !spl_job_find(org, parent_id, false, &job) || job.queue != queue)
		return spl_fault(fault, SPL_INVALID, "parent_job_id", "unknown_parent", NULL,
						 "parent_job_id must name a job of the same queue");
	for (int look = 0; look < MAX_LOOKS; look++)
	{
		if (!spl_ticket_find(org, parent_id, job.queue, job.priority, &ticket))
			break;
		if (ticket.kind == TICKET_OUTCOME || ticket.kind == TICKET_DEAD_LETTER)
		{
			*state = ticket.kind == TICKET_OUTCOME && ticket.reason == OUTCOME_COMPLETED ? PARENT_COMPLETED
																						 : PARENT_ENDED_BADLY;
			return SPL_OK;
		}
		if (spl_ticket_hold(&ticket) == TAKE_OK)
		{
			*state = PARENT_OPEN;
			return SPL_OK;
		}
	}
	return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.",
					 "the parent job is changing too fast to wait for it");
}

/* A list of jobs whose children have to be told. */
typedef struct Ended
{
	Ticket *tickets;
	int		count;
	int		room;
} Ended;

static void
add_ended(Ended *ended, const Ticket *ticket)
{
	if (ended->count == ended->room)
		ended->tickets = repalloc(ended->tickets, sizeof(Ticket) * (ended->room *= 2));
	ended->tickets[ended->count++] = *ticket;
}

/* find_blocked reads the blocked ticket of a child; false when it does not wait any more. */
static bool
find_blocked(int32 org, const pg_uuid_t *child, Ticket *blocked)
{
	Job job;

	return spl_job_find(org, child, false, &job) && spl_ticket_find(org, child, job.queue, job.priority, blocked) &&
		blocked->kind == TICKET_BLOCKED;
}

/* release_child makes a child claimable, now or at its time, when nobody else blocks it. */
static void
release_child(int32 org, const pg_uuid_t *child, TimestampTz now)
{
	Ticket blocked;

	while (!spl_edge_has_parents(org, child) && find_blocked(org, child, &blocked))
	{
		bool   waits = blocked.due != NO_TIME && blocked.due > now;
		Ticket next = spl_job_next_ticket(&blocked, waits ? TICKET_DELAYED : TICKET_READY, now);

		if (waits)
		{
			next.due = blocked.due;
			next.reason = DELAY_ASKED;
		}
		if (spl_job_move(&blocked, &next) == TAKE_OK)
			return;
	}
}

/* cancel_child ends a child that can no longer run, and adds it to those whose own children have to be told. */
static void
cancel_child(int32 org, const pg_uuid_t *child, const char *why, TimestampTz now, Ended *ended)
{
	Ticket blocked;

	while (find_blocked(org, child, &blocked))
	{
		Ticket next = spl_job_next_ticket(&blocked, TICKET_OUTCOME, now);

		next.reason = OUTCOME_CANCELLED;
		next.error = pstrdup(why);
		if (spl_job_move(&blocked, &next) == TAKE_OK)
		{
			spl_edge_drop_child(org, child);
			add_ended(ended, &next);
			return;
		}
	}
}

/* tell_children takes the edges of one parent and does what its end means. */
static void
tell_children(int32 org, const pg_uuid_t *parent, bool completed, const char *why, TimestampTz now, Ended *ended)
{
	pg_uuid_t *children;
	int		   count;

	count = spl_edge_take_children(org, parent, &children);
	for (int i = 0; i < count; i++)
	{
		if (completed)
			release_child(org, &children[i], now);
		else
			cancel_child(org, &children[i], why, now, ended);
	}
}

/* tell_rest works off the children of children. */
static void
tell_rest(Ended *ended, TimestampTz now)
{
	for (int i = 0; i < ended->count; i++)
	{
		Ticket parent = ended->tickets[i];

		tell_children(parent.org, &parent.job_id, false, failed_parent, now, ended);
	}
}

void
spl_dependency_parents_ended(int32 org, const Ticket *tickets, int count)
{
	Ended		ended = {palloc(sizeof(Ticket) * 8), 0, 8};
	TimestampTz now = spl_clock_now();
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * count);
	bool	   *has_children = palloc(sizeof(bool) * count);

	spl_changes_done();
	for (int i = 0; i < count; i++)
		ids[i] = tickets[i].job_id;
	spl_edge_exists_many(org, ids, count, has_children);
	for (int i = 0; i < count; i++)
	{
		bool completed = tickets[i].kind == TICKET_OUTCOME && tickets[i].reason == OUTCOME_COMPLETED;

		if (has_children[i])
			tell_children(org, &ids[i], completed, failed_parent, now, &ended);
	}
	tell_rest(&ended, now);
}

void
spl_dependency_parent_purged(int32 org, const pg_uuid_t *parents, int count)
{
	Ended		ended = {palloc(sizeof(Ticket) * 8), 0, 8};
	TimestampTz now = spl_clock_now();

	for (int i = 0; i < count; i++)
		tell_children(org, &parents[i], false, purged_parent, now, &ended);
	tell_rest(&ended, now);
}

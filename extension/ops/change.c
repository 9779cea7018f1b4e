/*
 * change.c
 *    Cancel, replay, change of priority; deleting jobs with all that hangs on them.
 *
 * Each looks for the ticket, acts, and on loss looks again under a fresh snapshot: the last look decides the answer.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/job_bounds.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/change.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/limit.h"
#include "ops/settle_refused.h"
#include "rules/limits.h"
#include "shmem/counters.h"
#include "store/attempt_store.h"
#include "store/job_list_store.h"
#include "store/job_store.h"
#include "store/tuple.h"

#define MAX_LOOKS 20
/* Jobs of one listing: a second one passes the index entries of all that the first has cancelled. */
#define PURGE_LISTING 1000000

static SplCode
not_found(SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Resource not found");
}

static SplCode
too_fast(SplFault *fault)
{
	return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.", "the job is changing too fast");
}

/* find reads a job's ticket, unless it is unknown to this credential. */
static bool
find(int32 org, const pg_uuid_t *job_id, Ticket *ticket)
{
	Job job;

	return spl_job_find(org, job_id, false, &job) && spl_settle_in_scope(job.queue) &&
		spl_ticket_find(org, job_id, job.queue, job.priority, ticket);
}

/* cancelled_ticket returns the outcome of a job that is cancelled before it ran again. */
static Ticket
cancelled_ticket(const Ticket *from, TimestampTz now)
{
	Ticket next = spl_job_next_ticket(from, TICKET_OUTCOME, now);

	next.reason = OUTCOME_CANCELLED;
	return next;
}

/* request_cancel tells the worker of a running job to stop, at its next heartbeat. */
static TakeResult
request_cancel(const Ticket *lease, TimestampTz now)
{
	if (lease->cancel_requested)
		return TAKE_OK;
	if (spl_lease_ask_cancel(lease, true) == TAKE_LOST)
		return TAKE_LOST;
	spl_event_log_put(lease->org, &lease->job_id, now, "cancel_requested", spl_actor(), NULL);
	return TAKE_OK;
}

/* cancel_waiting ends a job that does not run, and with it the children that wait for it. */
static TakeResult
cancel_waiting(const Ticket *ticket, TimestampTz now)
{
	Ticket next = cancelled_ticket(ticket, now);

	if (spl_job_move(ticket, &next) == TAKE_LOST)
		return TAKE_LOST;
	spl_event_log_put(ticket->org, &ticket->job_id, now, "cancelled", spl_actor(), NULL);
	spl_dependency_parents_ended(ticket->org, &next, 1);
	return TAKE_OK;
}

SplCode
spl_job_cancel(const pg_uuid_t *job_id, CancelAnswer *answer, SplFault *fault)
{
	int32 org = spl_org();

	for (int look = 0; look < MAX_LOOKS; look++)
	{
		TimestampTz now = spl_clock_now();
		TakeResult	result;
		Ticket		ticket;

		if (!find(org, job_id, &ticket))
			return not_found(fault);
		if (ticket.kind == TICKET_OUTCOME || ticket.kind == TICKET_DEAD_LETTER)
			return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "Job is already %s",
							 ticket.kind == TICKET_DEAD_LETTER		  ? "deadletter"
								 : ticket.reason == OUTCOME_COMPLETED ? "completed"
																	  : "cancelled");
		*answer = ticket.kind == TICKET_LEASE ? CANCEL_REQUESTED : CANCEL_DONE;
		result = ticket.kind == TICKET_LEASE ? request_cancel(&ticket, now) : cancel_waiting(&ticket, now);
		spl_changes_done();
		if (result == TAKE_OK)
			return SPL_OK;
	}
	return too_fast(fault);
}

/* replayed_ticket returns the ready ticket of a dead letter: all its retries again, and no elapsed expiry. */
static Ticket
replayed_ticket(const Ticket *dead, TimestampTz now)
{
	Ticket next = spl_job_next_ticket(dead, TICKET_READY, now);

	next.retry_count = 0;
	next.releases = 0;
	next.expires_at = NO_TIME;
	return next;
}

static TakeResult
replay(const Ticket *dead, TimestampTz now)
{
	Ticket next = replayed_ticket(dead, now);

	if (spl_job_move(dead, &next) == TAKE_LOST)
		return TAKE_LOST;
	spl_dependency_parent_back(dead->org, &dead->job_id);
	spl_count_total_note(dead->org, dead->queue, TOTAL_RETRIED, 1);
	spl_event_log_put(dead->org, &dead->job_id, now, "replayed", spl_actor(), NULL);
	return TAKE_OK;
}

SplCode
spl_job_replay(const pg_uuid_t *job_id, SplFault *fault)
{
	int32 org = spl_org();

	for (int look = 0; look < MAX_LOOKS; look++)
	{
		Ticket	   ticket;
		TakeResult result;
		SplCode	   code;

		if (!find(org, job_id, &ticket))
			return not_found(fault);
		if (ticket.kind != TICKET_DEAD_LETTER)
			return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL,
							 "only a dead letter can be retried, and this job is not one");
		if ((code = spl_limit_active(fault, 1)) != SPL_OK)
			return code;
		result = replay(&ticket, spl_clock_now());
		spl_changes_done();
		if (result == TAKE_OK)
			return SPL_OK;
		spl_limit_unused(0, 1);
	}
	return too_fast(fault);
}

SplCode
spl_job_set_priority(const pg_uuid_t *job_id, int priority, int *old_priority, SplFault *fault)
{
	int32	org = spl_org();
	SplCode code = spl_check_int("priority", priority, PRIORITY_LOWEST, PRIORITY_HIGHEST, fault);

	if (code != SPL_OK)
		return code;
	for (int look = 0; look < MAX_LOOKS; look++)
	{
		TimestampTz now = spl_clock_now();
		Ticket		ticket, next;

		if (!find(org, job_id, &ticket) || ticket.kind > TICKET_BLOCKED)
			return not_found(fault);
		next = spl_job_next_ticket(&ticket, ticket.kind, now);
		next.due = ticket.due;
		next.reason = ticket.reason;
		next.priority = priority;
		*old_priority = ticket.priority;
		if (spl_job_move(&ticket, &next) == TAKE_OK)
		{
			spl_event_log_put(org, job_id, now, "priority_changed", spl_actor(),
							  psprintf("{\"old_priority\":%d,\"new_priority\":%d}", ticket.priority, priority));
			spl_changes_done();
			return SPL_OK;
		}
		spl_changes_done();
	}
	return too_fast(fault);
}

/* find_dead reads the dead-letter ticket of a job. */
static bool
find_dead(int32 org, const pg_uuid_t *job_id, Ticket *ticket)
{
	return find(org, job_id, ticket) && ticket->kind == TICKET_DEAD_LETTER;
}

int
spl_dead_letter_replay_many(const pg_uuid_t *ids, int count, pg_uuid_t *replayed)
{
	int32		org = spl_org();
	TimestampTz now = spl_clock_now();
	int			done = 0;

	for (int i = 0; i < count; i++)
	{
		Ticket dead;

		if (!find_dead(org, &ids[i], &dead) || replay(&dead, now) == TAKE_LOST)
			continue;
		replayed[done++] = ids[i];
		spl_changes_done();
	}
	return done;
}

void
spl_jobs_delete_taken(int32 org, const Ticket *taken, int count)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));

	for (int i = 0; i < count; i++)
		ids[i] = taken[i].job_id;
	spl_job_forget(taken, count);
	spl_dependency_parents_deleted(org, taken, count);
	spl_job_delete(org, ids, count);
	spl_changes_done();
}

int
spl_dead_letter_purge_many(const pg_uuid_t *ids, int count)
{
	int32	org = spl_org();
	Ticket *taken = palloc(sizeof(Ticket) * Max(count, 1));
	int		done = 0;

	for (int i = 0; i < count; i++)
		if (find_dead(org, &ids[i], &taken[done]) && spl_ticket_take(&taken[done]) == TAKE_OK)
		{
			done++;
			spl_changes_done();
		}
	spl_jobs_delete_taken(org, taken, done);
	return done;
}

int64
spl_queue_cancel_jobs(int32 queue)
{
	int32	   org = spl_org();
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * PURGE_LISTING);
	int64	   total = 0;
	int		   listed;

	while ((listed = spl_waiting_jobs_list(org, queue, PURGE_LISTING, ids)) > 0)
	{
		qsort(ids, listed, sizeof(pg_uuid_t), spl_uuid_compare); /* as everybody takes several tickets */
		for (int i = 0; i < listed; i++)
		{
			Ticket ticket;

			if (find(org, &ids[i], &ticket) && ticket.kind <= TICKET_BLOCKED &&
				cancel_waiting(&ticket, spl_clock_now()) == TAKE_OK)
				total++;
			spl_changes_done();
		}
	}
	return total;
}

/* take_whatever takes the ticket of a job in whatever state, also when somebody moves it meanwhile; false: it has none. */
static bool
take_whatever(int32 org, const pg_uuid_t *job_id, Ticket *ticket)
{
	for (int look = 0; look < MAX_LOOKS && find(org, job_id, ticket); look++)
	{
		if (spl_ticket_take(ticket) == TAKE_OK)
			return true;
		spl_changes_done();
	}
	return false;
}

int
spl_queue_delete_jobs(int32 queue, int limit, pg_uuid_t *after, int64 *deleted)
{
	int32	   org = spl_org();
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * limit);
	Ticket	  *taken = palloc(sizeof(Ticket) * limit);
	int		   listed = spl_queue_jobs_list(org, queue, after, limit, ids);
	int		   done = 0;

	for (int i = 0; i < listed; i++)
		if (take_whatever(org, &ids[i], &taken[done]))
		{
			done++;
			spl_changes_done();
		}
	spl_jobs_delete_taken(org, taken, done);
	*deleted += done;
	if (listed > 0)
		*after = ids[listed - 1];
	return listed;
}

/*
 * retention.c
 *    Deleting what is kept long enough.
 *
 * A pass goes through the steps below, organization by organization, and ends.  Job ids are in the order of creation,
 * so a step walks the oldest part of an index up to the jobs that are too young to have ended long enough ago; it never
 * looks at more than a batch in one transaction.  Where the pass is, is kept in memory only: after a restart, or after a
 * batch that failed, the next pass finds what is left.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/change.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/sweep.h"
#include "store/audit_store.h"
#include "store/email_store.h"
#include "store/job_store.h"
#include "store/login_store.h"
#include "store/request_key_store.h"
#include "store/retention_store.h"
#include "store/tuple.h"
#include "store/worker_store.h"
#include "store/workflow_store.h"
#include "utils/timestamp.h"

typedef enum Step
{
	STEP_OUTCOMES,
	STEP_DEAD_LETTERS,
	STEP_ATTEMPTS,
	STEP_EVENTS,
	STEP_SCHEDULE_RUNS,
	STEP_KEYS,
	STEP_REQUEST_KEYS,
	STEP_WORKERS,
	STEP_LOGINS,
	STEP_EMAIL_CODES,
	STEP_WORKFLOWS,
	STEP_AUDIT,
	STEPS
} Step;

typedef struct Pass
{
	Step		 step;
	int32		 org;
	AttemptPlace place;	   /* in the index of the step, within the organization */
	int64		 event_id; /* kept from pass to pass */
} Pass;

static Pass pass;

/* cutoff_of returns the time before which something is old, NO_TIME when it is kept for ever. */
static TimestampTz
cutoff_of(TimestampTz now, int hours)
{
	return hours > 0 ? now - (int64) hours * USECS_PER_HOUR : NO_TIME;
}

/* next_org goes on to the next organization; false: that was the last. */
static bool
next_org(void)
{
	memset(&pass.place, 0, sizeof(pass.place));
	pass.org = spl_org_after(pass.org);
	return pass.org != 0;
}

/* take_old takes the tickets that are old, without waiting for anybody, to the front of the array; returns how many. */
static int
take_old(Ticket *tickets, int count, TimestampTz cutoff)
{
	TakeResult *results = palloc(sizeof(TakeResult) * Max(count, 1));
	int			old = 0;
	int			taken = 0;

	for (int i = 0; i < count; i++)
		if (tickets[i].since < cutoff)
			tickets[old++] = tickets[i];
	spl_ticket_take_many(tickets, old, false, results);
	for (int i = 0; i < old; i++)
		if (results[i] == TAKE_OK)
			tickets[taken++] = tickets[i];
	spl_changes_done();
	return taken;
}

/* delete_jobs deletes jobs whose tickets are taken. */
static void
delete_jobs(int32 org, const Ticket *taken, int count)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));

	for (int i = 0; i < count; i++)
		ids[i] = taken[i].job_id;
	spl_job_forget(taken, count);
	spl_dependency_parent_purged(org, ids, count);
	spl_job_delete(org, ids, count);
	spl_changes_done();
}

/* delete_tickets looks at a stretch of outcomes or dead letters; returns how many it looked at. */
static int
delete_tickets(TicketKind kind, TimestampTz cutoff, int limit)
{
	Ticket	 *tickets = palloc(sizeof(Ticket) * limit);
	pg_uuid_t before = spl_uuid7_first(cutoff);
	int		  count = spl_retention_list(kind, pass.org, &pass.place.job_id, &before, limit, tickets);
	int		  taken;

	if (count == 0)
		return 0;
	pass.place.job_id = tickets[count - 1].job_id;
	spl_org_set_background(pass.org);
	taken = take_old(tickets, count, cutoff);
	if (taken > 0)
		delete_jobs(pass.org, tickets, taken);
	return count;
}

/* delete_attempts does the same for attempts. */
static int
delete_attempts(TimestampTz cutoff, int limit)
{
	pg_uuid_t before = spl_uuid7_first(cutoff);

	return spl_retention_delete_attempts(pass.org, &pass.place, &before, cutoff, limit);
}

/* delete_schedule_runs deletes runs of schedules; their ids are in the order of time, so the oldest stand first. */
static int
delete_schedule_runs(TimestampTz cutoff, int limit)
{
	pg_uuid_t before = spl_uuid7_first(cutoff);

	return spl_retention_delete_schedule_runs(&before, limit);
}

/* walk_org does one batch of a step in the current organization. */
static int
walk_org(TimestampTz now, int limit)
{
	switch (pass.step)
	{
		case STEP_OUTCOMES: return delete_tickets(TICKET_OUTCOME, cutoff_of(now, spooled_job_retention), limit);
		case STEP_DEAD_LETTERS:
			return delete_tickets(TICKET_DEAD_LETTER, cutoff_of(now, spooled_dead_letter_retention), limit);
		default: return delete_attempts(cutoff_of(now, spooled_history_retention), limit);
	}
}

/* walk_orgs does one batch where the pass is; an organization that is passed by counts like a row.  0: the step is done. */
static int
walk_orgs(TimestampTz now, int limit)
{
	int count;

	if (pass.org == 0 && !next_org())
		return 0;
	count = walk_org(now, limit);
	if (count > 0)
		return count;
	return next_org() ? 1 : 0;
}

/* is_wanted: a step whose things are kept for ever has nothing to do. */
static bool
is_wanted(Step step)
{
	switch (step)
	{
		case STEP_OUTCOMES:
		case STEP_WORKFLOWS: return spooled_job_retention > 0;
		case STEP_DEAD_LETTERS: return spooled_dead_letter_retention > 0;
		case STEP_ATTEMPTS:
		case STEP_EVENTS:
		case STEP_SCHEDULE_RUNS: return spooled_history_retention > 0;
		case STEP_WORKERS: return spooled_worker_retention > 0;
		case STEP_AUDIT: return spooled_audit_retention > 0;
		default: return true;
	}
}

/* do_step does one batch; 0: the step is done. */
static int
do_step(TimestampTz now, int limit)
{
	switch (pass.step)
	{
		case STEP_OUTCOMES:
		case STEP_DEAD_LETTERS:
		case STEP_ATTEMPTS: return walk_orgs(now, limit);
		case STEP_EVENTS:
			return spl_retention_delete_events(&pass.event_id, cutoff_of(now, spooled_history_retention), limit);
		case STEP_SCHEDULE_RUNS: return delete_schedule_runs(cutoff_of(now, spooled_history_retention), limit);
		case STEP_KEYS: return spl_retention_delete_keys(now, limit);
		case STEP_REQUEST_KEYS: return spl_request_key_delete_expired(now, limit);
		case STEP_WORKFLOWS: return spl_workflow_delete_old(cutoff_of(now, spooled_job_retention), limit);
		case STEP_WORKERS: return spl_worker_delete_offline(cutoff_of(now, spooled_worker_retention), limit);
		case STEP_AUDIT: return spl_audit_delete_old(cutoff_of(now, spooled_audit_retention), limit);
		case STEP_LOGINS: return spl_login_delete_old(now - USECS_PER_HOUR, limit);		 /* clocks may differ */
		case STEP_EMAIL_CODES: return spl_email_delete_old(now - USECS_PER_HOUR, limit); /* they count for an hour */
		default: return 0;
	}
}

/* spl_retention_delete_due goes on with the pass for "limit" rows; fewer: the pass is at its end. */
int
spl_retention_delete_due(TimestampTz now, int limit)
{
	int handled = 0;

	while (handled < limit && pass.step < STEPS)
	{
		int count = is_wanted(pass.step) ? do_step(now, limit - handled) : 0;

		handled += count;
		if (count == 0)
			pass.step++;
	}
	if (pass.step == STEPS)
		pass.step = STEP_OUTCOMES;
	return handled;
}

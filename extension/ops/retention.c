/*
 * retention.c
 *    Deleting what is kept long enough.
 *
 * A pass goes through the organizations and then through what is no organization's, and ends.  How long jobs and histories are
 * kept is a setting, or when that is -1 the organization's plan.  What is old begins an index, as job ids and others are in the
 * order of creation; so a step walks the oldest part of it and never looks at more than a batch in one transaction.  Where the
 * pass is, is kept in memory only: after a restart, or after a batch that failed, the next pass finds what is left.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/change.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/plan.h"
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
	STEP_ORGS,
	STEP_KEYS,
	STEP_REQUEST_KEYS,
	STEP_WORKERS,
	STEP_LOGINS,
	STEP_EMAIL_CODES,
	STEP_AUDIT,
	STEPS
} Step;

#define MOST_DAYS 36500 /* more is for ever */

typedef struct Pass
{
	Step		  step;
	int32		  org;
	RetentionTime kept; /* of the organization */
	RetentionKind kind; /* what is being deleted of it */
	AttemptPlace  place;
} Pass;

static Pass pass;

/* cutoff_of returns the time before which something is old, NO_TIME when it is kept for ever. */
static TimestampTz
cutoff_of(TimestampTz now, int hours)
{
	return hours > 0 ? now - (int64) hours * USECS_PER_HOUR : NO_TIME;
}

/* cutoff_for is the same for what a plan decides unless the setting does. */
static TimestampTz
cutoff_for(TimestampTz now, int hours, const SplPlan *plan, PlanField field)
{
	if (hours != RETENTION_BY_PLAN)
		return cutoff_of(now, hours);
	return plan->limit[field] <= MOST_DAYS ? now - plan->limit[field] * USECS_PER_DAY : NO_TIME;
}

/* next_org goes on to the next organization; false: that was the last. */
static bool
next_org(TimestampTz now)
{
	SplPlan plan;

	memset(&pass.place, 0, sizeof(pass.place));
	pass.kind = 0;
	pass.org = spl_org_after(pass.org);
	if (pass.org == 0)
		return false;
	plan = *spl_plan_of(pass.org);
	pass.kept.jobs = cutoff_for(now, spooled_job_retention, &plan, PLAN_JOB_RETENTION);
	pass.kept.history = cutoff_for(now, spooled_history_retention, &plan, PLAN_HISTORY_RETENTION);
	pass.kept.dead_letters = cutoff_of(now, spooled_dead_letter_retention);
	return true;
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
		spl_jobs_delete_taken(pass.org, tickets, taken);
	return count;
}

/* delete_some does one batch of what is being deleted of the organization; 0: there is no more of it. */
static int
delete_some(int limit)
{
	const RetentionTime *kept = &pass.kept;

	switch (pass.kind)
	{
		case RETENTION_OUTCOMES: return delete_tickets(TICKET_OUTCOME, kept->jobs, limit);
		case RETENTION_DEAD_LETTERS: return delete_tickets(TICKET_DEAD_LETTER, kept->dead_letters, limit);
		case RETENTION_ATTEMPTS: return spl_retention_delete_attempts(pass.org, &pass.place, kept->history, limit);
		case RETENTION_EVENTS: return spl_retention_delete_events(pass.org, kept->history, limit);
		case RETENTION_SCHEDULE_RUNS: return spl_retention_delete_schedule_runs(pass.org, kept->history, limit);
		case RETENTION_WORKFLOWS: return spl_workflow_delete_old(pass.org, kept->jobs, limit);
		case RETENTION_KINDS: break;
	}
	return 0;
}

/*
 * walk_orgs does one batch where the pass is; an organization that is passed by counts like a row.  0: the step is done.
 * Most organizations have nothing old, so they are asked once for everything.
 */
static int
walk_orgs(TimestampTz now, int limit)
{
	bool old[RETENTION_KINDS];

	if (pass.org == 0 && !next_org(now))
		return 0;
	spl_retention_look(pass.org, &pass.kept, old);
	for (; pass.kind < RETENTION_KINDS; pass.kind++)
	{
		int count = old[pass.kind] ? delete_some(limit) : 0;

		if (count > 0)
			return count;
		memset(&pass.place, 0, sizeof(pass.place));
	}
	return next_org(now) ? 1 : 0;
}

/* do_step does one batch; 0: the step is done. */
static int
do_step(TimestampTz now, int limit)
{
	switch (pass.step)
	{
		case STEP_ORGS: return walk_orgs(now, limit);
		case STEP_KEYS: return spl_retention_delete_keys(now, limit);
		case STEP_REQUEST_KEYS: return spl_request_key_delete_expired(now, limit);
		case STEP_WORKERS: return spl_worker_delete_offline(cutoff_of(now, spooled_worker_retention), limit);
		case STEP_LOGINS: return spl_login_delete_old(now - USECS_PER_HOUR, limit);		 /* clocks may differ */
		case STEP_EMAIL_CODES: return spl_email_delete_old(now - USECS_PER_HOUR, limit); /* they count for an hour */
		case STEP_AUDIT:
			return spooled_audit_retention > 0 ? spl_audit_delete_old(cutoff_of(now, spooled_audit_retention), limit)
											   : 0;
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
		int count = do_step(now, limit - handled);

		handled += count;
		if (count == 0)
			pass.step++;
	}
	if (pass.step == STEPS)
		pass.step = STEP_ORGS;
	return handled;
}

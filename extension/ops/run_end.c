/*
 * run_end.c
 *    The one place that decides what follows a run that did not complete: fail, lost leases, workers that went offline and
 *    releases all come here, so that every path has the same backoff and the same dead letters.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "common/pg_prng.h"
#include "lib/stringinfo.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/run_end.h"
#include "rules/backoff.h"
#include "shmem/counters.h"
#include "store/job_store.h"
#include "store/queue_store.h"
#include "utils/json.h"
#include "utils/timestamp.h"

/* policy_of returns the backoff of a queue, with the server's defaults for what it leaves open. */
static BackoffPolicy
policy_of(int32 queue_id)
{
	const Queue	 *queue = spl_queue_by_id(queue_id);
	BackoffPolicy policy = {spooled_backoff_unit, spooled_backoff_factor, spooled_backoff_cap, spooled_backoff_jitter};

	if (queue == NULL)
		return policy;
	if (queue->backoff_unit >= 0)
		policy.unit = queue->backoff_unit;
	if (queue->backoff_factor >= 0)
		policy.factor = queue->backoff_factor;
	if (queue->backoff_cap >= 0)
		policy.cap = queue->backoff_cap;
	if (queue->backoff_jitter >= 0)
		policy.jitter = queue->backoff_jitter;
	return policy;
}

/* after_failure returns the ticket that follows a failed run. */
static Ticket
after_failure(const Ticket *lease, const RunEnd *end, int max_retries, TimestampTz now)
{
	BackoffPolicy policy = policy_of(lease->queue);
	double		  spread = pg_prng_double(&pg_global_prng_state);
	int64		  wait_ms = spl_backoff_ms(&policy, lease->retry_count + 1, end->no_retry ? 0 : max_retries, spread);
	Ticket		  next;

	if (lease->cancel_requested)
	{
		next = spl_job_next_ticket(lease, TICKET_OUTCOME, now);
		next.reason = OUTCOME_CANCELLED;
		next.error = (char *) end->error;
	}
	else if (wait_ms == BACKOFF_GIVE_UP)
	{
		next = spl_job_next_ticket(lease, TICKET_DEAD_LETTER, now);
		next.error = (char *) (end->error_when_dead && !end->no_retry ? end->error_when_dead : end->error);
	}
	else
	{
		next = spl_job_next_ticket(lease, wait_ms > 0 ? TICKET_DELAYED : TICKET_READY, now);
		next.retry_count++;
		if (wait_ms > 0)
		{
			next.due = now + wait_ms * 1000;
			next.reason = DELAY_BACKOFF;
		}
	}
	return next;
}

/* after_release returns the ticket of a job that was given back. */
static Ticket
after_release(const Ticket *lease, TimestampTz now)
{
	Ticket next = spl_job_next_ticket(lease, lease->cancel_requested ? TICKET_OUTCOME : TICKET_READY, now);

	if (lease->cancel_requested)
	{
		next.reason = OUTCOME_CANCELLED;
		next.error = "Cancelled while running";
	}
	else
		next.releases++;
	return next;
}

static Attempt
attempt_of(const Ticket *lease, const RunEnd *end, const Ticket *next, TimestampTz now)
{
	bool retries = next->kind == TICKET_DELAYED || next->kind == TICKET_READY;

	return (Attempt) {.ended_at = now,
					  .started_at = lease->started_at,
					  .org = lease->org,
					  .run = lease->run,
					  .retry_count = next->retry_count,
					  .next_run_at = retries ? (next->kind == TICKET_DELAYED ? next->due : now) : NO_TIME,
					  .kind = lease->cancel_requested ? ATTEMPT_CANCELLED : end->kind,
					  .job_id = lease->job_id,
					  .lease_id = lease->lease_id,
					  .worker = lease->worker,
					  .error = (char *) (next->error ? next->error : end->error)};
}

/* log_release writes what history and a late or repeated report need to know. */
static void
log_release(const Ticket *lease, bool taken_away, TimestampTz now)
{
	StringInfoData details;

	initStringInfo(&details);
	appendStringInfo(&details, "{\"run\":%d,\"lease_id\":\"%s\",\"started_at\":\"%s\",\"worker\":", lease->run,
					 spl_uuid_text(&lease->lease_id), timestamptz_to_str(lease->started_at));
	escape_json(&details, lease->worker);
	if (taken_away)
		appendStringInfoString(&details, ",\"cause\":\"worker_deregistered\"");
	appendStringInfoChar(&details, '}');
	spl_event_log_put(lease->org, &lease->job_id, now, "released", spl_actor(), details.data);
}

/* put_grouped puts the next tickets, table by table. */
static void
put_grouped(const Ticket *leases, const Ticket *next, int count)
{
	Ticket *from = palloc(sizeof(Ticket) * count);
	Ticket *to = palloc(sizeof(Ticket) * count);

	for (TicketKind kind = 0; kind < TICKET_KINDS; kind++)
	{
		int n = 0;

		for (int i = 0; i < count; i++)
			if (next[i].kind == kind)
			{
				from[n] = leases[i];
				to[n++] = next[i];
			}
		if (n > 0)
			spl_job_put_next(from, to, n);
	}
}

/* tell_children tells the children of jobs that are over. */
static void
tell_children(int32 org, const Ticket *next, int count)
{
	Ticket *over = palloc(sizeof(Ticket) * count);
	int		n = 0;

	for (int i = 0; i < count; i++)
		if (next[i].kind == TICKET_DEAD_LETTER || next[i].kind == TICKET_OUTCOME)
			over[n++] = next[i];
	if (n > 0)
		spl_dependency_parents_ended(org, over, n);
}

void
spl_run_end_many(int32 org, const Ticket *leases, const RunEnd *ends, int count, TimestampTz now, Ticket *next)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * count);
	Job		  *jobs = palloc(sizeof(Job) * count);
	bool	  *found = palloc(sizeof(bool) * count);
	Attempt	  *attempts = palloc(sizeof(Attempt) * count);
	int		   attempt_count = 0;

	if (next == NULL)
		next = palloc(sizeof(Ticket) * count);
	for (int i = 0; i < count; i++)
		ids[i] = leases[i].job_id;
	spl_job_find_many(org, ids, count, false, jobs, found);
	for (int i = 0; i < count; i++)
	{
		if (ends[i].free && leases[i].releases < MAX_FREE_RELEASES)
		{
			next[i] = after_release(&leases[i], now);
			log_release(&leases[i], ends[i].taken_away, now);
			continue;
		}
		next[i] = after_failure(&leases[i], &ends[i], found[i] ? jobs[i].max_retries : 0, now);
		attempts[attempt_count++] = attempt_of(&leases[i], &ends[i], &next[i], now);
		spl_count_total_note(org, leases[i].queue, TOTAL_FAILED, 1);
		if (next[i].kind == TICKET_DELAYED || next[i].kind == TICKET_READY)
			spl_count_total_note(org, leases[i].queue, TOTAL_RETRIED, 1);
	}
	spl_attempt_put(attempts, attempt_count);
	put_grouped(leases, next, count);
	tell_children(org, next, count);
}

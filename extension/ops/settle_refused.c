/*
 * settle_refused.c
 *    The precise answer to a late, repeated or foreign report.
 *
 * outcome and dead_letter keep the last run, attempt keeps the failed and lost ones, event_log the releases: together they
 * say whether this worker ended the run before, lost it, or never had it.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/lease_length.h"
#include "ops/list.h"
#include "ops/settle_refused.h"
#include "store/attempt_store.h"
#include "store/job_store.h"
#include "store/queue_store.h"

bool
spl_settle_in_scope(int32 queue_id)
{
	const Queue *queue;

	if (!spl_scope_is_restricted())
		return true;
	queue = spl_queue_by_id(queue_id);
	return queue && spl_queue_in_scope(queue->name);
}

static void
not_found(SettleItem *item)
{
	spl_fault(&item->fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Resource not found");
}

static void
conflict(SettleItem *item, const Ticket *ticket)
{
	spl_fault(&item->fault, SPL_CONFLICT, NULL, NULL, "The run was ended before; see spooled.job_history().",
			  "Job is already %s", spl_ticket_status(ticket));
}

static void
lease_over(SettleItem *item, const char *why)
{
	spl_fault(&item->fault, SPL_LEASE_EXPIRED, NULL, NULL,
			  "Renew the lease before it expires, or claim with a longer lease.", "job %s: %s",
			  spl_uuid_text(&item->job_id), why);
}

static bool
is_same_worker(const SettleItem *item, const Ticket *ticket)
{
	return ticket->has_run && (item->worker == NULL || strcmp(item->worker, ticket->worker) == 0);
}

static bool
is_same_lease(const SettleItem *item, const Ticket *ticket)
{
	return ticket->has_run && item->lease_id && pg_strcasecmp(item->lease_id, spl_uuid_text(&ticket->lease_id)) == 0;
}

/* answer_by_attempt answers from a run that failed or was lost; false when it says nothing. */
static bool
answer_by_attempt(int32 org, SettleVerb verb, SettleItem *item, const Ticket *ticket)
{
	Attempt attempt;

	if ((item->worker == NULL && item->lease_id == NULL) ||
		!spl_attempt_find(org, &item->job_id, item->worker, item->lease_id, &attempt))
		return false;
	if (attempt.kind == ATTEMPT_LEASE_LOST || attempt.kind == ATTEMPT_WORKER_OFFLINE || attempt.kind == ATTEMPT_TIMEOUT)
		lease_over(item, "the lease ran out before the worker reported");
	else if (verb == SETTLE_FAIL && item->lease_id)
	{
		item->status = attempt.next_run_at != NO_TIME ? "pending"
			: attempt.kind == ATTEMPT_CANCELLED		  ? "cancelled"
													  : "deadletter";
		item->retry_count = attempt.retry_count;
		item->will_retry = attempt.next_run_at != NO_TIME;
		item->next_run_at = attempt.next_run_at;
	}
	else
		conflict(item, ticket);
	return true;
}

/* answer_by_run answers from the last run that the ticket keeps. */
static void
answer_by_run(SettleVerb verb, SettleItem *item, const Ticket *ticket)
{
	if (!is_same_worker(item, ticket))
		not_found(item);
	else if (item->lease_id && !is_same_lease(item, ticket))
		lease_over(item, "the lease_id that was presented does not match the current lease");
	else if (ticket->kind == TICKET_LEASE)
		lease_over(item, "the lease has expired");
	else if (verb == SETTLE_COMPLETE && ticket->kind == TICKET_OUTCOME && ticket->reason == OUTCOME_COMPLETED &&
			 item->lease_id)
		item->status = "completed";
	else
		conflict(item, ticket);
}

/* answer_by_release answers from a run that was given back, by its worker or because that was deregistered. */
static bool
answer_by_release(int32 org, SettleVerb verb, SettleItem *item, const Ticket *ticket)
{
	bool taken_away;

	if ((item->worker == NULL && item->lease_id == NULL) ||
		!spl_event_log_find_release(org, &item->job_id, item->worker, item->lease_id, &taken_away))
		return false;
	if (verb == SETTLE_RELEASE && item->lease_id)
		item->status = "pending";
	else if (taken_away)
		lease_over(item, "the worker was deregistered before it reported");
	else
		conflict(item, ticket);
	return true;
}

void
spl_settle_refuse(int32 org, SettleVerb verb, SettleItem *item, TimestampTz now)
{
	Job	   job;
	Ticket ticket;
	bool   holds;

	if (!spl_job_find(org, &item->job_id, false, &job) || !spl_settle_in_scope(job.queue))
	{
		not_found(item);
		return;
	}
	item->queue = job.queue;
	if (!spl_ticket_find(org, &item->job_id, job.queue, job.priority, &ticket))
	{
		not_found(item);
		return;
	}
	holds = ticket.kind == TICKET_LEASE && is_same_worker(item, &ticket) &&
		(item->lease_id == NULL || is_same_lease(item, &ticket));
	if (holds && ticket.lease_expires_at > now)
		return; /* it was leased again meanwhile: the next look finds it */
	if (holds || (is_same_lease(item, &ticket) && ticket.reason == OUTCOME_COMPLETED))
		answer_by_run(verb, item, &ticket);
	else if (answer_by_attempt(org, verb, item, &ticket) || answer_by_release(org, verb, item, &ticket))
		return;
	else if (item->worker == NULL && !ticket.has_run && ticket.kind == TICKET_OUTCOME)
		conflict(item, &ticket);
	else
		answer_by_run(verb, item, &ticket);
}

bool
spl_settle_cap_renewal(int32 org, SettleItem *item, Ticket *lease, TimestampTz now)
{
	Job			job;
	TimestampTz end;

	if (!spl_job_find(org, &item->job_id, false, &job))
		return true;
	end = spl_timeout_end(lease->started_at, job.timeout_seconds);
	if (end <= now)
	{
		lease_over(item, "the job is over its timeout");
		return false;
	}
	lease->lease_expires_at = Min(lease->lease_expires_at, end);
	return true;
}

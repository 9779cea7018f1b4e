/*
 * explain.c
 *    Why a job is not running.
 *
 * The ticket says what the job waits for; a pause of its queue comes on top of that.  What a ticket promised may be overdue:
 * an expired lease or job stays as it is until the background worker comes by, and the reason says so.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/explain.h"
#include "ops/facts.h"
#include "ops/list.h"
#include "store/history_store.h"
#include "store/queue_config_store.h"

#define PARENTS_SHOWN 20
#define AHEAD_MAX 1000

/* is_expired: the job's own time is over, before it ran. */
static bool
is_expired(const Ticket *ticket, TimestampTz now)
{
	return ticket->expires_at != NO_TIME && ticket->expires_at <= now;
}

static void
explain_claimable(const JobView *job, Facts *facts, Explanation *why)
{
	const Ticket *ticket = &job->ticket;
	int			  ahead = spl_ready_count_ahead(ticket, AHEAD_MAX);

	why->reason = "claimable";
	fact_int(facts, "ahead", ahead);
	if (ahead == AHEAD_MAX)
		fact_bool(facts, "or_more", true);
}

static void
explain_delayed(const JobView *job, Facts *facts, Explanation *why)
{
	why->reason = job->ticket.reason == DELAY_ASKED ? "delayed" : "backoff";
	why->until = job->ticket.due;
	fact_int(facts, "retry_count", job->ticket.retry_count);
	fact_int(facts, "max_retries", job->job.max_retries);
	fact_text(facts, "last_error", job->last_error);
}

/* explain_blocked names the parents that are still open. */
static void
explain_blocked(const JobView *job, Facts *facts, Explanation *why)
{
	pg_uuid_t	   parents[PARENTS_SHOWN];
	int			   count = spl_parents_read(spl_org(), &job->job.id, PARENTS_SHOWN, parents);
	JobView		  *views = palloc(sizeof(JobView) * Max(count, 1));
	StringInfoData list;

	count = spl_job_get_many(parents, count, views);
	initStringInfo(&list);
	for (int i = 0; i < count; i++)
		appendStringInfo(&list, "%s{\"job_id\":\"%s\",\"status\":\"%s\"}", i ? "," : "[",
						 spl_uuid_text(&views[i].job.id), views[i].status);
	appendStringInfoString(&list, count ? "]" : "[]");
	why->reason = "blocked";
	fact_json(facts, "parents", list.data);
}

static void
explain_leased(const JobView *job, TimestampTz now, Facts *facts, Explanation *why)
{
	const Ticket *ticket = &job->ticket;

	why->reason = ticket->lease_expires_at > now ? "leased" : "lease_expired";
	why->until = ticket->lease_expires_at;
	fact_text(facts, "worker", ticket->worker);
	fact_text(facts, "lease_id", spl_uuid_text(&ticket->lease_id));
	fact_int(facts, "run", ticket->run);
	if (ticket->cancel_requested)
		fact_bool(facts, "cancel_requested", true);
}

static void
explain_over(const JobView *job, Facts *facts, Explanation *why)
{
	const Ticket *ticket = &job->ticket;

	if (ticket->kind == TICKET_DEAD_LETTER)
		why->reason = "dead_letter";
	else if (ticket->reason == OUTCOME_EXPIRED)
		why->reason = "expired";
	else
		why->reason = job->status;
	fact_text(facts, "error", ticket->error);
	fact_text(facts, "worker", ticket->worker);
	fact_int(facts, "retry_count", ticket->retry_count);
	fact_int(facts, "max_retries", job->job.max_retries);
}

/* explain_pause adds that the queue is paused; a claimable job has no other reason. */
static void
explain_pause(const JobView *job, Facts *facts, Explanation *why)
{
	QueueConfig queue;

	if (job->queue_name == NULL || !spl_queue_config_read(spl_org(), job->queue_name, false, &queue) ||
		queue.paused_at == NO_TIME)
		return;
	if (strcmp(why->reason, "claimable") == 0)
	{
		why->reason = "queue_paused";
		why->since = queue.paused_at;
	}
	fact_time(facts, "queue_paused_since", queue.paused_at);
	fact_text(facts, "queue_paused_reason", queue.paused_reason);
}

static void
explain_ticket(const JobView *job, TimestampTz now, Facts *facts, Explanation *why)
{
	switch (job->ticket.kind)
	{
		case TICKET_READY: explain_claimable(job, facts, why); break;
		case TICKET_DELAYED: explain_delayed(job, facts, why); break;
		case TICKET_BLOCKED: explain_blocked(job, facts, why); break;
		case TICKET_LEASE: explain_leased(job, now, facts, why); break;
		default: explain_over(job, facts, why);
	}
}

/* spl_job_explain says why a job is not running. */
SplCode
spl_job_explain(const pg_uuid_t *job_id, Explanation *why, SplFault *fault)
{
	JobView		job;
	TimestampTz now = spl_clock_now();
	Facts		facts = facts_begin();

	if (spl_job_get_many(job_id, 1, &job) == 0)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(job_id));
	*why = (Explanation) {.status = job.status, .since = job.ticket.since, .until = NO_TIME};
	fact_text(&facts, "queue", job.queue_name);
	explain_ticket(&job, now, &facts, why);
	if (job.ticket.kind <= TICKET_BLOCKED)
	{
		explain_pause(&job, &facts, why);
		if (is_expired(&job.ticket, now))
		{
			why->reason = "expired";
			why->until = job.ticket.expires_at;
		}
		else
			fact_time(&facts, "expires_at", job.ticket.expires_at);
	}
	why->details = facts_end(&facts);
	return SPL_OK;
}

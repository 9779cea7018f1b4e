/*
 * claim.c
 *    Leasing jobs to a worker.
 *
 * Taking the ready tickets, the leases and the payloads are one transaction: what the caller sees as claimed is leased when
 * it commits, and claimable again when it rolls back.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/claim.h"
#include "ops/claim_commit.h"
#include "ops/job_move.h"
#include "ops/lease_length.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "store/org_uid.h"
#include "store/queue_store.h"
#include "store/tuple.h"

/* check_request checks what can be said without reading a row. */
static SplCode
check_request(const ClaimRequest *request, SplFault *fault)
{
	SplCode code;

	if (request->worker == NULL)
		return spl_fault(fault, SPL_INVALID, "worker_id", "missing_field", NULL, "worker_id is required");
	if ((code = spl_check_worker_name(request->worker, fault)) != SPL_OK ||
		(code = spl_check_int("limit", request->max_jobs, 1, spooled_max_batch, fault)) != SPL_OK)
		return code;
	if (request->queue_count == 0)
		return spl_fault(fault, SPL_INVALID, "queue_name", "missing_field", NULL, "queue_name is required");
	for (int i = 0; i < request->queue_count; i++)
	{
		if (request->queues[i] == NULL)
			return spl_fault(fault, SPL_INVALID, "queue_name", "missing_field", NULL, "queue_name is required");
		if ((code = spl_check_queue_name(request->queues[i], fault)) != SPL_OK)
			return code;
		if (!spl_queue_in_scope(request->queues[i]))
			return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, "Use a key whose queues include it.",
							 "this credential may not use queue \"%s\"", request->queues[i]);
	}
	if (request->lease_ms == LEASE_NOT_GIVEN)
		return SPL_OK;
	return spl_check_lease_ms(request->lease_ms, spooled_lease_min, spooled_lease_max, fault);
}

/* lease_tickets makes the leases of what was taken from one queue. */
static void
lease_tickets(const ClaimRequest *request, const Queue *queue, const Ticket *ready, int count, TimestampTz now,
			  Ticket *leases)
{
	int64 lease_ms = spl_lease_length(queue, request->lease_ms, request->default_lease_ms);

	for (int i = 0; i < count; i++)
	{
		Ticket *lease = &leases[i];

		*lease = spl_job_next_ticket(&ready[i], TICKET_LEASE, now);
		lease->run++;
		lease->has_run = true;
		lease->started_at = now;
		lease->lease_expires_at = now + lease_ms * 1000;
		lease->lease_id = spl_uuid_random();
		lease->worker = (char *) request->worker;
	}
}

/* cap_by_timeout shortens the leases of a queue that enforces its jobs' timeouts. */
static void
cap_by_timeout(const Queue *queue, const Job *jobs, Ticket *leases, int count)
{
	for (int i = 0; queue->enforce_timeout && i < count; i++)
	{
		TimestampTz end = spl_timeout_end(leases[i].started_at, jobs[i].timeout_seconds);

		leases[i].lease_expires_at = Min(leases[i].lease_expires_at, end);
	}
}

/* need_rows refuses tickets whose jobs are gone, which only statements by hand can bring about, and tells the way out. */
static void
need_rows(const Ticket *ready, const bool *found, int count)
{
	for (int i = 0; i < count; i++)
		if (!found[i])
			ereport(
				ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("job %s has a ticket but no row", spl_uuid_text(&ready[i].job_id)),
				 errdetail(
					 "Somebody has deleted it from spooled.job; its ticket in spooled.ready keeps claims of its queue from going on."),
				 errhint(
					 "spooled.check_integrity() shows all such tickets. As a superuser delete them from spooled.ready by their job_id.")));
}

/* claim_from takes up to "limit" jobs of one queue. */
static int
claim_from(int32 org, const ClaimRequest *request, const char *queue_name, int limit, TimestampTz now,
		   ClaimResult *result)
{
	const Queue *queue = spl_queue_by_name(org, queue_name);
	Ticket		*ready;
	Ticket		*leases = result->leases + result->count;
	Job			*jobs = result->jobs + result->count;
	bool		*found;
	int			 count;

	if (queue && result->wait_key == 0)
		result->wait_key = queue->id;
	if (queue == NULL || queue->paused_at != NO_TIME)
		return 0;
	ready = palloc(sizeof(Ticket) * limit);
	count = spl_ready_take(org, queue->id, now, limit, ready);
	if (count == 0)
		return 0;
	found = palloc(sizeof(bool) * count);
	spl_job_find_of(org, ready, count, jobs, found);
	need_rows(ready, found, count);
	lease_tickets(request, queue, ready, count, now, leases);
	cap_by_timeout(queue, jobs, leases, count);
	spl_job_put_next(ready, leases, count);
	for (int i = 0; i < count; i++)
		result->queue_names[result->count + i] = queue_name;
	return count;
}

/* add_parents reads what the parents of the jobs have left; the results of all of them share the room of one answer. */
static void
add_parents(ClaimResult *result)
{
	int64 room = PARENT_RESULTS_ROOM;

	result->parents = palloc(sizeof(ParentViews) * Max(result->count, 1));
	for (int i = 0; i < result->count; i++)
		spl_parent_results(&result->jobs[i].id, CLAIM_PARENTS_MAX, &room, &result->parents[i]);
}

SplCode
spl_claim(const ClaimRequest *request, ClaimResult *result, SplFault *fault)
{
	int32		org = spl_org();
	SplCode		code = check_request(request, fault);
	bool		alone = spl_claim_is_alone();
	TimestampTz now;

	memset(result, 0, sizeof(*result));
	if (code != SPL_OK)
		return code;
	now = spl_clock_now();
	result->leases = palloc(sizeof(Ticket) * request->max_jobs);
	result->jobs = palloc(sizeof(Job) * request->max_jobs);
	result->queue_names = palloc(sizeof(char *) * request->max_jobs);
	for (int i = 0; i < request->queue_count && result->count < request->max_jobs; i++)
		result->count += claim_from(org, request, request->queues[i], request->max_jobs - result->count, now, result);
	if (request->tell_org && result->count > 0)
	{
		result->org_uid = palloc(sizeof(pg_uuid_t));
		*result->org_uid = spl_org_uid(org);
	}
	spl_changes_done();
	if (request->parent_results)
		add_parents(result);
	if (result->count > 0)
		spl_claim_commit_note(alone);
	return SPL_OK;
}

/*
 * claim_sql.c
 *    spooled.claim and spooled.complete_and_claim.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/settle_args.h"
#include "ops/claim.h"
#include "ops/settle.h"

enum ClaimColumn
{
	CLAIM_JOB_ID,
	CLAIM_QUEUE,
	CLAIM_PAYLOAD,
	CLAIM_ATTEMPT,
	CLAIM_RETRY_COUNT,
	CLAIM_MAX_RETRIES,
	CLAIM_TIMEOUT_SECONDS,
	CLAIM_PRIORITY,
	CLAIM_LEASE_ID,
	CLAIM_LEASE_EXPIRES_AT,
	CLAIM_CREATED_AT,
	CLAIM_TAGS,
	CLAIM_IDEMPOTENCY_KEY,
	CLAIM_COLUMNS
};

/* claimed_row_out adds one claimed job to the result. */
static void
claimed_row_out(FunctionCallInfo fcinfo, const ClaimResult *result, int i)
{
	const Ticket *lease = &result->leases[i];
	const Job	 *job = &result->jobs[i];
	Datum		  values[CLAIM_COLUMNS];
	bool		  nulls[CLAIM_COLUMNS] = {false};

	set_uuid(values, nulls, CLAIM_JOB_ID, &job->id);
	set_text(values, nulls, CLAIM_QUEUE, result->queue_names[i]);
	set_bytes(values, nulls, CLAIM_PAYLOAD, job->payload);
	set_int(values, nulls, CLAIM_ATTEMPT, lease->retry_count + 1);
	set_int(values, nulls, CLAIM_RETRY_COUNT, lease->retry_count);
	set_int(values, nulls, CLAIM_MAX_RETRIES, job->max_retries);
	set_int(values, nulls, CLAIM_TIMEOUT_SECONDS, job->timeout_seconds);
	set_int(values, nulls, CLAIM_PRIORITY, lease->priority);
	set_uuid(values, nulls, CLAIM_LEASE_ID, &lease->lease_id);
	set_time(values, nulls, CLAIM_LEASE_EXPIRES_AT, lease->lease_expires_at);
	set_time(values, nulls, CLAIM_CREATED_AT, job->created_at);
	set_bytes(values, nulls, CLAIM_TAGS, job->tags);
	set_bytes(values, nulls, CLAIM_IDEMPOTENCY_KEY, job->idempotency_key);
	spl_row_out(fcinfo, values, nulls);
}

/* run_claim claims and returns the rows. */
static Datum
run_claim(FunctionCallInfo fcinfo, const ClaimRequest *request)
{
	ClaimResult result;
	SplFault	fault;

	raise_unless_ok(spl_claim(request, &result, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < result.count; i++)
		claimed_row_out(fcinfo, &result, i);
	return (Datum) 0;
}

/* spooled.claim(queue text, worker text, max_jobs int = 1, lease interval = NULL) returns table (...) */
SPL_FUNCTION(spooled_claim, JOBS_WRITE)
{
	const char	*queue = text_arg(fcinfo, 0);
	ClaimRequest request = {.queues = &queue,
							.queue_count = 1,
							.worker = text_arg(fcinfo, 1),
							.max_jobs = int_arg(fcinfo, 2, 1),
							.lease_ms = spl_interval_ms_arg(fcinfo, 3, LEASE_NOT_GIVEN),
							.default_lease_ms = LEASE_NOT_GIVEN};

	return run_claim(fcinfo, &request);
}

/* spooled.claim(queues text[], worker text, max_jobs int = 1, lease interval = NULL) returns table (...) */
SPL_FUNCTION(spooled_claim_queues, JOBS_WRITE)
{
	char	   **queues;
	int			 count = spl_text_array_arg(fcinfo, 0, "queues", &queues);
	ClaimRequest request = {.queues = (const char **) queues,
							.queue_count = Max(count, 0),
							.worker = text_arg(fcinfo, 1),
							.max_jobs = int_arg(fcinfo, 2, 1),
							.lease_ms = spl_interval_ms_arg(fcinfo, 3, LEASE_NOT_GIVEN),
							.default_lease_ms = LEASE_NOT_GIVEN};

	return run_claim(fcinfo, &request);
}

/*
 * spooled.complete_and_claim(job_ids uuid[], queue text, worker text, max_jobs int = 1, lease interval = NULL,
 *    results json[] = NULL, lease_ids uuid[] = NULL) returns table (...)
 */
SPL_FUNCTION(spooled_complete_and_claim, JOBS_WRITE)
{
	const char	*queue = text_arg(fcinfo, 1);
	char		*worker = text_arg(fcinfo, 2);
	SettleItem	*items = NULL;
	int			 count = spl_settle_items_arg(fcinfo, 0, 5, 6, worker, &items);
	ClaimRequest request = {.queues = &queue,
							.queue_count = 1,
							.worker = worker,
							.max_jobs = int_arg(fcinfo, 3, 1),
							.lease_ms = spl_interval_ms_arg(fcinfo, 4, LEASE_NOT_GIVEN),
							.default_lease_ms = LEASE_NOT_GIVEN};

	spl_settle(SETTLE_COMPLETE, items, count);
	for (int i = 0; i < count; i++)
		raise_unless_ok(items[i].fault.code, &items[i].fault);
	return run_claim(fcinfo, &request);
}

/*
 * claim_wire.c
 *    Leasing jobs, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/org_context.h"
#include "common/hashfn.h"
#include "ops/claim.h"
#include "json/job_json.h"
#include "json/json_write.h"

/* claim_request reads queue_name and worker_id, which come first, and the lease from argument "lease_arg". */
static ClaimRequest
claim_request(FunctionCallInfo fcinfo, const char **queue_name, int lease_arg)
{
	*queue_name = text_arg(fcinfo, 0);
	return (ClaimRequest) {
		.queues = queue_name,
		.queue_count = 1,
		.worker = text_arg(fcinfo, 1),
		.max_jobs = 1,
		.lease_ms = spl_lease_secs_arg(fcinfo, lease_arg),
		.default_lease_ms = LEASE_NOT_GIVEN,
	};
}

int32
spl_claim_wait_key(const ClaimResult *result, const char *queue_name)
{
	uint32 hash;

	if (result->count > 0)
		return 0;
	if (result->wait_key != 0)
		return result->wait_key;
	hash = hash_combine(hash_bytes((const unsigned char *) queue_name, strlen(queue_name)), (uint32) spl_org());
	return -1 - (int32) (hash & 0x7ffffff);
}

/* spooled._job_claim(queue_name text, worker_id text, max_jobs int, lease_duration_secs int, parent_results boolean) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_claim, JOBS_WRITE)
{
	const char	  *queue_name;
	ClaimRequest   request = claim_request(fcinfo, &queue_name, 3);
	ClaimResult	   result;
	StringInfoData body;
	SplFault	   fault;

	request.max_jobs = int_arg(fcinfo, 2, 1);
	request.parent_results = bool_arg(fcinfo, 4, false);
	spl_check_max_jobs(request.max_jobs);
	raise_unless_ok(spl_claim(&request, &result, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_claimed(&body, &result);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, spl_claim_wait_key(&result, queue_name));
}

/* spooled._job_dequeue(queue_name text, worker_id text, lease_duration_secs int) returns spooled._reply:
 * a job or null */
SPL_FUNCTION(spooled_wire_job_dequeue, JOBS_WRITE)
{
	const char	  *queue_name;
	ClaimRequest   request = claim_request(fcinfo, &queue_name, 2);
	ClaimResult	   result;
	StringInfoData body;
	SplFault	   fault;

	request.default_lease_ms = spl_dequeue_lease_ms();
	raise_unless_ok(spl_claim(&request, &result, &fault), &fault);

	initStringInfo(&body);
	if (result.count > 0)
		spl_json_leased_job(&body, &result.jobs[0], &result.leases[0], result.queue_names[0]);
	else
		spl_json_null(&body, NULL);
	return spl_reply(fcinfo, REPLY_OK, &body, spl_claim_wait_key(&result, queue_name));
}

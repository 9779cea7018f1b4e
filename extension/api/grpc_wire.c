/*
 * grpc_wire.c
 *    What gRPC does differently from REST, for the gateway.
 *
 * A field that is not set reads as zero there, so zero and less mean "not given", and what is out of bounds is brought
 * within them instead of refused.  The members of a body are the fields of the message.  Whatever has no function here is
 * the same on both sides, and calls the same function.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/clock.h"
#include "base/guc.h"
#include "base/uuid7.h"
#include "mb/pg_wchar.h"
#include "ops/claim.h"
#include "ops/request.h"
#include "ops/scoped_stats.h"
#include "ops/settle.h"
#include "ops/worker.h"
#include "json/job_json.h"
#include "json/json_write.h"

#define CONCURRENCY_MOST 1000
#define CURRENT_JOBS_MOST 1000
#define HELD_MOST 1000
#define ERROR_BYTES 4096
#define ERROR_CUT "... [truncated]"

static int64
clamp(int64 value, int64 least, int64 most)
{
	return Min(Max(value, least), most);
}

/* positive_arg returns an integer, or "otherwise" when it is not given or not positive. */
static int
positive_arg(FunctionCallInfo fcinfo, int n, int otherwise)
{
	int value = int_arg(fcinfo, n, 0);

	return value > 0 ? value : otherwise;
}

/* lease_arg returns milliseconds within the bounds, or LEASE_NOT_GIVEN. */
static int64
lease_arg(FunctionCallInfo fcinfo, int n)
{
	int seconds = positive_arg(fcinfo, n, 0);

	return seconds == 0 ? LEASE_NOT_GIVEN : clamp((int64) seconds * 1000, spooled_lease_min, spooled_lease_max);
}

/* claim_request reads the first three arguments of a claim: queue_name, worker_id, lease_duration_secs. */
static ClaimRequest
claim_request(FunctionCallInfo fcinfo, const char **queue_name, int max_jobs)
{
	*queue_name = text_arg(fcinfo, 0);
	return (ClaimRequest) {
		.queues = queue_name,
		.queue_count = 1,
		.worker = text_arg(fcinfo, 1),
		.max_jobs = max_jobs,
		.lease_ms = lease_arg(fcinfo, 2),
		.default_lease_ms = spl_dequeue_lease_ms(),
		.tell_org = true,
	};
}

/* spooled._grpc_dequeue(queue_name text, worker_id text, lease_duration_secs int, batch_size int)
 * returns spooled._reply */
SPL_FUNCTION(spooled_grpc_dequeue, JOBS_WRITE)
{
	const char	*queue_name;
	ClaimRequest request = claim_request(fcinfo, &queue_name, (int) clamp(int_arg(fcinfo, 3, 1), 1, REQUEST_MAX_JOBS));
	ClaimResult	 result;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_claim(&request, &result, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_claimed(&body, &result);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, spl_claim_wait_key(&result, queue_name));
}

/* held_arg reads the ids of jobs; what can't be an id is left out. */
static int
held_arg(FunctionCallInfo fcinfo, int n, pg_uuid_t **ids)
{
	char **texts;
	int	   given = PG_ARGISNULL(n) ? 0 : Max(spl_text_array_arg(fcinfo, n, "held", &texts), 0);
	int	   count = 0;

	*ids = palloc(sizeof(pg_uuid_t) * Max(given, 1));
	for (int i = 0; i < given && count < HELD_MOST; i++)
		count += texts[i] && spl_uuid_parse(texts[i], &(*ids)[count]);
	return count;
}

static void
write_settled(StringInfo out, const pg_uuid_t *ids, int count)
{
	spl_json_open(out, "settled", '[');
	for (int i = 0; i < count; i++)
		spl_json_uuid(out, NULL, &ids[i]);
	spl_json_close(out, ']');
}

/*
 * spooled._grpc_stream_claim(queue_name text, worker_id text, lease_duration_secs int, held text[]) returns spooled._reply
 *
 * One job for a stream, unless the worker still has as many of the jobs "held" as it may have at a time; "settled" names
 * the others of them.
 */
SPL_FUNCTION(spooled_grpc_stream_claim, JOBS_WRITE)
{
	const char	  *queue_name;
	ClaimRequest   request = claim_request(fcinfo, &queue_name, 1);
	ClaimResult	   result = {0};
	pg_uuid_t	  *ids;
	int			   given = held_arg(fcinfo, 3, &ids);
	int			   held, most;
	bool		   is_free;
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 0, "queue_name");
	spl_need_arg(fcinfo, 1, "worker_id");
	held = spl_worker_sort_held(request.worker, ids, given);
	most = spl_worker_concurrency(request.worker);
	is_free = held < most;
	if (is_free)
		raise_unless_ok(spl_claim(&request, &result, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_int(&body, "max_concurrency", most);
	write_settled(&body, ids + held, given - held);
	spl_json_claimed(&body, &result);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, is_free ? spl_claim_wait_key(&result, queue_name) : 0);
}

/* settle_args reads the first three arguments: id, worker_id, lease_id. */
static SettleItem
settle_args(FunctionCallInfo fcinfo)
{
	pg_uuid_t  id = spl_id_arg(fcinfo, 0);
	SettleItem item = spl_settle_item(&id);

	item.worker = text_arg(fcinfo, 1);
	item.lease_id = text_arg(fcinfo, 2);
	return item;
}

/* settle_one opens the body of a success. */
static void
settle_one(SettleVerb verb, SettleItem *item, StringInfo body)
{
	spl_settle(verb, item, 1);
	raise_unless_ok(item->fault.code, &item->fault);
	initStringInfo(body);
	spl_json_open(body, NULL, '{');
	spl_json_bool(body, "success", true);
}

/* cut_error shortens an error's text to what is kept, at the end of a character. */
static const char *
cut_error(const char *error)
{
	int length = error ? strlen(error) : 0;
	int kept;

	if (length <= ERROR_BYTES)
		return error;
	kept = pg_mbcliplen(error, length, ERROR_BYTES - (int) strlen(ERROR_CUT));
	return psprintf("%.*s%s", kept, error, ERROR_CUT);
}

/* spooled._grpc_fail(id text, worker_id text, lease_id text, error text, retry boolean) returns spooled._reply */
SPL_FUNCTION(spooled_grpc_fail, JOBS_WRITE)
{
	SettleItem	   item = settle_args(fcinfo);
	int64		   wait_us = 0;
	StringInfoData body;

	item.error = cut_error(text_arg(fcinfo, 3));
	item.error_limit = ERROR_BYTES;
	item.no_retry = !bool_arg(fcinfo, 4, false);
	settle_one(SETTLE_FAIL, &item, &body);
	if (item.will_retry && !TIMESTAMP_IS_NOBEGIN(item.next_run_at))
		wait_us = Max(item.next_run_at - spl_clock_now(), 0);
	spl_json_bool(&body, "will_retry", item.will_retry);
	spl_json_int(&body, "next_retry_delay_secs", (wait_us + USECS_PER_SEC - 1) / USECS_PER_SEC);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._grpc_renew_lease(id text, worker_id text, lease_id text, extension_secs int) returns spooled._reply */
SPL_FUNCTION(spooled_grpc_renew_lease, JOBS_WRITE)
{
	SettleItem	   item = settle_args(fcinfo);
	StringInfoData body;

	item.lease_ms = lease_arg(fcinfo, 3);
	item.default_lease_ms = spl_dequeue_lease_ms();
	settle_one(SETTLE_RENEW, &item, &body);
	spl_json_time(&body, "new_expires_at", item.lease_expires_at);
	spl_json_bool(&body, "cancel_requested", item.cancel_requested);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._grpc_queue_stats(queue_name text) returns spooled._reply */
SPL_FUNCTION(spooled_grpc_queue_stats, QUEUES_READ)
{
	char		  *name = text_arg(fcinfo, 0);
	QueueStats	   stats;
	int64		   age_us;
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 0, "queue_name");
	raise_unless_ok(spl_scoped_queue_stats(name, &stats, &fault), &fault);
	age_us = TIMESTAMP_IS_NOBEGIN(stats.oldest_ready) ? 0 : Max(spl_clock_now() - stats.oldest_ready, 0);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "queue_name", name);
	spl_json_int(&body, "pending", stats.jobs.pending);
	spl_json_int(&body, "scheduled", stats.jobs.scheduled);
	spl_json_int(&body, "processing", stats.jobs.processing);
	spl_json_int(&body, "completed", stats.jobs.completed);
	spl_json_int(&body, "deadletter", stats.jobs.deadletter);
	spl_json_int(&body, "total",
				 stats.jobs.pending + stats.jobs.scheduled + stats.jobs.processing + stats.jobs.completed +
					 stats.jobs.deadletter);
	spl_json_int(&body, "max_age_ms", age_us / 1000);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._grpc_worker_register(queue_name text, hostname text, worker_type text, max_concurrency int, version text,
 * metadata text) returns spooled._reply: a new worker, always */
SPL_FUNCTION(spooled_grpc_worker_register, WORKERS_WRITE)
{
	char			  *queue = text_arg(fcinfo, 0);
	char			  *hostname = text_arg(fcinfo, 1);
	int				   concurrency = positive_arg(fcinfo, 3, NOT_GIVEN);
	WorkerRegistration registration = {
		.queues = &queue,
		.queue_count = 1,
		.hostname = hostname ? hostname : "unknown",
		.worker_type = text_arg(fcinfo, 2),
		.max_concurrency = int_arg(fcinfo, 3, 0) < 0 ? 1 : Min(concurrency, CONCURRENCY_MOST),
		.concurrency_limit = CONCURRENCY_MOST,
		.version = text_arg(fcinfo, 4),
		.metadata = text_arg(fcinfo, 5),
	};
	const char	  *id;
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 0, "queue_name");
	raise_unless_ok(spl_worker_register(&registration, &id, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "worker_id", id);
	spl_json_int(&body, "lease_duration_secs", Max(spl_dequeue_lease_ms() / 1000, 1));
	spl_json_int(&body, "heartbeat_interval_secs", spooled_worker_heartbeat_interval);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_CREATED, &body, 0);
}

/* spooled._grpc_worker_heartbeat(worker_id text, current_jobs int, status text, metadata text) returns spooled._reply */
SPL_FUNCTION(spooled_grpc_worker_heartbeat, WORKERS_WRITE)
{
	char		  *status = text_arg(fcinfo, 2);
	const char	  *now_status = NULL;
	StringInfoData body;
	SplFault	   fault;
	SplCode		   code;

	spl_need_arg(fcinfo, 0, "worker_id");
	if (status && !spl_worker_is_status(status))
		status = NULL;
	code = spl_worker_heartbeat(text_arg(fcinfo, 0), (int) clamp(int_arg(fcinfo, 1, 0), 0, CURRENT_JOBS_MOST), status,
								text_arg(fcinfo, 3), &now_status, &fault);
	if (code != SPL_NOT_FOUND)
		raise_unless_ok(code, &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_bool(&body, "acknowledged", code == SPL_OK);
	spl_json_bool(&body, "should_drain", code == SPL_OK && strcmp(now_status, "draining") == 0);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._grpc_worker_deregister(worker_id text) returns spooled._reply */
SPL_FUNCTION(spooled_grpc_worker_deregister, WORKERS_WRITE)
{
	int			   released;
	StringInfoData body;
	SplFault	   fault;
	SplCode		   code;

	spl_need_arg(fcinfo, 0, "worker_id");
	code = spl_worker_deregister(text_arg(fcinfo, 0), &released, &fault);
	if (code != SPL_NOT_FOUND)
		raise_unless_ok(code, &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_bool(&body, "success", code == SPL_OK);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

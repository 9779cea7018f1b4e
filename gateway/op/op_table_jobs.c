/*
 * op_table_jobs.c
 *    Jobs: create, read, claim, settle.
 *
 * A create with an idempotency key or a parent may wait for another open transaction, so it shares none.
 */
#include "op/op_table.h"

#define ITEMS "SELECT ordinality, code, body FROM spooled."
#define WORKER_ID            \
	{                        \
		"worker_id", OP_TEXT \
	}
#define LEASE_ID            \
	{                       \
		"lease_id", OP_TEXT \
	}
#define QUEUE_QUERY                                                \
	{                                                              \
		"queue_name", OP_TEXT, 0, OP_QUERY, .aliases = { "queue" } \
	}

static Op ops[] = {
	{
		.name = "job.create",
		.routes = {{HTTP_POST, "/api/v1/jobs"}},
		.enter = ENTER_ORG,
		.call = {REPLY "_job_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", 12},
		.batch = {ITEMS "_job_create_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", 12},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED, .aliases = {"queue"}},
				   {"payload", OP_JSON, OP_REQUIRED | OP_VERBATIM},
				   {"priority", OP_INT},
				   {"max_retries", OP_INT},
				   {"timeout_seconds", OP_INT},
				   {"scheduled_at", OP_TIME, .aliases = {"scheduled_for"}},
				   {"delay_seconds", OP_INT},
				   {"expires_at", OP_TIME},
				   {"tags", OP_JSON, OP_EMPTY_OBJECT},
				   {"parent_job_id", OP_TEXT, OP_ALONE},
				   {"completion_webhook", OP_TEXT},
				   {"idempotency_key", OP_TEXT, OP_ALONE, .header = "Idempotency-Key"}},
	},
	{
		.name = "job.create_bulk",
		.routes = {{HTTP_POST, "/api/v1/jobs/bulk"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.bulk = true,
		.items = &ops[0],
		.call = {REPLY "_job_create_bulk($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", 12},
		/* What an item lacks and the whole body may say; in the order of the item's parameters. */
		.params = {{"queue_name", OP_TEXT, .aliases = {"queue"}},
				   {"payload", OP_JSON, OP_GATEWAY},
				   {"default_priority", OP_INT, .aliases = {"priority"}},
				   {"default_max_retries", OP_INT, .aliases = {"max_retries"}},
				   {"default_timeout_seconds", OP_INT, .aliases = {"timeout_seconds"}},
				   {"jobs", OP_ITEMS, OP_REQUIRED},
				   {"idempotency_key", OP_TEXT, OP_GATEWAY, .header = "Idempotency-Key"}},
	},
	{
		.name = "job.list",
		.routes = {{HTTP_GET, "/api/v1/jobs"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_list($1, $2, $3, $4, $5, $6, $7, $8)", 8},
		.params = {QUEUE_QUERY,
				   {"status", OP_TEXT, 0, OP_QUERY, .rewrite = {"dead_letter", "deadletter"}},
				   {"tag", OP_TEXT, 0, OP_QUERY},
				   {"limit", OP_INT, 0, OP_QUERY},
				   {"offset", OP_INT, 0, OP_QUERY},
				   {"order_by", OP_TEXT, 0, OP_QUERY},
				   {"order_dir", OP_TEXT, 0, OP_QUERY},
				   {"after", OP_TEXT, 0, OP_QUERY}},
	},
	{
		.name = "job.stats",
		.routes = {{HTTP_GET, "/api/v1/jobs/stats"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_stats_of_jobs($1)", 1},
		.params = {QUEUE_QUERY},
	},
	{
		.name = "job.status",
		.routes = {{HTTP_GET, "/api/v1/jobs/status"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_status($1)", 1},
		.params = {{"ids", OP_TEXT, OP_REQUIRED, OP_QUERY}},
	},
	{
		.name = "job.claim",
		.routes = {{HTTP_POST, "/api/v1/jobs/claim"}},
		.enter = ENTER_ORG,
		.answer = ANSWER_CLAIM,
		.share = SHARE_CLAIMS,
		.call = {REPLY "_job_claim($1, $2, $3, $4, $5)", 5},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED, .aliases = {"queue"}},
				   {"worker_id", OP_TEXT, OP_REQUIRED},
				   {"limit", OP_INT, .def = "1"},
				   {"lease_duration_secs", OP_INT},
				   {"include_parent_results", OP_BOOL},
				   {"wait_seconds", OP_INT, OP_GATEWAY, .max = OP_MOST_WAIT_SECS}},
	},
	{
		.name = "job.dequeue",
		.routes = {{HTTP_POST, "/api/v1/jobs/dequeue"}},
		.enter = ENTER_ORG,
		.answer = ANSWER_CLAIM,
		.share = SHARE_CLAIMS,
		.call = {REPLY "_job_dequeue($1, $2, $3)", 3},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED, .aliases = {"queue"}},
				   {"worker_id", OP_TEXT, OP_REQUIRED},
				   {"lease_duration_secs", OP_INT},
				   {"wait_seconds", OP_INT, OP_GATEWAY, .max = OP_MOST_WAIT_SECS}},
	},
	{
		.name = "job.get",
		.routes = {{HTTP_GET, "/api/v1/jobs/{id}"}},
		.enter = ENTER_ORG,
		.share = SHARE_READS,
		.call = {REPLY "_job_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "job.cancel",
		.routes = {{HTTP_DELETE, "/api/v1/jobs/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_cancel($1)", 1},
		.params = {ID},
	},
	{
		.name = "job.retry",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/retry"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_retry($1)", 1},
		.params = {ID},
	},
	{
		.name = "job.set_priority",
		.routes = {{HTTP_PUT, "/api/v1/jobs/{id}/priority"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_set_priority($1, $2)", 2},
		.params = {ID, {"priority", OP_INT, OP_REQUIRED}},
	},
	{
		.name = "job.history",
		.routes = {{HTTP_GET, "/api/v1/jobs/{id}/history"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_history($1)", 1},
		.params = {ID},
	},
	{
		.name = "job.explain",
		.routes = {{HTTP_GET, "/api/v1/jobs/{id}/explain"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_job_explain($1)", 1},
		.params = {ID},
	},
	{
		.name = "job.complete",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/complete"}},
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_job_complete($1, $2, $3, $4, $5, $6, $7)", 7},
		.batch = {ITEMS "_job_complete_batch($1, $2, $3, $4)", 4},
		.params = {ID,
				   WORKER_ID,
				   LEASE_ID,
				   {"result", OP_JSON, OP_VERBATIM},
				   {"limit", OP_INT, OP_OWN, .inside = "claim", .def = "1"},
				   {"lease_duration_secs", OP_INT, OP_OWN, .inside = "claim"},
				   {"include_parent_results", OP_BOOL, OP_OWN, .inside = "claim"}},
	},
	{
		.name = "job.fail",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/fail"}},
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_job_fail($1, $2, $3, $4, $5)", 5},
		.params =
			{ID, WORKER_ID, LEASE_ID, {"error", OP_TEXT, OP_REQUIRED, .aliases = {"reason"}}, {"no_retry", OP_BOOL}},
	},
	{
		.name = "job.heartbeat",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/heartbeat"}},
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_job_heartbeat($1, $2, $3, $4)", 4},
		.params = {ID, WORKER_ID, LEASE_ID, {"lease_duration_secs", OP_INT, .aliases = {"extension_secs"}}},
	},
	{
		.name = "job.release",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/release"}},
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_job_release($1, $2, $3)", 3},
		.params = {ID, WORKER_ID, LEASE_ID},
	},
};

OpTable
op_table_jobs(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

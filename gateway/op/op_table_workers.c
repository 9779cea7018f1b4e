/*
 * op_table_workers.c
 *    Registered worker processes.
 */
#include "op/op_table.h"

static Op ops[] = {
	{
		.name = "worker.list",
		.routes = {{HTTP_GET, "/api/v1/workers"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_worker_list()", 0},
	},
	{
		.name = "worker.register",
		.routes = {{HTTP_POST, "/api/v1/workers/register"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_worker_register($1, $2, $3, $4, $5, $6, $7, $8)", 8},
		.params = {{"worker_id", OP_TEXT},
				   {"queue_name", OP_TEXT, OP_REQUIRED, .aliases = {"queue", "queues[0]"}},
				   {"hostname", OP_TEXT, OP_REQUIRED, .aliases = {"name"}},
				   {"worker_type", OP_TEXT},
				   {"max_concurrency", OP_INT, .aliases = {"concurrency"}},
				   {"metadata", OP_JSON, OP_EMPTY_OBJECT},
				   {"version", OP_TEXT},
				   OP_REQUEST_KEY},
	},
	{
		.name = "worker.get",
		.routes = {{HTTP_GET, "/api/v1/workers/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_worker_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "worker.heartbeat",
		.routes = {{HTTP_POST, "/api/v1/workers/{id}/heartbeat"}},
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_worker_heartbeat($1, $2, $3, $4)", 4},
		.params =
			{ID, {"current_jobs", OP_INT, .def = "0"}, {"status", OP_TEXT}, {"metadata", OP_JSON, OP_EMPTY_OBJECT}},
	},
	{
		.name = "worker.deregister",
		.routes = {{HTTP_POST, "/api/v1/workers/{id}/deregister"}, {HTTP_DELETE, "/api/v1/workers/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_worker_deregister($1)", 1},
		.params = {ID},
	},
};

OpTable
op_table_workers(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

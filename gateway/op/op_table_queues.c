/*
 * op_table_queues.c
 *    Queues: lists, settings, pause, purge.
 */
#include "op/op_table.h"

#define QUEUE_NAME                                  \
	{                                               \
		"queue_name", OP_TEXT, OP_REQUIRED, OP_PATH \
	}

static Op ops[] = {
	{
		.name = "queue.list",
		.routes = {{HTTP_GET, "/api/v1/queues"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_list()", 0},
	},
	{
		.name = "queue.create",
		.routes = {{HTTP_POST, "/api/v1/queues"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_create($1, $2, $3, $4, $5)", 5},
		.params = {{"name", OP_TEXT, OP_REQUIRED, .aliases = {"queue_name", "queue"}},
				   {"max_retries", OP_INT},
				   {"timeout_seconds", OP_INT, .aliases = {"default_timeout"}},
				   {"retry_delay_seconds", OP_INT},
				   OP_REQUEST_KEY},
	},
	{
		.name = "queue.get",
		.routes = {{HTTP_GET, "/api/v1/queues/{queue_name}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_get($1)", 1},
		.params = {QUEUE_NAME},
	},
	{
		.name = "queue.configure",
		.routes = {{HTTP_PUT, "/api/v1/queues/{queue_name}/config"}, {HTTP_PUT, "/api/v1/queues/{queue_name}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_configure($1, $2, $3, $4, $5, $6)", 6},
		.params = {QUEUE_NAME,
				   {"max_retries", OP_INT},
				   {"default_timeout", OP_INT, .aliases = {"timeout_seconds"}},
				   {"rate_limit", OP_INT},
				   {"enabled", OP_BOOL},
				   {"settings", OP_JSON_OBJECT}},
	},
	{
		.name = "queue.stats",
		.routes = {{HTTP_GET, "/api/v1/queues/{queue_name}/stats"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_stats_of_queue($1)", 1},
		.params = {QUEUE_NAME},
	},
	{
		.name = "queue.pause",
		.routes = {{HTTP_POST, "/api/v1/queues/{queue_name}/pause"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_pause($1, $2)", 2},
		.params = {QUEUE_NAME, {"reason", OP_TEXT}},
	},
	{
		.name = "queue.resume",
		.routes = {{HTTP_POST, "/api/v1/queues/{queue_name}/resume"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_resume($1)", 1},
		.params = {QUEUE_NAME},
	},
	{
		.name = "queue.delete",
		.routes = {{HTTP_DELETE, "/api/v1/queues/{queue_name}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_delete($1, $2)", 2},
		.params = {QUEUE_NAME, {"delete_jobs", OP_BOOL, 0, OP_QUERY}},
	},
	{
		.name = "queue.purge",
		.routes = {{HTTP_POST, "/api/v1/queues/{queue_name}/purge"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_queue_purge($1)", 1},
		.params = {QUEUE_NAME},
	},
};

OpTable
op_table_queues(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

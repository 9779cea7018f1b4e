/*
 * op_table_schedules.c
 *    Cron schedules.
 */
#include "op/op_table.h"

/*
 * What a schedule runs, and what else its owner may say; the two that create and update share.  The extension says which of
 * queue_name, payload_template and workflow_jobs are needed.
 */
/* clang-format off */
#define OPTIONS                                           \
	{"priority", OP_INT}, {"max_retries", OP_INT}, {"timeout_seconds", OP_INT}, {"tags", OP_JSON, OP_EMPTY_OBJECT}, \
	{"metadata", OP_JSON, OP_EMPTY_OBJECT}, {"is_active", OP_BOOL, .aliases = {"enabled"}}, {"catch_up", OP_TEXT}, \
	{"max_outstanding", OP_INT}, {"skip_if_running", OP_BOOL}, {"jitter_seconds", OP_INT}, {"ends_at", OP_TIME}, \
	{"workflow_jobs", OP_JSON, OP_VERBATIM}
#define CRON(flags) {"cron_expression", OP_TEXT, flags, .aliases = {"cron", "schedule"}}
#define QUEUE(flags) {"queue_name", OP_TEXT, flags, .aliases = {"queue"}}
#define PAYLOAD(flags) {"payload_template", OP_JSON, flags, .aliases = {"payload"}}
/* clang-format on */

static Op ops[] = {
	{
		.name = "schedule.list",
		.routes = {{HTTP_GET, "/api/v1/schedules"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_list($1, $2, $3, $4)", 4},
		.params = {{"queue_name", OP_TEXT, 0, OP_QUERY, .aliases = {"queue"}},
				   {"is_active", OP_BOOL, 0, OP_QUERY},
				   {"limit", OP_INT, 0, OP_QUERY},
				   {"offset", OP_INT, 0, OP_QUERY}},
	},
	{
		.name = "schedule.create",
		.routes = {{HTTP_POST, "/api/v1/schedules"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call =
			{REPLY
			 "_schedule_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
			 19},
		.params = {{"name", OP_TEXT, OP_REQUIRED},
				   {"description", OP_TEXT},
				   CRON(OP_REQUIRED),
				   {"timezone", OP_TEXT},
				   QUEUE(0),
				   PAYLOAD(OP_VERBATIM | OP_NULL),
				   OPTIONS,
				   OP_REQUEST_KEY},
	},
	{
		.name = "schedule.get",
		.routes = {{HTTP_GET, "/api/v1/schedules/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "schedule.update",
		.routes = {{HTTP_PUT, "/api/v1/schedules/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call =
			{REPLY
			 "_schedule_update($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
			 19},
		.params = {ID,
				   {"name", OP_TEXT},
				   {"description", OP_TEXT},
				   CRON(0),
				   {"timezone", OP_TEXT},
				   QUEUE(0),
				   PAYLOAD(OP_VERBATIM),
				   OPTIONS},
	},
	{
		.name = "schedule.delete",
		.routes = {{HTTP_DELETE, "/api/v1/schedules/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_delete($1)", 1},
		.params = {ID},
	},
	{
		.name = "schedule.pause",
		.routes = {{HTTP_POST, "/api/v1/schedules/{id}/pause"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_pause($1)", 1},
		.params = {ID},
	},
	{
		.name = "schedule.resume",
		.routes = {{HTTP_POST, "/api/v1/schedules/{id}/resume"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_resume($1)", 1},
		.params = {ID},
	},
	{
		.name = "schedule.trigger",
		.routes = {{HTTP_POST, "/api/v1/schedules/{id}/trigger"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_trigger($1, $2)", 2},
		.params = {ID, OP_REQUEST_KEY},
	},
	{
		.name = "schedule.history",
		.routes = {{HTTP_GET, "/api/v1/schedules/{id}/history"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_history($1, $2)", 2},
		.params = {ID, {"limit", OP_INT, 0, OP_QUERY}},
	},
	{
		.name = "schedule.next",
		.routes = {{HTTP_GET, "/api/v1/schedules/{id}/next"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_schedule_next($1, $2)", 2},
		.params = {ID, {"n", OP_INT, 0, OP_QUERY, .aliases = {"limit"}}},
	},
};

OpTable
op_table_schedules(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

/*
 * op_table_workflow.c
 *    Dependencies between jobs, and workflows.
 *
 * All of them may wait for another open transaction, so they share none.
 */
#include "op/op_table.h"

/* clang-format off */
#define PAGE {"limit", OP_INT, 0, OP_QUERY}, {"offset", OP_INT, 0, OP_QUERY}
/* clang-format on */

static Op ops[] = {
	{
		.name = "dependency.list",
		.routes = {{HTTP_GET, "/api/v1/jobs/{id}/dependencies"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_dependency_list($1)", 1},
		.params = {ID},
	},
	{
		.name = "dependency.add",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/dependencies"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_dependency_add($1, $2, $3)", 3},
		.params = {ID,
				   {"depends_on", OP_TEXTS, OP_REQUIRED, .aliases = {"depends_on_job_ids", "dependency_job_ids"}},
				   {"dependency_mode", OP_TEXT, .aliases = {"dependency_type"}}},
	},
	{
		.name = "workflow.list",
		.routes = {{HTTP_GET, "/api/v1/workflows"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_list($1, $2, $3)", 3},
		.params = {{"status", OP_TEXT, 0, OP_QUERY}, PAGE},
	},
	{
		.name = "workflow.create",
		.routes = {{HTTP_POST, "/api/v1/workflows"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_create($1, $2, $3, $4, $5)", 5},
		.params = {{"name", OP_TEXT, OP_REQUIRED},
				   {"description", OP_TEXT},
				   {"jobs", OP_JSON, OP_REQUIRED | OP_VERBATIM},
				   {"metadata", OP_JSON, OP_EMPTY_OBJECT},
				   {"idempotency_key", OP_TEXT, .header = "Idempotency-Key"}},
	},
	{
		.name = "workflow.add",
		.routes = {{HTTP_POST, "/api/v1/jobs/{id}/workflow-jobs"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_add($1, $2, $3, $4)", 4},
		.params = {ID, {"worker_id", OP_TEXT}, {"lease_id", OP_TEXT}, {"jobs", OP_JSON, OP_REQUIRED | OP_VERBATIM}},
	},
	{
		.name = "workflow.get",
		.routes = {{HTTP_GET, "/api/v1/workflows/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_get($1)", 1},
		.params = {ID},
	},
	{
		.name = "workflow.delete",
		.routes = {{HTTP_DELETE, "/api/v1/workflows/{id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_delete($1)", 1},
		.params = {ID},
	},
	{
		.name = "workflow.cancel",
		.routes = {{HTTP_POST, "/api/v1/workflows/{id}/cancel"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_cancel($1)", 1},
		.params = {ID},
	},
	{
		.name = "workflow.retry",
		.routes = {{HTTP_POST, "/api/v1/workflows/{id}/retry"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_retry($1)", 1},
		.params = {ID},
	},
	{
		.name = "workflow.jobs",
		.routes = {{HTTP_GET, "/api/v1/workflows/{id}/jobs"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_members($1, $2, $3)", 3},
		.params = {ID, PAGE},
	},
	{
		.name = "workflow.jobs_status",
		.routes = {{HTTP_GET, "/api/v1/workflows/{id}/jobs/status"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_member_states($1, $2, $3)", 3},
		.params = {ID, PAGE},
	},
	{
		.name = "workflow.job",
		.routes = {{HTTP_GET, "/api/v1/workflows/{id}/jobs/{job_id}"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_workflow_member($1, $2)", 2},
		.params = {ID, {"job_id", OP_TEXT, OP_REQUIRED, OP_PATH}},
	},
};

OpTable
op_table_workflow(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

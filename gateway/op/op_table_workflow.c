/*
 * op_table_workflow.c
 *    Dependencies between jobs, and workflows.
 *
 * All of them may wait for another open transaction, so they share none.
 */
#include "op/op.h"

#define REPLY "SELECT code, body, wait_key FROM spooled."
#define ID                                  \
	{                                       \
		"id", OP_TEXT, OP_REQUIRED, OP_PATH \
	}

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
};

OpTable
op_table_workflow(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

/*
 * op_table_usage.c
 *    What an organization uses of its plan.
 */
#include "op/op_table.h"

static Op ops[] = {
	{
		.name = "organization.usage",
		.routes = {{HTTP_GET, "/api/v1/organizations/usage"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_usage(NULL)", 0},
	},
	{
		.name = "organization.usage_of",
		.routes = {{HTTP_GET, "/api/v1/organizations/{id}/usage"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_usage($1)", 1},
		.params = {ID},
	},
};

OpTable
op_table_usage(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

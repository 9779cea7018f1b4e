/*
 * op_table_health.c
 *    Health and metrics.  They ask the database without a credential.
 */
#include "op/op_table.h"

static Op ops[] = {
	{
		.name = "health",
		.routes = {{HTTP_GET, "/health"}},
		.answer = ANSWER_HEALTH,
		.call = {REPLY "_health()", 0},
	},
	{
		.name = "health.live",
		.routes = {{HTTP_GET, "/health/live"}},
		.answer = ANSWER_LIVE,
	},
	{
		.name = "health.ready",
		.routes = {{HTTP_GET, "/health/ready"}, {HTTP_GET, "/ready"}},
		.answer = ANSWER_READY,
		.call = {REPLY "_health()", 0},
	},
	{
		.name = "metrics",
		.routes = {{HTTP_GET, "/metrics"}},
		.lane = LANE_SLOW,
		.answer = ANSWER_METRICS,
		.call = {"SELECT 'OK', spooled._metrics(), NULL::int", 0},
	},
};

OpTable
op_table_health(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

/*
 * op_table_dlq.c
 *    The dead-letter queue.
 */
#include "op/op_table.h"

static Op ops[] = {
	{
		.name = "dlq.list",
		.routes = {{HTTP_GET, "/api/v1/jobs/dlq"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_dlq_list($1, $2, $3, $4, $5, $6, $7)", 7},
		.params = {{"queue_name", OP_TEXT, 0, OP_QUERY, .aliases = {"queue"}},
				   {"tag", OP_TEXT, 0, OP_QUERY},
				   {"limit", OP_INT, 0, OP_QUERY},
				   {"offset", OP_INT, 0, OP_QUERY},
				   {"order_by", OP_TEXT, 0, OP_QUERY},
				   {"order_dir", OP_TEXT, 0, OP_QUERY},
				   {"after", OP_TEXT, 0, OP_QUERY}},
	},
	{
		.name = "dlq.retry",
		.routes = {{HTTP_POST, "/api/v1/jobs/dlq/retry"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_dlq_retry($1, $2, $3)", 3},
		.params = {{"job_ids", OP_TEXTS}, {"queue_name", OP_TEXT, .aliases = {"queue"}}, {"limit", OP_INT}},
	},
	{
		.name = "dlq.purge",
		.routes = {{HTTP_POST, "/api/v1/jobs/dlq/purge"}},
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_dlq_purge($1, $2, $3, $4, $5, $6)", 6},
		.params = {{"confirm", OP_BOOL},
				   {"queue_name", OP_TEXT, .aliases = {"queue"}},
				   {"older_than", OP_TIME},
				   {"older_than_days", OP_INT},
				   {"job_ids", OP_TEXTS},
				   {"limit", OP_INT}},
	},
};

OpTable
op_table_dlq(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

/*
 * op_table_grpc.c
 *    Operations that gRPC asks for differently; the others it shares with REST.  Parameters are named as the fields of the
 *    request messages.
 */
#include "op/op_table.h"

static Op ops[] = {
	{
		.name = "grpc.dequeue",
		.enter = ENTER_ORG,
		.answer = ANSWER_CLAIM,
		.share = SHARE_CLAIMS,
		.call = {REPLY "_grpc_dequeue($1, $2, $3, $4)", 4},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED},
				   {"worker_id", OP_TEXT, OP_REQUIRED},
				   {"lease_duration_secs", OP_INT},
				   {"batch_size", OP_INT}},
	},
	{
		.name = "grpc.stream_claim",
		.enter = ENTER_ORG,
		.share = SHARE_CLAIMS,
		.call = {REPLY "_grpc_stream_claim($1, $2, $3, $4)", 4},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED},
				   {"worker_id", OP_TEXT, OP_REQUIRED},
				   {"lease_duration_secs", OP_INT},
				   {"held", OP_TEXTS}},
	},
	{
		.name = "grpc.fail",
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_grpc_fail($1, $2, $3, $4, $5)", 5},
		.params = {{"job_id", OP_TEXT, OP_REQUIRED},
				   {"worker_id", OP_TEXT},
				   {"lease_id", OP_TEXT},
				   {"error", OP_TEXT},
				   {"retry", OP_BOOL}},
	},
	{
		.name = "grpc.renew_lease",
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_grpc_renew_lease($1, $2, $3, $4)", 4},
		.params = {{"job_id", OP_TEXT, OP_REQUIRED},
				   {"worker_id", OP_TEXT},
				   {"lease_id", OP_TEXT},
				   {"extension_secs", OP_INT}},
	},
	{
		.name = "grpc.queue_stats",
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_grpc_queue_stats($1)", 1},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED}},
	},
	{
		.name = "grpc.worker_register",
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_grpc_worker_register($1, $2, $3, $4, $5, $6)", 6},
		.params = {{"queue_name", OP_TEXT, OP_REQUIRED},
				   {"hostname", OP_TEXT},
				   {"worker_type", OP_TEXT},
				   {"max_concurrency", OP_INT},
				   {"version", OP_TEXT},
				   {"metadata", OP_JSON_OBJECT}},
	},
	{
		.name = "grpc.worker_heartbeat",
		.enter = ENTER_ORG,
		.share = SHARE_CHANGES,
		.call = {REPLY "_grpc_worker_heartbeat($1, $2, $3, $4)", 4},
		.params = {{"worker_id", OP_TEXT, OP_REQUIRED},
				   {"current_jobs", OP_INT},
				   {"status", OP_TEXT},
				   {"metadata", OP_JSON_OBJECT}},
	},
	{
		.name = "grpc.worker_deregister",
		.enter = ENTER_ORG,
		.lane = LANE_SLOW,
		.call = {REPLY "_grpc_worker_deregister($1)", 1},
		.params = {{"worker_id", OP_TEXT, OP_REQUIRED}},
	},
};

OpTable
op_table_grpc(void)
{
	return (OpTable) {ops, (int) lengthof(ops)};
}

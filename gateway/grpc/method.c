/*
 * method.c
 *    The methods: which operation each is, and what its fields mean where their names don't say it.
 *
 * Adding a unary method is adding a row here and to proto/.  Rows that are registered with gRPC come first.
 */
#include <stdlib.h>
#include <string.h>

#include "grpc/call.h"
#include "health.pb-c.h"
#include "reflection.pb-c.h"
#include "spooled.pb-c.h"

#define QUEUES "/spooled.v1.QueueService/"
#define WORKERS "/spooled.v1.WorkerService/"
#define NO_JOB "Job not found or not authorized"
#define TYPES(request_type, response_type) \
	.request = &request_type##__descriptor, .response = &response_type##__descriptor

static void
begin_unknown(GrpcCall *call)
{
	call_finish(call, CODE_BAD_METHOD, "Unknown service or method");
}

static const GrpcKind unknown_kind = {.begin = begin_unknown, .streams = true};

/* The bounds of numbers are those of extension/base/job_bounds.h: gRPC brings a number within them, others are refused. */
static GrpcMethod methods[] = {
	{QUEUES "Enqueue", &unary_kind, .op_name = "job.create",
	 TYPES(spooled__v1__enqueue_request, spooled__v1__enqueue_response),
	 .rules = {{"payload", .absent = "{}"}, {"max_retries", .most = 100}, {"timeout_seconds", .most = 86400}}},
	{QUEUES "EnqueueBatch", &enqueue_batch_kind,
	 TYPES(spooled__v1__enqueue_batch_request, spooled__v1__enqueue_batch_response)},
	{QUEUES "Dequeue", &dequeue_kind, .op_name = "grpc.dequeue",
	 TYPES(spooled__v1__dequeue_request, spooled__v1__dequeue_response)},
	{QUEUES "Complete", &unary_kind, .settles = true, .op_name = "job.complete", .missing = NO_JOB,
	 TYPES(spooled__v1__complete_request, spooled__v1__complete_response)},
	{QUEUES "Fail", &unary_kind, .settles = true, .op_name = "grpc.fail", .missing = NO_JOB,
	 TYPES(spooled__v1__fail_request, spooled__v1__fail_response)},
	{QUEUES "RenewLease", &unary_kind, .op_name = "grpc.renew_lease", .missing = NO_JOB,
	 TYPES(spooled__v1__renew_lease_request, spooled__v1__renew_lease_response)},
	{QUEUES "GetJob", &unary_kind, .op_name = "job.get", .wrap = "job", .missing = NO_JOB,
	 TYPES(spooled__v1__get_job_request, spooled__v1__get_job_response)},
	{QUEUES "GetQueueStats", &unary_kind, .op_name = "grpc.queue_stats",
	 TYPES(spooled__v1__get_queue_stats_request, spooled__v1__get_queue_stats_response)},
	{WORKERS "Register", &unary_kind, .op_name = "grpc.worker_register",
	 TYPES(spooled__v1__register_worker_request, spooled__v1__register_worker_response)},
	{WORKERS "Heartbeat", &unary_kind, .op_name = "grpc.worker_heartbeat",
	 TYPES(spooled__v1__heartbeat_request, spooled__v1__heartbeat_response)},
	{WORKERS "Deregister", &unary_kind, .op_name = "grpc.worker_deregister",
	 TYPES(spooled__v1__deregister_request, spooled__v1__deregister_response)},
	{"/grpc.health.v1.Health/Check", &health_check_kind, .open = true,
	 TYPES(grpc__health__v1__health_check_request, grpc__health__v1__health_check_response)},
	/* From here on: not registered. */
	{QUEUES "StreamJobs", &stream_jobs_kind, .op_name = "grpc.stream_claim",
	 TYPES(spooled__v1__stream_jobs_request, spooled__v1__job)},
	{QUEUES "ProcessJobs", &process_jobs_kind, TYPES(spooled__v1__process_request, spooled__v1__process_response)},
	{"/grpc.health.v1.Health/Watch", &health_watch_kind, .open = true,
	 TYPES(grpc__health__v1__health_check_request, grpc__health__v1__health_check_response)},
	{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &reflection_kind, .open = true,
	 TYPES(grpc__reflection__v1__server_reflection_request, grpc__reflection__v1__server_reflection_response)},
	{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &reflection_kind, .open = true,
	 TYPES(grpc__reflection__v1__server_reflection_request, grpc__reflection__v1__server_reflection_response)},
	{NULL, &unknown_kind, .open = true}, /* every other */
};

static const GrpcMethod *
unknown_method(void)
{
	return &methods[lengthof(methods) - 1];
}

void
method_init(void)
{
	for (size_t i = 0; i < lengthof(methods); i++)
	{
		if (methods[i].op_name == NULL)
			continue;
		methods[i].op = op_named(methods[i].op_name);
		if (methods[i].op == NULL)
			abort();
	}
}

int
method_unary_count(void)
{
	int count = 0;

	while (!methods[count].kind->streams)
		count++;
	return count;
}

const GrpcMethod *
method_at(int number)
{
	return &methods[number];
}

const GrpcMethod *
method_of(const char *path)
{
	for (size_t i = 0; methods[i].path != NULL; i++)
	{
		if (strcmp(path, methods[i].path) == 0)
			return &methods[i];
	}
	return unknown_method();
}

bool
method_has_service(const char *service)
{
	size_t len = strlen(service);

	for (size_t i = 0; methods[i].path != NULL; i++)
	{
		if (strncmp(methods[i].path + 1, service, len) == 0 && methods[i].path[len + 1] == '/')
			return true;
	}
	return false;
}

const GrpcMethod *
method_named(grpc_slice path)
{
	for (size_t i = 0; methods[i].path != NULL; i++)
	{
		if (grpc_slice_str_cmp(path, methods[i].path) == 0)
			return &methods[i];
	}
	return unknown_method();
}

/*
 * health.c
 *    grpc.health.v1: whether this gateway and its database answer.  Needs no credential, and no query.
 */
#include "grpc/call.h"
#include "health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest				 Request;
typedef Grpc__Health__V1__HealthCheckResponse				 Response;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus Status;

#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

/* status_now: the empty name stands for everything, and one state holds for all services. */
static Status
status_now(const GrpcFront *front, const char *service)
{
	if (*service != '\0' && !method_has_service(service))
		return SERVICE_UNKNOWN;
	return front_is_serving(front) ? SERVING : NOT_SERVING;
}

static void
begin_check(GrpcCall *call)
{
	const Request *request = (const Request *) call_read_request(call);
	Response	  *response;

	if (request == NULL)
		return;
	response = (Response *) codec_new(call->method->response, &call->arena);
	response->status = status_now(call->front, request->service);
	if (response->status == SERVICE_UNKNOWN)
		call_finish(call, CODE_NOT_FOUND, "Unknown service");
	else
		call_finish_with(call, &response->base);
}

const GrpcKind health_check_kind = {.begin = begin_check};

typedef struct Watch
{
	const char *service;
	int			told; /* what the client knows; -1: nothing */
} Watch;

static void on_told(GrpcCall *call, bool ok);

static void
tell(GrpcCall *call)
{
	Watch	*watch = call->state;
	Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	response.status = status_now(call->front, watch->service);
	if (call->sending || call->gone || (int) response.status == watch->told)
		return;
	watch->told = (int) response.status;
	call_send(call, codec_write(&response.base), false, on_told);
}

static void
on_told(GrpcCall *call, bool ok)
{
	if (ok && !call->finished)
		tell(call);
}

static void
on_request(GrpcCall *call, bool ok)
{
	const Request *request = ok ? (const Request *) call_read_request(call) : NULL;
	Watch		  *watch;

	if (request == NULL)
		return;
	watch = call->state = arena_zalloc(&call->arena, sizeof(*watch));
	watch->service = request->service;
	watch->told = -1;
	front_watch(call);
	tell(call);
}

static void
begin_watch(GrpcCall *call)
{
	call_receive(call, on_request);
}

static void
drain_watch(GrpcCall *call)
{
	call_finish(call, CODE_UNAVAILABLE, "The service is shutting down");
}

const GrpcKind health_watch_kind = {.begin = begin_watch, .turn = tell, .drain = drain_watch, .streams = true};

/*
 * process_jobs.c
 *    ProcessJobs: one response for each request, in order, with many requests under way.
 *
 * Requests are operations like any other: those that arrive together, on this stream or elsewhere, share transactions.
 * Their answers may come in another order; a response leaves when all before it have left.
 */
#include <stdlib.h>

#include "grpc/call.h"
#include "grpc/release.h"
#include "spooled.pb-c.h"

#define MOST_UNDER_WAY 256

typedef struct Pending Pending;
struct Pending
{
	GrpcStep		  step;
	Arena			  arena;
	size_t			  message_bytes;
	Pending			 *next;
	grpc_byte_buffer *response; /* NULL: not there yet */
	Lease			  lease;	/* of the job in the response */
	bool			  last;		/* the stream ends with this response */
};

typedef struct Process
{
	Pending	 *first;
	Pending **end;
	Pending	 *leaving; /* its response is being sent */
	int		  count;
	bool	  reading;
	bool	  half_closed;
} Process;

static void read_next(GrpcCall *call);

static Pending *
add_pending(Process *process)
{
	Pending *pending = xcalloc(1, sizeof(*pending));

	arena_init(&pending->arena);
	*process->end = pending;
	process->end = &pending->next;
	process->count++;
	return pending;
}

static void
free_pending(GrpcCall *call, Pending *pending)
{
	front_give_room(call->front, pending->message_bytes);
	if (pending->response != NULL)
		grpc_byte_buffer_destroy(pending->response);
	arena_free(&pending->arena);
	free(pending);
}

static void
give_back(GrpcCall *call, Pending *pending)
{
	if (pending->lease.job_id != NULL)
		release_lease(call->front, call->credential, &pending->lease);
}

/* drop_all forgets what can't be sent any more; what the database works on is dropped when it is answered. */
static void
drop_all(GrpcCall *call)
{
	Process	 *process = call->state;
	Pending **at = &process->first;

	while (*at != NULL)
	{
		Pending *pending = *at;

		if (pending->step.running && !call_withdraw(&pending->step))
		{
			at = &pending->next;
			continue;
		}
		*at = pending->next;
		process->count--;
		give_back(call, pending);
		free_pending(call, pending);
	}
	process->end = at;
}

static void send_ready(GrpcCall *call);

static void
on_sent(GrpcCall *call, bool ok)
{
	Process *process = call->state;
	Pending *pending = process->leaving;

	process->leaving = NULL;
	if (!ok)
		give_back(call, pending);
	if (pending->last && !call->finished)
		call_finish(call, CODE_UNAUTHORIZED, "Invalid API key");
	free_pending(call, pending);
	if (call->finished)
		drop_all(call);
	else
	{
		send_ready(call);
		read_next(call);
	}
}

/* send_ready sends the first response, if it is there. */
static void
send_ready(GrpcCall *call)
{
	Process			 *process = call->state;
	Pending			 *pending = process->first;
	grpc_byte_buffer *response;

	if (call->finished || process->leaving != NULL)
		return;
	if (pending == NULL)
	{
		if (process->half_closed)
			call_finish_ok(call);
		return;
	}
	if (pending->response == NULL)
		return;
	process->first = pending->next;
	if (process->first == NULL)
		process->end = &process->first;
	process->count--;
	process->leaving = pending;
	response = pending->response;
	pending->response = NULL;
	call_send(call, response, process->first != NULL && process->first->response != NULL, on_sent);
}

static void
respond_error(Pending *pending, const char *code, const char *message)
{
	Spooled__V1__ProcessResponse response = SPOOLED__V1__PROCESS_RESPONSE__INIT;
	Spooled__V1__ErrorResponse	 error = SPOOLED__V1__ERROR_RESPONSE__INIT;

	error.code = (char *) code;
	error.message = (char *) message;
	response.response_case = SPOOLED__V1__PROCESS_RESPONSE__RESPONSE_ERROR;
	response.error = &error;
	pending->response = codec_write(&response.base);
}

/* respond makes the response of a successful answer. */
static void
respond(Pending *pending, const ProtobufCMessage *answer)
{
	Spooled__V1__ProcessResponse response = SPOOLED__V1__PROCESS_RESPONSE__INIT;

	if (answer->descriptor == &spooled__v1__dequeue_response__descriptor)
	{
		const Spooled__V1__DequeueResponse *claimed = (const Spooled__V1__DequeueResponse *) answer;

		if (claimed->n_jobs == 0)
		{
			respond_error(pending, "NO_JOBS", "No jobs available");
			return;
		}
		response.response_case = SPOOLED__V1__PROCESS_RESPONSE__RESPONSE_JOB;
		response.job = claimed->jobs[0];
		fit_job(response.job);
		pending->lease = lease_of(response.job, &pending->arena);
	}
	else if (answer->descriptor == &spooled__v1__complete_response__descriptor)
	{
		response.response_case = SPOOLED__V1__PROCESS_RESPONSE__RESPONSE_COMPLETE;
		response.complete = (Spooled__V1__CompleteResponse *) answer;
	}
	else if (answer->descriptor == &spooled__v1__fail_response__descriptor)
	{
		response.response_case = SPOOLED__V1__PROCESS_RESPONSE__RESPONSE_FAIL;
		response.fail = (Spooled__V1__FailResponse *) answer;
	}
	else
	{
		response.response_case = SPOOLED__V1__PROCESS_RESPONSE__RESPONSE_RENEW_LEASE;
		response.renew_lease = (Spooled__V1__RenewLeaseResponse *) answer;
	}
	pending->response = codec_write(&response.base);
}

static void
remove_pending(Process *process, Pending *pending)
{
	Pending **at = &process->first;

	while (*at != pending)
		at = &(*at)->next;
	*at = pending->next;
	if (*at == NULL)
		process->end = at;
	process->count--;
}

static void
on_answer(GrpcStep *step, const OpReply *reply)
{
	Pending			 *pending = container_of(step, Pending, step);
	GrpcCall		 *call = step->call;
	ProtobufCMessage *answer = reply_is_success(reply) ? reply_answer(step->method, reply, &pending->arena) : NULL;

	if (answer != NULL)
		respond(pending, answer);
	else
	{
		const char *code = reply_is_success(reply) ? CODE_INTERNAL : reply->code;

		pending->last = status_rpc(status_of(code)) == RPC_UNAUTHENTICATED;
		respond_error(pending, status_name_in_band(status_of(code)), reply_message(step->method, reply));
	}
	if (!call->finished)
	{
		step_settled(step, reply);
		send_ready(call);
		return;
	}
	give_back(call, pending);
	remove_pending(call->state, pending);
	free_pending(call, pending);
}

/* wanted finds the method and the message that a request is for; NULL: it is empty. */
static ProtobufCMessage *
wanted(const Spooled__V1__ProcessRequest *request, const GrpcMethod **method)
{
	switch (request->request_case)
	{
		case SPOOLED__V1__PROCESS_REQUEST__REQUEST_DEQUEUE:
			*method = method_of("/spooled.v1.QueueService/Dequeue");
			request->dequeue->batch_size = 1;
			return &request->dequeue->base;
		case SPOOLED__V1__PROCESS_REQUEST__REQUEST_COMPLETE:
			*method = method_of("/spooled.v1.QueueService/Complete");
			return &request->complete->base;
		case SPOOLED__V1__PROCESS_REQUEST__REQUEST_FAIL:
			*method = method_of("/spooled.v1.QueueService/Fail");
			return &request->fail->base;
		case SPOOLED__V1__PROCESS_REQUEST__REQUEST_RENEW_LEASE:
			*method = method_of("/spooled.v1.QueueService/RenewLease");
			return &request->renew_lease->base;
		default: return NULL;
	}
}

/* begin_request submits what a message asks for, or answers at once why not. */
static void
begin_request(GrpcCall *call)
{
	Pending							  *pending = add_pending(call->state);
	OpFault							   fault = {0};
	const Spooled__V1__ProcessRequest *request;
	ProtobufCMessage				  *message;
	size_t							   len;

	request = (const Spooled__V1__ProcessRequest *) codec_read(call->method->request, call->payload, &pending->arena,
															   &len, &fault);
	if (request == NULL)
	{
		respond_error(pending, "INVALID_ARGUMENT", fault.message);
		return;
	}
	if (!front_take_room(call->front, len))
	{
		respond_error(pending, status_name_in_band(status_of(CODE_UNAVAILABLE)), FRONT_NO_ROOM);
		arena_free(&pending->arena);
		arena_init(&pending->arena);
		return;
	}
	pending->message_bytes = len;
	message = wanted(request, &pending->step.method);
	if (message == NULL)
	{
		respond_error(pending, "INVALID_REQUEST", "Empty request");
		return;
	}
	pending->step.op_call.op = pending->step.method->op;
	if (codec_bind(pending->step.method->op, pending->step.method->rules, message, &pending->arena,
				   &pending->step.op_call.values, &fault))
		call_submit(call, &pending->step, on_answer);
	else
		respond_error(pending, "INVALID_ARGUMENT", fault.message);
}

static void
on_message(GrpcCall *call, bool ok)
{
	Process *process = call->state;

	process->reading = false;
	if (!ok || call->finished)
		return;
	if (call->payload == NULL)
		process->half_closed = true;
	else
		begin_request(call);
	call_drop_payload(call);
	send_ready(call);
	read_next(call);
}

static void
read_next(GrpcCall *call)
{
	Process *process = call->state;

	if (call->finished || process->reading || process->half_closed || process->count >= MOST_UNDER_WAY)
		return;
	process->reading = true;
	call_receive(call, on_message);
}

static void
begin_process(GrpcCall *call)
{
	Process *process = arena_zalloc(&call->arena, sizeof(*process));

	process->end = &process->first;
	call->state = process;
	front_watch(call);
	read_next(call);
}

static void
process_gone(GrpcCall *call)
{
	if (call->state != NULL)
		drop_all(call);
}

/* drain_process ends the stream; what the client was not told of is as if the connection had broken. */
static void
drain_process(GrpcCall *call)
{
	call_finish(call, CODE_UNAVAILABLE, "The service is shutting down");
	drop_all(call);
}

const GrpcKind process_jobs_kind = {.begin = begin_process,
									.gone = process_gone,
									.drain = drain_process,
									.streams = true};

/*
 * dequeue.c
 *    Dequeue: a claim that may wait for jobs.
 *
 * As over REST: claim; when there was nothing, wait in the hub and claim once more, since a job may have come in between;
 * then claim again at each wake-up, until there are jobs or the time is over.  What was claimed for a caller who is gone,
 * or does not fit into the response, is released.
 */
#include <stdlib.h>

#include "grpc/call.h"
#include "grpc/release.h"
#include "spooled.pb-c.h"

#define ROOM (CODEC_MAX_MESSAGE - 1024)

typedef struct Dequeue
{
	GrpcCall *call;
	GrpcStep  step;
	Waiter	  waiter;
	Timer	  timer;
	int64_t	  wait_ms;
	int64_t	  wait_until;
} Dequeue;

static void on_claimed(GrpcStep *step, const OpReply *reply);

static void
stop_waiting(Dequeue *dequeue, bool pass_on)
{
	GrpcFront *front = dequeue->call->front;

	loop_timer_stop(front->loop, &dequeue->timer);
	waiter_leave(front->hub, &dequeue->waiter, pass_on);
}

static void
answer_nothing(Dequeue *dequeue)
{
	GrpcCall *call = dequeue->call;

	stop_waiting(dequeue, dequeue->waiter.busy);
	if (!call->finished)
		call_finish_with(call, codec_new(call->method->response, &call->arena));
}

static void
on_time(Timer *timer)
{
	Dequeue *dequeue = container_of(timer, Dequeue, timer);

	if (!dequeue->step.running || call_withdraw(&dequeue->step))
		answer_nothing(dequeue);
}

static void
on_wake(Waiter *waiter)
{
	Dequeue *dequeue = container_of(waiter, Dequeue, waiter);

	if (!dequeue->step.running)
		call_submit(dequeue->call, &dequeue->step, on_claimed);
}

/* found_nothing waits for a wake-up, or claims again, or gives up. */
static void
found_nothing(Dequeue *dequeue, const OpReply *reply)
{
	GrpcCall  *call = dequeue->call;
	GrpcFront *front = call->front;
	WaiterNext next = WAITER_FULL;

	if (dequeue->wait_ms > 0 && !front->draining)
		next = waiter_after_nothing(front->hub, &dequeue->waiter, reply->wait_key, on_wake);
	if (next != WAITER_FULL && dequeue->wait_until == 0)
	{
		dequeue->wait_until = front->loop->now + dequeue->wait_ms;
		loop_timer(front->loop, &dequeue->timer, dequeue->wait_ms, on_time);
	}
	if (next == WAITER_FULL || front->loop->now >= dequeue->wait_until)
		answer_nothing(dequeue);
	else if (next == WAITER_CLAIM)
		call_submit(call, &dequeue->step, on_claimed);
}

/* keep_what_fits shortens the response to what a message may carry and releases the rest. */
static void
keep_what_fits(GrpcCall *call, Spooled__V1__DequeueResponse *response)
{
	size_t size = 0;
	size_t kept = 0;

	while (kept < response->n_jobs)
	{
		Spooled__V1__Job *job = response->jobs[kept];
		size_t			  job_size;

		fit_job(job);
		job_size = protobuf_c_message_get_packed_size(&job->base) + 8;
		if (size + job_size > ROOM)
			break;
		size += job_size;
		kept++;
	}
	for (size_t i = kept; i < response->n_jobs; i++)
		release_job(call->front, call->credential, response->jobs[i]);
	response->n_jobs = kept;
}

static void
on_claimed(GrpcStep *step, const OpReply *reply)
{
	Dequeue						 *dequeue = container_of(step, Dequeue, step);
	GrpcCall					 *call = step->call;
	Spooled__V1__DequeueResponse *response;

	if (reply_is_success(reply) && reply->wait_key != 0 && !call->finished)
	{
		found_nothing(dequeue, reply);
		return;
	}
	if (!reply_is_success(reply))
	{
		stop_waiting(dequeue, false);
		if (!call->finished)
			call_finish_reply(call, reply);
		return;
	}
	response = (Spooled__V1__DequeueResponse *) reply_answer(call->method, reply, &call->arena);
	stop_waiting(dequeue, response != NULL && response->n_jobs > 0);
	if (call->finished)
	{
		for (size_t i = 0; response != NULL && i < response->n_jobs; i++)
			release_job(call->front, call->credential, response->jobs[i]);
		return;
	}
	if (response != NULL)
		keep_what_fits(call, response);
	call_finish_with(call, response == NULL ? NULL : &response->base);
}

static void
begin_dequeue(GrpcCall *call)
{
	const Spooled__V1__DequeueRequest *request;
	Dequeue							  *dequeue;
	OpFault							   fault = {0};

	request = (const Spooled__V1__DequeueRequest *) call_read_request(call);
	if (request == NULL)
		return;
	dequeue = arena_zalloc(&call->arena, sizeof(*dequeue));
	dequeue->call = call;
	dequeue->wait_ms = request->wait_secs <= 0	 ? 0
		: request->wait_secs > OP_MOST_WAIT_SECS ? OP_MOST_WAIT_SECS * 1000
												 : request->wait_secs * 1000;
	dequeue->step.op_call.op = call->method->op;
	if (!codec_bind(call->method->op, call->method->rules, &request->base, &call->arena, &dequeue->step.op_call.values,
					&fault))
	{
		call_finish(call, fault.code, fault.message);
		return;
	}
	call->state = dequeue;
	front_watch(call);
	call_submit(call, &dequeue->step, on_claimed);
}

static void
dequeue_gone(GrpcCall *call)
{
	Dequeue *dequeue = call->state;

	if (dequeue == NULL)
		return;
	(void) call_withdraw(&dequeue->step);
	stop_waiting(dequeue, dequeue->waiter.busy);
}

static void
drain_dequeue(GrpcCall *call)
{
	Dequeue *dequeue = call->state;

	if (dequeue->waiter.key != 0 && (!dequeue->step.running || call_withdraw(&dequeue->step)))
		answer_nothing(dequeue);
}

const GrpcKind dequeue_kind = {.begin = begin_dequeue, .gone = dequeue_gone, .drain = drain_dequeue, .prompt = true};

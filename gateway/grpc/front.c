/*
 * front.c
 *    The side of a loop: takes over what the completion queues report, and looks after streams.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/config.h"
#include "grpc/call.h"
#include "grpc/server.h"

#define EVENTS_CAME 1
#define TURN_MS 250

static GrpcFront *fronts[CONFIG_MOST_THREADS];
static int		  front_count;

uint64_t
hash_of_job(const char *job_id)
{
	uint64_t hash = 14695981039346656037ull; /* FNV-1a, of the id in lower case */

	for (; *job_id != '\0'; job_id++)
		hash = (hash ^ (uint64_t) tolower((unsigned char) *job_id)) * 1099511628211ull;
	return (hash >> 2) + EVENTS_CAME + 1; /* no other message looks like it */
}

void
step_settled(const GrpcStep *step, const OpReply *reply)
{
	uint64_t hash;

	if (!step->method->settles || !reply_is_success(reply))
		return;
	hash = hash_of_job(step->op_call.values.text[0]);
	for (int i = 0; i < front_count; i++)
	{
		if (atomic_load_explicit(&fronts[i]->held_count, memory_order_relaxed) > 0)
			inbox_put(&fronts[i]->inbox, (int64_t) hash);
	}
}

static void
happen(GrpcEvent *event, bool ok)
{
	GrpcCall *call = event->call;

	event->happened(call, ok);
	call_unref(call);
}

/* take_events empties the list and handles what was on it. */
static void
take_events(GrpcFront *front)
{
	GrpcEvent *event;

	pthread_mutex_lock(&front->lock);
	event = front->first;
	front->first = NULL;
	front->last = &front->first;
	pthread_mutex_unlock(&front->lock);
	while (event != NULL)
	{
		GrpcEvent *next = event->next;

		happen(event, event->ok);
		event = next;
	}
}

/* on_message hears of events, or of a job that was settled; a message that was lost stood for one of them. */
static void
on_message(void *arg, int64_t message)
{
	if (message == EVENTS_CAME || message == INBOX_LOST)
		take_events(arg);
	else
		stream_jobs_settled(arg, (uint64_t) message);
}

void
front_post(GrpcFront *front, GrpcEvent *event)
{
	bool wake;

	event->next = NULL;
	pthread_mutex_lock(&front->lock);
	wake = front->first == NULL;
	*front->last = event;
	front->last = &event->next;
	pthread_mutex_unlock(&front->lock);
	if (wake)
		inbox_put(&front->inbox, EVENTS_CAME);
}

/* take_reply takes one thing that gRPC says of a quiet call; false: it says nothing now. */
static bool
take_reply(GrpcFront *front)
{
	grpc_event event = grpc_completion_queue_next(front->replies, gpr_inf_past(GPR_CLOCK_REALTIME), NULL);

	if (event.type != GRPC_OP_COMPLETE)
		return false;
	if (front->replies_due > 0)
		front->replies_due--;
	happen(event.tag, event.success != 0);
	return true;
}

void
front_run(GrpcFront *front)
{
	while (front->replies_due > 0 && take_reply(front))
		;
}

bool
front_is_serving(const GrpcFront *front)
{
	return !front->draining && db_pool_ready(&front->engine->fast) > 0;
}

void
front_watch(GrpcCall *call)
{
	GrpcFront *front = call->front;

	call->next_stream = front->streams;
	call->place = &front->streams;
	if (call->next_stream != NULL)
		call->next_stream->place = &call->next_stream;
	front->streams = call;
}

bool
front_take_room(GrpcFront *front, size_t size)
{
	if (front->message_bytes + size > front->message_bytes_most)
		return false;
	front->message_bytes += size;
	return true;
}

void
front_give_room(GrpcFront *front, size_t size)
{
	front->message_bytes -= size;
}

/* each_stream: what is called may end its own call, but no other one. */
static void
each_stream(GrpcFront *front, void (*what)(GrpcCall *call))
{
	GrpcCall *next;

	for (GrpcCall *call = front->streams; call != NULL; call = next)
	{
		next = call->next_stream;
		what(call);
	}
}

static void
turn_one(GrpcCall *call)
{
	if (!call->finished && call->method->kind->turn != NULL)
		call->method->kind->turn(call);
}

static void
drain_one(GrpcCall *call)
{
	if (!call->finished && call->method->kind->drain != NULL)
		call->method->kind->drain(call);
}

static void
on_turn(Timer *timer)
{
	GrpcFront *front = container_of(timer, GrpcFront, timer);

	each_stream(front, turn_one);
	/* Those whose client is gone are not due. */
	while (front->replies != NULL && take_reply(front))
		;
	loop_timer(front->loop, &front->timer, TURN_MS, on_turn);
}

void
front_drain(GrpcFront *front)
{
	front->draining = true;
	each_stream(front, drain_one);
}

GrpcFront *
front_new(Loop *loop, OpEngine *engine, WaiterHub *hub, Metrics *metrics)
{
	GrpcFront *front = xcalloc(1, sizeof(*front));

	front->loop = loop;
	front->engine = engine;
	front->hub = hub;
	front->metrics = metrics;
	front->last = &front->first;
	pthread_mutex_init(&front->lock, NULL);
	inbox_init(&front->inbox, loop, on_message, front);
	loop_timer(loop, &front->timer, TURN_MS, on_turn);
	front->message_bytes_most = (size_t) config.body_memory_mb * 1024 * 1024 / (size_t) config.threads;
	front->held = xcalloc(FRONT_HELD_BUCKETS, sizeof(front->held[0]));
	fronts[front_count++] = front;
	return front;
}

void
front_delete(GrpcFront *front)
{
	loop_timer_stop(front->loop, &front->timer);
	inbox_free(&front->inbox, front->loop);
	pthread_mutex_destroy(&front->lock);
	free(front->held);
	free(front);
}

int
front_active(const GrpcFront *front)
{
	return front->active;
}

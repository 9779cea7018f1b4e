/*
 * front.c
 *    The side of a loop: takes over what the completion queues report, and looks after streams.
 */
#include <stddef.h>
#include <stdlib.h>

#include "grpc/call.h"
#include "grpc/server.h"

#define EVENTS_CAME 1
#define TURN_MS 250

/* take_events empties the list and handles what was on it. */
static void
take_events(void *arg, int64_t value)
{
	GrpcFront *front = arg;
	GrpcEvent *event;

	(void) value;
	pthread_mutex_lock(&front->lock);
	event = front->first;
	front->first = NULL;
	front->last = &front->first;
	pthread_mutex_unlock(&front->lock);
	while (event != NULL)
	{
		GrpcEvent *next = event->next;
		GrpcCall  *call = event->call;

		event->happened(call, event->ok);
		call_unref(call);
		event = next;
	}
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
	loop_timer(front->loop, &front->timer, TURN_MS, on_turn);
}

void
front_drain(GrpcFront *front)
{
	front->draining = true;
	each_stream(front, drain_one);
}

GrpcFront *
front_new(Loop *loop, OpEngine *engine, WaiterHub *hub)
{
	GrpcFront *front = xcalloc(1, sizeof(*front));

	front->loop = loop;
	front->engine = engine;
	front->hub = hub;
	front->last = &front->first;
	pthread_mutex_init(&front->lock, NULL);
	inbox_init(&front->inbox, loop, take_events, front);
	loop_timer(loop, &front->timer, TURN_MS, on_turn);
	return front;
}

void
front_delete(GrpcFront *front)
{
	loop_timer_stop(front->loop, &front->timer);
	inbox_free(&front->inbox, front->loop);
	pthread_mutex_destroy(&front->lock);
	free(front);
}

int
front_active(const GrpcFront *front)
{
	return front->active;
}

/*
 * loop.h
 *    An event loop: epoll, timers, and one function that runs at the end of each turn.
 *
 * One thread runs a loop, and nothing of it is touched from another thread; those use an inbox.  A source may be
 * taken away while its own or another event of the same turn is handled: what is left of the turn skips it.
 */
#ifndef GATEWAY_LOOP_H
#define GATEWAY_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "loop/timer.h"

typedef struct LoopSource LoopSource;
struct LoopSource
{
	int		 fd; /* -1: not in the loop */
	uint32_t events;
	void (*ready)(LoopSource *source, uint32_t events);
};

/* A LoopTurnFn does what the turn's events left to do and returns the longest time to sleep in ms, -1: any. */
typedef int64_t (*LoopTurnFn)(void *arg);

#define LOOP_EVENTS 256

typedef struct Loop
{
	int				   epoll_fd;
	int				   number; /* from 0 */
	bool			   stopped;
	int64_t			   now; /* ms, when this turn began */
	TimerHeap		   timers;
	LoopTurnFn		   turn;
	void			  *turn_arg;
	struct epoll_event events[LOOP_EVENTS]; /* of this turn */
	int				   nevents;
} Loop;

extern void loop_init(Loop *loop, int number);
extern void loop_free(Loop *loop);

/* loop_watch adds a source, or changes what it waits for. */
extern void loop_watch(Loop *loop, LoopSource *source, int fd, uint32_t events);
extern void loop_unwatch(Loop *loop, LoopSource *source);
extern void loop_run(Loop *loop); /* until stopped is set */

static inline void
loop_timer(Loop *loop, Timer *timer, int64_t delay_ms, void (*fire)(Timer *timer))
{
	timer_set(&loop->timers, timer, loop->now + delay_ms, fire);
}

static inline void
loop_timer_stop(Loop *loop, Timer *timer)
{
	timer_stop(&loop->timers, timer);
}

#endif

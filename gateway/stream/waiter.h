/*
 * waiter.h
 *    Claims that found nothing and wait for a queue.  They hold no database connection.
 *
 * A wake-up says "there may be jobs", not how many, so it wakes a few waiters; each that finds a job wakes more.  A
 * waiter stays in the hub while it claims: what is announced meanwhile makes it claim once more, so nothing is missed.
 */
#ifndef GATEWAY_WAITER_H
#define GATEWAY_WAITER_H

#include "base/attr.h"
#include <stdatomic.h>

#include "loop/loop.h"

typedef struct Waiter Waiter;
struct Waiter
{
	int64_t key; /* of the queue; 0: not in the hub */
	Waiter *next;
	Waiter *prev;
	bool	busy;				  /* it claims right now */
	bool	again;				  /* woken while it was busy */
	void (*wake)(Waiter *waiter); /* called with busy set */
};

#define WAITER_BUCKETS 1024
#define WAITER_WAKE_MORE 2 /* a waiter that found jobs wakes so many others of its queue */

typedef struct WaiterHub
{
	Loop	  *loop;
	Waiter	  *buckets[WAITER_BUCKETS]; /* oldest first */
	Waiter	  *tails[WAITER_BUCKETS];
	atomic_int count; /* other threads may look */
	int		   most;
	int		   turn; /* the bucket that looked for itself last */
	Timer	   tick;
} WaiterHub;

extern void waiter_hub_init(WaiterHub *hub, Loop *loop, int most);
extern void waiter_hub_free(WaiterHub *hub);

/* waiter_add puts a busy waiter in; false: the hub is full. */
extern bool waiter_add(WaiterHub *hub, Waiter *waiter, int64_t key, void (*wake)(Waiter *waiter)) MUST_CHECK;
extern void waiter_remove(WaiterHub *hub, Waiter *waiter);

/* waiter_found_nothing ends a waiter's claim; true: it must claim again at once, and is busy again. */
extern bool waiter_found_nothing(Waiter *waiter) MUST_CHECK;

/* waiter_wake wakes up to "most" waiters of a queue; waiter_wake_all some of every queue. */
extern void waiter_wake(WaiterHub *hub, int64_t key, int most);
extern void waiter_wake_all(WaiterHub *hub);

/* waiter_wake_idle wakes every waiter that does not claim right now, once: the end is near. */
extern void waiter_wake_idle(WaiterHub *hub);

#endif

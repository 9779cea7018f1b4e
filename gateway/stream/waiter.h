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

/* What a claim that found nothing does next. */
typedef enum WaiterNext
{
	WAITER_REST,  /* until it is woken */
	WAITER_CLAIM, /* at once */
	WAITER_FULL	  /* no longer wait: there is no room in the hub */
} WaiterNext;

/*
 * waiter_after_nothing keeps a claim that found nothing in the hub, under the key that the answer named.  One that is new there
 * claims once more, since a job may have come in between: at first, and when the queue has another key than before because it
 * just got its first job.
 */
extern WaiterNext
waiter_after_nothing(WaiterHub *hub, Waiter *waiter, int64_t key, void (*wake)(Waiter *waiter)) MUST_CHECK;

/*
 * waiter_leave takes a waiter out, if it is in.  With "pass_on" others of its queue are woken: there may be more jobs than it
 * found, or what woke it is for another since it is not going to claim.
 */
extern void waiter_leave(WaiterHub *hub, Waiter *waiter, bool pass_on);

/* waiter_wake wakes up to "most" waiters of a queue; waiter_wake_all some of every queue. */
extern void waiter_wake(WaiterHub *hub, int64_t key, int most);
extern void waiter_wake_all(WaiterHub *hub);

/* waiter_wake_idle wakes every waiter that does not claim right now, once: the end is near. */
extern void waiter_wake_idle(WaiterHub *hub);

#endif

/*
 * waiter.c
 *    See waiter.h.  Twice a second one waiter of each queue looks for itself: wake-ups are only hints, while the
 *    listening connection is down there are none, and a queue that never had a job has a key that no wake-up names.
 *    Where very many queues are waited for, they take turns, so that waiting stays cheap.
 */
#include "stream/waiter.h"

#include <stddef.h>
#include <string.h>

#define TICK_MS 500
#define WAKE_MORE 2 /* waiters of a queue, when one leaves and passes on what woke it */

static int
bucket_of(int64_t key)
{
	return (int) ((uint64_t) key * 0x9e3779b97f4a7c15ull >> 54) % WAITER_BUCKETS;
}

static void
link_last(WaiterHub *hub, Waiter *waiter)
{
	int bucket = bucket_of(waiter->key);

	waiter->next = NULL;
	waiter->prev = hub->tails[bucket];
	if (waiter->prev != NULL)
		waiter->prev->next = waiter;
	else
		hub->buckets[bucket] = waiter;
	hub->tails[bucket] = waiter;
}

static void
unlink_waiter(WaiterHub *hub, Waiter *waiter)
{
	int bucket = bucket_of(waiter->key);

	if (waiter->next != NULL)
		waiter->next->prev = waiter->prev;
	else
		hub->tails[bucket] = waiter->prev;
	if (waiter->prev != NULL)
		waiter->prev->next = waiter->next;
	else
		hub->buckets[bucket] = waiter->next;
}

/* add puts a busy waiter in; false: the hub is full, or the queue has no key. */
static bool
add(WaiterHub *hub, Waiter *waiter, int64_t key, void (*wake)(Waiter *waiter))
{
	if (hub->count >= hub->most || key == 0)
		return false;
	waiter->key = key;
	waiter->wake = wake;
	waiter->busy = true;
	waiter->again = false;
	link_last(hub, waiter);
	hub->count++;
	return true;
}

WaiterNext
waiter_after_nothing(WaiterHub *hub, Waiter *waiter, int64_t key, void (*wake)(Waiter *waiter))
{
	if (waiter->key == 0 || waiter->key != key)
	{
		waiter_leave(hub, waiter, false);
		return add(hub, waiter, key, wake) ? WAITER_CLAIM : WAITER_FULL;
	}
	waiter->busy = waiter->again;
	waiter->again = false;
	return waiter->busy ? WAITER_CLAIM : WAITER_REST;
}

/* wake_one wakes a waiter and puts it behind the others of its bucket. */
static void
wake_one(WaiterHub *hub, Waiter *waiter)
{
	unlink_waiter(hub, waiter);
	link_last(hub, waiter);
	if (waiter->busy)
		waiter->again = true;
	else
	{
		waiter->busy = true;
		waiter->wake(waiter);
	}
}

void
waiter_wake(WaiterHub *hub, int64_t key, int most)
{
	/* Waking may take waiters away or add some, so the list is read anew each time; idle ones come first. */
	for (int woken = 0; woken < most; woken++)
	{
		Waiter *chosen = NULL;

		for (Waiter *waiter = hub->buckets[bucket_of(key)]; waiter != NULL; waiter = waiter->next)
		{
			if (waiter->key != key)
				continue;
			if (!waiter->busy)
			{
				chosen = waiter;
				break;
			}
			if (chosen == NULL && !waiter->again)
				chosen = waiter;
		}
		if (chosen == NULL)
			return;
		wake_one(hub, chosen);
	}
}

void
waiter_leave(WaiterHub *hub, Waiter *waiter, bool pass_on)
{
	int64_t key = waiter->key;

	if (key == 0)
		return;
	unlink_waiter(hub, waiter);
	waiter->key = 0;
	hub->count--;
	if (pass_on)
		waiter_wake(hub, key, WAKE_MORE);
}

#define MOST_KEYS 16
#define TICK_QUEUES 32 /* that look for themselves at a time */

/*
 * wake_bucket wakes up to "most" waiters of each queue of a bucket and returns how many queues these are; what does not fit
 * in one go has its turn later.
 */
static int
wake_bucket(WaiterHub *hub, int bucket, int most)
{
	int64_t keys[MOST_KEYS];
	int		count = 0;

	for (Waiter *waiter = hub->buckets[bucket]; waiter != NULL && count < MOST_KEYS; waiter = waiter->next)
	{
		bool known = false;

		for (int i = 0; i < count; i++)
			known |= keys[i] == waiter->key;
		if (!known)
			keys[count++] = waiter->key;
	}
	for (int i = 0; i < count; i++)
		waiter_wake(hub, keys[i], most);
	return count;
}

void
waiter_wake_all(WaiterHub *hub)
{
	for (int i = 0; i < WAITER_BUCKETS && hub->count > 0; i++)
	{
		if (hub->buckets[i] != NULL)
			(void) wake_bucket(hub, i, 4);
	}
}

void
waiter_wake_idle(WaiterHub *hub)
{
	for (int i = 0; i < WAITER_BUCKETS; i++)
	{
		Waiter *next;

		for (Waiter *waiter = hub->buckets[i]; waiter != NULL; waiter = next)
		{
			next = waiter->next;
			if (waiter->busy)
				continue;
			waiter->busy = true;
			waiter->wake(waiter);
		}
	}
}

static void
on_tick(Timer *timer)
{
	WaiterHub *hub = container_of(timer, WaiterHub, tick);

	for (int queues = 0, i = 0; queues < TICK_QUEUES && i < WAITER_BUCKETS; i++)
	{
		hub->turn = (hub->turn + 1) % WAITER_BUCKETS;
		if (hub->buckets[hub->turn] != NULL)
			queues += wake_bucket(hub, hub->turn, 1);
	}
	loop_timer(hub->loop, &hub->tick, TICK_MS, on_tick);
}

void
waiter_hub_init(WaiterHub *hub, Loop *loop, int most)
{
	memset(hub, 0, sizeof(*hub));
	hub->loop = loop;
	hub->most = most;
	loop_timer(loop, &hub->tick, TICK_MS, on_tick);
}

void
waiter_hub_free(WaiterHub *hub)
{
	loop_timer_stop(hub->loop, &hub->tick);
}

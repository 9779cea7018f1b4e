/*
 * gateway_waiter.c
 *    The hub of claims that wait: who claims again, who rests, who is woken.
 */
#include "stream/waiter.h"

#include "unit.h"

#define QUEUE 7
#define OTHER 8

static Loop		 loop;
static WaiterHub hub;
static int		 woken;

static void
on_wake(Waiter *waiter)
{
	(void) waiter;
	woken++;
}

static WaiterNext
nothing(Waiter *waiter, int64_t key)
{
	return waiter_after_nothing(&hub, waiter, key, on_wake);
}

/* settle puts a waiter in and lets its second claim find nothing. */
static void
settle(Waiter *waiter, int64_t key)
{
	CHECK_INT(nothing(waiter, key), WAITER_CLAIM); /* who is new claims once more */
	CHECK_INT(nothing(waiter, key), WAITER_REST);  /* and then rests */
}

static void
test_one(void)
{
	Waiter waiter = {0};

	settle(&waiter, QUEUE);
	woken = 0;
	waiter_wake(&hub, OTHER, 1);
	CHECK_INT(woken, 0); /* another queue's jobs wake nobody */
	waiter_wake(&hub, QUEUE, 1);
	CHECK_INT(woken, 1); /* its own queue's do */
	waiter_wake(&hub, QUEUE, 1);
	CHECK_INT(woken, 1);							  /* who claims is not woken */
	CHECK_INT(nothing(&waiter, QUEUE), WAITER_CLAIM); /* but claims again: what was announced meanwhile is not missed */
	CHECK_INT(nothing(&waiter, QUEUE), WAITER_REST);  /* once */
	settle(&waiter, OTHER);
	waiter_wake(&hub, QUEUE, 1);
	CHECK_INT(woken, 1);						 /* whose queue has another key hears no more of the first */
	CHECK_INT(nothing(&waiter, 0), WAITER_FULL); /* without a key nobody waits */
	CHECK_INT(waiter.key, 0);					 /* and is out */
}

static void
test_passing_on(void)
{
	Waiter waiters[4] = {{0}};

	for (int i = 0; i < 4; i++)
		settle(&waiters[i], QUEUE);
	woken = 0;
	waiter_leave(&hub, &waiters[0], false);
	CHECK_INT(woken, 0); /* who leaves quietly wakes nobody */
	waiter_leave(&hub, &waiters[1], true);
	CHECK_INT(woken, 2); /* who passes on wakes the others */
	waiter_leave(&hub, &waiters[1], true);
	CHECK_INT(woken, 2); /* once */
	waiter_leave(&hub, &waiters[2], false);
	waiter_leave(&hub, &waiters[3], false);
	CHECK_INT(hub.count, 0); /* nobody is left */
}

static void
test_full(void)
{
	Waiter one = {0}, other = {0};

	hub.most = 1;
	settle(&one, QUEUE);
	CHECK_INT(nothing(&other, QUEUE), WAITER_FULL); /* there is room for as many as was said */
	CHECK_INT(other.key, 0);						/* who finds none is not in */
	waiter_leave(&hub, &one, false);
	settle(&other, QUEUE);
	waiter_leave(&hub, &other, false);
}

int
main(void)
{
	loop_init(&loop, 0);
	waiter_hub_init(&hub, &loop, 100);
	test_one();
	test_passing_on();
	test_full();
	waiter_hub_free(&hub);
	loop_free(&loop);
	return unit_end();
}

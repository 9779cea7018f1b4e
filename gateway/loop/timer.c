/*
 * timer.c
 *    See timer.h.  Most deadlines are later than all that run already, so setting one seldom moves anything.
 */
#include "loop/timer.h"

#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

int64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

static void
put(TimerHeap *heap, size_t place, Timer *timer)
{
	heap->items[place] = timer;
	timer->place = place;
}

static void
move_up(TimerHeap *heap, size_t place)
{
	Timer *timer = heap->items[place];

	while (place > 1 && heap->items[place / 2]->due > timer->due)
	{
		put(heap, place, heap->items[place / 2]);
		place /= 2;
	}
	put(heap, place, timer);
}

static void
move_down(TimerHeap *heap, size_t place)
{
	Timer *timer = heap->items[place];

	for (;;)
	{
		size_t child = place * 2;

		if (child > heap->count)
			break;
		if (child < heap->count && heap->items[child + 1]->due < heap->items[child]->due)
			child++;
		if (heap->items[child]->due >= timer->due)
			break;
		put(heap, place, heap->items[child]);
		place = child;
	}
	put(heap, place, timer);
}

void
timer_set(TimerHeap *heap, Timer *timer, int64_t due, void (*fire)(Timer *timer))
{
	timer_stop(heap, timer);
	timer->due = due;
	timer->fire = fire;
	if (heap->count + 2 > heap->cap)
	{
		heap->cap = heap->cap == 0 ? 256 : heap->cap * 2;
		heap->items = xrealloc(heap->items, heap->cap * sizeof(heap->items[0]));
	}
	put(heap, ++heap->count, timer);
	move_up(heap, heap->count);
}

void
timer_stop(TimerHeap *heap, Timer *timer)
{
	size_t place = timer->place;
	Timer *last;

	if (place == 0)
		return;
	timer->place = 0;
	last = heap->items[heap->count--];
	if (last == timer)
		return;
	put(heap, place, last);
	move_up(heap, place);
	move_down(heap, last->place);
}

void
timer_fire_due(TimerHeap *heap, int64_t now)
{
	while (heap->count > 0 && heap->items[1]->due <= now)
	{
		Timer *timer = heap->items[1];

		timer_stop(heap, timer);
		timer->fire(timer);
	}
}

int64_t
timer_next(const TimerHeap *heap, int64_t now)
{
	if (heap->count == 0)
		return -1;
	return heap->items[1]->due > now ? heap->items[1]->due - now : 0;
}

void
timer_heap_free(TimerHeap *heap)
{
	free(heap->items);
	heap->items = NULL;
	heap->count = heap->cap = 0;
}

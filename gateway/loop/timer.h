/*
 * timer.h
 *    Deadlines of one event loop: a heap of timers that live inside whatever they belong to.
 *
 * Take a timer out (timer_stop) before its owner's memory goes away.
 */
#ifndef GATEWAY_TIMER_H
#define GATEWAY_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Timer Timer;
struct Timer
{
	int64_t due;   /* milliseconds of clock_ms() */
	size_t	place; /* in the heap, from 1; 0: not running */
	void (*fire)(Timer *timer);
};

typedef struct TimerHeap
{
	Timer **items; /* items[0] is not used */
	size_t	count;
	size_t	cap;
} TimerHeap;

extern void timer_set(TimerHeap *heap, Timer *timer, int64_t due, void (*fire)(Timer *timer));
extern void timer_stop(TimerHeap *heap, Timer *timer);

/* timer_fire_due runs what is due at "now"; each timer is out of the heap when its function runs. */
extern void timer_fire_due(TimerHeap *heap, int64_t now);

/* timer_next returns the milliseconds until the next timer, or -1 when there is none. */
extern int64_t timer_next(const TimerHeap *heap, int64_t now);
extern void	   timer_heap_free(TimerHeap *heap);

extern int64_t clock_ms(void); /* monotonic */
extern int64_t clock_us(void);

#endif

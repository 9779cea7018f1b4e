/*
 * counters_store.h
 *    Counting from the tables: what the counters in shared memory save, and what they start from.
 */
#ifndef SPL_COUNTERS_STORE_H
#define SPL_COUNTERS_STORE_H

#include "store/ticket.h"

/*
 * Jobs of a queue in one state.  What finished within the day comes in stretches of time: of a minute from "begin"
 * within the hour, of five minutes before that.
 */
typedef struct TicketCount
{
	int32		org;
	int32		queue;
	TicketKind	kind;
	char		reason; /* delayed: DELAY_*; outcome: OUTCOME_* */
	int64		jobs;
	TimestampTz begin;		 /* NO_TIME: not finished, or longer ago */
	int64		duration_ms; /* of all that completed in the stretch */
} TicketCount;

typedef void (*TicketCountFn)(const TicketCount *count, void *arg);

/* Where "the day" and "the hour" begin; the day at a multiple of five minutes, the hour of one. */
typedef struct CountWindows
{
	TimestampTz day_begin;
	TimestampTz hour_begin;
} CountWindows;

/* All queues of the database, under the active snapshot; background worker only. */
extern void spl_tickets_count_all(const CountWindows *windows, TicketCountFn take, void *arg);

/* One queue (0: every queue of the organization), as this transaction sees it; without windows "begin" is never set. */
extern void spl_tickets_count(int32 org, int32 queue, TicketCountFn take, void *arg);
extern void
spl_tickets_count_windows(int32 org, int32 queue, const CountWindows *windows, TicketCountFn take, void *arg);

/* spl_counted_queues lists the organization's queues. */
extern int spl_counted_queues(int32 org, int32 **ids);

/* spl_active_workers_count counts the workers of a queue that are not offline. */
extern int spl_active_workers_count(int32 org, const char *queue_name);

#endif

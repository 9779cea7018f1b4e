/*
 * counters_store.h
 *    Counting from the tables: what the counters in shared memory save, and what they start from.
 */
#ifndef SPL_COUNTERS_STORE_H
#define SPL_COUNTERS_STORE_H

#include "store/ticket.h"

typedef struct TicketCount
{
	int32	   org;
	int32	   queue;
	TicketKind kind;
	char	   reason; /* delayed: DELAY_*; outcome: OUTCOME_* */
	int64	   jobs;
} TicketCount;

typedef void (*TicketCountFn)(const TicketCount *count, void *arg);

/* What finished in a stretch of time: one minute from "begin" within the last hour, five minutes before that. */
typedef struct FinishedCount
{
	int32		org;
	int32		queue;
	TimestampTz begin;
	int64		completed;
	int64		failed;
	int64		duration_ms;
} FinishedCount;

typedef void (*FinishedCountFn)(const FinishedCount *count, void *arg);

/* All queues of the database, under the active snapshot; background worker only. */
extern void spl_tickets_count_all(TicketCountFn take, void *arg);
extern void spl_finished_count_all(TimestampTz day_begin, TimestampTz hour_begin, FinishedCountFn take, void *arg);

/* One queue (0: every queue of the organization), as this transaction sees it. */
extern void spl_tickets_count(int32 org, int32 queue, TicketCountFn take, void *arg);

/* spl_finished_count sums what finished in a queue since a time; "begin" is not set. */
extern FinishedCount spl_finished_count(int32 org, int32 queue, TimestampTz since);

/* spl_counted_queues lists the organization's queues. */
extern int spl_counted_queues(int32 org, int32 **ids);

/* spl_active_workers_count counts the workers of a queue that are not offline. */
extern int spl_active_workers_count(int32 org, const char *queue_name);

/* Sums noted by transactions that were prepared for a two-phase commit: opaque numbers. */
typedef struct PreparedDelta
{
	int32  org;
	int32  queue;
	int32  minute;
	int	   number_count;
	int64 *numbers;
} PreparedDelta;

typedef void (*PreparedDeltaFn)(const PreparedDelta *delta, void *arg);

extern void spl_prepared_delta_put(const PreparedDelta *delta);

/* spl_prepared_delta_list lists those that are committed, under the active snapshot; _take also deletes them. */
extern void spl_prepared_delta_list(PreparedDeltaFn read, void *arg);
extern int	spl_prepared_delta_take(PreparedDeltaFn take, void *arg);

#endif

/*
 * counters.h
 *    How many jobs of each state a queue has: deltas noted in the transaction, added to shared memory at commit.
 */
#ifndef SPL_COUNTERS_H
#define SPL_COUNTERS_H

#include "datatype/timestamp.h"
#include "shmem/time_windows.h"

typedef enum CounterSlot
{
	COUNT_READY,
	COUNT_DELAYED, /* an explicit delay */
	COUNT_BACKOFF,
	COUNT_BLOCKED,
	COUNT_LEASE,
	COUNT_DEAD_LETTER,
	COUNT_COMPLETED,
	COUNT_CANCELLED, /* cancelled and expired */
	COUNTER_SLOTS
} CounterSlot;

/* What only grows, summed over the database since the server started. */
typedef enum TotalSlot
{
	TOTAL_ENQUEUED,	 /* jobs added */
	TOTAL_FAILED,	 /* runs that failed or were lost */
	TOTAL_RETRIED,	 /* jobs that came back after a failure, or were replayed */
	TOTAL_COMPLETED, /* this and the rest come from spl_count_finished_note */
	TOTAL_GIVEN_UP,
	TOTAL_DURATION_MS,
	TOTAL_DURATIONS, /* first bucket of the histogram of durations */
	TOTAL_SLOTS = TOTAL_DURATIONS + 12
} TotalSlot;

#define DURATION_BUCKETS (TOTAL_SLOTS - TOTAL_DURATIONS)

/* Upper bounds of the histogram's buckets in milliseconds; the last bucket has none. */
extern const int spl_duration_bounds[DURATION_BUCKETS - 1];

/* The sums of one queue: what a transaction adds, or what has been added up. */
typedef struct CounterDelta
{
	int32	  org;
	int32	  queue;
	int32	  minute; /* that "finished" belongs to; 0: nothing finished */
	int64	  count[COUNTER_SLOTS];
	int64	  total[TOTAL_SLOTS];
	WindowSum finished;
} CounterDelta;

typedef struct CounterReading
{
	int64	  count[COUNTER_SLOTS];
	WindowSum hour;
	WindowSum day;
} CounterReading;

/* spl_count_note adds to a counter when the (sub)transaction commits. */
extern void spl_count_note(int32 org, int32 queue, CounterSlot slot, int64 delta);

/* spl_count_finished_note feeds the 24-hour windows: a run that ended "at" by completing (with its length), or failed for good. */
extern void spl_count_finished_note(int32 org, int32 queue, bool completed, TimestampTz at, int64 duration_ms);

/* spl_count_total_note adds to one of the first totals. */
extern void spl_count_total_note(int32 org, int32 queue, TotalSlot slot, int64 delta);

/* spl_count_again_note makes the counters unknown at commit: this transaction changes tickets without noting it. */
extern void spl_count_again_note(void);

/* spl_counters_forget_queue gives the memory of a queue without jobs back at commit. */
extern void spl_counters_forget_queue(int32 queue);

/* For PREPARE TRANSACTION: hand out what is noted, and forget it; note again what was handed out. */
extern void spl_counters_take_notes(void (*take)(const CounterDelta *delta, void *arg), void *arg);
extern void spl_counters_note_again(const CounterDelta *delta);

/* spl_counters_add adds what a committed transaction noted; callable in a commit callback. */
extern void spl_counters_add(const CounterDelta *delta);
extern void spl_counters_drop_empty(int32 queue);

/* spl_counters_are_counted tells whether this database's counters are known. */
extern bool spl_counters_are_counted(void);

/* spl_counters_have_room tells whether every queue of this database has its counters in shared memory. */
extern bool spl_counters_have_room(void);

/* spl_counters_read reads one queue; false: not known, count the tables. */
extern bool spl_counters_read(int32 queue, CounterReading *reading);

/* spl_counters_read_database sums all queues; false: the counts are not known, only the totals are right. */
extern bool spl_counters_read_database(int64 *count, int64 *total);

/* spl_counters_active tells how many of the counted jobs are active: waiting for their time or parents, or running. */
static inline int64
spl_counters_active(const int64 *count)
{
	return count[COUNT_READY] + count[COUNT_DELAYED] + count[COUNT_BACKOFF] + count[COUNT_BLOCKED] + count[COUNT_LEASE];
}

/* Counting again, for ops/recount.c. */
extern TimestampTz spl_counters_recount_due(void); /* DT_NOEND: not needed */
extern void		   spl_counters_ask_recount(void);
extern bool		   spl_counters_cut(void);
extern void		   spl_counters_add_counted(const CounterDelta *delta, WindowRings rings);
extern void		   spl_counters_finish_recount(void);

/* spl_counters_forget_database gives everything of a database back: it is dropped, or the extension in it. */
extern void spl_counters_forget_database(Oid database);

extern Size spl_counters_shmem_size(void);
extern void spl_counters_shmem_startup(bool found);
extern void spl_counters_init(void);

#endif

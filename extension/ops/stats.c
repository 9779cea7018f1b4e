/*
 * stats.c
 *    How many jobs there are.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "ops/recount.h"
#include "ops/stats.h"
#include "shmem/claim_notes.h"
#include "shmem/due_news.h"
#include "shmem/wake.h"
#include "store/counters_store.h"
#include "store/queue_store.h"
#include "store/system_store.h"
#include "store/ticket.h"
#include "utils/timestamp.h"

static void
add_count(const TicketCount *tickets, void *arg)
{
	int64 *count = arg;

	count[spl_counter_of(tickets->kind, tickets->reason)] += tickets->jobs;
}

typedef struct TableReading
{
	CountWindows	windows;
	CounterReading *reading;
} TableReading;

static void
add_sum(WindowSum *into, const WindowSum *sum)
{
	into->completed += sum->completed;
	into->failed += sum->failed;
	into->duration_ms += sum->duration_ms;
}

static void
add_reading(const TicketCount *tickets, void *arg)
{
	TableReading *table = arg;
	WindowSum	  finished = spl_count_finished(tickets);

	add_count(tickets, table->reading->count);
	add_sum(&table->reading->day, &finished);
	if (tickets->begin >= table->windows.hour_begin)
		add_sum(&table->reading->hour, &finished);
}

/* count_queue answers from the tables. */
static void
count_queue(int32 org, int32 queue, CounterReading *reading)
{
	TableReading table = {.windows = spl_count_windows(spl_clock_now()), .reading = reading};

	spl_tickets_count_windows(org, queue, &table.windows, add_reading, &table);
}

/* job_stats adds up counters to what users call states. */
static JobStats
job_stats(const int64 *count)
{
	JobStats stats = {
		.ready = count[COUNT_READY],
		.backoff = count[COUNT_BACKOFF],
		.blocked = count[COUNT_BLOCKED],
		.scheduled = count[COUNT_DELAYED],
		.processing = count[COUNT_LEASE],
		.completed = count[COUNT_COMPLETED],
		.deadletter = count[COUNT_DEAD_LETTER],
		.cancelled = count[COUNT_CANCELLED],
	};

	stats.pending = stats.ready + stats.backoff + stats.blocked;
	for (int i = 0; i < COUNTER_SLOTS; i++)
		stats.total += count[i];
	return stats;
}

/* require_queue returns a queue of the current organization. */
static const Queue *
require_queue(int32 queue)
{
	const Queue *found = spl_queue_by_id(queue);

	if (found == NULL || found->org != spl_org())
		elog(ERROR, "queue %d is not one of this organization", queue);
	return found;
}

void
spl_queue_counts(int32 queue, QueueStats *stats)
{
	CounterReading reading;
	int32		   org = require_queue(queue)->org;

	if (!spl_counters_read(queue, &reading))
		count_queue(org, queue, &reading);
	memset(stats, 0, sizeof(*stats));
	stats->jobs = job_stats(reading.count);
	stats->hour = reading.hour;
	stats->day = reading.day;
	stats->avg_processing_ms = reading.day.completed > 0 ? reading.day.duration_ms / reading.day.completed : -1;
	stats->oldest_ready = NO_TIME;
}

TimestampTz
spl_queue_oldest(int32 queue)
{
	return spl_ready_oldest(require_queue(queue)->org, queue);
}

void
spl_queue_stats(int32 queue, QueueStats *stats)
{
	int32 org = require_queue(queue)->org;
	char *name = pstrdup(require_queue(queue)->name);

	spl_queue_counts(queue, stats);
	stats->oldest_ready = spl_queue_oldest(queue);
	stats->active_workers = spl_active_workers_count(org, name);
}

int
spl_org_queues(int32 org, int32 **queues)
{
	return spl_counted_queues(org, queues);
}

/* read_queues sums queues from the counters; false: at least one is not known. */
static bool
read_queues(const int32 *queues, int queue_count, int64 *count)
{
	for (int i = 0; i < queue_count; i++)
	{
		CounterReading reading;

		if (!spl_counters_read(queues[i], &reading))
			return false;
		for (int slot = 0; slot < COUNTER_SLOTS; slot++)
			count[slot] += reading.count[slot];
	}
	return true;
}

void
spl_org_job_stats(int32 org, int32 queue, JobStats *stats)
{
	int64  count[COUNTER_SLOTS] = {0};
	int32 *queues = &queue;
	int	   queue_count = 1;

	if (queue == 0)
		queue_count = spl_counters_are_counted() ? spl_org_queues(org, &queues) : 0;
	if (!spl_counters_are_counted() || !read_queues(queues, queue_count, count))
	{
		memset(count, 0, sizeof(count));
		spl_tickets_count(org, queue, add_count, count);
	}
	*stats = job_stats(count);
}

void
spl_database_stats(DatabaseStats *stats)
{
	int64 count[COUNTER_SLOTS];
	int64 total[TOTAL_SLOTS];

	stats->counted = spl_counters_read_database(count, total);
	stats->jobs = job_stats(count);
	stats->enqueued = total[TOTAL_ENQUEUED];
	stats->completed = total[TOTAL_COMPLETED];
	stats->failed = total[TOTAL_FAILED];
	stats->retried = total[TOTAL_RETRIED];
	stats->dead_lettered = total[TOTAL_GIVEN_UP];
	stats->duration_ms = total[TOTAL_DURATION_MS];
	memcpy(stats->durations, &total[TOTAL_DURATIONS], sizeof(stats->durations));
}

/* read_day adds what finished in 24 hours in all queues; false: at least one is not known. */
static bool
read_day(WindowSum *day)
{
	QueueKey *queues;
	int		  count = spl_system_queues(&queues);

	for (int i = 0; i < count; i++)
	{
		CounterReading reading;

		if (!spl_counters_read(queues[i].id, &reading))
			return false;
		add_sum(day, &reading.day);
	}
	return true;
}

void
spl_installation_stats(JobStats *jobs, WindowSum *day)
{
	CounterReading reading = {0};
	TableReading   table = {.windows = spl_count_windows(spl_clock_now()), .reading = &reading};
	int64		   total[TOTAL_SLOTS];

	if (!spl_counters_read_database(reading.count, total) || !read_day(&reading.day))
	{
		memset(&reading, 0, sizeof(reading));
		spl_tickets_count_all(&table.windows, add_reading, &table);
	}
	*jobs = job_stats(reading.count);
	*day = reading.day;
}

bool
spl_stats_are_counted(void)
{
	return spl_counters_are_counted();
}

void
spl_stats_recount(void)
{
	spl_count_again_note();
	spl_due_note(spl_clock_now());
}

void
spl_tickets_changed(void)
{
	spl_stats_recount();
	spl_ready_note_any();
	spl_times_changed();
}

void
spl_times_changed(void)
{
	spl_due_written_all();
	spl_due_note(spl_clock_now());
}

void
spl_job_stats_add(JobStats *sum, const JobStats *stats)
{
	sum->pending += stats->pending;
	sum->ready += stats->ready;
	sum->backoff += stats->backoff;
	sum->blocked += stats->blocked;
	sum->scheduled += stats->scheduled;
	sum->processing += stats->processing;
	sum->completed += stats->completed;
	sum->deadletter += stats->deadletter;
	sum->cancelled += stats->cancelled;
	sum->total += stats->total;
}

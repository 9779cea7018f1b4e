/*
 * stats_sql.c
 *    Statistics for SQL: what the views are made of.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "base/org_context.h"
#include "ops/stats.h"

enum QueueCountsColumn
{
	COUNTS_QUEUE_ID,
	COUNTS_READY,
	COUNTS_DELAYED,
	COUNTS_BACKOFF,
	COUNTS_BLOCKED,
	COUNTS_PROCESSING,
	COUNTS_DEADLETTER,
	COUNTS_COMPLETED,
	COUNTS_CANCELLED,
	COUNTS_COMPLETED_1H,
	COUNTS_FAILED_1H,
	COUNTS_COMPLETED_24H,
	COUNTS_FAILED_24H,
	COUNTS_DURATION_MS_24H,
	COUNTS_COLUMNS
};

/* put_counts adds the row of one queue. */
static void
put_counts(FunctionCallInfo fcinfo, int32 queue)
{
	QueueStats stats;
	Datum	   values[COUNTS_COLUMNS];
	bool	   nulls[COUNTS_COLUMNS] = {false};

	spl_queue_counts(queue, &stats);
	values[COUNTS_QUEUE_ID] = Int32GetDatum(queue);
	values[COUNTS_READY] = Int64GetDatum(stats.jobs.ready);
	values[COUNTS_DELAYED] = Int64GetDatum(stats.jobs.scheduled);
	values[COUNTS_BACKOFF] = Int64GetDatum(stats.jobs.backoff);
	values[COUNTS_BLOCKED] = Int64GetDatum(stats.jobs.blocked);
	values[COUNTS_PROCESSING] = Int64GetDatum(stats.jobs.processing);
	values[COUNTS_DEADLETTER] = Int64GetDatum(stats.jobs.deadletter);
	values[COUNTS_COMPLETED] = Int64GetDatum(stats.jobs.completed);
	values[COUNTS_CANCELLED] = Int64GetDatum(stats.jobs.cancelled);
	values[COUNTS_COMPLETED_1H] = Int64GetDatum(stats.hour.completed);
	values[COUNTS_FAILED_1H] = Int64GetDatum(stats.hour.failed);
	values[COUNTS_COMPLETED_24H] = Int64GetDatum(stats.day.completed);
	values[COUNTS_FAILED_24H] = Int64GetDatum(stats.day.failed);
	values[COUNTS_DURATION_MS_24H] = Int64GetDatum(stats.day.duration_ms);
	spl_row_out(fcinfo, values, nulls);
}

/* spooled._queue_counts(only_queue int = NULL) returns table */
SPL_FUNCTION(spooled_queue_counts, QUEUES_READ)
{
	int32 *queues;
	int	   count;

	spl_rows_begin(fcinfo);
	if (!PG_ARGISNULL(0))
		put_counts(fcinfo, PG_GETARG_INT32(0));
	else
	{
		count = spl_org_queues(spl_org(), &queues);
		for (int i = 0; i < count; i++)
			put_counts(fcinfo, queues[i]);
	}
	return (Datum) 0;
}

/* spooled._queue_oldest(queue_id int) returns timestamptz */
SPL_FUNCTION(spooled_queue_oldest, QUEUES_READ)
{
	TimestampTz oldest = spl_queue_oldest(PG_GETARG_INT32(0));

	if (TIMESTAMP_IS_NOBEGIN(oldest))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(oldest);
}

/* spooled.recount() returns void */
SPL_FUNCTION(spooled_recount, QUEUES_WRITE)
{
	spl_stats_recount();
	PG_RETURN_VOID();
}

/* spooled._tickets_changed() returns trigger: somebody writes tickets without the functions */
SPL_FUNCTION(spooled_tickets_changed, PERMISSION_NONE)
{
	spl_tickets_changed();
	return PointerGetDatum(NULL);
}

/* spooled._times_changed() returns trigger: the same of when they are due or expire */
SPL_FUNCTION(spooled_times_changed, PERMISSION_NONE)
{
	spl_times_changed();
	return PointerGetDatum(NULL);
}

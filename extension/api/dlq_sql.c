/*
 * dlq_sql.c
 *    SQL functions of the dead-letter queue.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "base/clock.h"
#include "ops/dead_letter.h"
#include "ops/list.h"
#include "rules/limits.h"

#define LIST_MAX 1000
#define REPLAY_MAX 10000
#define PURGE_MAX 10000

/* spooled.dlq_list(queue text = NULL, max_jobs int = 50, before uuid = NULL) returns setof record */
SPL_FUNCTION(spooled_dlq_list, JOBS_READ)
{
	const pg_uuid_t *before = uuid_arg(fcinfo, 2);
	JobFilter		 filter = spl_job_filter();
	JobView			*jobs;
	int				 count;
	SplFault		 fault;

	filter.queue = text_arg(fcinfo, 0);
	filter.status = "deadletter";
	filter.limit = int_arg(fcinfo, 1, filter.limit);
	filter.with_payload = true;
	filter.has_after = before != NULL;
	if (before)
		filter.after = *before;
	raise_unless_ok(spl_check_int("max_jobs", filter.limit, 1, LIST_MAX, &fault), &fault);
	raise_unless_ok(spl_job_list(&filter, &jobs, &count, &fault), &fault);

	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[7];
		bool  nulls[7];

		set_uuid(values, nulls, 0, &jobs[i].job.id);
		set_text(values, nulls, 1, jobs[i].queue_name);
		set_bytes(values, nulls, 2, jobs[i].job.payload);
		set_text(values, nulls, 3, jobs[i].last_error);
		set_int(values, nulls, 4, jobs[i].ticket.retry_count);
		set_time(values, nulls, 5, jobs[i].job.created_at);
		set_time(values, nulls, 6, jobs[i].ticket.since);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* filter_args reads what retry and purge have in common. */
static DeadLetterFilter
filter_args(FunctionCallInfo fcinfo, int ids_arg, int queue_arg, int max_arg, int if_null, int most)
{
	DeadLetterFilter filter = {.created_before = DT_NOBEGIN, .most = most};
	pg_uuid_t		*ids;

	filter.id_count = spl_uuid_array_arg(fcinfo, ids_arg, "job_ids", &ids);
	filter.has_ids = filter.id_count != ARRAY_NOT_GIVEN;
	filter.ids = ids;
	filter.queue = text_arg(fcinfo, queue_arg);
	filter.limit = int_arg(fcinfo, max_arg, if_null);
	if (filter.has_ids)
		filter.limit = Max(filter.limit, Min(filter.id_count, most));
	return filter;
}

/* spooled.dlq_retry(job_ids uuid[] = NULL, queue text = NULL, max_jobs int = 100) returns setof uuid */
SPL_FUNCTION(spooled_dlq_retry, JOBS_WRITE)
{
	DeadLetterFilter filter = filter_args(fcinfo, 0, 1, 2, 100, REPLAY_MAX);
	pg_uuid_t		*replayed;
	int				 count;
	SplFault		 fault;

	raise_unless_ok(spl_dead_letter_replay(&filter, &replayed, &count, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum values[1] = {UUIDPGetDatum(&replayed[i])};
		bool  nulls[1] = {false};

		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/*
 * spooled.dlq_purge(queue text = NULL, older_than interval = NULL, job_ids uuid[] = NULL, max_jobs int = 10000,
 * confirm boolean = false) returns bigint
 */
SPL_FUNCTION(spooled_dlq_purge, JOBS_WRITE)
{
	DeadLetterFilter filter = filter_args(fcinfo, 2, 0, 3, PURGE_MAX, PURGE_MAX);
	int				 count;
	SplFault		 fault;

	if (!PG_ARGISNULL(1))
		filter.created_before = spl_clock_now() - spl_interval_ms_arg(fcinfo, 1, 0) * 1000;
	raise_unless_ok(spl_dead_letter_purge(&filter, bool_arg(fcinfo, 4, false), &count, &fault), &fault);
	PG_RETURN_INT64(count);
}

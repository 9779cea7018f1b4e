/*
 * dlq_wire.c
 *    Dead letters, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/clock.h"
#include "base/uuid7.h"
#include "ops/dead_letter.h"
#include "ops/request.h"
#include "json/job_json.h"
#include "json/json_write.h"

#define PURGE_MAX 10000
#define MOST_DAYS 3650000				 /* older than that is nothing */
#define LIST_MAX_BYTES (8 * 1024 * 1024) /* of payloads in one page */

/* spooled._dlq_list(queue_name text, tag text, max_jobs int, skip int, order_by text, order_dir text, after text)
 * returns spooled._reply: whole jobs */
SPL_FUNCTION(spooled_wire_dlq_list, JOBS_READ)
{
	JobFilter	   filter = spl_job_filter();
	JobView		  *jobs;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	filter.queue = spl_queue_filter(text_arg(fcinfo, 0));
	filter.status = "deadletter";
	filter.with_payload = true;
	filter.max_bytes = LIST_MAX_BYTES;
	spl_page_args(fcinfo, 1, &filter);
	raise_unless_ok(spl_job_list(&filter, &jobs, &count, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_job(&body, &jobs[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* ids_arg reads an array of texts; what can't be an id is no dead letter, so it counts but is left out. */
static void
ids_arg(FunctionCallInfo fcinfo, int n, DeadLetterFilter *filter)
{
	char	 **texts;
	int		   given = spl_text_array_arg(fcinfo, n, "job_ids", &texts);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(given, 1));
	SplFault   fault;

	if (given > filter->most)
		raise_unless_ok(spl_fault(&fault, SPL_BAD_REQUEST, "job_ids", "too_long", NULL,
								  "job_ids must name at most %d jobs", filter->most),
						&fault);
	filter->has_ids = given != ARRAY_NOT_GIVEN;
	filter->ids = ids;
	for (int i = 0; i < given; i++)
		if (texts[i] && spl_uuid_parse(texts[i], &ids[filter->id_count]))
			filter->id_count++;
}

/* spooled._dlq_retry(job_ids text[], queue_name text, max_jobs int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_dlq_retry, JOBS_WRITE)
{
	DeadLetterFilter filter = {.most = REQUEST_MAX_JOBS, .created_before = NO_TIME};
	pg_uuid_t		*replayed;
	int				 count;
	StringInfoData	 body;
	SplFault		 fault;

	ids_arg(fcinfo, 0, &filter);
	filter.queue = text_arg(fcinfo, 1);
	filter.limit = int_arg(fcinfo, 2, REQUEST_MAX_JOBS);
	raise_unless_ok(spl_dead_letter_replay(&filter, &replayed, &count, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_int(&body, "retried_count", count);
	spl_json_open(&body, "retried_jobs", '[');
	for (int i = 0; i < count; i++)
		spl_json_uuid(&body, NULL, &replayed[i]);
	spl_json_close(&body, ']');
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* age_args: of a time and a number of days, the earlier. */
static TimestampTz
age_args(FunctionCallInfo fcinfo, int older_than, int days)
{
	TimestampTz before = time_arg(fcinfo, older_than);
	TimestampTz by_days;

	if (PG_ARGISNULL(days))
		return before;
	by_days = spl_clock_now() - (int64) Min(Max(PG_GETARG_INT32(days), 0), MOST_DAYS) * USECS_PER_DAY;
	return before == NO_TIME ? by_days : Min(before, by_days);
}

/* spooled._dlq_purge(confirm boolean, queue_name text, older_than timestamptz, older_than_days int, job_ids text[],
 * max_jobs int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_dlq_purge, JOBS_WRITE)
{
	DeadLetterFilter filter = {.most = PURGE_MAX};
	int				 count;
	StringInfoData	 body;
	SplFault		 fault;

	filter.queue = text_arg(fcinfo, 1);
	filter.created_before = age_args(fcinfo, 2, 3);
	ids_arg(fcinfo, 4, &filter);
	filter.limit = int_arg(fcinfo, 5, PURGE_MAX);
	raise_unless_ok(spl_dead_letter_purge(&filter, bool_arg(fcinfo, 0, false), &count, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_int(&body, "purged_count", count);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

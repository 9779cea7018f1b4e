/*
 * job_wire.c
 *    Reading and changing jobs that are there, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/uuid7.h"
#include "ops/change.h"
#include "ops/request.h"
#include "json/history_json.h"
#include "json/job_json.h"
#include "json/json_write.h"

/* spooled._job_list(queue_name text, status text, tag text, max_jobs int, skip int, order_by text, order_dir text,
 * after text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_list, JOBS_READ)
{
	JobFilter	   filter = spl_job_filter();
	char		  *status = text_arg(fcinfo, 1);
	JobView		  *jobs;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	filter.queue = spl_queue_filter(text_arg(fcinfo, 0));
	filter.status = status ? spl_job_status_parse(status) : NULL;
	spl_page_args(fcinfo, 2, &filter);
	raise_unless_ok(spl_job_list(&filter, &jobs, &count, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_job_summary(&body, &jobs[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

static Datum
reply_job(FunctionCallInfo fcinfo, const pg_uuid_t *id)
{
	JobView		   job;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_job_get(id, &job, &fault), &fault);
	initStringInfo(&body);
	spl_json_job(&body, &job);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._job_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_get, JOBS_READ)
{
	pg_uuid_t id = spl_id_arg(fcinfo, 0);

	return reply_job(fcinfo, &id);
}

/* spooled._job_cancel(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_cancel, JOBS_WRITE)
{
	pg_uuid_t	   id = spl_id_arg(fcinfo, 0);
	CancelAnswer   answer;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_job_cancel(&id, &answer, &fault), &fault);
	if (answer == CANCEL_DONE)
		return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_bool(&body, "success", true);
	spl_json_text(&body, "status", "processing");
	spl_json_bool(&body, "cancel_requested", true);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_ACCEPTED, &body, 0);
}

/* spooled._job_retry(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_retry, JOBS_WRITE)
{
	pg_uuid_t id = spl_id_arg(fcinfo, 0);
	SplFault  fault;

	raise_unless_ok(spl_job_replay(&id, &fault), &fault);
	return reply_job(fcinfo, &id);
}

/* spooled._job_set_priority(id text, priority int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_set_priority, JOBS_WRITE)
{
	pg_uuid_t	   id = spl_id_arg(fcinfo, 0);
	int			   old_priority;
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 1, "priority");
	raise_unless_ok(spl_job_set_priority(&id, PG_GETARG_INT32(1), &old_priority, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_uuid(&body, "job_id", &id);
	spl_json_int(&body, "old_priority", old_priority);
	spl_json_int(&body, "new_priority", PG_GETARG_INT32(1));
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* split_ids reads a list with commas; *listed counts what is not blank, the answer what can be an id. */
static int
split_ids(char *list, pg_uuid_t *ids, int *listed)
{
	int count = 0;

	*listed = 0;
	for (char *at = list; *at != '\0';)
	{
		char *word = at + strspn(at, ", \t");
		char *end = word + strcspn(word, ", \t");

		at = *end ? end + 1 : end;
		*end = '\0';
		if (*word == '\0')
			continue;
		if (*listed < REQUEST_MAX_JOBS && spl_uuid_parse(word, &ids[count]))
			count++;
		(*listed)++;
	}
	return count;
}

/* spooled._job_status(ids text) returns spooled._reply: those that exist, in the order asked for */
SPL_FUNCTION(spooled_wire_job_status, JOBS_READ)
{
	pg_uuid_t	   ids[REQUEST_MAX_JOBS];
	JobView		  *jobs = palloc(sizeof(JobView) * REQUEST_MAX_JOBS);
	int			   listed, count;
	StringInfoData body;
	SplFault	   fault;

	spl_need_arg(fcinfo, 0, "ids");
	count = split_ids(text_arg(fcinfo, 0), ids, &listed);
	if (listed > REQUEST_MAX_JOBS)
		raise_unless_ok(spl_fault(&fault, SPL_BAD_REQUEST, "ids", "too_long", NULL, "ids must name at most %d jobs",
								  REQUEST_MAX_JOBS),
						&fault);
	count = spl_job_get_many(ids, count, jobs);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_job_status(&body, &jobs[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._job_history(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_history, JOBS_READ)
{
	pg_uuid_t	   id = spl_id_arg(fcinfo, 0);
	HistoryEvent  *events;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_job_history(&id, &events, &count, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_history_event(&body, &events[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._job_explain(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_explain, JOBS_READ)
{
	pg_uuid_t	   id = spl_id_arg(fcinfo, 0);
	Explanation	   explanation;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_job_explain(&id, &explanation, &fault), &fault);
	initStringInfo(&body);
	spl_json_explanation(&body, &id, &explanation);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

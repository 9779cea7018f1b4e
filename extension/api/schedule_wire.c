/*
 * schedule_wire.c
 *    Schedules, for the gateway.
 */
#include "postgres.h"

#include <limits.h>

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/uuid7.h"
#include "ops/request.h"
#include "ops/schedule.h"
#include "json/json_write.h"
#include "json/schedule_json.h"

#define LIST_DEFAULT 100
#define HISTORY_DEFAULT 50
#define PREVIEW_DEFAULT 5
#define PREVIEW_MAX 100
#define LIST_MAX 500

static int
clamped(FunctionCallInfo fcinfo, int n, int if_null, int max)
{
	return Min(Max(int_arg(fcinfo, n, if_null), 1), max);
}

/* The arguments that create and update share, in the order of the SQL signatures. */
enum
{
	ARG_NAME,
	ARG_DESCRIPTION,
	ARG_CRON,
	ARG_TIMEZONE,
	ARG_QUEUE,
	ARG_PAYLOAD,
	ARG_PRIORITY,
	ARG_MAX_RETRIES,
	ARG_TIMEOUT,
	ARG_TAGS,
	ARG_METADATA,
	ARG_ACTIVE,
	ARG_CATCH_UP,
	ARG_MAX_OUTSTANDING,
	ARG_SKIP_IF_RUNNING,
	ARG_JITTER_SECONDS,
	ARG_ENDS_AT,
	ARG_WORKFLOW_JOBS,
	ARG_CREATE_KEY /* of create only */
};

static SchedulePatch
patch_args(FunctionCallInfo fcinfo, int first)
{
	SchedulePatch patch = spl_schedule_patch();
	int			  jitter = int_arg(fcinfo, first + ARG_JITTER_SECONDS, NOT_GIVEN);
	SplFault	  fault;

	patch.name = text_arg(fcinfo, first + ARG_NAME);
	patch.description = text_arg(fcinfo, first + ARG_DESCRIPTION);
	patch.cron = text_arg(fcinfo, first + ARG_CRON);
	patch.timezone = text_arg(fcinfo, first + ARG_TIMEZONE);
	patch.queue = text_arg(fcinfo, first + ARG_QUEUE);
	patch.payload = bytes_arg(fcinfo, first + ARG_PAYLOAD);
	patch.priority = int_arg(fcinfo, first + ARG_PRIORITY, NOT_GIVEN);
	patch.max_retries = int_arg(fcinfo, first + ARG_MAX_RETRIES, NOT_GIVEN);
	patch.timeout_seconds = int_arg(fcinfo, first + ARG_TIMEOUT, NOT_GIVEN);
	patch.tags = bytes_arg(fcinfo, first + ARG_TAGS);
	patch.metadata = bytes_arg(fcinfo, first + ARG_METADATA);
	patch.active = PG_ARGISNULL(first + ARG_ACTIVE) ? NOT_GIVEN : PG_GETARG_BOOL(first + ARG_ACTIVE);
	patch.catch_up = text_arg(fcinfo, first + ARG_CATCH_UP);
	patch.max_outstanding = int_arg(fcinfo, first + ARG_MAX_OUTSTANDING, NOT_GIVEN);
	patch.skip_if_running =
		PG_ARGISNULL(first + ARG_SKIP_IF_RUNNING) ? NOT_GIVEN : PG_GETARG_BOOL(first + ARG_SKIP_IF_RUNNING);
	if (jitter != NOT_GIVEN)
	{
		raise_unless_ok(spl_request_check("jitter_seconds", jitter, 0, SECS_PER_DAY, &fault), &fault);
		patch.jitter_ms = (int64) jitter * 1000;
	}
	patch.ends_at = time_arg(fcinfo, first + ARG_ENDS_AT);
	patch.workflow_jobs = bytes_arg(fcinfo, first + ARG_WORKFLOW_JOBS);
	patch.most_jobs = REQUEST_MAX_JOBS;
	return patch;
}

static Datum
reply_schedule(FunctionCallInfo fcinfo, ReplyCode code, const ScheduleView *view)
{
	StringInfoData body;

	initStringInfo(&body);
	spl_json_schedule(&body, view);
	return spl_reply(fcinfo, code, &body, 0);
}

/* spooled._schedule_list(queue_name text, is_active boolean, max_rows int, skip int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_list, SCHEDULES_READ)
{
	const char	  *queue = spl_queue_filter(text_arg(fcinfo, 0));
	int			   active = PG_ARGISNULL(1) ? -1 : PG_GETARG_BOOL(1);
	ScheduleView  *views;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_schedule_list(queue, active, clamped(fcinfo, 2, LIST_DEFAULT, LIST_MAX),
									  spl_page_offset(int_arg(fcinfo, 3, 0)), &views, &count, &fault),
					&fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_schedule(&body, &views[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._schedule_create(name text, ... as the enum above) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_create, SCHEDULES_WRITE)
{
	SchedulePatch  patch;
	ScheduleView   view;
	StringInfoData body;
	Datum		   repeated;
	SplFault	   fault;

	if (spl_reply_repeated(fcinfo, "schedule.create", ARG_CREATE_KEY, &repeated))
		return repeated;
	patch = patch_args(fcinfo, 0);
	raise_unless_ok(spl_schedule_create(&patch, false, &view, &fault), &fault);
	initStringInfo(&body);
	spl_json_schedule(&body, &view);
	return spl_reply_kept(fcinfo, "schedule.create", ARG_CREATE_KEY, REPLY_CREATED, &body, NULL);
}

/* id_arg: a text that can be no id is the id of nothing. */
static pg_uuid_t
id_arg(FunctionCallInfo fcinfo)
{
	return spl_id_arg(fcinfo, 0);
}

/* spooled._schedule_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_get, SCHEDULES_READ)
{
	pg_uuid_t	 id = id_arg(fcinfo);
	ScheduleView view;
	SplFault	 fault;

	raise_unless_ok(spl_schedule_get(&id, &view, &fault), &fault);
	return reply_schedule(fcinfo, REPLY_OK, &view);
}

/* spooled._schedule_update(id text, name text, ... as the enum above) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_update, SCHEDULES_WRITE)
{
	pg_uuid_t	  id = id_arg(fcinfo);
	SchedulePatch patch = patch_args(fcinfo, 1);
	ScheduleView  view;
	SplFault	  fault;

	raise_unless_ok(spl_schedule_update(&id, &patch, &view, &fault), &fault);
	return reply_schedule(fcinfo, REPLY_OK, &view);
}

/* spooled._schedule_delete(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_delete, SCHEDULES_WRITE)
{
	pg_uuid_t id = id_arg(fcinfo);
	SplFault  fault;

	raise_unless_ok(spl_schedule_delete(&id, &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

static Datum
set_active(FunctionCallInfo fcinfo, bool active)
{
	pg_uuid_t	 id = id_arg(fcinfo);
	ScheduleView view;
	SplFault	 fault;

	raise_unless_ok(spl_schedule_set_active(&id, active, &view, &fault), &fault);
	return reply_schedule(fcinfo, REPLY_OK, &view);
}

/* spooled._schedule_pause(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_pause, SCHEDULES_WRITE)
{
	return set_active(fcinfo, false);
}

/* spooled._schedule_resume(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_resume, SCHEDULES_WRITE)
{
	return set_active(fcinfo, true);
}

/* spooled._schedule_trigger(id text, idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_trigger, SCHEDULES_WRITE)
{
	pg_uuid_t	   id = id_arg(fcinfo);
	const char	  *operation = psprintf("schedule.trigger %s", spl_uuid_text(&id));
	ScheduleRun	   run;
	StringInfoData body;
	Datum		   repeated;
	SplFault	   fault;

	if (spl_reply_repeated(fcinfo, operation, 1, &repeated))
		return repeated;
	raise_unless_ok(spl_schedule_trigger(&id, &run, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_uuid(&body, "job_id", run.has_job ? &run.job_id : NULL);
	spl_json_uuid(&body, "workflow_id", run.has_workflow ? &run.workflow_id : NULL);
	spl_json_time(&body, "triggered_at", run.started_at);
	spl_json_time(&body, "scheduled_at", run.started_at);
	spl_json_close(&body, '}');
	return spl_reply_kept(fcinfo, operation, 1, REPLY_OK, &body, NULL);
}

/* spooled._schedule_history(id text, max_runs int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_history, SCHEDULES_READ)
{
	pg_uuid_t		 id = id_arg(fcinfo);
	ScheduleRunView *runs;
	int				 count;
	StringInfoData	 body;
	SplFault		 fault;

	raise_unless_ok(spl_schedule_history(&id, clamped(fcinfo, 1, HISTORY_DEFAULT, LIST_MAX), &runs, &count, &fault),
					&fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_schedule_run(&body, &runs[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._schedule_next(id text, n int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_schedule_next, SCHEDULES_READ)
{
	pg_uuid_t	   id = id_arg(fcinfo);
	TimestampTz	  *times;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_schedule_preview(&id, clamped(fcinfo, 1, PREVIEW_DEFAULT, PREVIEW_MAX), &times, &count, &fault),
					&fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_time(&body, NULL, times[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

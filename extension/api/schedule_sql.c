/*
 * schedule_sql.c
 *    SQL functions of schedules.
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "api/args.h"
#include "api/function.h"
#include "commands/trigger.h"
#include "ops/schedule.h"
#include "rules/limits.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define HISTORY_MAX 10000

/* patch_args reads the arguments that create and update share: from "first" on, and the jobs of a workflow. */
static SchedulePatch
patch_args(FunctionCallInfo fcinfo, int first, int workflow_jobs)
{
	SchedulePatch patch = spl_schedule_patch();

	patch.name = text_arg(fcinfo, first);
	patch.cron = text_arg(fcinfo, first + 1);
	patch.queue = text_arg(fcinfo, first + 2);
	patch.payload = bytes_arg(fcinfo, first + 3);
	patch.timezone = text_arg(fcinfo, first + 4);
	patch.priority = int_arg(fcinfo, first + 5, NOT_GIVEN);
	patch.max_retries = int_arg(fcinfo, first + 6, NOT_GIVEN);
	patch.timeout_seconds = int_arg(fcinfo, first + 7, NOT_GIVEN);
	patch.tags = bytes_arg(fcinfo, first + 8);
	patch.metadata = bytes_arg(fcinfo, first + 9);
	patch.description = text_arg(fcinfo, first + 10);
	patch.active = PG_ARGISNULL(first + 11) ? NOT_GIVEN : PG_GETARG_BOOL(first + 11);
	patch.catch_up = text_arg(fcinfo, first + 12);
	patch.max_outstanding = int_arg(fcinfo, first + 13, NOT_GIVEN);
	patch.skip_if_running = PG_ARGISNULL(first + 14) ? NOT_GIVEN : PG_GETARG_BOOL(first + 14);
	patch.jitter_ms = spl_interval_ms_arg(fcinfo, first + 15, -1);
	if (patch.jitter_ms < 0 && !PG_ARGISNULL(first + 15))
		patch.jitter_ms = JITTER_NEGATIVE;
	patch.ends_at = time_arg(fcinfo, first + 16);
	patch.workflow_jobs = bytes_arg(fcinfo, workflow_jobs);
	return patch;
}

#define CREATE_ARG_OR_REPLACE 17
#define CREATE_ARG_WORKFLOW_JOBS 18
#define UPDATE_ARG_WORKFLOW_JOBS 18

/*
 * spooled.create_schedule(name text, cron text, queue text, payload json, timezone text, priority int, max_retries int,
 * timeout_seconds int, tags json, metadata json, description text, active boolean, catch_up text, max_outstanding int,
 * skip_if_running boolean, jitter interval, ends_at timestamptz, or_replace boolean, workflow_jobs json)
 * returns uuid
 */
SPL_FUNCTION(spooled_create_schedule, SCHEDULES_WRITE)
{
	SchedulePatch patch = patch_args(fcinfo, 0, CREATE_ARG_WORKFLOW_JOBS);
	ScheduleView  view;
	SplFault	  fault;
	pg_uuid_t	 *id = palloc(sizeof(pg_uuid_t));

	if (patch.workflow_jobs)
		patch.payload = NULL; /* it has a default */
	raise_unless_ok(spl_schedule_create(&patch, bool_arg(fcinfo, CREATE_ARG_OR_REPLACE, false), &view, &fault), &fault);
	*id = view.row.id;
	PG_RETURN_UUID_P(id);
}

static const pg_uuid_t *
id_arg(FunctionCallInfo fcinfo)
{
	spl_need_arg(fcinfo, 0, "schedule_id");
	return uuid_arg(fcinfo, 0);
}

/* next_run_out returns when a schedule runs next, null while it is paused. */
static Datum
next_run_out(FunctionCallInfo fcinfo, const ScheduleView *view)
{
	if (!view->row.is_active)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(view->row.next_run_at);
}

/* spooled.update_schedule(schedule_id uuid, ... as create_schedule) returns timestamptz */
SPL_FUNCTION(spooled_update_schedule, SCHEDULES_WRITE)
{
	SchedulePatch patch = patch_args(fcinfo, 1, UPDATE_ARG_WORKFLOW_JOBS);
	ScheduleView  view;
	SplFault	  fault;

	raise_unless_ok(spl_schedule_update(id_arg(fcinfo), &patch, &view, &fault), &fault);
	return next_run_out(fcinfo, &view);
}

/* spooled.delete_schedule(schedule_id uuid) returns void */
SPL_FUNCTION(spooled_delete_schedule, SCHEDULES_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_schedule_delete(id_arg(fcinfo), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.pause_schedule(schedule_id uuid) returns void */
SPL_FUNCTION(spooled_pause_schedule, SCHEDULES_WRITE)
{
	ScheduleView view;
	SplFault	 fault;

	raise_unless_ok(spl_schedule_set_active(id_arg(fcinfo), false, &view, &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.resume_schedule(schedule_id uuid) returns timestamptz */
SPL_FUNCTION(spooled_resume_schedule, SCHEDULES_WRITE)
{
	ScheduleView view;
	SplFault	 fault;

	raise_unless_ok(spl_schedule_set_active(id_arg(fcinfo), true, &view, &fault), &fault);
	return next_run_out(fcinfo, &view);
}

/* spooled.trigger_schedule(schedule_id uuid) returns uuid */
SPL_FUNCTION(spooled_trigger_schedule, SCHEDULES_WRITE)
{
	ScheduleRun run;
	pg_uuid_t  *made = palloc(sizeof(pg_uuid_t));
	SplFault	fault;

	raise_unless_ok(spl_schedule_trigger(id_arg(fcinfo), &run, &fault), &fault);
	*made = run.has_job ? run.job_id : run.workflow_id;
	PG_RETURN_UUID_P(made);
}

/*
 * spooled.schedule_history(schedule_id uuid, max_runs int) returns setof (run_id uuid, occurrence timestamptz, status text,
 * job_id uuid, job_status text, error text, started_at timestamptz, workflow_id uuid, workflow_status text)
 */
SPL_FUNCTION(spooled_schedule_history, SCHEDULES_READ)
{
	int				 limit = int_arg(fcinfo, 1, 50);
	ScheduleRunView *runs;
	int				 count;
	SplFault		 fault;

	raise_unless_ok(spl_check_int("max_runs", limit, 1, HISTORY_MAX, &fault), &fault);
	raise_unless_ok(spl_schedule_history(id_arg(fcinfo), limit, &runs, &count, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		const ScheduleRun *run = &runs[i].run;
		Datum			   values[9];
		bool			   nulls[9];

		set_uuid(values, nulls, 0, &run->id);
		set_time(values, nulls, 1, run->occurrence);
		set_text(values, nulls, 2, runs[i].status);
		set_uuid(values, nulls, 3, run->has_job ? &run->job_id : NULL);
		set_text(values, nulls, 4, runs[i].job_status);
		set_text(values, nulls, 5, run->error);
		set_time(values, nulls, 6, run->started_at);
		set_uuid(values, nulls, 7, run->has_workflow ? &run->workflow_id : NULL);
		set_text(values, nulls, 8, runs[i].workflow_status);
		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* spooled.schedule_next(schedule_id uuid, n int = 1) returns setof timestamptz */
SPL_FUNCTION(spooled_schedule_next, SCHEDULES_READ)
{
	int			 limit = int_arg(fcinfo, 1, 1);
	TimestampTz *times;
	int			 count;
	SplFault	 fault;

	raise_unless_ok(spl_check_int("n", limit, 1, SCHEDULE_PREVIEW_MAX, &fault), &fault);
	raise_unless_ok(spl_schedule_preview(id_arg(fcinfo), limit, &times, &count, &fault), &fault);
	spl_rows_begin(fcinfo);
	for (int i = 0; i < count; i++)
	{
		Datum value = TimestampTzGetDatum(times[i]);
		bool  isnull = false;

		spl_row_out(fcinfo, &value, &isnull);
	}
	return (Datum) 0;
}

/* spooled._schedule_written() returns trigger: for each row, so that a firing does not make the worker look at all schedules */
SPL_FUNCTION(spooled_schedule_written, PERMISSION_NONE)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	 table = trigger->tg_relation;
	HeapTuple	 row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	bool		 isnull;

	spl_schedule_written(DatumGetTimestampTz(
		heap_getattr(row, get_attnum(RelationGetRelid(table), "next_run_at"), RelationGetDescr(table), &isnull)));
	return PointerGetDatum(NULL);
}

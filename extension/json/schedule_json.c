/*
 * schedule_json.c
 *    Schedules and their runs as JSON, with the names of both client generations.
 */
#include "postgres.h"

#include "json/json_write.h"
#include "json/schedule_json.h"

/* write_target writes what a run enqueues, and where.  Clients need a queue and a payload, also of a workflow's schedule. */
static void
write_target(StringInfo out, const ScheduleView *view)
{
	const ScheduleRow *row = &view->row;
	const char		  *queue = row->queue_name ? row->queue_name : "";

	spl_json_text(out, "queue_name", queue);
	spl_json_text(out, "queue", queue);
	if (row->payload)
		spl_json_varlena_raw(out, "payload_template", row->payload);
	else
		spl_json_raw(out, "payload_template", "{}", 2);
	spl_json_varlena_raw(out, "workflow_jobs", row->workflow_jobs);
	spl_json_int(out, "priority", row->priority);
	spl_json_int(out, "max_retries", view->max_retries);
	spl_json_int(out, "timeout_seconds", view->timeout_seconds);
}

/* write_options writes what says how it runs. */
static void
write_options(StringInfo out, const ScheduleView *view)
{
	const ScheduleRow *row = &view->row;

	spl_json_text(out, "catch_up", view->catch_up);
	spl_json_int_or_null(out, "max_outstanding", row->max_outstanding > 0, row->max_outstanding);
	spl_json_bool(out, "skip_if_running", row->max_outstanding == 1);
	spl_json_int(out, "jitter_seconds", row->jitter_ms / 1000);
	spl_json_time(out, "ends_at", row->ends_at);
}

void
spl_json_schedule(StringInfo out, const ScheduleView *view)
{
	const ScheduleRow *row = &view->row;

	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &row->id);
	spl_json_uuid(out, "organization_id", &row->org_uid);
	spl_json_text(out, "name", row->name);
	spl_json_text(out, "description", row->description);
	spl_json_text(out, "cron_expression", row->cron);
	spl_json_text(out, "timezone", row->timezone);
	write_target(out, view);
	spl_json_bool(out, "is_active", row->is_active);
	spl_json_bool(out, "paused", !row->is_active);
	spl_json_time(out, "last_run_at", row->last_run_at);
	spl_json_time(out, "next_run_at", row->next_run_at);
	spl_json_int(out, "run_count", row->run_count);
	spl_json_varlena_raw(out, "tags", row->tags);
	spl_json_varlena_raw(out, "metadata", row->metadata);
	write_options(out, view);
	spl_json_time(out, "created_at", row->created_at);
	spl_json_time(out, "updated_at", row->updated_at);
	spl_json_close(out, '}');
}

void
spl_json_schedule_run(StringInfo out, const ScheduleRunView *view)
{
	const ScheduleRun *run = &view->run;

	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &run->id);
	spl_json_uuid(out, "schedule_id", &run->schedule);
	spl_json_uuid(out, "job_id", run->has_job ? &run->job_id : NULL);
	spl_json_text(out, "status", run->status == RUN_COMPLETED ? "completed" : "failed"); /* clients know no "skipped" */
	spl_json_bool(out, "skipped", run->status == RUN_SKIPPED);
	spl_json_text(out, "error_message", run->error);
	spl_json_text(out, "error", run->error);
	spl_json_text(out, "job_status", view->job_status);
	spl_json_uuid(out, "workflow_id", run->has_workflow ? &run->workflow_id : NULL);
	spl_json_text(out, "workflow_status", view->workflow_status);
	spl_json_time(out, "scheduled_for", run->occurrence);
	spl_json_time(out, "started_at", run->started_at);
	spl_json_time(out, "executed_at", run->started_at);
	spl_json_time(out, "triggered_at", run->started_at);
	spl_json_time(out, "completed_at", run->started_at);
	spl_json_close(out, '}');
}

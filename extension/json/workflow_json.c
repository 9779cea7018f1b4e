/*
 * workflow_json.c
 *    Workflows and their jobs as JSON.
 *
 * A job within a workflow has, in the detail of the workflow, other names than elsewhere; clients read both.
 */
#include "postgres.h"

#include "ops/dependency_add.h"
#include "json/json_write.h"
#include "json/workflow_json.h"

/* write_percent writes a number without decimals where it has none. */
static void
write_percent(StringInfo out, const WorkflowSummary *workflow)
{
	char text[32];
	int	 hundredths =
		 workflow->total_jobs > 0 ? (int) ((int64) workflow->completed_jobs * 10000 / workflow->total_jobs) : 0;
	int length = snprintf(text, sizeof(text), hundredths % 100 ? "%d.%02d" : "%d", hundredths / 100, hundredths % 100);

	spl_json_raw(out, "progress_percent", text, length);
}

/* write_summary writes the members that every form has. */
static void
write_summary(StringInfo out, const WorkflowSummary *workflow)
{
	spl_json_uuid(out, "id", &workflow->id);
	spl_json_uuid(out, "organization_id", &workflow->org_uid);
	spl_json_text(out, "name", workflow->name);
	spl_json_text(out, "description", workflow->description);
	spl_json_text(out, "status", workflow->status);
	spl_json_int(out, "total_jobs", workflow->total_jobs);
	spl_json_int(out, "completed_jobs", workflow->completed_jobs);
	spl_json_int(out, "failed_jobs", workflow->failed_jobs);
	spl_json_int(out, "cancelled_jobs", workflow->cancelled_jobs);
	write_percent(out, workflow);
	spl_json_time(out, "created_at", workflow->created_at);
	spl_json_time(out, "started_at", workflow->started_at);
	spl_json_time(out, "completed_at", workflow->finished_at);
	spl_json_varlena_raw(out, "metadata", workflow->metadata);
}

void
spl_json_workflow(StringInfo out, const WorkflowSummary *workflow)
{
	spl_json_open(out, NULL, '{');
	write_summary(out, workflow);
	spl_json_close(out, '}');
}

/* write_error writes a job's error as the object that the detail has. */
static void
write_error(StringInfo out, const char *error)
{
	if (error == NULL)
	{
		spl_json_null(out, "error");
		return;
	}
	spl_json_open(out, "error", '{');
	spl_json_text(out, "type", "JobError");
	spl_json_text(out, "error_type", "JobError");
	spl_json_text(out, "message", error);
	spl_json_null(out, "stack");
	spl_json_close(out, '}');
}

/* write_times writes when a job was and will be run. */
static void
write_times(StringInfo out, const JobView *job)
{
	bool is_dead = job->ticket.kind == TICKET_DEAD_LETTER;
	bool backs_off = job->ticket.kind == TICKET_DELAYED && job->ticket.reason == DELAY_BACKOFF;

	spl_json_time(out, "created_at", job->job.created_at);
	spl_json_time(out, "scheduled_at", job->scheduled_at);
	spl_json_time(out, "started_at", job->started_at);
	spl_json_time(out, "completed_at", job->completed_at);
	spl_json_time(out, "failed_at", is_dead ? job->completed_at : NO_TIME);
	spl_json_time(out, "next_retry_at", backs_off ? job->ticket.due : NO_TIME);
}

/* write_job writes a job of the detail. */
static void
write_job(StringInfo out, const WorkflowSummary *workflow, const MemberView *member)
{
	const JobView *job = &member->job;

	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &member->job_id);
	spl_json_uuid(out, "organization_id", &workflow->org_uid);
	spl_json_text(out, "key", member->key);
	spl_json_text(out, "queue", job->queue_name);
	spl_json_text(out, "job_type", "job");
	spl_json_varlena_raw(out, "payload", job->job.payload);
	spl_json_text(out, "status", member->status);
	spl_json_int(out, "priority", job->ticket.priority);
	spl_json_int(out, "attempt", job->ticket.retry_count);
	spl_json_int(out, "max_retries", job->job.max_retries);
	spl_json_text(out, "backoff_type", "exponential");
	spl_json_int(out, "timeout_ms", (int64) job->job.timeout_seconds * 1000);
	write_times(out, job);
	spl_json_varlena_raw(out, "result", job->ticket.result);
	write_error(out, job->last_error);
	spl_json_varlena_raw(out, "metadata", job->job.tags);
	spl_json_uuid(out, "workflow_id", &workflow->id);
	spl_json_null(out, "parent_job_id");
	spl_json_close(out, '}');
}

/* write_progress counts the jobs as the detail does: what was cancelled has failed. */
static void
write_progress(StringInfo out, const WorkflowSummary *workflow)
{
	int failed = workflow->failed_jobs + workflow->cancelled_jobs;
	int processing = workflow->processing_jobs;

	spl_json_open(out, "progress", '{');
	spl_json_int(out, "total", workflow->total_jobs);
	spl_json_int(out, "completed", workflow->completed_jobs);
	spl_json_int(out, "failed", failed);
	spl_json_int(out, "pending", Max(workflow->total_jobs - workflow->completed_jobs - failed - processing, 0));
	spl_json_int(out, "processing", processing);
	spl_json_close(out, '}');
}

static void
write_edges(StringInfo out, const MemberView *members, int count)
{
	spl_json_open(out, "dependencies", '[');
	for (int i = 0; i < count; i++)
		for (int d = 0; d < members[i].depends_count; d++)
		{
			spl_json_open(out, NULL, '{');
			spl_json_uuid(out, "parent_job_id", &members[i].parents[d]);
			spl_json_uuid(out, "child_job_id", &members[i].job_id);
			spl_json_text(out, "dependency_type", spl_fan_in_mode_name(members[i].mode));
			spl_json_close(out, '}');
		}
	spl_json_close(out, ']');
}

void
spl_json_workflow_detail(StringInfo out, const WorkflowSummary *workflow, const MemberView *members, int count,
						 bool created)
{
	spl_json_open(out, NULL, '{');
	if (created)
	{
		spl_json_uuid(out, "workflow_id", &workflow->id);
		spl_json_open(out, "job_ids", '[');
		for (int i = 0; i < count; i++)
		{
			spl_json_open(out, NULL, '{');
			spl_json_text(out, "key", members[i].key);
			spl_json_uuid(out, "job_id", &members[i].job_id);
			spl_json_close(out, '}');
		}
		spl_json_close(out, ']');
	}
	write_summary(out, workflow);
	spl_json_open(out, "jobs", '[');
	for (int i = 0; i < count; i++)
		write_job(out, workflow, &members[i]);
	spl_json_close(out, ']');
	write_edges(out, members, count);
	write_progress(out, workflow);
	spl_json_close(out, '}');
}

static void
write_keys(StringInfo out, const MemberView *member)
{
	spl_json_open(out, "depends_on", '[');
	for (int i = 0; i < member->depends_count; i++)
		spl_json_text(out, NULL, member->depends_on[i]);
	spl_json_close(out, ']');
}

void
spl_json_workflow_job(StringInfo out, const pg_uuid_t *workflow, const MemberView *member)
{
	const JobView *job = &member->job;

	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &member->job_id);
	spl_json_uuid(out, "job_id", &member->job_id);
	spl_json_uuid(out, "workflow_id", workflow);
	spl_json_text(out, "key", member->key);
	spl_json_text(out, "queue_name", member->has_job ? job->queue_name : "");
	spl_json_text(out, "status", member->status);
	if (job->job.payload)
		spl_json_varlena_raw(out, "payload", job->job.payload);
	else
		spl_json_raw(out, "payload", "{}", 2); /* deleted, or too much for one answer */
	spl_json_varlena_raw(out, "result", job->ticket.result);
	spl_json_text(out, "error", job->last_error);
	write_keys(out, member);
	spl_json_text(out, "dependency_mode", spl_fan_in_mode_name(member->mode));
	spl_json_int(out, "priority", job->ticket.priority);
	spl_json_int(out, "max_retries", job->job.max_retries);
	spl_json_int(out, "attempt", job->ticket.retry_count);
	spl_json_int(out, "retry_count", job->ticket.retry_count);
	spl_json_int(out, "timeout_seconds", job->job.timeout_seconds);
	spl_json_time(out, "created_at", job->job.created_at);
	spl_json_time(out, "scheduled_at", job->scheduled_at);
	spl_json_time(out, "started_at", job->started_at);
	spl_json_time(out, "completed_at", job->completed_at);
	spl_json_close(out, '}');
}

void
spl_json_workflow_job_status(StringInfo out, const MemberView *member)
{
	spl_json_open(out, NULL, '{');
	spl_json_text(out, "key", member->key);
	spl_json_uuid(out, "job_id", &member->job_id);
	spl_json_text(out, "status", member->status);
	spl_json_null(out, "progress");
	write_keys(out, member);
	spl_json_int(out, "retry_count", member->job.ticket.retry_count);
	spl_json_text(out, "error", member->job.last_error);
	spl_json_close(out, '}');
}

void
spl_json_workflow_addition(StringInfo out, const WorkflowAddition *addition)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "workflow_id", &addition->workflow);
	spl_json_open(out, "job_ids", '[');
	for (int i = 0; i < addition->count; i++)
	{
		spl_json_open(out, NULL, '{');
		spl_json_text(out, "key", addition->added[i].key);
		spl_json_uuid(out, "job_id", &addition->added[i].job_id);
		spl_json_bool(out, "created", addition->added[i].created);
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
	spl_json_int(out, "added_count", addition->created);
	spl_json_int(out, "total_jobs", addition->total_jobs);
	spl_json_close(out, '}');
}

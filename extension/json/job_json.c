/*
 * job_json.c
 *    Jobs as JSON.
 */
#include "postgres.h"

#include "ops/dependency_add.h"
#include "json/job_json.h"
#include "json/json_write.h"

/* write_counts writes how often a job ran, under each name that a client reads. */
static void
write_counts(StringInfo out, const JobView *view)
{
	spl_json_int(out, "retry_count", view->ticket.retry_count);
	spl_json_int(out, "attempt", view->ticket.retry_count);
	spl_json_int(out, "attempts", view->attempts);
	spl_json_int(out, "max_retries", view->job.max_retries);
}

static void
write_times(StringInfo out, const JobView *view)
{
	spl_json_time(out, "created_at", view->job.created_at);
	spl_json_time(out, "scheduled_at", view->scheduled_at);
	spl_json_time(out, "started_at", view->started_at);
	spl_json_time(out, "completed_at", view->completed_at);
	spl_json_time(out, "updated_at", view->ticket.since);
}

static void
write_error(StringInfo out, const JobView *view)
{
	spl_json_text(out, "last_error", view->last_error);
	spl_json_text(out, "error", view->last_error);
}

static void
write_run(StringInfo out, const JobView *view)
{
	spl_json_text(out, "assigned_worker_id", view->worker);
	spl_json_uuid(out, "lease_id", view->leased ? &view->ticket.lease_id : NULL);
	spl_json_time(out, "lease_expires_at", view->leased ? view->ticket.lease_expires_at : NO_TIME);
}

static void
write_dependencies(StringInfo out, const JobView *view)
{
	spl_json_uuid(out, "parent_job_id", view->job.has_parent ? &view->job.parent_job_id : NULL);
	spl_json_uuid(out, "workflow_id", view->has_workflow ? &view->workflow_id : NULL);
	spl_json_text(out, "dependency_mode", view->has_dependencies ? spl_fan_in_mode_name(view->dependency_mode) : NULL);
	spl_json_bool(out, "dependencies_met", !view->blocked);
}

void
spl_json_job(StringInfo out, const JobView *view)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &view->job.id);
	spl_json_uuid(out, "organization_id", &view->org_uid);
	spl_json_text(out, "queue_name", view->queue_name);
	spl_json_text(out, "queue", view->queue_name);
	spl_json_text(out, "status", view->status);
	spl_json_varlena_raw(out, "payload", view->job.payload);
	spl_json_varlena_raw(out, "result", view->ticket.result);
	write_counts(out, view);
	write_error(out, view);
	write_times(out, view);
	spl_json_time(out, "expires_at", view->ticket.expires_at);
	spl_json_int(out, "priority", view->ticket.priority);
	spl_json_varlena_raw(out, "tags", view->job.tags);
	spl_json_int(out, "timeout_seconds", view->job.timeout_seconds);
	spl_json_varlena_text(out, "completion_webhook", view->job.completion_webhook);
	write_run(out, view);
	spl_json_varlena_text(out, "idempotency_key", view->job.idempotency_key);
	write_dependencies(out, view);
	spl_json_text(out, "job_type", view->job_type);
	spl_json_close(out, '}');
}

void
spl_json_job_summary(StringInfo out, const JobView *view)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &view->job.id);
	spl_json_uuid(out, "organization_id", &view->org_uid);
	spl_json_text(out, "queue_name", view->queue_name);
	spl_json_text(out, "queue", view->queue_name);
	spl_json_text(out, "status", view->status);
	spl_json_text(out, "job_type", view->job_type);
	spl_json_int(out, "priority", view->ticket.priority);
	write_counts(out, view);
	spl_json_text(out, "last_error", view->last_error);
	write_times(out, view);
	spl_json_varlena_raw(out, "tags", view->job.tags);
	spl_json_close(out, '}');
}

void
spl_json_job_status(StringInfo out, const JobView *view)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &view->job.id);
	spl_json_text(out, "status", view->status);
	spl_json_text(out, "queue_name", view->queue_name);
	write_counts(out, view);
	spl_json_time(out, "created_at", view->job.created_at);
	spl_json_time(out, "started_at", view->started_at);
	spl_json_time(out, "completed_at", view->completed_at);
	spl_json_text(out, "last_error", view->last_error);
	spl_json_close(out, '}');
}

/* write_parents writes what the parents of a leased job have left for it. */
static void
write_parents(StringInfo out, const ParentViews *parents)
{
	spl_json_open(out, "parent_results", '[');
	for (int i = 0; i < parents->count; i++)
	{
		const ParentResult *parent = &parents->views[i].parent;

		spl_json_open(out, NULL, '{');
		spl_json_uuid(out, "job_id", &parent->job_id);
		spl_json_text(out, "key", parents->views[i].key);
		spl_json_text(out, "queue_name", parent->queue);
		spl_json_text(out, "status", parents->views[i].status);
		spl_json_varlena_raw(out, "result", parent->result);
		spl_json_bool(out, "result_omitted", parent->omitted);
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
	spl_json_bool(out, "parent_results_truncated", parents->is_more);
}

static void
write_leased_job(StringInfo out, const Job *job, const Ticket *lease, const char *queue_name, const pg_uuid_t *org_uid,
				 const ParentViews *parents)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &job->id);
	spl_json_text(out, "queue_name", queue_name);
	spl_json_text(out, "queue", queue_name);
	spl_json_text(out, "status", "processing");
	spl_json_varlena_raw(out, "payload", job->payload);
	spl_json_int(out, "retry_count", lease->retry_count);
	spl_json_int(out, "attempts", lease->retry_count + 1);
	spl_json_int(out, "max_retries", job->max_retries);
	spl_json_int(out, "timeout_seconds", job->timeout_seconds);
	spl_json_int(out, "priority", lease->priority);
	spl_json_text(out, "worker_id", lease->worker);
	spl_json_uuid(out, "lease_id", &lease->lease_id);
	spl_json_time(out, "lease_expires_at", lease->lease_expires_at);
	spl_json_time(out, "leased_until", lease->lease_expires_at);
	spl_json_time(out, "created_at", job->created_at);
	spl_json_time(out, "scheduled_at", job->scheduled_at);
	spl_json_time(out, "started_at", lease->since);
	spl_json_varlena_raw(out, "tags", job->tags);
	spl_json_varlena_text(out, "idempotency_key", job->idempotency_key);
	if (org_uid)
		spl_json_uuid(out, "organization_id", org_uid);
	if (parents)
		write_parents(out, parents);
	spl_json_close(out, '}');
}

void
spl_json_leased_job(StringInfo out, const Job *job, const Ticket *lease, const char *queue_name)
{
	write_leased_job(out, job, lease, queue_name, NULL, NULL);
}

void
spl_json_claimed(StringInfo out, const ClaimResult *claimed)
{
	spl_json_open(out, "jobs", '[');
	for (int i = 0; i < claimed->count; i++)
		write_leased_job(out, &claimed->jobs[i], &claimed->leases[i], claimed->queue_names[i], claimed->org_uid,
						 claimed->parents ? &claimed->parents[i] : NULL);
	spl_json_close(out, ']');
}

/*
 * worker_json.c
 *    Workers as JSON, with the names of both client generations.
 */
#include "postgres.h"

#include "json/json_write.h"
#include "json/worker_json.h"

static void
write_queues(StringInfo out, const WorkerView *view)
{
	spl_json_text(out, "queue_name", view->queue_count > 0 ? view->queues[0] : NULL);
	spl_json_open(out, "queue_names", '[');
	for (int i = 0; i < view->queue_count; i++)
		spl_json_text(out, NULL, view->queues[i]);
	spl_json_close(out, ']');
}

void
spl_json_worker(StringInfo out, const WorkerView *view)
{
	spl_json_open(out, NULL, '{');
	spl_json_text(out, "id", view->id);
	spl_json_uuid(out, "organization_id", &view->org_uid);
	write_queues(out, view);
	spl_json_text(out, "hostname", view->hostname);
	spl_json_text(out, "worker_type", view->worker_type);
	spl_json_int(out, "max_concurrency", view->max_concurrency);
	spl_json_int(out, "max_concurrent_jobs", view->max_concurrency);
	spl_json_int(out, "current_jobs", view->current_jobs);
	spl_json_int(out, "current_job_count", view->current_jobs);
	spl_json_text(out, "status", view->status);
	spl_json_time(out, "last_heartbeat", view->last_heartbeat);
	spl_json_raw(out, "metadata", view->metadata, view->metadata ? strlen(view->metadata) : 0);
	spl_json_text(out, "version", view->version);
	spl_json_time(out, "registered_at", view->registered_at);
	spl_json_time(out, "created_at", view->registered_at);
	spl_json_time(out, "updated_at", view->updated_at);
	spl_json_close(out, '}');
}

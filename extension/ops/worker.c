/*
 * worker.c
 *    The registry of worker processes.
 *
 * A worker's id is its organization's own; another organization may use the same.  Its leases are found by that id, so a
 * process that claims under a name it did not register never loses jobs to the registry.  A worker without a heartbeat is
 * taken to be dead: its jobs end their runs as lost, and if it lives after all, it finds its leases gone.
 */
#include "postgres.h"

#include <limits.h>

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/limit.h"
#include "ops/settle.h"
#include "ops/sweep.h"
#include "ops/worker.h"
#include "rules/json_text.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "store/attempt_store.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "store/worker_store.h"
#include "utils/json.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define DEFAULT_CONCURRENCY 5
#define CONCURRENCY_LIMIT 100
#define TYPE_MAX 50
#define VERSION_MAX 50
#define CURRENT_JOBS_MAX 1000

static SplCode
check_optional_text(const char *field, const char *text, int longest, SplFault *fault)
{
	return text == NULL ? SPL_OK : spl_check_length(field, text, 0, longest, fault);
}

static SplCode
check_metadata(const char *metadata, SplFault *fault)
{
	if (metadata == NULL)
		return SPL_OK;
	return spl_check_json("metadata", metadata, strlen(metadata), false, SPL_JSON_SMALL_BYTES, fault);
}

/* check_queues: names of queues, all within the credential's queues. */
static SplCode
check_queues(char **queues, int count, SplFault *fault)
{
	SplCode code;

	if (count <= 0)
		return spl_check_queue_name(NULL, fault);
	for (int i = 0; i < count; i++)
	{
		if ((code = spl_check_queue_name(queues[i], fault)) != SPL_OK)
			return code;
		if (!spl_queue_in_scope(queues[i]))
			return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "No access to queue \"%s\"", queues[i]);
	}
	return SPL_OK;
}

static SplCode
check_registration(const WorkerRegistration *registration, SplFault *fault)
{
	SplCode code;

	if (registration->worker_id && (code = spl_check_worker_id(registration->worker_id, fault)) != SPL_OK)
		return code;
	if ((code = check_queues(registration->queues, registration->queue_count, fault)) != SPL_OK)
		return code;
	if (registration->hostname == NULL || *registration->hostname == '\0')
		return spl_fault(fault, SPL_INVALID, "hostname", "missing_field", NULL, "hostname is required");
	if (registration->max_concurrency != NOT_GIVEN &&
		(code = spl_check_int("max_concurrency", registration->max_concurrency, 1,
							  registration->concurrency_limit ? registration->concurrency_limit : CONCURRENCY_LIMIT,
							  fault)) != SPL_OK)
		return code;
	if ((code = check_optional_text("worker_type", registration->worker_type, TYPE_MAX, fault)) != SPL_OK ||
		(code = check_optional_text("version", registration->version, VERSION_MAX, fault)) != SPL_OK)
		return code;
	return check_metadata(registration->metadata, fault);
}

/* check_room: a worker that is alive has its place already; one that is new, or comes back, needs one. */
static SplCode
check_room(const char *worker_id, SplFault *fault)
{
	WorkerRow worker;

	if (!spl_limit_applies(LIMIT_WORKERS) ||
		(worker_id && spl_worker_find(spl_org(), worker_id, &worker) && strcmp(worker.status, "offline") != 0))
		return SPL_OK;
	return spl_limit_resource(fault, LIMIT_WORKERS);
}

/* is_visible: a credential for some queues sees the workers of these queues. */
static bool
is_visible(const WorkerRow *worker)
{
	if (!spl_scope_is_restricted())
		return true;
	for (int i = 0; i < worker->queue_count; i++)
		if (spl_queue_in_scope(worker->queues[i]))
			return true;
	return false;
}

/* check_takeover: a credential for some queues may not take the place of a worker that it may not see. */
static SplCode
check_takeover(const char *worker_id, SplFault *fault)
{
	WorkerRow worker;

	if (worker_id == NULL || !spl_scope_is_restricted() || !spl_worker_find(spl_org(), worker_id, &worker) ||
		is_visible(&worker))
		return SPL_OK;
	return spl_fault(fault, SPL_CONFLICT, NULL, NULL, "Choose another worker id.",
					 "Worker id \"%s\" belongs to a worker of other queues", worker_id);
}

/* spl_worker_register adds a worker or renews the one with this id. */
SplCode
spl_worker_register(const WorkerRegistration *registration, const char **id, SplFault *fault)
{
	SplCode	  code = check_registration(registration, fault);
	WorkerRow row = {0};

	if (code == SPL_OK)
		code = check_room(registration->worker_id, fault);
	if (code == SPL_OK)
		code = check_takeover(registration->worker_id, fault);
	if (code != SPL_OK)
		return code;
	if (registration->worker_id)
		*id = registration->worker_id;
	else
	{
		pg_uuid_t fresh = spl_uuid_random();

		*id = spl_uuid_text(&fresh);
	}
	row.org = spl_org();
	row.id = pstrdup(*id);
	row.queues = registration->queues;
	row.queue_count = registration->queue_count;
	row.hostname = spl_hostname_tidy(registration->hostname);
	row.worker_type = registration->worker_type ? pstrdup(registration->worker_type) : NULL;
	row.max_concurrency =
		registration->max_concurrency == NOT_GIVEN ? DEFAULT_CONCURRENCY : registration->max_concurrency;
	row.version = registration->version ? pstrdup(registration->version) : NULL;
	row.metadata = pstrdup(registration->metadata ? registration->metadata : "{}");
	row.registered_at = spl_clock_now();
	spl_worker_put(&row);
	return SPL_OK;
}

/* spl_worker_is_status tells the four known words. */
bool
spl_worker_is_status(const char *status)
{
	return strcmp(status, "healthy") == 0 || strcmp(status, "degraded") == 0 || strcmp(status, "draining") == 0 ||
		strcmp(status, "offline") == 0;
}

static SplCode
not_found(const char *worker_id, SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Worker \"%s\" not found", worker_id);
}

/* find_worker reads a worker that the credential may see. */
static SplCode
find_worker(const char *worker_id, WorkerRow *worker, SplFault *fault)
{
	if (worker_id == NULL)
		return spl_check_worker_id(NULL, fault);
	if (!spl_worker_find(spl_org(), worker_id, worker) || !is_visible(worker))
		return not_found(worker_id, fault);
	return SPL_OK;
}

static SplCode
check_heartbeat(int current_jobs, const char *status, const char *metadata, SplFault *fault)
{
	SplCode code = spl_check_int("current_jobs", current_jobs, 0, CURRENT_JOBS_MAX, fault);

	if (code == SPL_OK && status && !spl_worker_is_status(status))
		code = spl_fault(fault, SPL_INVALID, "status", "invalid_value", NULL,
						 "status must be healthy, degraded, draining or offline");
	return code == SPL_OK ? check_metadata(metadata, fault) : code;
}

/* spl_worker_heartbeat notes that a worker lives. */
SplCode
spl_worker_heartbeat(const char *worker_id, int current_jobs, const char *status, const char *metadata,
					 const char **now_status, SplFault *fault)
{
	WorkerRow worker;
	SplCode	  code = check_heartbeat(current_jobs, status, metadata, fault);

	if (code == SPL_OK && (worker_id == NULL || spl_scope_is_restricted()))
		code = find_worker(worker_id, &worker, fault);
	if (code == SPL_OK && (status == NULL || strcmp(status, "offline") != 0))
		code = check_room(worker_id, fault);
	if (code != SPL_OK)
		return code;
	*now_status =
		spl_worker_beat(spl_org(), worker_id, spl_clock_now(), current_jobs, status ? status : "healthy", metadata);
	return *now_status ? SPL_OK : not_found(worker_id, fault);
}

/* log_offline writes into the event log that a worker is gone. */
static void
log_offline(int32 org, const char *kind, const char *worker, TimestampTz now)
{
	StringInfoData details;

	initStringInfo(&details);
	appendStringInfoString(&details, "{\"worker\":");
	escape_json(&details, worker);
	appendStringInfoChar(&details, '}');
	spl_event_log_put(org, NULL, now, kind, spl_org_is_background() ? "background" : spl_actor(), details.data);
}

/* spl_worker_deregister marks a worker offline and releases its jobs without a penalty. */
SplCode
spl_worker_deregister(const char *worker_id, int *released, SplFault *fault)
{
	WorkerRow	worker;
	SplCode		code = find_worker(worker_id, &worker, fault);
	TimestampTz now = spl_clock_now();

	if (code != SPL_OK)
		return code;
	if (strcmp(worker.status, "offline") != 0)
	{
		spl_worker_set_offline(worker.org, worker.id, now);
		log_offline(worker.org, "worker_deregistered", worker.id, now);
	}
	*released = spl_worker_release_leases(worker.org, worker.id, false);
	return SPL_OK;
}

static WorkerView
view_of(const WorkerRow *row)
{
	return (WorkerView) {
		.org_uid = row->org_uid,
		.id = row->id,
		.queues = row->queues,
		.queue_count = row->queue_count,
		.hostname = row->hostname,
		.worker_type = row->worker_type,
		.max_concurrency = row->max_concurrency,
		.current_jobs = row->current_jobs,
		.status = row->status,
		.version = row->version,
		.metadata = row->metadata,
		.registered_at = row->registered_at,
		.updated_at = row->updated_at,
		.last_heartbeat = row->last_heartbeat,
	};
}

SplCode
spl_worker_get(const char *worker_id, WorkerView *view, SplFault *fault)
{
	WorkerRow worker;
	SplCode	  code = find_worker(worker_id, &worker, fault);

	if (code == SPL_OK)
		*view = view_of(&worker);
	return code;
}

int
spl_worker_concurrency(const char *worker_id)
{
	WorkerRow worker;

	return spl_worker_find(spl_org(), worker_id, &worker) ? worker.max_concurrency : DEFAULT_CONCURRENCY;
}

int
spl_worker_sort_held(const char *worker_id, pg_uuid_t *job_ids, int count)
{
	Ticket	   *leases = palloc(sizeof(Ticket) * Max(count, 1));
	bool	   *found = palloc(sizeof(bool) * Max(count, 1));
	TimestampTz now = spl_clock_now();
	Snapshot	snapshot;
	int			held = 0;

	if (count == 0)
		return 0;
	snapshot = spl_snapshot_fresh();
	spl_lease_find_many(spl_org(), job_ids, count, snapshot, leases, found);
	UnregisterSnapshot(snapshot);
	for (int i = 0; i < count; i++)
	{
		pg_uuid_t id = job_ids[i];

		if (!found[i] || leases[i].lease_expires_at <= now || strcmp(leases[i].worker, worker_id) != 0)
			continue;
		job_ids[i] = job_ids[held];
		job_ids[held++] = id;
	}
	return held;
}

/* spl_worker_list lists workers, newest heartbeat first. */
int
spl_worker_list(int limit, WorkerView **workers)
{
	WorkerRow *rows;
	int		   count = spl_worker_list_rows(spl_org(), spl_scope_is_restricted() ? 0 : limit, &rows);
	int		   listed = 0;

	*workers = palloc(sizeof(WorkerView) * Max(count, 1));
	for (int i = 0; i < count && listed < limit; i++)
		if (is_visible(&rows[i]))
			(*workers)[listed++] = view_of(&rows[i]);
	return listed;
}

/* spl_worker_mark_offline gives up workers without a heartbeat, and with them the runs they had. */
int
spl_worker_mark_offline(TimestampTz now, int limit)
{
	WorkerRow  *workers;
	TimestampTz before = now - (int64) spooled_worker_offline_after * 1000;
	int			count = spl_worker_list_silent(before, limit, &workers);

	for (int i = 0; i < count; i++)
	{
		spl_org_set_background(workers[i].org);
		spl_worker_set_offline(workers[i].org, workers[i].id, now);
		log_offline(workers[i].org, "worker_offline", workers[i].id, now);
		spl_worker_release_leases(workers[i].org, workers[i].id, true);
	}
	return count;
}

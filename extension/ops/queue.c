/*
 * queue.c
 *    Creating, configuring, pausing, resuming and deleting queues.
 *
 * Every change locks the queue's row first and tells all backends to read their queues again at commit, so that a claim which
 * starts after a pause was answered hands out nothing.  The row of a queue stays for ever, because jobs that are just being
 * added name it by id; without a configuration and without jobs it is as if it did not exist.
 */
#include "postgres.h"

#include <limits.h>

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "ops/audit.h"
#include "ops/change.h"
#include "ops/limit.h"
#include "ops/queue.h"
#include "ops/queue_patch.h"
#include "ops/stats.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "shmem/counters.h"
#include "store/queue_config_store.h"
#include "store/queue_store.h"
#include "store/schedule_store.h"
#include "store/ticket.h"

#define DELETE_BATCH 1000
#define REASON_MAX 500

/* check_access: a name that could be a queue's, and one of the credential's queues. */
static SplCode
check_access(const char *name, SplFault *fault)
{
	SplCode code = spl_check_queue_name(name, fault);

	if (code == SPL_OK && !spl_queue_in_scope(name))
		code = spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "No access to queue \"%s\"", name);
	return code;
}

static SplCode
not_found(const char *name, SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Queue \"%s\" not found", name);
}

/*
 * has_jobs: the counters answer at once; the tables know the jobs that this transaction has just added,
 * but no index leads from a queue to its outcomes.
 */
static bool
has_jobs(int32 queue)
{
	JobStats stats;

	spl_org_job_stats(spl_org(), queue, &stats);
	return stats.total > 0 || spl_queue_has_unfinished(spl_org(), queue);
}

/* is_used tells whether a queue without configuration exists for users. */
static bool
is_used(int32 queue, const char *name)
{
	return has_jobs(queue) || spl_schedule_uses_queue(spl_org(), name);
}

/* find_queue reads a queue that exists for users: configured, or used. */
static SplCode
find_queue(const char *name, bool lock, QueueConfig *config, SplFault *fault)
{
	SplCode code = check_access(name, fault);

	if (code != SPL_OK)
		return code;
	if (!spl_queue_config_read(spl_org(), name, lock, config))
		return not_found(name, fault);
	if (!config->configured && !is_used(config->id, name))
		return not_found(name, fault);
	return SPL_OK;
}

/* store_config writes a changed queue and tells everybody. */
static void
store_config(QueueConfig *config, const char *name, const char *action, const char *details)
{
	spl_audit(action, "queue", name, details);
	config->updated_at = spl_clock_now();
	spl_queue_config_write(spl_org(), config, config->updated_at);
	spl_queue_changed();
}

/* view_of fills in the server's defaults. */
static QueueView
view_of(const QueueConfig *config)
{
	return (QueueView) {
		.id = config->id,
		.org_uid = config->org_uid,
		.name = config->name,
		.configured = config->configured,
		.max_retries = config->max_retries >= 0 ? config->max_retries : spooled_max_retries,
		.default_timeout = config->default_timeout >= 0 ? config->default_timeout : spooled_timeout_seconds,
		.rate_limit = config->rate_limit,
		.lease_seconds = config->lease_seconds,
		.backoff_unit = config->backoff_unit >= 0 ? config->backoff_unit : spooled_backoff_unit,
		.backoff_factor = config->backoff_factor >= 0 ? config->backoff_factor : spooled_backoff_factor,
		.backoff_cap = config->backoff_cap >= 0 ? config->backoff_cap : spooled_backoff_cap,
		.backoff_jitter = config->backoff_jitter >= 0 ? config->backoff_jitter : spooled_backoff_jitter,
		.enforce_timeout = config->enforce_timeout,
		.paused_at = config->paused_at,
		.paused_reason = config->paused_reason,
		.settings = config->settings,
		.created_at = config->created_at,
		.updated_at = config->updated_at,
	};
}

/* make_queue reads and locks the row of a queue, which it makes when there is none. */
static void
make_queue(const char *name, QueueConfig *config)
{
	if (spl_queue_config_read(spl_org(), name, true, config))
		return;
	spl_queue_make(spl_org(), name);
	if (!spl_queue_config_read(spl_org(), name, true, config))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("queue \"%s\" was created after this transaction's snapshot", name)));
}

bool
spl_queue_exists(const char *name)
{
	const Queue *queue = spl_queue_by_name(spl_org(), name);

	return queue && (queue->configured || is_used(queue->id, name));
}

/* check_room: a queue that exists for users has its place in the plan; one that is new needs one. */
static SplCode
check_room(const char *name, SplFault *fault)
{
	if (!spl_limit_applies(LIMIT_QUEUES) || spl_queue_exists(name))
		return SPL_OK;
	return spl_limit_resource(fault, LIMIT_QUEUES);
}

/* spl_queue_configure changes a queue, or makes it. */
SplCode
spl_queue_configure(const char *name, const QueuePatch *patch, bool create, bool *created, QueueView *view,
					SplFault *fault)
{
	QueueConfig config;
	SplCode		code;

	if ((code = check_access(name, fault)) != SPL_OK || (code = spl_queue_patch_check(patch, fault)) != SPL_OK)
		return code;
	if (create && (code = check_room(name, fault)) != SPL_OK)
		return code;
	if (create)
		make_queue(name, &config);
	else if ((code = find_queue(name, true, &config, fault)) != SPL_OK)
		return code;

	*created = !config.configured;
	if ((code = spl_queue_patch_apply(patch, &config, fault)) != SPL_OK)
		return code;
	store_config(&config, name, *created ? "queue.create" : "queue.configure", NULL);
	if (view)
		*view = view_of(&config);
	return SPL_OK;
}

SplCode
spl_queue_get(const char *name, QueueView *view, SplFault *fault)
{
	QueueConfig config;
	SplCode		code = find_queue(name, false, &config, fault);

	if (code == SPL_OK)
		*view = view_of(&config);
	return code;
}

/* spl_queue_list lists queues that exist for users, by name. */
int
spl_queue_list(int limit, QueueView **queues)
{
	QueueConfig *configs;
	int			 count = spl_queue_config_list(spl_org(), &configs);
	int			 listed = 0;

	*queues = palloc(sizeof(QueueView) * Max(count, 1));
	for (int i = 0; i < count && listed < limit; i++)
		if (spl_queue_in_scope(configs[i].name) && (configs[i].configured || is_used(configs[i].id, configs[i].name)))
			(*queues)[listed++] = view_of(&configs[i]);
	return listed;
}

int
spl_queue_count(void)
{
	QueueConfig *configs;
	int			 count = spl_queue_config_list(spl_org(), &configs);
	int			 existing = 0;

	for (int i = 0; i < count; i++)
		existing += configs[i].configured || is_used(configs[i].id, configs[i].name);
	return existing;
}

/* spl_queue_ids tells which queues a list shows. */
int
spl_queue_ids(const char *name, int32 **ids)
{
	QueueConfig *configs;
	int			 count;
	int			 listed = 0;

	*ids = NULL;
	if (name)
	{
		const Queue *queue = spl_queue_by_name(spl_org(), name);

		*ids = palloc(sizeof(int32));
		if (queue)
			(*ids)[0] = queue->id;
		return queue ? 1 : 0;
	}
	if (!spl_scope_is_restricted())
		return QUEUES_ALL;
	count = spl_queue_config_list(spl_org(), &configs);
	*ids = palloc(sizeof(int32) * Max(count, 1));
	for (int i = 0; i < count; i++)
		if (spl_queue_in_scope(configs[i].name))
			(*ids)[listed++] = configs[i].id;
	return listed;
}

SplCode
spl_queue_pause(const char *name, const char *reason, TimestampTz *paused_at, SplFault *fault)
{
	QueueConfig config;
	SplCode		code;

	if ((reason && (code = spl_check_length("reason", reason, 0, REASON_MAX, fault)) != SPL_OK) ||
		(code = find_queue(name, true, &config, fault)) != SPL_OK)
		return code;
	spl_queue_config_pause(&config, reason);
	store_config(&config, name, "queue.pause", NULL);
	*paused_at = config.paused_at;
	return SPL_OK;
}

SplCode
spl_queue_resume(const char *name, int64 *paused_ms, SplFault *fault)
{
	QueueConfig config;
	SplCode		code = find_queue(name, true, &config, fault);

	if (code != SPL_OK)
		return code;
	*paused_ms = 0;
	if (config.paused_at == NO_TIME)
		return SPL_OK;
	*paused_ms = Max((spl_clock_now() - config.paused_at) / 1000, 0);
	spl_queue_config_resume(&config);
	store_config(&config, name, "queue.resume", NULL);
	return SPL_OK;
}

/* delete_all_jobs deletes every job of the queue, in batches; returns how many. */
static int64
delete_all_jobs(int32 queue)
{
	int64	  deleted = 0;
	pg_uuid_t after = {{0}};

	while (spl_queue_delete_jobs(queue, DELETE_BATCH, &after, &deleted) > 0)
		;
	return deleted;
}

/* check_deletable: nothing that waits or runs, or will, may lose its configuration unnoticed. */
static SplCode
check_deletable(const QueueConfig *config, bool delete_jobs, SplFault *fault)
{
	if (spl_schedule_uses_queue(spl_org(), config->name))
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, "Delete the schedule first, or let it use another queue.",
						 "Queue \"%s\" is used by a schedule", config->name);
	if (delete_jobs)
		return SPL_OK;
	if (spl_queue_has_unfinished(spl_org(), config->id))
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL,
						 "Purge the queue first, or delete its jobs as well with delete_jobs.",
						 "Queue \"%s\" has jobs that wait or run", config->name);
	if (config->configured)
		return SPL_OK;
	return spl_fault(fault, SPL_CONFLICT, NULL, NULL, "Delete its jobs as well with delete_jobs.",
					 "Queue \"%s\" exists only through finished jobs", config->name);
}

/* spl_queue_delete takes the configuration away, and with "delete_jobs" all jobs. */
SplCode
spl_queue_delete(const char *name, bool delete_jobs, SplFault *fault)
{
	QueueConfig config;
	QueueConfig bare;
	int64		deleted = 0;
	SplCode		code = find_queue(name, true, &config, fault);

	if (code == SPL_OK)
		code = check_deletable(&config, delete_jobs, fault);
	if (code != SPL_OK)
		return code;
	if (delete_jobs)
		deleted = delete_all_jobs(config.id);
	spl_counters_forget_queue(config.id);
	bare = (QueueConfig) {
		.id = config.id,
		.max_retries = -1,
		.default_timeout = -1,
		.lease_seconds = -1,
		.rate_limit = -1,
		.backoff_unit = -1,
		.backoff_factor = -1,
		.backoff_cap = -1,
		.backoff_jitter = -1,
		.paused_at = NO_TIME,
		.settings = "{}",
	};
	store_config(&bare, name, "queue.delete", spl_audit_jobs(deleted));
	return SPL_OK;
}

/* spl_queue_purge cancels every job of the queue that does not run. */
SplCode
spl_queue_purge(const char *name, int64 *purged, SplFault *fault)
{
	QueueConfig config;
	SplCode		code = find_queue(name, false, &config, fault);

	if (code != SPL_OK)
		return code;
	*purged = spl_queue_cancel_jobs(config.id);
	spl_audit("queue.purge", "queue", name, spl_audit_jobs(*purged));
	return SPL_OK;
}

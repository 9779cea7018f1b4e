/*
 * worker_store.h
 *    Rows of worker.
 */
#ifndef SPL_WORKER_STORE_H
#define SPL_WORKER_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct WorkerRow
{
	int32		org;
	pg_uuid_t	org_uid;
	char	   *id;
	char	  **queues;
	int			queue_count;
	char	   *hostname;
	char	   *worker_type; /* or NULL */
	int			max_concurrency;
	int			current_jobs;
	char	   *status;
	char	   *version;  /* or NULL */
	char	   *metadata; /* json text */
	TimestampTz registered_at;
	TimestampTz updated_at;
	TimestampTz last_heartbeat;
} WorkerRow;

/* spl_worker_put inserts a worker, or replaces the one with this id. */
extern void spl_worker_put(const WorkerRow *worker);

extern bool spl_worker_find(int32 org, const char *id, WorkerRow *worker);

/* spl_worker_list_rows reads workers of an organization, newest heartbeat first; limit 0: all. */
extern int spl_worker_list_rows(int32 org, int limit, WorkerRow **workers);

/*
 * spl_worker_beat stores a heartbeat: a heap-only update.  "metadata" NULL keeps what is there.  Status healthy leaves a
 * draining worker draining.  Returns the status after it, or NULL when there is no such worker.
 */
extern char *
spl_worker_beat(int32 org, const char *id, TimestampTz now, int current_jobs, const char *status, const char *metadata);

/* spl_worker_set_offline marks a worker offline; false: no such worker. */
extern bool spl_worker_set_offline(int32 org, const char *id, TimestampTz now);

/* spl_worker_list_silent locks up to "limit" workers of any organization without a heartbeat since "before". */
extern int spl_worker_list_silent(TimestampTz before, int limit, WorkerRow **workers);

/* spl_worker_delete_offline deletes workers that have been offline since "before"; returns how many. */
extern int spl_worker_delete_offline(TimestampTz before, int limit);

#endif

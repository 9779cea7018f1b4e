/*
 * worker.h
 *    The registry of worker processes.  Claiming does not need it; it tells operators who works, and gives the jobs of a
 *    process that fell silent to others before each lease runs out.
 */
#ifndef SPL_WORKER_H
#define SPL_WORKER_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "ops/enqueue.h" /* NOT_GIVEN */
#include "utils/uuid.h"

typedef struct WorkerRegistration
{
	const char *worker_id; /* NULL: a new UUID */
	char	  **queues;	   /* at least one */
	int			queue_count;
	const char *hostname;		   /* tidied, not refused */
	const char *worker_type;	   /* or NULL */
	int			max_concurrency;   /* NOT_GIVEN: 5 */
	int			concurrency_limit; /* the most that this interface allows; 0: 100 */
	const char *version;		   /* or NULL */
	const char *metadata;		   /* json text, or NULL: {} */
} WorkerRegistration;

typedef struct WorkerView
{
	pg_uuid_t	org_uid;
	const char *id;
	char	  **queues;
	int			queue_count;
	const char *hostname;
	const char *worker_type; /* or NULL */
	int			max_concurrency;
	int			current_jobs;
	const char *status;	  /* healthy, degraded, draining, offline */
	const char *version;  /* or NULL */
	const char *metadata; /* json */
	TimestampTz registered_at;
	TimestampTz updated_at;
	TimestampTz last_heartbeat;
} WorkerView;

/* spl_worker_register adds a worker or renews the one with this id; *id is its id. */
extern SplCode spl_worker_register(const WorkerRegistration *registration, const char **id, SplFault *fault);

/* spl_worker_is_status tells the four known words. */
extern bool spl_worker_is_status(const char *status);

/*
 * spl_worker_heartbeat notes that a worker lives.  "status" NULL is healthy; a draining worker stays draining until it says
 * something other than healthy or registers again.  *now_status is what the worker should go by.
 */
extern SplCode spl_worker_heartbeat(const char *worker_id, int current_jobs, const char *status, const char *metadata,
									const char **now_status, SplFault *fault);

/* spl_worker_deregister marks it offline and releases its jobs without a penalty; repeatable. */
extern SplCode spl_worker_deregister(const char *worker_id, int *released, SplFault *fault);

/*
 * spl_worker_concurrency returns how many jobs a worker may have at a time: what it registered with, else the default.  Any
 * name is a worker's, registered or not.
 */
extern int spl_worker_concurrency(const char *worker_id);

/*
 * spl_worker_sort_held moves those of the ids that are jobs leased to the worker at this moment to the front, and returns
 * how many they are.
 */
extern int spl_worker_sort_held(const char *worker_id, pg_uuid_t *job_ids, int count);

extern SplCode spl_worker_get(const char *worker_id, WorkerView *view, SplFault *fault);

/* spl_worker_list lists workers, newest heartbeat first, as far as the credential's queues go. */
extern int spl_worker_list(int limit, WorkerView **workers);

#endif

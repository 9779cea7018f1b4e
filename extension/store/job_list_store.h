/*
 * job_list_store.h
 *    Which jobs a queue has, for operations on all of them.
 */
#ifndef SPL_JOB_LIST_STORE_H
#define SPL_JOB_LIST_STORE_H

#include "utils/uuid.h"

/* spl_waiting_jobs_list lists up to "limit" jobs of a queue that are ready, delayed or blocked. */
extern int spl_waiting_jobs_list(int32 org, int32 queue, int limit, pg_uuid_t *ids);

/* spl_queue_jobs_list lists up to "limit" jobs of a queue in whatever state, by id, those behind "after". */
extern int spl_queue_jobs_list(int32 org, int32 queue, const pg_uuid_t *after, int limit, pg_uuid_t *ids);

#endif

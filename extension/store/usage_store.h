/*
 * usage_store.h
 *    Counting an organization's jobs in the tables.
 */
#ifndef SPL_USAGE_STORE_H
#define SPL_USAGE_STORE_H

#include "datatype/timestamp.h"

/* Called for each organization with the number of its jobs that were made since a time. */
typedef void (*OrgJobsFn)(int32 org, int64 jobs, void *arg);

/* spl_jobs_count_since counts for every organization, under the active snapshot; for the background worker. */
extern void spl_jobs_count_since(TimestampTz since, OrgJobsFn take, void *arg);

/*
 * spl_org_count_jobs counts one organization's active jobs, and its jobs made since a time, in the tables as they are now,
 * this transaction's own changes among them.
 */
extern void spl_org_count_jobs(int32 org, TimestampTz since, int64 *active, int64 *made);

#endif

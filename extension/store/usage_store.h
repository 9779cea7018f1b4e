/*
 * usage_store.h
 *    Counting an organization's jobs in the tables.
 */
#ifndef SPL_USAGE_STORE_H
#define SPL_USAGE_STORE_H

#include "datatype/timestamp.h"

/*
 * Jobs made since a time, here and below, are without those before an organization's last reset.
 *
 * Called for each organization with the number of its jobs that were made since a time.
 */
typedef void (*OrgJobsFn)(int32 org, int64 jobs, void *arg);

/* spl_jobs_count_since counts for every organization, under the active snapshot; for the background worker and an admin. */
extern void spl_jobs_count_since(TimestampTz since, OrgJobsFn take, void *arg);

/*
 * spl_org_count_jobs counts one organization's active jobs, and its jobs made since a time, in the tables as they are now,
 * this transaction's own changes among them.
 */
extern void spl_org_count_jobs(int32 org, TimestampTz since, int64 *active, int64 *made);

/* spl_org_count_from resets: jobs made up to a time are not counted any more. */
extern void spl_org_count_from(int32 org, TimestampTz time);

#endif

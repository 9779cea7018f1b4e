/*
 * created_store.h
 *    Numbers about an organization's newest jobs: how many were made, how long they waited.
 */
#ifndef SPL_CREATED_STORE_H
#define SPL_CREATED_STORE_H

#include "datatype/timestamp.h"

/*
 * spl_jobs_created_since counts jobs made since a time, in the given queues (NULL: in all), at most "most".  Ids are in the
 * order of creation, so it reads that many entries of the index and no more.
 */
extern int64 spl_jobs_created_since(int32 org, TimestampTz since, const int32 *queues, int queue_count, int most);

/*
 * spl_jobs_average_wait returns the milliseconds that jobs were claimable before their first run, for those that have
 * completed since a time at their first run, of the newest "most" jobs that are over; -1 when there are none.
 */
extern int64 spl_jobs_average_wait(int32 org, TimestampTz since, const int32 *queues, int queue_count, int most);

#endif

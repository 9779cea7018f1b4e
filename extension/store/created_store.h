/*
 * created_store.h
 *    Counting an organization's jobs by the time they were made.
 */
#ifndef SPL_CREATED_STORE_H
#define SPL_CREATED_STORE_H

#include "datatype/timestamp.h"

/*
 * spl_jobs_created_since counts jobs made since a time, in the given queues (NULL: in all), at most "most".  Ids are in the
 * order of creation, so it reads that many entries of the index and no more.
 */
extern int64 spl_jobs_created_since(int32 org, TimestampTz since, const int32 *queues, int queue_count, int most);

#endif

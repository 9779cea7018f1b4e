/*
 * lease_length.h
 *    How long a lease is: what was asked for, else the queue's, else the caller's default, else the server's.
 */
#ifndef SPL_LEASE_LENGTH_H
#define SPL_LEASE_LENGTH_H

#include "base/guc.h"
#include "ops/claim.h"
#include "store/queue_store.h"
#include "utils/timestamp.h"

static inline int64
spl_lease_length(const Queue *queue, int64 asked_ms, int64 default_ms)
{
	if (asked_ms != LEASE_NOT_GIVEN)
		return asked_ms;
	if (queue && queue->lease_seconds > 0)
		return (int64) queue->lease_seconds * 1000;
	return default_ms != LEASE_NOT_GIVEN ? default_ms : spooled_lease_default;
}

/* spl_timeout_end returns when a run is over its job's timeout. */
static inline TimestampTz
spl_timeout_end(TimestampTz started_at, int timeout_seconds)
{
	return started_at + (int64) timeout_seconds * USECS_PER_SEC;
}

#endif

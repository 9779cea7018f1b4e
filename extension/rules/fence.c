/*
 * fence.c
 *    The fence of a lease.
 *
 * A lease is alive while now < expires_at, and the sweep takes it from expires_at <= now on: no gap and no overlap.
 */
#include "postgres.h"

#include "rules/fence.h"

FenceAnswer
spl_fence(const LeaseFacts *lease, const Presented *presented, bool strict, TimestampTz now)
{
	if (strict && (presented->worker == NULL || presented->lease_id == NULL))
		return FENCE_INCOMPLETE;
	if (presented->worker && strcmp(presented->worker, lease->worker) != 0)
		return FENCE_WRONG_WORKER;
	if (presented->lease_id && pg_strcasecmp(presented->lease_id, lease->lease_id) != 0)
		return FENCE_WRONG_LEASE;
	if (lease->expires_at <= now)
		return FENCE_EXPIRED;
	return FENCE_OK;
}

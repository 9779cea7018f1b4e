/*
 * fence.h
 *    Whether a caller owns the lease it acts on.
 */
#ifndef SPL_FENCE_H
#define SPL_FENCE_H

#include "datatype/timestamp.h"

typedef enum FenceAnswer
{
	FENCE_OK,
	FENCE_WRONG_WORKER, /* another worker's lease */
	FENCE_WRONG_LEASE,	/* this worker's job, but not the lease that was presented */
	FENCE_EXPIRED,		/* the lease is over */
	FENCE_INCOMPLETE	/* strict: worker id and lease id must both be presented */
} FenceAnswer;

/* What a caller presents; NULL: not presented, which is no mismatch. */
typedef struct Presented
{
	const char *worker;
	const char *lease_id;
} Presented;

/* The lease as it stands. */
typedef struct LeaseFacts
{
	const char *worker;
	const char *lease_id; /* canonical text */
	TimestampTz expires_at;
} LeaseFacts;

extern FenceAnswer spl_fence(const LeaseFacts *lease, const Presented *presented, bool strict, TimestampTz now);

#endif

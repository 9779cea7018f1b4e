/*
 * rate_bucket.h
 *    A token bucket, kept as one number: the time at which it is full again.
 *
 * A bucket that is full already is the same as none, so nothing has to be kept of who has been quiet for a while.  Times are
 * nanoseconds of a clock that nobody sets.
 */
#ifndef SPL_RULE_RATE_BUCKET_H
#define SPL_RULE_RATE_BUCKET_H

#include "c.h"

typedef struct RateLimit
{
	int64 interval; /* nanoseconds after which one more request may come */
	int64 burst;	/* most requests at once */
} RateLimit;

typedef struct RateState
{
	int64 remaining; /* requests that may come now */
	int64 full_in;	 /* nanoseconds until the bucket is full */
	int64 retry_in;	 /* of a refusal: nanoseconds until as many as were asked for may come */
} RateState;

/* spl_rate_limit_per returns a limit of "requests" in "seconds", at most "burst" at once (and no more than thirty years allow). */
extern RateLimit spl_rate_limit_per(int64 requests, int64 seconds, int64 burst);

/* spl_rate_take takes "count" requests, or none: false.  What is negative takes nothing, and gives nothing back. */
extern bool spl_rate_take(int64 *full_at, const RateLimit *limit, int64 count, int64 now, RateState *state);

/* spl_rate_give_back undoes a take. */
extern void spl_rate_give_back(int64 *full_at, const RateLimit *limit, int64 count);

#endif

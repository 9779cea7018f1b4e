/*
 * rate_bucket.c
 *    See rate_bucket.h.  Each request moves the time at which the bucket is full by one interval; it may not lie further
 *    ahead than it takes to fill an empty bucket.
 */
#include "postgres.h"

#include "rules/rate_bucket.h"

#define SECOND INT64CONST(1000000000)

RateLimit
spl_rate_limit_per(int64 requests, int64 seconds, int64 burst)
{
	return (RateLimit) {.interval = Max(seconds * SECOND / requests, 1), .burst = Max(burst, 1)};
}

bool
spl_rate_take(int64 *full_at, const RateLimit *limit, int64 count, int64 now, RateState *state)
{
	int64 from = Max(*full_at, now);
	int64 to = from + count * limit->interval;
	int64 room = limit->burst * limit->interval;
	bool  fits = to - now <= room;

	if (fits)
		*full_at = from = to;
	state->full_in = from - now;
	state->remaining = Max(room - state->full_in, 0) / limit->interval;
	state->retry_in = fits ? 0 : to - now - room;
	return fits;
}

void
spl_rate_give_back(int64 *full_at, const RateLimit *limit, int64 count)
{
	*full_at -= count * limit->interval;
}

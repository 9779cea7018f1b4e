/*
 * rate_bucket.c
 *    See rate_bucket.h.  Each request moves the time at which the bucket is full by one interval; it may not lie further
 *    ahead than it takes to fill an empty bucket.
 */
#include "postgres.h"

#include "rules/rate_bucket.h"

#define SECOND INT64CONST(1000000000)
#define LONGEST \
	(INT64CONST(1000000000) * SECOND) /* to fill a bucket: thirty years, so that no sum of times overflows */

RateLimit
spl_rate_limit_per(int64 requests, int64 seconds, int64 burst)
{
	int64 interval = Max(seconds * SECOND / requests, 1);

	return (RateLimit) {.interval = interval, .burst = Min(Max(burst, 1), LONGEST / interval)};
}

bool
spl_rate_take(int64 *full_at, const RateLimit *limit, int64 count, int64 now, RateState *state)
{
	int64 from = Max(*full_at, now);
	int64 to = from + Min(Max(count, 0), limit->burst) * limit->interval;
	int64 room = limit->burst * limit->interval;
	bool  fits = count <= limit->burst && to - now <= room;

	if (fits)
		*full_at = from = to;
	state->full_in = from - now;
	state->remaining = Max(room - state->full_in, 0) / limit->interval;
	state->retry_in = fits ? 0 : Max(to - now - room, 0);
	return fits;
}

void
spl_rate_give_back(int64 *full_at, const RateLimit *limit, int64 count)
{
	*full_at -= count * limit->interval;
}

/*
 * rate_bucket_test.c
 *    Token buckets, with the time as an argument.
 *
 * links: extension/rules/rate_bucket.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/rate_bucket.h"

#define SECOND INT64CONST(1000000000)

static RateState state;

/* taken counts how many single requests of "tries" are let in at a time. */
static int
taken(int64 *full_at, const RateLimit *limit, int tries, int64 now)
{
	int count = 0;

	for (int i = 0; i < tries; i++)
		count += spl_rate_take(full_at, limit, 1, now, &state);
	return count;
}

static void
test_burst_and_rate(void)
{
	RateLimit limit = spl_rate_limit_per(5, 1, 10);
	int64	  full_at = 0;
	int64	  now = 1000 * SECOND;

	CHECK_INT(taken(&full_at, &limit, 50, now), 10);
	CHECK_INT(state.remaining, 0);
	CHECK_INT(state.full_in, 2 * SECOND);
	CHECK_INT(state.retry_in, SECOND / 5);
	CHECK_INT(taken(&full_at, &limit, 50, now + SECOND / 5 - 1), 0);
	CHECK_INT(taken(&full_at, &limit, 50, now + SECOND / 5), 1);
	CHECK_INT(taken(&full_at, &limit, 50, now + SECOND + SECOND / 5), 5);
	/* Quiet for long: the burst again, and no more. */
	CHECK_INT(taken(&full_at, &limit, 50, now + 3600 * SECOND), 10);
}

static void
test_many_at_once(void)
{
	RateLimit limit = spl_rate_limit_per(60, 60, 60);
	int64	  full_at = 0;
	int64	  now = SECOND;

	CHECK(spl_rate_take(&full_at, &limit, 58, now, &state));
	CHECK_INT(state.remaining, 2);
	/* All or nothing: what does not fit takes nothing. */
	CHECK(!spl_rate_take(&full_at, &limit, 3, now, &state));
	CHECK_INT(state.retry_in, SECOND);
	CHECK(spl_rate_take(&full_at, &limit, 2, now, &state));
	CHECK(spl_rate_take(&full_at, &limit, 0, now, &state)); /* only asks */
	CHECK_INT(state.remaining, 0);
	spl_rate_give_back(&full_at, &limit, 2);
	CHECK(spl_rate_take(&full_at, &limit, 0, now, &state));
	CHECK_INT(state.remaining, 2);
	CHECK(!spl_rate_take(&full_at, &limit, 61, now + 3600 * SECOND, &state));
}

static void
test_extremes(void)
{
	RateLimit fast = spl_rate_limit_per(INT64CONST(10000000000), 1, 1);
	RateLimit slow = spl_rate_limit_per(1, 60, 0);
	int64	  full_at = 0;

	CHECK_INT(fast.interval, 1);
	CHECK_INT(slow.burst, 1);
	CHECK_INT(taken(&full_at, &slow, 5, SECOND), 1);
	CHECK_INT(state.retry_in, 60 * SECOND);
}

static void
test_no_overflow(void)
{
	RateLimit vast = spl_rate_limit_per(1, 1, PG_INT64_MAX);
	RateLimit slow = spl_rate_limit_per(1, 60, 1);
	int64	  full_at = 0;

	CHECK(spl_rate_take(&full_at, &vast, 1000000, SECOND, &state));
	CHECK(state.remaining > 1000000);
	full_at = 0;
	CHECK(!spl_rate_take(&full_at, &slow, PG_INT32_MAX, SECOND, &state));
	CHECK_INT(state.retry_in, 0);
	CHECK_INT(full_at, 0);
	/* What is taken is not given back. */
	CHECK(spl_rate_take(&full_at, &slow, 1, SECOND, &state));
	CHECK(spl_rate_take(&full_at, &slow, -5, SECOND, &state));
	CHECK_INT(state.remaining, 0);
}

int
main(void)
{
	test_burst_and_rate();
	test_many_at_once();
	test_extremes();
	test_no_overflow();
	return unit_end();
}

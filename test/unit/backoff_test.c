/*
 * backoff_test.c
 *    How long a failed job waits.
 *
 * links: extension/rules/backoff.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/backoff.h"

#include <limits.h>

static const BackoffPolicy seconds = {1, 2, 60, 0.1};
static const BackoffPolicy minutes = {60, 2, 60, 0.1};

static void
test_published_waits(void)
{
	static const int waits[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

	for (int i = 0; i < lengthof(waits); i++)
	{
		CHECK_INT(spl_backoff_ms(&seconds, i + 1, 100, 0), waits[i] * 1000LL);
		CHECK_INT(spl_backoff_ms(&minutes, i + 1, 100, 0), waits[i] * 60000LL);
	}
}

static void
test_jitter_only_stretches(void)
{
	CHECK_INT(spl_backoff_ms(&seconds, 1, 100, 1), 1100);
	CHECK_INT(spl_backoff_ms(&seconds, 1, 100, 0.5), 1050);
	CHECK_INT(spl_backoff_ms(&seconds, 10, 100, 1), 66000);
}

static void
test_retries_are_used_up(void)
{
	CHECK_INT(spl_backoff_ms(&seconds, 1, 0, 0), BACKOFF_GIVE_UP);
	CHECK_INT(spl_backoff_ms(&seconds, 1, 1, 0), 1000);
	CHECK_INT(spl_backoff_ms(&seconds, 2, 1, 0), BACKOFF_GIVE_UP);
	CHECK_INT(spl_backoff_ms(&seconds, 100, 100, 0), 60000);
	CHECK_INT(spl_backoff_ms(&seconds, 101, 100, 0), BACKOFF_GIVE_UP);
}

/* No number of retries overflows, not even without a cap that matters. */
static void
test_extremes(void)
{
	BackoffPolicy steep = {86400, 100, 1000000, 1};
	BackoffPolicy none = {0, 2, 60, 0.1};
	BackoffPolicy flat = {5, 1, 60, 0};

	CHECK_INT(spl_backoff_ms(&steep, INT_MAX, INT_MAX, 1), 86400LL * 1000000 * 2 * 1000);
	CHECK_INT(spl_backoff_ms(&seconds, INT_MAX, INT_MAX, 0), 60000);
	CHECK_INT(spl_backoff_ms(&none, 7, 100, 1), 0);
	CHECK_INT(spl_backoff_ms(&flat, 1, 100, 1), 5000);
	CHECK_INT(spl_backoff_ms(&flat, 50, 100, 1), 5000);
	CHECK_INT(spl_backoff_ms(&seconds, 0, 100, 0), 1000);
}

int
main(void)
{
	test_published_waits();
	test_jitter_only_stretches();
	test_retries_are_used_up();
	test_extremes();
	return unit_end();
}

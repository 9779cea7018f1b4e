/*
 * backoff.c
 *    The waits of the default policy are 1, 2, 4, 8, 16, 32, 60, 60 ... seconds plus up to a tenth; the preset "minutes" has
 *    the same numbers in minutes.
 */
#include "postgres.h"

#include <math.h>

#include "rules/backoff.h"

/* The exponent is bounded before the power is taken: no retry count can overflow it. */
#define MAX_EXPONENT 62

int64
spl_backoff_ms(const BackoffPolicy *policy, int attempt, int max_retries, double spread)
{
	double units;

	if (attempt > max_retries)
		return BACKOFF_GIVE_UP;
	units = pow(policy->factor, Min(Max(attempt - 1, 0), MAX_EXPONENT));
	units = Min(units, policy->cap);
	return (int64) rint(units * policy->unit * (1 + policy->jitter * spread) * 1000);
}

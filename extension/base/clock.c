/*
 * clock.c
 *    The wall clock of the database server: the only clock that leases, due times and ids are measured with.  Request
 *    rates, and what the background worker leaves between two looks, go by one that a change of the wall clock does not touch.
 */
#include "postgres.h"

#include <time.h>

#include "base/clock.h"
#include "utils/timestamp.h"

/* spl_clock_now reads the clock, not the start of the transaction: a lease counts from when it is given. */
TimestampTz
spl_clock_now(void)
{
	return GetCurrentTimestamp();
}

int64
spl_clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

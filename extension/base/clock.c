/*
 * clock.c
 *    The wall clock of the database server: the only clock that leases, due times and ids are measured with.
 */
#include "postgres.h"

#include "base/clock.h"
#include "utils/timestamp.h"

/* spl_clock_now reads the clock, not the start of the transaction: a lease counts from when it is given. */
TimestampTz
spl_clock_now(void)
{
	return GetCurrentTimestamp();
}

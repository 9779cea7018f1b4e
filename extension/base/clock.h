/*
 * clock.h
 *    The one reading of the clock.  Rules take the time as an argument; operations and the background worker ask here, once
 *    per step.
 */
#ifndef SPL_CLOCK_H
#define SPL_CLOCK_H

#include "datatype/timestamp.h"

extern TimestampTz spl_clock_now(void);

/* spl_clock_monotonic returns nanoseconds of a clock that nobody sets. */
extern int64 spl_clock_monotonic(void);

#endif

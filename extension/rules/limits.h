/*
 * limits.h
 *    Bounds of what a caller may ask for.  Each answers SPL_OK or fills the fault.
 */
#ifndef SPL_LIMITS_H
#define SPL_LIMITS_H

#include "base/codes.h"
#include "datatype/timestamp.h"

/* spl_check_int refuses what is not in [min, max]. */
extern SplCode spl_check_int(const char *field, int64 value, int64 min, int64 max, SplFault *fault);

/* spl_check_length refuses a text that does not have min to max characters. */
extern SplCode spl_check_length(const char *field, const char *text, int min, int max, SplFault *fault);

/* spl_check_lease_ms refuses a lease outside the bounds in milliseconds. */
extern SplCode spl_check_lease_ms(int64 lease_ms, int64 min_ms, int64 max_ms, SplFault *fault);

/* spl_check_time refuses a time that no clock will show: infinity, or a year above 9999.  DT_NOBEGIN: not given. */
extern SplCode spl_check_time(const char *field, TimestampTz time, SplFault *fault);

/* spl_check_url refuses what is not an http or https URL of at most 2048 characters. */
extern SplCode spl_check_url(const char *field, const char *url, SplFault *fault);

#endif

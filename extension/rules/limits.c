/*
 * limits.c
 *    Bounds.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "rules/limits.h"

#define MAX_URL 2048

SplCode
spl_check_int(const char *field, int64 value, int64 min, int64 max, SplFault *fault)
{
	if (value >= min && value <= max)
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, field, "out_of_range", NULL,
					 "%s must be between " INT64_FORMAT " and " INT64_FORMAT ", not " INT64_FORMAT, field, min, max,
					 value);
}

SplCode
spl_check_length(const char *field, const char *text, int min, int max, SplFault *fault)
{
	int length = pg_mbstrlen(text);

	if (length >= min && length <= max)
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, field, length < min ? "too_short" : "too_long", NULL,
					 "%s must have %d to %d characters, not %d", field, min, max, length);
}

SplCode
spl_check_lease_ms(int64 lease_ms, int64 min_ms, int64 max_ms, SplFault *fault)
{
	if (lease_ms >= min_ms && lease_ms <= max_ms)
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, "lease_duration_secs", "out_of_range",
					 "The bounds are the settings spooled.lease_min and spooled.lease_max.",
					 "lease_duration_secs must be between %g and %g, not %.15g", min_ms / 1000.0, max_ms / 1000.0,
					 lease_ms / 1000.0);
}

SplCode
spl_check_time(const char *field, TimestampTz time, SplFault *fault)
{
	/* 10000-01-01 00:00 UTC, counted from 2000-01-01 */
	const TimestampTz end = INT64CONST(252455616000) * USECS_PER_SEC;

	if (time < end)
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, field, "out_of_range", NULL, "%s must be before the year 10000", field);
}

SplCode
spl_check_url(const char *field, const char *url, SplFault *fault)
{
	bool		has_scheme = pg_strncasecmp(url, "https://", 8) == 0 || pg_strncasecmp(url, "http://", 7) == 0;
	const char *host = strstr(url, "://");

	if (has_scheme && host && host[3] != '\0' && host[3] != '/' && strlen(url) <= MAX_URL)
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, field, "invalid_url", NULL,
					 "%s must be an http or https URL of at most %d characters", field, MAX_URL);
}

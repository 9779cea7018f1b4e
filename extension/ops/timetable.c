/*
 * timetable.c
 *    A cron expression in a time zone: when it occurs.
 */
#include "postgres.h"

#include "ops/timetable.h"
#include "store/ticket.h"
#include "utils/timestamp.h"

#define EPOCH_SECONDS ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (int64) SECS_PER_DAY)

/* The last one before 0001-01-01; before that nobody's calendar counts. */
#define FIRST_SECOND INT64CONST(-62135596801)

SplCode
spl_timetable_open(const char *expression, const char *timezone, Timetable *table, SplFault *fault)
{
	SplCode code = spl_cron_parse(expression, &table->cron, fault);

	if (code == SPL_OK && !spl_zone_open(timezone, &table->zone))
		code =
			spl_fault(fault, SPL_BAD_REQUEST, "timezone", "unknown_timezone",
					  "Use a name like Europe/Berlin, or an offset like +02:00.", "Unknown time zone \"%s\"", timezone);
	return code;
}

TimestampTz
spl_timetable_next(const Timetable *table, TimestampTz after)
{
	int64 second;
	int64 next;

	if (TIMESTAMP_IS_NOEND(after))
		return NO_TIME;
	if (TIMESTAMP_IS_NOBEGIN(after))
		second = FIRST_SECOND;
	else
		second = after / USECS_PER_SEC - (after % USECS_PER_SEC < 0) + EPOCH_SECONDS;
	if (!spl_cron_next(&table->cron, Max(second, FIRST_SECOND), spl_zone_span, &table->zone, &next))
		return NO_TIME;
	return (next - EPOCH_SECONDS) * USECS_PER_SEC;
}

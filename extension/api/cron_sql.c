/*
 * cron_sql.c
 *    spooled.cron_next.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "base/clock.h"
#include "ops/timetable.h"
#include "rules/limits.h"

#define MAX_OCCURRENCES 10000

/* spooled.cron_next(expression text, timezone text = 'UTC', after timestamptz = now(), n int = 1) returns setof timestamptz */
SPL_FUNCTION(spooled_cron_next, PERMISSION_NONE)
{
	char	   *timezone = text_arg(fcinfo, 1);
	TimestampTz at = PG_ARGISNULL(2) ? spl_clock_now() : PG_GETARG_TIMESTAMPTZ(2);
	int			count = int_arg(fcinfo, 3, 1);
	Timetable	table;
	SplFault	fault;

	spl_need_arg(fcinfo, 0, "expression");
	raise_unless_ok(spl_check_int("n", count, 1, MAX_OCCURRENCES, &fault), &fault);
	raise_unless_ok(spl_timetable_open(text_arg(fcinfo, 0), timezone ? timezone : "UTC", &table, &fault), &fault);
	spl_rows_begin(fcinfo);
	while (count-- > 0 && (at = spl_timetable_next(&table, at)) != DT_NOBEGIN)
	{
		Datum value = TimestampTzGetDatum(at);
		bool  isnull = false;

		spl_row_out(fcinfo, &value, &isnull);
	}
	return (Datum) 0;
}

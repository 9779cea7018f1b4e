/*
 * cron_next.c
 *    When a cron expression occurs next.
 *
 * Nothing is stepped through: each field goes to its next number and carries into the one above, in wall clock time, and
 * then the zone is asked when a clock shows that.  A zone is a sequence of stretches with one offset each; only those near
 * the wall clock time that is looked for are visited, so a date a century away costs as much as tomorrow.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "rules/cron.h"
#include "utils/datetime.h"

#define LAST_YEAR 9999
#define DAY_SECONDS INT64CONST(86400)
#define NONE (-1)

/* Longer than any clock was set back, and than any two clocks differ. */
#define LOOK_BACK (2 * DAY_SECONDS)

/* A week's bits times this are seven weeks of them. */
#define SEVEN_WEEKS UINT64CONST(0x40810204081)

/* next_bit returns the lowest member of a set that is not below "from", or NONE. */
static int
next_bit(uint64 set, int from)
{
	set &= ~UINT64CONST(0) << from;
	return set ? pg_rightmost_one_pos64(set) : NONE;
}

/* first_time returns the first matching second of an hour. */
static int
first_time(const Cron *cron, int hour)
{
	return hour * SECS_PER_HOUR + next_bit(cron->minutes, 0) * SECS_PER_MINUTE + next_bit(cron->seconds, 0);
}

/* next_time returns the first matching second of the day that is not before "from", or NONE. */
static int
next_time(const Cron *cron, int from)
{
	int hour = from / SECS_PER_HOUR;
	int minute = from / SECS_PER_MINUTE % MINS_PER_HOUR;
	int found;

	if (cron->hours & (1 << hour))
	{
		int start = hour * SECS_PER_HOUR;

		if ((cron->minutes & (UINT64CONST(1) << minute)) &&
			(found = next_bit(cron->seconds, from % SECS_PER_MINUTE)) != NONE)
			return start + minute * SECS_PER_MINUTE + found;
		if ((found = next_bit(cron->minutes, minute + 1)) != NONE)
			return start + found * SECS_PER_MINUTE + next_bit(cron->seconds, 0);
	}
	hour = next_bit(cron->hours, hour + 1);
	return hour == NONE ? NONE : first_time(cron, hour);
}

/* matching_days returns the days of a month that match. */
static uint64
matching_days(const Cron *cron, int year, int month)
{
	int	   first = date2j(year, month, 1);
	int	   length = (month == 12 ? date2j(year + 1, 1, 1) : date2j(year, month + 1, 1)) - first;
	uint64 month_days = ((UINT64CONST(2) << length) - 1) & ~UINT64CONST(1);
	uint64 by_weekday = (cron->weekdays * SEVEN_WEEKS) >> j2day(first) << 1;

	return month_days & (cron->any_day ? cron->days | by_weekday : cron->days & by_weekday);
}

/* next_day returns the first matching day, as a Julian day number, that is not before "from", or NONE. */
static int
next_day(const Cron *cron, int from)
{
	int year, month, day;

	j2date(from, &year, &month, &day);
	for (; year <= LAST_YEAR; year++, month = 1)
	{
		int first_month = month;

		while ((month = next_bit(cron->months, month)) != NONE)
		{
			int found = next_bit(matching_days(cron, year, month), month == first_month ? day : 1);

			if (found != NONE)
				return date2j(year, month, found);
			month++;
		}
		day = 1;
	}
	return NONE;
}

/* next_wall finds the first matching wall clock time that is not before "from". */
static bool
next_wall(const Cron *cron, int64 from, int64 *wall)
{
	int64 day = from / DAY_SECONDS - (from % DAY_SECONDS < 0);
	int	  time = from - day * DAY_SECONDS;
	int	  today = day + UNIX_EPOCH_JDATE;
	int	  found = next_day(cron, today);

	if (found == today)
	{
		time = next_time(cron, time);
		if (time == NONE)
			found = next_day(cron, today + 1);
	}
	if (found != today)
		time = first_time(cron, next_bit(cron->hours, 0));
	*wall = (found - (int64) UNIX_EPOCH_JDATE) * DAY_SECONDS + time;
	return found != NONE;
}

/*
 * spl_cron_next goes through the stretches of the zone from shortly before "after".  A wall clock time that no stretch
 * shows is skipped (rule 7).  One that was shown before counts only for an expression that follows elapsed time (rule 8):
 * "shown" is the first wall clock time that no earlier stretch has reached.
 */
bool
spl_cron_next(const Cron *cron, int64 after, CronSpanFn span_at, const void *zone, int64 *next)
{
	int64 at = after + 1 - LOOK_BACK;
	int64 shown = PG_INT64_MIN;

	for (;;)
	{
		CronSpan span;

		span_at(zone, at, &span);
		at = Max(at, after + 1);
		if (at < span.end)
		{
			int64 from = at + span.offset;
			int64 wall;

			if (!next_wall(cron, cron->elapsing ? from : Max(from, shown), &wall))
				return false;
			*next = wall - span.offset;
			if (*next < span.end)
				return true;
			at = wall - LOOK_BACK;
		}
		shown = Max(shown, span.end + span.offset);
		at = Max(at, span.end);
	}
}

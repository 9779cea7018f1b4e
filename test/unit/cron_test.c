/*
 * cron_test.c
 *    Cron expressions: what is one, and when it occurs next, compared with looking at every second there is.
 *
 * links: extension/rules/cron_parse.c extension/rules/cron_next.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/cron.h"
#include "utils/datetime.h"

#include <strings.h>
#include <time.h>

/* The C library's own. */
#undef printf
#undef sprintf
#undef vsnprintf

SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	static char message[1024];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fault->code = code;
	fault->field = field;
	fault->reason = reason;
	fault->message = message;
	return code;
}

/* The parts of PostgreSQL that the rules use; its calendar is the C library's. */
int
pg_strncasecmp(const char *a, const char *b, size_t n)
{
	return strncasecmp(a, b, n);
}

int
pg_strcasecmp(const char *a, const char *b)
{
	return strcasecmp(a, b);
}

int
date2j(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

	return timegm(&tm) / 86400 + UNIX_EPOCH_JDATE;
}

void
j2date(int jd, int *year, int *month, int *day)
{
	time_t	  time = (jd - (time_t) UNIX_EPOCH_JDATE) * 86400;
	struct tm tm;

	gmtime_r(&time, &tm);
	*year = tm.tm_year + 1900;
	*month = tm.tm_mon + 1;
	*day = tm.tm_mday;
}

int
j2day(int jd)
{
	return (jd + 1) % 7;
}

/* A zone: stretches in order; the last one goes on for ever. */
typedef struct Zone
{
	const char *name;
	int			count;
	CronSpan	spans[6];
} Zone;

#define H 3600

static const Zone utc = {"UTC", 1, {{CRON_FOREVER, 0}}};

/* Clocks of 2026, and some that never were. */
static const Zone new_york = {
	"New York", 3, {{1772953200, -5 * H}, {1793512800, -4 * H}, {CRON_FOREVER, -5 * H}}}; /* 8 Mar, 1 Nov, at 2:00 */
static const Zone lord_howe = {
	"Lord Howe", 3, {{1775314800, 11 * H}, {1791041400, 10 * H + H / 2}, {CRON_FOREVER, 11 * H}}}; /* half an hour */
static const Zone midnight = {"clocks set at midnight",
							  3,
							  {{1774735200, 2 * H}, {1792879200, 3 * H}, {CRON_FOREVER, 2 * H}}}; /* 0:00 is 1:00 */
static const Zone no_friday = {"a day left out", 2, {{1772193600, -12 * H}, {CRON_FOREVER, 12 * H}}};
static const Zone twice_back = {"set back twice",
								4,
								{{1772953200, 3 * H}, {1772960400, 2 * H}, {1773039600, 1 * H}, {CRON_FOREVER, 2 * H}}};

static void
span_at(const void *arg, int64 at, CronSpan *span)
{
	const Zone *zone = arg;
	int			i = 0;

	while (zone->spans[i].end <= at)
		i++;
	*span = zone->spans[i];
}

static int64
seconds_of(const char *text)
{
	struct tm tm = {0};

	strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	return timegm(&tm);
}

static const char *
text_of(int64 seconds)
{
	static char text[64];
	time_t		time = seconds;
	struct tm	tm;

	gmtime_r(&time, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	return text;
}

static Cron
cron_of(const char *expression)
{
	Cron	 cron = {0};
	SplFault fault;

	if (spl_cron_parse(expression, &cron, &fault) != SPL_OK)
		printf("not ok 0 - %s: %s\n", expression, fault.message);
	return cron;
}

/* next_of returns the next occurrence as text, in UTC. */
static const char *
next_of(const char *expression, const Zone *zone, const char *after)
{
	Cron  cron = cron_of(expression);
	int64 next;

	return spl_cron_next(&cron, seconds_of(after), span_at, zone, &next) ? text_of(next) : "never";
}

static void
test_fields(void)
{
	static const char *const table[][3] = {
		{"* * * * *", "2026-01-01 00:00:00", "2026-01-01 00:01:00"},
		{"* * * * * *", "2026-01-01 00:00:00", "2026-01-01 00:00:01"},
		{"30 0 * * * *", "2026-01-01 00:00:30", "2026-01-01 01:00:30"},
		{"0 9 * * *", "2026-01-01 09:00:00", "2026-01-02 09:00:00"},
		{"0 0 9 * * *", "2026-01-01 08:59:59", "2026-01-01 09:00:00"},
		{"59 59 23 31 12 *", "2026-12-31 23:59:59", "2027-12-31 23:59:59"},
		{"0 0 */2 * *", "2026-01-01 00:00:00", "2026-01-03 00:00:00"}, /* odd days: steps count from 1 */
		{"0 0 */2 * *", "2026-01-31 00:00:00", "2026-02-01 00:00:00"}, /* and from 1 again every month */
		{"0 0 1 */3 *", "2026-01-01 00:00:00", "2026-04-01 00:00:00"}, /* 1, 4, 7, 10 */
		{"10-30/7 * * * *", "2026-01-01 00:24:00", "2026-01-01 01:10:00"},
		{"5/20 * * * *", "2026-01-01 00:05:00", "2026-01-01 00:25:00"},
		{"1-5,10,*/20 * * * *", "2026-01-01 00:10:00", "2026-01-01 00:20:00"},
		{"0 0 * jan-mar,DEC *", "2026-03-31 00:00:00", "2026-12-01 00:00:00"},
		{"0 0 * * Mon", "2026-01-01 00:00:00", "2026-01-05 00:00:00"},
		{"0 0 * * 7", "2026-01-01 00:00:00", "2026-01-04 00:00:00"},
		{"0 0 * * 0", "2026-01-01 00:00:00", "2026-01-04 00:00:00"},
		{"0 0 * * 5-1", "2026-01-05 00:00:00", "2026-01-09 00:00:00"}, /* Friday to Monday */
		{"0 0 * * 5-1", "2026-01-09 00:00:00", "2026-01-10 00:00:00"},
		{"0 0 * * FRI-MON/2", "2026-01-09 00:00:00", "2026-01-11 00:00:00"},
		{"0 0 * * 6-7", "2026-01-04 00:00:00", "2026-01-10 00:00:00"},
		{"0 0 * * 1/2", "2026-01-02 00:00:00", "2026-01-05 00:00:00"},	/* an open range ends on Saturday */
		{"0 0 13 * FRI", "2026-01-01 00:00:00", "2026-01-02 00:00:00"}, /* either day */
		{"0 0 13 * FRI", "2026-01-09 00:00:00", "2026-01-13 00:00:00"},
		{"0 0 ? * FRI", "2026-01-02 00:00:00", "2026-01-09 00:00:00"},
		{"0 0 13 * ?", "2026-01-13 00:00:00", "2026-02-13 00:00:00"},
		{"0 0 13 * */1", "2026-01-13 00:00:00", "2026-01-14 00:00:00"}, /* a step restricts */
		{"0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00"},
		{"0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00"}, /* 2100 is no leap year */
		{"0 0 29 2 *", "1996-02-29 00:00:00", "2000-02-29 00:00:00"},
		{"0 0 31 2,4,6,9,11,12 *", "2026-12-31 00:00:00", "2027-12-31 00:00:00"},
		{"0 0 30 2 MON", "2026-01-31 00:00:00", "2026-02-02 00:00:00"},
		{"@hourly", "2026-01-01 00:00:00", "2026-01-01 01:00:00"},
		{"@Daily", "2026-01-01 00:00:00", "2026-01-02 00:00:00"},
		{"@midnight", "2026-01-01 00:00:00", "2026-01-02 00:00:00"},
		{"@weekly", "2026-01-01 00:00:00", "2026-01-04 00:00:00"},
		{"@monthly", "2026-01-01 00:00:00", "2026-02-01 00:00:00"},
		{"@yearly", "2026-01-01 00:00:00", "2027-01-01 00:00:00"},
		{"@annually", "2026-01-01 00:00:00", "2027-01-01 00:00:00"},
		{"  0\t9  *  * * ", "2026-01-01 00:00:00", "2026-01-01 09:00:00"},
		{"0 0 1 1 *", "9998-12-31 00:00:00", "9999-01-01 00:00:00"},
		{"0 0 1 1 *", "9999-01-01 00:00:00", "never"},
	};

	for (int i = 0; i < lengthof(table); i++)
		CHECK_TEXT(next_of(table[i][0], &utc, table[i][1]), table[i][2]);
}

static void
test_refused(void)
{
	static const char *const table[][2] = {
		{"", "0 fields"},
		{"* * * *", "4 fields"},
		{"* * * * * * *", "7 fields"},
		{"60 * * * *", "out of range (minute field \"60\")"},
		{"* 24 * * *", "out of range (hour field"},
		{"* * 0 * *", "out of range (day of month field"},
		{"* * 32 * *", "out of range"},
		{"* * * 0 *", "out of range (month field"},
		{"* * * 13 *", "out of range"},
		{"* * * * 8", "out of range (day of week field"},
		{"60 * * * * *", "out of range (second field"},
		{"99999999999999999999 * * * *", "a number is expected"},
		{"-1 * * * *", "a number is expected"},
		{"1- * * * *", "a number is expected"},
		{"1,,2 * * * *", "a number is expected"},
		{"1, * * * *", "a number is expected"},
		{"*/0 * * * *", "a step is out of range"},
		{"*/60 * * * *", "a step is out of range"},
		{"*/ * * * *", "a step is out of range"},
		{"*/5/5 * * * *", "does not belong"},
		{"30-10 * * * *", "ends before it begins"},
		{"* 22-2 * * *", "ends before it begins"},
		{"* * * NOV-FEB *", "ends before it begins"},
		{"1.5 * * * *", "does not belong"},
		{"? * * * *", "a number is expected"},
		{"* * ?/2 * *", "a number is expected"},
		{"JAN * * * *", "a number is expected"},
		{"* * * MON *", "a number is expected"},
		{"* * * * MONDAY", "does not belong"},
		{"* * L * *", "L is not supported (day of month field \"L\")"},
		{"* * L-3 * *", "L is not supported"},
		{"* * 15W * *", "W is not supported"},
		{"* * LW * *", "L is not supported"},
		{"* * * * 5L", "L is not supported"},
		{"* * * * FRIL", "L is not supported"},
		{"* * * * MON#1", "# is not supported"},
		{"0 0 30 2 *", "never has an occurrence"},
		{"0 0 31 2,4,6,9,11 *", "never has an occurrence"},
		{"0 0 30-31 FEB ?", "never has an occurrence"},
		{"@reboot", "not a known abbreviation"},
		{"@every 5m", "not a known abbreviation"},
	};

	for (int i = 0; i < lengthof(table); i++)
	{
		Cron	 cron;
		SplFault fault = {.message = "accepted"};

		CHECK_INT(spl_cron_parse(table[i][0], &cron, &fault), SPL_BAD_REQUEST);
		CHECK(strstr(fault.message, table[i][1]) != NULL || (printf("# %s: %s\n", table[i][0], fault.message), 0));
		CHECK_TEXT(fault.field, "cron_expression");
	}
}

static void
test_length(void)
{
	char text[] =
		"0 0 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 * * ";
	Cron	 cron;
	SplFault fault;

	CHECK_INT(strlen(text), 100);
	CHECK_INT(spl_cron_parse(text, &cron, &fault), SPL_OK);
	CHECK_INT(spl_cron_parse("0 0 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
							 "1,1,1,1,1,1 * *  ",
							 &cron, &fault),
			  SPL_BAD_REQUEST);
}

/* Clocks that are set: what does not exist is skipped, what comes twice happens once unless it follows elapsed time. */
static void
test_clock_changes(void)
{
	/* 8 March 2026: 2:00 EST is 3:00 EDT */
	CHECK_TEXT(next_of("30 2 * * *", &new_york, "2026-03-07 07:30:00"), "2026-03-09 06:30:00");
	CHECK_TEXT(next_of("0 3 * * *", &new_york, "2026-03-07 08:00:00"), "2026-03-08 07:00:00");
	CHECK_TEXT(next_of("*/30 * * * *", &new_york, "2026-03-08 06:30:00"), "2026-03-08 07:00:00");
	CHECK_TEXT(next_of("0 2-3 * * *", &new_york, "2026-03-08 06:00:00"), "2026-03-08 07:00:00");
	/* 1 November 2026: 2:00 EDT is 1:00 EST */
	CHECK_TEXT(next_of("30 1 * * *", &new_york, "2026-10-31 05:30:00"), "2026-11-01 05:30:00");
	CHECK_TEXT(next_of("30 1 * * *", &new_york, "2026-11-01 05:30:00"), "2026-11-02 06:30:00");
	CHECK_TEXT(next_of("30 1 * * *", &new_york, "2026-11-01 06:10:00"), "2026-11-02 06:30:00");
	CHECK_TEXT(next_of("*/30 1 * * *", &new_york, "2026-11-01 05:30:00"), "2026-11-02 06:00:00");
	CHECK_TEXT(next_of("30 * * * *", &new_york, "2026-11-01 05:30:00"), "2026-11-01 06:30:00");
	CHECK_TEXT(next_of("30 0/1 * * *", &new_york, "2026-11-01 05:30:00"), "2026-11-01 06:30:00");
	CHECK_TEXT(next_of("30 1-1 * * *", &new_york, "2026-11-01 05:30:00"), "2026-11-02 06:30:00");
	CHECK_TEXT(next_of("0 2 * * *", &new_york, "2026-10-31 06:00:00"), "2026-11-01 07:00:00");
	/* half an hour: 2:00 is 2:30, and 2:00 is 1:30 */
	CHECK_TEXT(next_of("15 2 * * *", &lord_howe, "2026-10-03 00:00:00"), "2026-10-04 15:15:00");
	CHECK_TEXT(next_of("45 1 * * *", &lord_howe, "2026-04-03 14:45:00"), "2026-04-04 14:45:00");
	CHECK_TEXT(next_of("45 1 * * *", &lord_howe, "2026-04-04 14:45:00"), "2026-04-05 15:15:00");
	CHECK_TEXT(next_of("45 * * * *", &lord_howe, "2026-04-04 14:45:00"), "2026-04-04 15:15:00");
	/* a day without midnight, and one with two */
	CHECK_TEXT(next_of("0 0 * * *", &midnight, "2026-03-27 22:00:00"), "2026-03-29 21:00:00");
	CHECK_TEXT(next_of("@daily", &midnight, "2026-10-24 00:00:00"), "2026-10-24 21:00:00");
	/* across the date line */
	CHECK_TEXT(next_of("0 12 * * *", &no_friday, "2026-02-27 00:00:00"), "2026-02-28 00:00:00");
}

/* A century ahead is as near as tomorrow. */
static void
test_century(void)
{
	CHECK_TEXT(next_of("0 0 29 2 *", &new_york, "2096-03-01 00:00:00"), "2104-02-29 05:00:00");
	CHECK_TEXT(next_of("59 59 23 29 2 ?", &new_york, "1896-03-02 00:00:00"), "1904-03-01 04:59:59");
}

static uint64 seed = 20260301;

static uint32
pick(uint32 below)
{
	seed = seed * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	return (seed >> 33) % below;
}

/* random_field writes a field. */
static void
random_field(char *out, int min, int max)
{
	int a = min + pick(max - min + 1);
	int b = a + pick(max - a + 1);

	switch (pick(6))
	{
		case 0:
		case 1: strcpy(out, "*"); break;
		case 2: sprintf(out, "*/%d", 1 + pick(max)); break;
		case 3: sprintf(out, "%d-%d/%d", a, b, 1 + pick(max)); break;
		case 4: sprintf(out, "%d,%d", a, b); break;
		default: sprintf(out, "%d", a); break;
	}
}

/* matches looks at one wall clock time, field by field. */
static bool
matches(const Cron *cron, int64 wall)
{
	time_t	  time = wall;
	struct tm tm;
	bool	  day, weekday;

	gmtime_r(&time, &tm);
	day = cron->days & (1u << tm.tm_mday);
	weekday = cron->weekdays & (1u << tm.tm_wday);
	return (cron->seconds >> tm.tm_sec & 1) && (cron->minutes >> tm.tm_min & 1) && (cron->hours >> tm.tm_hour & 1) &&
		(cron->months >> (tm.tm_mon + 1) & 1) && (cron->any_day ? day || weekday : day && weekday);
}

/* compare walks from one whole minute to the next and wants to see the same occurrences. */
static int
compare(const Cron *cron, const Zone *zone, int64 from, int64 until)
{
	int64 expected = 0;
	int64 latest = PG_INT64_MIN;
	int	  wrong = 0;

	if (!spl_cron_next(cron, from - 1, span_at, zone, &expected))
		return 1;
	for (int64 at = from - 3 * 86400; at < until; at += 60)
	{
		CronSpan span;
		int64	 wall;

		span_at(zone, at, &span);
		wall = at + span.offset;
		if (at >= from && matches(cron, wall) && (cron->elapsing || wall > latest))
		{
			wrong += expected != at;
			if (!spl_cron_next(cron, at, span_at, zone, &expected))
				expected = CRON_FOREVER;
		}
		latest = Max(latest, wall);
	}
	return wrong + (expected < until);
}

static void
test_every_minute(void)
{
	static const Zone *const zones[] = {&utc, &new_york, &lord_howe, &midnight, &no_friday, &twice_back};
	int						 wrong = 0;

	for (int i = 0; i < 600; i++)
	{
		const Zone *zone = zones[i % lengthof(zones)];
		int64		change = zone->spans[pick(zone->count)].end;
		char		parts[5][32], expression[200];
		Cron		cron;
		SplFault	fault;

		random_field(parts[0], 0, 59);
		random_field(parts[1], 0, 23);
		random_field(parts[2], 1, 31);
		random_field(parts[3], 1, 12);
		random_field(parts[4], 0, 7);
		sprintf(expression, "%s %s %s %s %s", parts[0], parts[1], parts[2], parts[3], parts[4]);
		if (spl_cron_parse(expression, &cron, &fault) != SPL_OK)
			continue;
		if (change == CRON_FOREVER)
			change = seconds_of("2026-06-01 00:00:00");
		if (compare(&cron, zone, change - 5 * 86400 + pick(1440) * 60, change + 20 * 86400) != 0)
		{
			wrong++;
			printf("# %s in %s\n", expression, zone->name);
		}
	}
	CHECK_INT(wrong, 0);
}

int
main(void)
{
	test_fields();
	test_refused();
	test_length();
	test_clock_changes();
	test_century();
	test_every_minute();
	return unit_end();
}

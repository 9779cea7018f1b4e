/*
 * cron.h
 *    Cron expressions: which there are, and when the next occurrence is.
 *
 * The dialect is described by the numbered rules in docs/cron.md; comments here and differences to other libraries in
 * test/oracle cite them.  Times are seconds since 1970-01-01 UTC.  A time zone is handed in as a function, so that the
 * rule needs no database.
 */
#ifndef SPL_CRON_H
#define SPL_CRON_H

#include "base/codes.h"

#define SPL_CRON_MAX_LENGTH 100

typedef struct Cron
{
	uint64 seconds; /* bit n: at second n; the same for the others */
	uint64 minutes;
	uint32 hours;
	uint32 days;	 /* bits 1 .. 31 */
	uint32 months;	 /* bits 1 .. 12 */
	uint32 weekdays; /* bits 0 (Sunday) .. 6 */
	bool   any_day;	 /* days and weekdays are both restricted: either suffices (rule 6) */
	bool   elapsing; /* the hours have a star or a step: follows elapsed time when clocks are set back (rule 8) */
} Cron;

/* A stretch of time in which a zone's clocks are not set. */
typedef struct CronSpan
{
	int64 end;	  /* the first second after it, or CRON_FOREVER */
	int32 offset; /* wall clock minus UTC, in seconds */
} CronSpan;

#define CRON_FOREVER PG_INT64_MAX

/* A CronSpanFn tells of the stretch that "at" lies in. */
typedef void (*CronSpanFn)(const void *zone, int64 at, CronSpan *span);

/* spl_cron_parse reads an expression; one that never has an occurrence is refused like one that is none. */
extern SplCode spl_cron_parse(const char *text, Cron *cron, SplFault *fault);

/* spl_cron_next finds the first occurrence later than "after"; false: there is none before the year 10000. */
extern bool spl_cron_next(const Cron *cron, int64 after, CronSpanFn span_at, const void *zone, int64 *next);

#endif

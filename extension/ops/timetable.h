/*
 * timetable.h
 *    A cron expression in a time zone: when it occurs.
 */
#ifndef SPL_TIMETABLE_H
#define SPL_TIMETABLE_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "ops/zone.h"

typedef struct Timetable
{
	Cron cron;
	Zone zone;
} Timetable;

/* spl_timetable_open reads an expression and finds its zone; each that is none is refused. */
extern SplCode spl_timetable_open(const char *expression, const char *timezone, Timetable *table, SplFault *fault);

/* spl_timetable_next returns the first occurrence later than "after", or NO_TIME. */
extern TimestampTz spl_timetable_next(const Timetable *table, TimestampTz after);

#endif

/*
 * schedule_time.h
 *    When a schedule runs: its occurrences, moved by its share of the jitter, until its end.
 *
 * The jitter spreads schedules that occur at the same second: each has a delay of its own below it, always the same, which
 * follows from its id.  So their order never changes, and from the time of a run follows the occurrence it is for.
 */
#ifndef SPL_SCHEDULE_TIME_H
#define SPL_SCHEDULE_TIME_H

#include "ops/timetable.h"
#include "store/schedule_store.h"

/* spl_schedule_delay returns the schedule's delay, in microseconds. */
extern int64 spl_schedule_delay(const ScheduleRow *row);

/* spl_schedule_run_after returns when it runs next after "time", or NO_TIME when it ends before. */
extern TimestampTz spl_schedule_run_after(const ScheduleRow *row, const Timetable *table, TimestampTz time);

#endif

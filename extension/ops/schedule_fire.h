/*
 * schedule_fire.h
 *    Running schedules.
 */
#ifndef SPL_SCHEDULE_FIRE_H
#define SPL_SCHEDULE_FIRE_H

#include "base/codes.h"
#include "store/schedule_store.h"

/* spl_schedule_run_once runs a locked schedule outside its timetable. */
extern SplCode spl_schedule_run_once(ScheduleRow *row, TimestampTz now, ScheduleRun *run, SplFault *fault);

/* spl_schedule_fire_due is a SweepFn: it runs what is due, of all organizations.  Background worker only. */
extern int spl_schedule_fire_due(TimestampTz now, int limit);

#endif

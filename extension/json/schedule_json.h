/*
 * schedule_json.h
 *    Schedules and their runs as JSON.
 */
#ifndef SPL_SCHEDULE_JSON_H
#define SPL_SCHEDULE_JSON_H

#include "lib/stringinfo.h"
#include "ops/schedule.h"

extern void spl_json_schedule(StringInfo out, const ScheduleView *view);
extern void spl_json_schedule_run(StringInfo out, const ScheduleRunView *view);

#endif

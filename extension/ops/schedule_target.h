/*
 * schedule_target.h
 *    What a schedule runs: a job of a queue, or a workflow.
 */
#ifndef SPL_SCHEDULE_TARGET_H
#define SPL_SCHEDULE_TARGET_H

#include "ops/enqueue.h"
#include "ops/schedule.h"

#define SCHEDULE_MOST_JOBS 1000 /* of the workflow that a run starts */

/*
 * spl_schedule_set_target puts what a patch says about the target into the row.  Whatever a run would be refused for, and can
 * be known now, is refused; queues that are new are made, so that a run never has to.
 */
extern SplCode spl_schedule_set_target(const SchedulePatch *patch, ScheduleRow *row, SplFault *fault);

/* spl_schedule_item returns the job of a run. */
extern EnqueueItem spl_schedule_item(const ScheduleRow *row);

/*
 * spl_schedule_start starts the workflow of a run; *created false: the key is that of workflow *id.  After a refusal what it
 * did has to be rolled back.
 */
extern SplCode
spl_schedule_start(const ScheduleRow *row, const char *key, pg_uuid_t *id, bool *created, SplFault *fault);

#endif

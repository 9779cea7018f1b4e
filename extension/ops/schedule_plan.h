/*
 * schedule_plan.h
 *    What a due schedule does: which occurrences run, and when it is due again.
 */
#ifndef SPL_SCHEDULE_PLAN_H
#define SPL_SCHEDULE_PLAN_H

#include "store/schedule_store.h"

#define CATCH_UP_MAX 100 /* occurrences that one schedule makes up for at once */

typedef struct Firing
{
	ScheduleRow *row;
	TimestampTz	 due; /* the occurrence that it was due for */
	TimestampTz	 occurrences[CATCH_UP_MAX];
	int			 count;
	const char	*skipped;	   /* why something does not run, or NULL */
	TimestampTz	 skipped_from; /* the first occurrence of that */
	const char	*failed;	   /* why nothing can run, or NULL */
} Firing;

/* spl_schedule_plan plans for a locked schedule and moves the row (not the table) on to its next time. */
extern void spl_schedule_plan(ScheduleRow *row, TimestampTz now, Firing *firing);

#endif

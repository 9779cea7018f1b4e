/*
 * schedule_plan.c
 *    What a due schedule does.
 *
 * An occurrence that nobody ran in time, because the server was down or busy, is run late: one for all that were missed,
 * unless the schedule wants each, or none.  What is not run leaves a run that says so.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "ops/schedule_plan.h"
#include "ops/schedule_time.h"
#include "store/ticket.h"
#include "utils/timestamp.h"

#define MISSED_AFTER (60 * USECS_PER_SEC) /* from then on an occurrence was missed; before, it is only late */

/* open_table reads the schedule's timetable; a zone that is gone since is UTC now. */
static bool
open_table(const ScheduleRow *row, Timetable *table)
{
	SplFault fault = {0};

	if (spl_timetable_open(row->cron, row->timezone, table, &fault) == SPL_OK)
		return true;
	if (spl_timetable_open(row->cron, "UTC", table, &fault) != SPL_OK)
		return false;
	ereport(WARNING,
			(errmsg("schedule %s: time zone \"%s\" is not known any more, UTC is used instead", spl_uuid_text(&row->id),
					row->timezone)));
	return true;
}

/* skip notes why occurrences do not run, from which one on. */
static void
skip(Firing *firing, TimestampTz from, const char *why)
{
	firing->skipped = why;
	firing->skipped_from = from;
}

/* collect lists the occurrences to run, oldest first. */
static void
collect(Firing *firing, const Timetable *table, TimestampTz now)
{
	ScheduleRow *row = firing->row;
	int64		 delay = spl_schedule_delay(row);
	TimestampTz	 at = row->next_run_at;

	if (row->catch_up == CATCH_UP_NONE && now - at > MISSED_AFTER)
	{
		skip(firing, at - delay, "Missed");
		return;
	}
	do
	{
		if (firing->count == CATCH_UP_MAX)
		{
			skip(firing, at - delay, psprintf("More than %d occurrences were missed", CATCH_UP_MAX));
			return;
		}
		firing->occurrences[firing->count++] = at - delay;
		at = spl_schedule_run_after(row, table, at);
	} while (row->catch_up == CATCH_UP_ALL && at != NO_TIME && at <= now);
}

/* hold_back leaves out occurrences for which there is no room beside the jobs that are not over. */
static void
hold_back(Firing *firing)
{
	ScheduleRow *row = firing->row;
	int			 room;

	if (row->max_outstanding <= 0)
		return;
	row->outstanding_count = spl_schedule_unfinished(row->org, row->outstanding, row->outstanding_count);
	room = Max(row->max_outstanding - row->outstanding_count, 0);
	if (firing->count <= room)
		return;
	skip(firing, firing->occurrences[room],
		 psprintf("%d of its %s are not over, and at most %d may be", row->outstanding_count,
				  row->queue != 0 ? "jobs" : "workflows", row->max_outstanding));
	firing->count = room;
}

void
spl_schedule_plan(ScheduleRow *row, TimestampTz now, Firing *firing)
{
	TimestampTz due = row->next_run_at;
	Timetable	table;

	memset(firing, 0, sizeof(*firing));
	firing->row = row;
	firing->due = due - spl_schedule_delay(row);
	row->next_run_at = NO_TIME;
	if (open_table(row, &table))
	{
		row->next_run_at = due;
		collect(firing, &table, now);
		hold_back(firing);
		row->next_run_at = spl_schedule_run_after(row, &table, Max(now, due));
	}
	else
		firing->failed = "The cron expression cannot be read";
	row->is_active = row->next_run_at != NO_TIME; /* over: there is no next time */
}

/*
 * schedule_read.c
 *    Reading schedules: lists, past runs and coming ones.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/list.h"
#include "ops/schedule.h"
#include "ops/schedule_time.h"
#include "store/workflow_read_store.h"

SplCode
spl_schedule_list(const char *queue, int active, int limit, int offset, ScheduleView **views, int *count,
				  SplFault *fault)
{
	ScheduleFilter filter = {.queue = queue, .active = active, .limit = limit, .offset = offset};
	ScheduleRow	  *rows;

	*count = 0;
	*views = NULL;
	if (queue && !spl_queue_in_scope(queue))
		return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "No access to queue \"%s\"", queue);
	*count = spl_schedule_list_rows(spl_org(), &filter, &rows);
	*views = palloc(sizeof(ScheduleView) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		(*views)[i] = spl_schedule_view(&rows[i]);
	return SPL_OK;
}

static const char *
status_name(char status)
{
	return status == RUN_COMPLETED ? "completed" : status == RUN_FAILED ? "failed" : "skipped";
}

/* add_workflow_statuses looks up what became of the workflows. */
static void
add_workflow_statuses(ScheduleRunView *runs, int count)
{
	pg_uuid_t	*ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	const char **statuses = palloc(sizeof(char *) * Max(count, 1));
	int			 id_count = 0;

	for (int i = 0; i < count; i++)
		if (runs[i].run.has_workflow)
			ids[id_count++] = runs[i].run.workflow_id;
	spl_workflow_statuses(spl_org(), ids, id_count, statuses);
	for (int i = 0, next = 0; i < count && next < id_count; i++)
		if (runs[i].run.has_workflow)
			runs[i].workflow_status = statuses[next++];
}

/* add_job_statuses looks up what became of the jobs. */
static void
add_job_statuses(ScheduleRunView *runs, int count)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	JobView	  *jobs = palloc(sizeof(JobView) * Max(count, 1));
	int		   id_count = 0;
	int		   found, next = 0;

	for (int i = 0; i < count; i++)
		if (runs[i].run.has_job)
			ids[id_count++] = runs[i].run.job_id;
	found = spl_job_get_many(ids, id_count, jobs);
	for (int i = 0; i < count && next < found; i++)
		if (runs[i].run.has_job && spl_uuid_equal(&runs[i].run.job_id, &jobs[next].job.id))
			runs[i].job_status = jobs[next++].status;
}

SplCode
spl_schedule_history(const pg_uuid_t *id, int limit, ScheduleRunView **runs, int *count, SplFault *fault)
{
	ScheduleView view;
	ScheduleRun *rows;
	SplCode		 code = spl_schedule_get(id, &view, fault);

	if (code != SPL_OK)
		return code;
	*count = spl_schedule_run_list(spl_org(), id, limit, &rows);
	*runs = palloc0(sizeof(ScheduleRunView) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		(*runs)[i] = (ScheduleRunView) {.run = rows[i], .status = status_name(rows[i].status)};
	add_job_statuses(*runs, *count);
	add_workflow_statuses(*runs, *count);
	return SPL_OK;
}

SplCode
spl_schedule_preview(const pg_uuid_t *id, int limit, TimestampTz **times, int *count, SplFault *fault)
{
	ScheduleView view;
	Timetable	 table;
	TimestampTz	 at = spl_clock_now();
	SplCode		 code = spl_schedule_get(id, &view, fault);

	*count = 0;
	*times = palloc(sizeof(TimestampTz) * Max(limit, 1));
	if (code != SPL_OK || (code = spl_timetable_open(view.row.cron, view.row.timezone, &table, fault)) != SPL_OK)
		return code;
	while (*count < limit && (at = spl_schedule_run_after(&view.row, &table, at)) != NO_TIME)
		(*times)[(*count)++] = at;
	return SPL_OK;
}

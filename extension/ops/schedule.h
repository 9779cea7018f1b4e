/*
 * schedule.h
 *    Cron schedules: creating, changing, pausing, triggering, reading.  What fires them is schedule_fire.h.
 */
#ifndef SPL_SCHEDULE_H
#define SPL_SCHEDULE_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "ops/enqueue.h" /* NOT_GIVEN */
#include "store/schedule_store.h"

#define SCHEDULE_PREVIEW_MAX 1000
#define JITTER_NEGATIVE (-2) /* what is refused */

/* What a caller wants; what is not given stays as it is, or gets its default. */
typedef struct SchedulePatch
{
	const char	   *name;
	const char	   *description;
	const char	   *cron;
	const char	   *timezone;
	const char	   *queue;
	struct varlena *payload;		 /* json text */
	struct varlena *workflow_jobs;	 /* json text; in the place of queue and payload */
	int				most_jobs;		 /* of those; 0: as many as a schedule can have */
	struct varlena *tags;			 /* json text */
	struct varlena *metadata;		 /* json text */
	int				priority;		 /* NOT_GIVEN */
	int				max_retries;	 /* NOT_GIVEN */
	int				timeout_seconds; /* NOT_GIVEN */
	int				active;			 /* NOT_GIVEN, 0, 1 */
	const char	   *catch_up;		 /* NULL, "none", "one", "all" */
	int				max_outstanding; /* NOT_GIVEN; 0: no bound */
	int				skip_if_running; /* NOT_GIVEN, 0, 1: max_outstanding 1 */
	int64			jitter_ms;		 /* -1: not given */
	TimestampTz		ends_at;		 /* NO_TIME: not given; DT_NOEND: never */
} SchedulePatch;

/* A schedule as users see it: the queue's and the server's defaults are filled in. */
typedef struct ScheduleView
{
	ScheduleRow row;
	int			max_retries;
	int			timeout_seconds;
	const char *catch_up;
} ScheduleView;

/* A run, and what became of its job. */
typedef struct ScheduleRunView
{
	ScheduleRun run;
	const char *status;		/* completed, failed, skipped */
	const char *job_status; /* NULL: no job, or not kept any more */
	const char *workflow_status;
} ScheduleRunView;

/* spl_schedule_patch returns a patch that changes nothing. */
extern SchedulePatch spl_schedule_patch(void);

/* spl_schedule_view shows a row. */
extern ScheduleView spl_schedule_view(const ScheduleRow *row);

/* spl_schedule_create adds a schedule; with "or_replace" it changes the one of that name when there is one. */
extern SplCode spl_schedule_create(const SchedulePatch *patch, bool or_replace, ScheduleView *view, SplFault *fault);

extern SplCode
spl_schedule_update(const pg_uuid_t *id, const SchedulePatch *patch, ScheduleView *view, SplFault *fault);

/* spl_schedule_set_active pauses or resumes; a resumed schedule goes on from now. */
extern SplCode spl_schedule_set_active(const pg_uuid_t *id, bool active, ScheduleView *view, SplFault *fault);

/* spl_schedule_delete deletes a schedule and its history; jobs and workflows stay. */
extern SplCode spl_schedule_delete(const pg_uuid_t *id, SplFault *fault);

/* spl_schedule_trigger runs it once, now, also when it is paused; when it runs next stays as it is. */
extern SplCode spl_schedule_trigger(const pg_uuid_t *id, ScheduleRun *run, SplFault *fault);

/* spl_schedule_written: the row of an active schedule was written, by whomever, and says when it runs next. */
extern void spl_schedule_written(TimestampTz next_run_at);

extern SplCode spl_schedule_get(const pg_uuid_t *id, ScheduleView *view, SplFault *fault);

/* spl_schedule_list lists newest first, as far as the credential's queues go; queue NULL: all, active -1: both. */
extern SplCode spl_schedule_list(const char *queue, int active, int limit, int offset, ScheduleView **views, int *count,
								 SplFault *fault);

/* spl_schedule_history lists runs, newest first. */
extern SplCode
spl_schedule_history(const pg_uuid_t *id, int limit, ScheduleRunView **runs, int *count, SplFault *fault);

/* spl_schedule_preview tells when it will run next, as if it were active: at most "limit" times. */
extern SplCode spl_schedule_preview(const pg_uuid_t *id, int limit, TimestampTz **times, int *count, SplFault *fault);

#endif

/*
 * schedule_store.h
 *    Rows of schedule and schedule_run.
 */
#ifndef SPL_SCHEDULE_STORE_H
#define SPL_SCHEDULE_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#define CATCH_UP_NONE 'n'
#define CATCH_UP_ONE 'o'
#define CATCH_UP_ALL 'a'

#define RUN_COMPLETED 'c' /* its job is enqueued, or its workflow started */
#define RUN_FAILED 'f'	  /* that was refused */
#define RUN_SKIPPED 's'	  /* not wanted: missed, or too many outstanding */

typedef struct ScheduleRow
{
	int32			org;
	pg_uuid_t		org_uid;
	pg_uuid_t		id;
	int32			queue;		/* of its job; 0: it starts a workflow */
	char		   *queue_name; /* or NULL */
	char		  **queues;		/* names of all that a run enqueues into */
	int				queue_count;
	char		   *name;
	char		   *description; /* or NULL */
	char		   *cron;
	char		   *timezone;
	struct varlena *payload;	   /* json text, of a job */
	struct varlena *workflow_jobs; /* json text, of a workflow */
	struct varlena *tags;		   /* or NULL */
	struct varlena *metadata;	   /* or NULL */
	int				priority;
	int				max_retries;	 /* -1: the queue's */
	int				timeout_seconds; /* -1: the queue's */
	bool			is_active;
	char			catch_up;		 /* CATCH_UP_* */
	int				max_outstanding; /* 0: no bound */
	int64			jitter_ms;
	TimestampTz		ends_at;	 /* NO_TIME: never */
	TimestampTz		next_run_at; /* NO_TIME: none */
	TimestampTz		last_run_at; /* NO_TIME: none yet */
	int64			run_count;
	TimestampTz		created_at;
	TimestampTz		updated_at;
	pg_uuid_t	   *outstanding; /* jobs and workflows not over when last looked at; kept only with a bound */
	int				outstanding_count;
} ScheduleRow;

typedef struct ScheduleRun
{
	pg_uuid_t	id;
	int32		org;
	pg_uuid_t	schedule;
	TimestampTz occurrence; /* NO_TIME: triggered by hand */
	TimestampTz started_at;
	char		status; /* RUN_* */
	bool		has_job;
	pg_uuid_t	job_id;
	bool		has_workflow;
	pg_uuid_t	workflow_id;
	const char *error; /* or NULL */
} ScheduleRun;

/* Which schedules a list shows, of those whose queues the credential may all use. */
typedef struct ScheduleFilter
{
	const char *queue;	/* one that it uses; NULL: any */
	int			active; /* 0, 1, or -1: both */
	int			limit;
	int			offset;
} ScheduleFilter;

extern void spl_schedule_insert(const ScheduleRow *row);

/* spl_schedule_write stores what an operator can change, and what follows from it. */
extern void spl_schedule_write(const ScheduleRow *row);

/* spl_schedule_read reads one; "lock" keeps it from firing and from being changed until this transaction ends. */
extern bool spl_schedule_read(int32 org, const pg_uuid_t *id, bool lock, ScheduleRow *row);

/* spl_schedule_hold_name makes others who ask for the name wait for this transaction; true: a schedule has it, *id. */
extern bool spl_schedule_hold_name(int32 org, const char *name, pg_uuid_t *id);

/* spl_schedule_list_rows lists newest first; a page with much in it is shorter than it might be, but never empty. */
extern int spl_schedule_list_rows(int32 org, const ScheduleFilter *filter, ScheduleRow **rows);

/* spl_schedule_delete_row deletes a schedule and its runs. */
extern void spl_schedule_delete_row(int32 org, const pg_uuid_t *id);

/* How much one transaction runs: so many schedules, and no more of them when so much has come together. */
typedef struct ScheduleBatch
{
	int	  schedules;
	int	  missed_most; /* occurrences that a schedule makes up for at once */
	int64 bytes;	   /* of what its schedules enqueue, */
	int64 job_bytes;   /* of which a job counts for so many at least */
} ScheduleBatch;

/*
 * spl_schedule_lock_due locks due schedules of all organizations, in the order of their time, "but" some, without waiting;
 * *is_more: not all that may be due.
 */
extern int spl_schedule_lock_due(TimestampTz now, const ScheduleBatch *batch, const pg_uuid_t *but, int but_count,
								 ScheduleRow **rows, bool *is_more);

/* spl_schedule_uses_queue tells whether a schedule, active or not, enqueues into a queue of this name. */
extern bool spl_schedule_uses_queue(int32 org, const char *queue);

/* spl_schedule_advance stores what firing changes, of locked rows. */
extern void spl_schedule_advance(const ScheduleRow *rows, int count);

/* spl_schedule_unfinished keeps those of "ids" that are jobs or workflows which are not over; returns how many. */
extern int spl_schedule_unfinished(int32 org, pg_uuid_t *ids, int count);

/* Runs: put, with an entry for each job in its history; list one schedule's, newest first; forget old ones. */
extern void spl_schedule_run_put(const ScheduleRun *runs, int count, const char *actor);
extern int	spl_schedule_run_list(int32 org, const pg_uuid_t *schedule, int limit, ScheduleRun **runs);

#endif

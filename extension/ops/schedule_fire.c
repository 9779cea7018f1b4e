/*
 * schedule_fire.c
 *    Running schedules when they are due.
 *
 * An occurrence's job, its run and the schedule's next time are one transaction, under the lock of the schedule's row, and
 * the job's idempotency key names the occurrence: it cannot run twice, whatever dies when.  A batch takes the schedules that
 * are due for longest.  It runs in a savepoint; when it fails, each of its schedules runs in one of its own, so that a
 * schedule that cannot run costs the others no more than a moment: it gets a failed run and goes on to its next time.
 *
 * A lock that somebody's open transaction holds (of a plan's limit, of a key) is not waited for either, and no reason to fail:
 * the schedule stays due and is put aside for a moment, and only after a minute it is given up.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/enqueue.h"
#include "ops/savepoint.h"
#include "ops/schedule_fire.h"
#include "ops/schedule_plan.h"
#include "ops/schedule_target.h"
#include "store/ticket.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define LOCK_TIMEOUT "50ms"
#define NEXT_LOCK_TIMEOUT "1ms" /* after one that was in vain */
#define LOCKED_AT_MOST (60 * USECS_PER_SEC)
#define ASIDE_MAX 1000
#define ASIDE_TIME (200 * 1000) /* microseconds */
#define COULD_NOT_RUN "Could not be run; the server's log tells why"
#define LOCKED_OUT "Could not be run; an open transaction held a lock that it needs for more than a minute"

/* A transaction that is open for long, or large in the log, is in everybody's way. */
static const ScheduleBatch one_batch = {
	.schedules = 100,
	.missed_most = CATCH_UP_MAX,
	.bytes = 16 * 1024 * 1024,
	.job_bytes = 16 * 1024,
};

/* The jobs and the runs of one organization's due schedules. */
typedef struct Batch
{
	EnqueueItem	 *items;
	ScheduleRow **owners;	   /* of each item */
	TimestampTz	 *occurrences; /* of each item */
	int			  count;
	ScheduleRun	 *runs;
	int			  run_count;
	bool		  is_locked; /* a workflow could not be started because of somebody's lock */
} Batch;

/* Schedules that somebody's lock is in the way of, until a time. */
static struct
{
	pg_uuid_t	ids[ASIDE_MAX];
	int			count;
	TimestampTz until;
} aside;

/* key_of names an occurrence for ever. */
static char *
key_of(const ScheduleRow *row, TimestampTz occurrence)
{
	struct pg_tm tm;
	fsec_t		 fsec;

	if (timestamp2tm(occurrence, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "an occurrence is out of range");
	return psprintf("schedule:%s:%04d-%02d-%02dT%02d:%02d:%02dZ", spl_uuid_text(&row->id), tm.tm_year, tm.tm_mon,
					tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static ScheduleRun
run_of(const ScheduleRow *row, TimestampTz occurrence, TimestampTz now, char status, const char *error)
{
	return (ScheduleRun) {.id = spl_uuid7(now),
						  .org = row->org,
						  .schedule = row->id,
						  .occurrence = occurrence,
						  .started_at = now,
						  .status = status,
						  .error = error};
}

/* has_run tells a schedule that a run has made this job or workflow. */
static void
has_run(ScheduleRow *row, const ScheduleRun *run)
{
	row->run_count++;
	row->last_run_at = run->started_at;
	if (row->max_outstanding > 0)
	{
		row->outstanding = repalloc(row->outstanding, sizeof(pg_uuid_t) * (row->outstanding_count + 1));
		row->outstanding[row->outstanding_count++] = run->has_job ? run->job_id : run->workflow_id;
	}
}

/* has_job tells a run and its schedule of the job that was made. */
static void
has_job(ScheduleRow *row, ScheduleRun *run, const EnqueueItem *item)
{
	run->has_job = true;
	run->job_id = item->job_id;
	run->started_at = item->created_at;
	has_run(row, run);
}

SplCode
spl_schedule_run_once(ScheduleRow *row, TimestampTz now, ScheduleRun *run, SplFault *fault)
{
	*run = run_of(row, NO_TIME, now, RUN_COMPLETED, NULL);
	row->outstanding_count = spl_schedule_unfinished(row->org, row->outstanding, row->outstanding_count);
	if (row->queue == 0)
	{
		if (spl_schedule_start(row, NULL, &run->workflow_id, &run->has_workflow, fault) != SPL_OK)
			return fault->code;
		has_run(row, run);
	}
	else
	{
		EnqueueItem item = spl_schedule_item(row);

		spl_enqueue(&item, 1);
		*fault = item.fault;
		if (item.fault.code != SPL_OK)
			return item.fault.code;
		has_job(row, run, &item);
	}
	spl_schedule_run_put(run, 1, spl_actor());
	spl_schedule_advance(row, 1);
	return SPL_OK;
}

/* A workflow that is to start, and what became of that. */
typedef struct Start
{
	const ScheduleRow *row;
	char			  *key;
	pg_uuid_t		   id;
	bool			   created;
	SplFault		   fault;
} Start;

static bool
start(void *arg)
{
	Start *workflow = arg;

	return spl_schedule_start(workflow->row, workflow->key, &workflow->id, &workflow->created, &workflow->fault) ==
		SPL_OK;
}

/* start_workflow starts the workflow of an occurrence, unless it was started before this schedule's time was set back. */
static void
start_workflow(Batch *batch, ScheduleRow *row, TimestampTz occurrence, TimestampTz now)
{
	MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "workflow of a schedule", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	Start		  workflow = {.row = row, .key = key_of(row, occurrence), .fault = {SPL_OK}};
	bool		 started = spl_in_savepoint(start, &workflow, "starting the workflow of a schedule", &batch->is_locked);
	ScheduleRun *run = &batch->runs[batch->run_count];

	MemoryContextSwitchTo(old);
	if (!started || workflow.created)
	{
		*run = run_of(row, occurrence, now, started ? RUN_COMPLETED : RUN_FAILED,
					  started							  ? NULL
						  : workflow.fault.code != SPL_OK ? pstrdup(workflow.fault.message)
														  : COULD_NOT_RUN);
		batch->run_count++;
	}
	if (started && workflow.created)
	{
		run->has_workflow = true;
		run->workflow_id = workflow.id;
		has_run(row, run);
	}
	MemoryContextDelete(scratch);
}

/* add_firing adds the jobs that a schedule wants, starts its workflows, and adds the run of what does not run. */
static void
add_firing(Batch *batch, const Firing *firing, TimestampTz now)
{
	ScheduleRow *row = firing->row;

	if (firing->failed)
		batch->runs[batch->run_count++] = run_of(row, firing->due, now, RUN_FAILED, firing->failed);
	else if (firing->skipped)
		batch->runs[batch->run_count++] = run_of(row, firing->skipped_from, now, RUN_SKIPPED, firing->skipped);
	for (int i = 0; i < firing->count && !batch->is_locked; i++)
	{
		if (row->queue == 0)
		{
			start_workflow(batch, row, firing->occurrences[i], now);
			continue;
		}
		batch->items[batch->count] = spl_schedule_item(row);
		batch->items[batch->count].idempotency_key = key_of(row, firing->occurrences[i]);
		batch->owners[batch->count] = row;
		batch->occurrences[batch->count++] = firing->occurrences[i];
	}
}

/* settle_items records what became of the jobs: made, refused, or made before this schedule's time was set back. */
static void
settle_items(Batch *batch, TimestampTz now)
{
	for (int i = 0; i < batch->count; i++)
	{
		const EnqueueItem *item = &batch->items[i];
		ScheduleRun		  *run = &batch->runs[batch->run_count];
		bool			   is_refused = item->fault.code != SPL_OK;

		if (!is_refused && !item->created)
			continue;
		*run = run_of(batch->owners[i], batch->occurrences[i], now, is_refused ? RUN_FAILED : RUN_COMPLETED,
					  is_refused ? item->fault.message : NULL);
		if (!is_refused)
			has_job(batch->owners[i], run, item);
		batch->run_count++;
	}
}

/* fire runs due schedules of one organization; false: somebody's lock is in the way. */
static bool
fire(ScheduleRow *rows, int count, TimestampTz now)
{
	Firing *firings = palloc(sizeof(Firing) * count);
	Batch	batch = {0};
	int		occurrences = 0;

	for (int i = 0; i < count; i++)
	{
		spl_schedule_plan(&rows[i], now, &firings[i]);
		occurrences += firings[i].count;
	}
	batch.items = palloc(sizeof(EnqueueItem) * Max(occurrences, 1));
	batch.owners = palloc(sizeof(ScheduleRow *) * Max(occurrences, 1));
	batch.occurrences = palloc(sizeof(TimestampTz) * Max(occurrences, 1));
	batch.runs = palloc(sizeof(ScheduleRun) * (occurrences + count));
	for (int i = 0; i < count && !batch.is_locked; i++)
		add_firing(&batch, &firings[i], now);
	if (batch.is_locked)
		return false;
	spl_enqueue_each(batch.items, batch.count);
	settle_items(&batch, now);
	spl_schedule_run_put(batch.runs, batch.run_count, spl_actor());
	spl_schedule_advance(rows, count);
	return true;
}

/* record_failure lets schedules go on to their next time with a run that says why this one failed. */
static bool
record_failure(ScheduleRow *rows, int count, TimestampTz now, const char *why)
{
	for (int i = 0; i < count; i++)
	{
		Firing		firing;
		ScheduleRun run;

		spl_schedule_plan(&rows[i], now, &firing);
		run = run_of(&rows[i], firing.due, now, RUN_FAILED, why);
		spl_schedule_run_put(&run, 1, spl_actor());
	}
	spl_schedule_advance(rows, count);
	return true;
}

static bool
give_up(ScheduleRow *rows, int count, TimestampTz now)
{
	return record_failure(rows, count, now, COULD_NOT_RUN);
}

static bool
give_up_locked(ScheduleRow *rows, int count, TimestampTz now)
{
	return record_failure(rows, count, now, LOCKED_OUT);
}

/* copy_rows: firing changes rows, and must find them as they were when it is tried again. */
static ScheduleRow *
copy_rows(const ScheduleRow *rows, int count)
{
	ScheduleRow *copies = palloc(sizeof(ScheduleRow) * count);

	for (int i = 0; i < count; i++)
	{
		Size size = sizeof(pg_uuid_t) * Max(rows[i].outstanding_count, 1);

		copies[i] = rows[i];
		copies[i].outstanding = memcpy(palloc(size), rows[i].outstanding, size);
	}
	return copies;
}

/* Due schedules of one organization, and what to do with them. */
typedef struct Attempt
{
	const ScheduleRow *rows;
	int				   count;
	TimestampTz		   now;
	bool (*what)(ScheduleRow *rows, int count, TimestampTz now);
	const char *lock_timeout;
	bool		is_locked; /* out */
} Attempt;

static bool
attempt(void *arg)
{
	Attempt *attempt = arg;
	bool	 done;

	(void) set_config_option("lock_timeout", attempt->lock_timeout, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true,
							 0, false);
	done = attempt->what(copy_rows(attempt->rows, attempt->count), attempt->count, attempt->now);
	attempt->is_locked = !done;
	return done;
}

/* put_aside leaves a schedule due but out of the next batches; false: it has been for too long, or there is no room. */
static bool
put_aside(const ScheduleRow *row, TimestampTz now)
{
	if (aside.count == ASIDE_MAX || now - row->next_run_at > LOCKED_AT_MOST)
		return false;
	if (aside.count == 0)
		aside.until = now + ASIDE_TIME;
	aside.ids[aside.count++] = row->id;
	return true;
}

/*
 * try_fire runs schedules; when that fails each of them alone.  One that fails alone is put aside if somebody's lock is in its
 * way, and gets a failed run otherwise.
 */
static void
try_fire(const ScheduleRow *rows, int count, TimestampTz now)
{
	Attempt		all = {rows, count, now, fire, LOCK_TIMEOUT};
	const char *lock_timeout = LOCK_TIMEOUT;

	if (spl_in_savepoint(attempt, &all, psprintf("running %d schedules", count), &all.is_locked))
		return;
	for (int i = 0; i < count; i++)
	{
		Attempt one = {&rows[i], 1, now, fire, lock_timeout, count == 1 && all.is_locked};

		if (count > 1 && spl_in_savepoint(attempt, &one, "running a schedule", &one.is_locked))
			continue;
		if (one.is_locked)
			lock_timeout = NEXT_LOCK_TIMEOUT;
		if (one.is_locked && put_aside(&rows[i], now))
			continue;
		one.what = one.is_locked ? give_up_locked : give_up;
		(void) spl_in_savepoint(attempt, &one, "giving up a schedule", &one.is_locked);
	}
}

static int
compare_orgs(const void *a, const void *b)
{
	const ScheduleRow *x = a;
	const ScheduleRow *y = b;

	return (x->org > y->org) - (x->org < y->org);
}

/* spl_schedule_fire_due runs a batch; it says "limit" when there may be more. */
int
spl_schedule_fire_due(TimestampTz now, int limit)
{
	ScheduleRow *rows;
	int			 count, start = 0;
	bool		 is_more;

	if (now >= aside.until || now < aside.until - ASIDE_TIME)
		aside.count = 0;
	count = spl_schedule_lock_due(now, &one_batch, aside.ids, aside.count, &rows, &is_more);

	qsort(rows, count, sizeof(ScheduleRow), compare_orgs);
	while (start < count)
	{
		int end = start + 1;

		while (end < count && rows[end].org == rows[start].org)
			end++;
		spl_org_set_background(rows[start].org);
		try_fire(&rows[start], end - start, now);
		start = end;
	}
	return is_more ? limit : count;
}

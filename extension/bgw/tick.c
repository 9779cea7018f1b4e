/*
 * tick.c
 *    One turn of the background worker.
 *
 * A step that fails is logged without the data it worked on, and rests for a while, longer each time; the other steps go
 * on.  Steps that go by due times run when the earliest known one has come; the rest have periods.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "bgw/counter.h"
#include "bgw/leave.h"
#include "bgw/tick.h"
#include "commands/async.h"
#include "commands/dbcommands.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "ops/dependency.h"
#include "ops/queue_asked.h"
#include "ops/recount.h"
#include "ops/schedule_fire.h"
#include "ops/sweep.h"
#include "pgstat.h"
#include "shmem/database.h"
#include "shmem/queue_request.h"
#include "shmem/subscription.h"
#include "shmem/wake.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define BATCH_LIMIT 1000
#define BATCHES_PER_TURN 10 /* of a step, then it is the others' turn */
#define FIRST_REST_MS 1000
#define LONGEST_REST_MS 60000
#define FIRST_RELOOK_MS 5 /* due, but not to be had: somebody is just taking it */
#define LONGEST_RELOOK_MS 50
#define OFFLINE_PERIOD_MS 10000
#define RETENTION_PERIOD_MS 60000
#define AUDIT_PERIOD_MS 5000
#define KEY_USE_PERIOD_MS 5000
#define ERASE_PERIOD_MS 5000

/* What a step works on; it runs in a transaction of its own. */
typedef struct Step
{
	const char *name; /* in messages: "... failed" */
	void (*run)(struct Step *step);
	SweepFn sweep;	   /* of run_batch */
	int		period_ms; /* 0: goes by due times */
	bool	has_own_transactions;

	TimestampTz next;	 /* with a period: when to run; after a failure: not before */
	int			rest_ms; /* of the last failure */
	int			handled; /* rows of the last batch */
} Step;

static void run_batch(Step *step);

static Step sweeps[] = {
	{.name = "expiring leases", .run = run_batch, .sweep = spl_lease_expire_due},
	{.name = "making delayed jobs ready", .run = run_batch, .sweep = spl_delayed_promote_due},
	{.name = "running schedules", .run = run_batch, .sweep = spl_schedule_fire_due},
	{.name = "expiring jobs", .run = run_batch, .sweep = spl_job_expire_due},
	{.name = "telling children of ended jobs", .run = run_batch, .sweep = spl_dependency_work_off},
};

static Step chores[] = {
	{.name = "marking workers offline",
	 .run = run_batch,
	 .sweep = spl_worker_mark_offline,
	 .period_ms = OFFLINE_PERIOD_MS},
	{.name = "deleting what retention is over for",
	 .run = run_batch,
	 .sweep = spl_retention_delete_due,
	 .period_ms = RETENTION_PERIOD_MS},
	{.name = "noting when API keys were used",
	 .run = run_batch,
	 .sweep = spl_api_key_note_uses,
	 .period_ms = KEY_USE_PERIOD_MS},
	{.name = "erasing organizations", .run = run_batch, .sweep = spl_org_erase_due, .period_ms = ERASE_PERIOD_MS},
	{.name = "auditing claim lists", .run = run_batch, .sweep = spl_claim_lists_audit, .period_ms = AUDIT_PERIOD_MS},
};

/* may_run tells whether a step's time has come.  The clock may have been set back: no rest and no period is longer than this. */
static bool
may_run(Step *step, TimestampTz now)
{
	step->next = Min(step->next, TimestampTzPlusMilliseconds(now, LONGEST_REST_MS));
	return now >= step->next;
}

/* rest_after_failure logs a failure and lets the step rest. */
static void
rest_after_failure(Step *step, const ErrorData *error)
{
	step->rest_ms = step->rest_ms == 0 ? FIRST_REST_MS : Min(step->rest_ms * 2, LONGEST_REST_MS);
	step->next = TimestampTzPlusMilliseconds(spl_clock_now(), step->rest_ms);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("spooled worker of database %u: %s failed: %s", MyDatabaseId, step->name, error->message),
			 errdetail_internal("SQLSTATE %s; the next attempt is in %d ms.", unpack_sql_state(error->sqlerrcode),
								step->rest_ms)));
}

/* run_step runs a step in a transaction; false: it failed. */
static bool
run_step(int slot, Step *step)
{
	MemoryContext turn_cxt = CurrentMemoryContext;
	ErrorData *volatile error = NULL;

	pgstat_report_activity(STATE_RUNNING, step->name);
	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		if (step->has_own_transactions)
			step->run(step);
		else
		{
			StartTransactionCommand();
			PushActiveSnapshot(GetTransactionSnapshot());
			step->run(step);
			PopActiveSnapshot();
			CommitTransactionCommand();
		}
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(turn_cxt);
		error = CopyErrorData();
		FlushErrorState();
		AbortOutOfAnyTransaction();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(turn_cxt);
	if (error == NULL)
	{
		step->rest_ms = 0;
		return true;
	}
	spl_worker_leave_if_unwanted(slot, true); /* then the failure was that the extension is gone */
	rest_after_failure(step, error);
	FreeErrorData(error);
	return false;
}

static void
run_batch(Step *step)
{
	step->handled = step->sweep(spl_clock_now(), BATCH_LIMIT);
}

/* in_batches repeats a step while its batches are full; true: there is more, but now it is the others' turn. */
static bool
in_batches(int slot, Step *step)
{
	for (int i = 0; i < BATCHES_PER_TURN; i++)
	{
		if (!run_step(slot, step) || step->handled < BATCH_LIMIT)
			return false;
		spl_announce_wakeups(slot);
		spl_worker_leave_if_unwanted(slot, false);
	}
	return true;
}

static StringInfoData announcement;

static void
notify(Step *step)
{
	/* A lost announcement is made up for by the next one, or by the subscriber's own deadline: not worth a flush. */
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	Async_Notify(SPL_READY_CHANNEL, announcement.data);
}

TimestampTz
spl_announce_wakeups(int slot)
{
	static Step step = {.name = "announcing wake-ups", .run = notify};
	TimestampTz now = spl_clock_now();
	TimestampTz look_at;
	int32		queues[SPL_PENDING_MAX];
	bool		any;
	int			count;

	if (!may_run(&step, now))
		return step.next;
	count = spl_subscription_take(slot, now, queues, &any, &look_at);
	if (count == 0 && !any)
		return look_at;
	initStringInfo(&announcement);
	if (any)
		appendStringInfoChar(&announcement, '*');
	else
		for (int i = 0; i < count; i++) /* 256 numbers fit into a payload */
			appendStringInfo(&announcement, i == 0 ? "%d" : ",%d", queues[i]);
	if (!run_step(slot, &step))
	{
		spl_subscription_pend_any(slot);
		return step.next;
	}
	return look_at;
}

static QueueRequest request;
static int32		made_queue;

static void
make_queue(Step *step)
{
	made_queue = spl_queue_make_asked(request.org, request.name);
}

void
spl_answer_queue_requests(int slot)
{
	Step step = {.name = "creating a queue", .run = make_queue}; /* each failure is its own */

	while (spl_queue_request_take(slot, &request))
	{
		made_queue = 0;
		if (!run_step(slot, &step))
			made_queue = 0;
		spl_queue_request_answer(slot, &request, made_queue);
	}
}

static TimestampTz found_due;

static void
find_due(Step *step)
{
	found_due = spl_sweep_next_due();
}

static void
tick_counters(Step *step)
{
	step->handled = spl_counters_tick();
	spl_counter_run();
}

/* sweep_due does what is due, and learns when something is due next. */
static TimestampTz
sweep_due(int slot)
{
	static Step look = {.name = "looking for what is due", .run = find_due};
	static Step counters = {.name = "counting", .run = tick_counters, .has_own_transactions = true};
	static int	relook_ms = 0;
	TimestampTz now = spl_clock_now();
	bool		is_more = false;

	spl_due_reset(slot);
	for (int i = 0; i < lengthof(sweeps); i++)
		if (may_run(&sweeps[i], now))
			is_more |= in_batches(slot, &sweeps[i]);
	if (may_run(&counters, now) && run_step(slot, &counters) && counters.handled)
		spl_due_lower(slot, now); /* there may be more */
	else if (counters.rest_ms > 0)
		spl_due_lower(slot, counters.next);
	if (!may_run(&look, now) || !run_step(slot, &look))
		found_due = look.next;
	if (!TIMESTAMP_IS_NOBEGIN(found_due))
		spl_due_lower(slot, found_due);
	if (is_more)
		return now;

	now = spl_clock_now();
	if (TIMESTAMP_IS_NOBEGIN(found_due) || found_due > now)
		relook_ms = 0;
	else
		relook_ms = relook_ms == 0 ? FIRST_RELOOK_MS : Min(relook_ms * 2, LONGEST_RELOOK_MS);
	return TimestampTzPlusMilliseconds(now, relook_ms);
}

TimestampTz
spl_tick(int slot)
{
	static TimestampTz sweep_not_before = DT_NOBEGIN;
	static TimestampTz last = DT_NOBEGIN;
	TimestampTz		   now = spl_clock_now();
	TimestampTz		   when;

	if (now < last) /* the clock was set back: what was planned before is not to be waited for */
	{
		spl_due_lower(slot, now);
		sweep_not_before = now;
		for (int i = 0; i < lengthof(chores); i++)
			chores[i].next = now;
	}
	last = now;
	if (now >= spl_due_next(slot) && now >= sweep_not_before)
		sweep_not_before = sweep_due(slot);
	when = Max(spl_due_next(slot), sweep_not_before);
	for (int i = 0; i < lengthof(chores); i++)
	{
		Step *chore = &chores[i];

		if (may_run(chore, now))
		{
			chore->next = TimestampTzPlusMilliseconds(now, chore->period_ms);
			if (in_batches(slot, chore))
				chore->next = now;
		}
		when = Min(when, chore->next);
	}
	return when;
}

/*
 * recount.c
 *    Keeping the counters in step with the tables.
 *
 * Counting after a start: shmem/counters.c has the argument why it is exact while others commit.  The snapshot is
 * held for as long as it takes to read every ticket once: measured, 0.8 s for a million finished jobs.
 *
 * Two-phase commit: a transaction's notes are this backend's memory, but COMMIT PREPARED may come from any session
 * and after any number of crashes.  So PREPARE TRANSACTION writes them to prepared_delta, which becomes visible
 * together with the jobs, and the worker takes the rows away and adds what they say, in one transaction.  Until then
 * the counters are behind the tables by the sum of the visible rows; a recount keeps it that way, since the rows are
 * still to be added.
 *
 * What the transaction has reserved it goes on to hold, in shared memory (shmem/prepared_usage), until the step that adds what
 * it did, or until it is seen that it was rolled back.  A row for each reservation is written beside the others; after a crash
 * it tells, though its transaction is not over, what is held.  A limit that is checked before that was read reads it itself.
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/xact_end.h"
#include "ops/recount.h"
#include "shmem/prepared_usage.h"
#include "shmem/wake.h"
#include "store/counters_store.h"
#include "store/prepared_store.h"
#include "store/usage_store.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define WORTH_A_LINE_MS 1000 /* in the server's log */

#define HELD_LOOK_MS 1000 /* at the latest, for who ended a prepared transaction and could not tell */

#define RESERVED_NUMBERS 2
#define FINISHED_NUMBERS 3
#define DELTA_NUMBERS (COUNTER_SLOTS + TOTAL_SLOTS + FINISHED_NUMBERS)

CounterSlot
spl_counter_of(TicketKind kind, char reason)
{
	switch (kind)
	{
		case TICKET_READY: return COUNT_READY;
		case TICKET_DELAYED: return reason == DELAY_ASKED ? COUNT_DELAYED : COUNT_BACKOFF;
		case TICKET_BLOCKED: return COUNT_BLOCKED;
		case TICKET_LEASE: return COUNT_LEASE;
		case TICKET_DEAD_LETTER: return COUNT_DEAD_LETTER;
		case TICKET_OUTCOME: return reason == OUTCOME_COMPLETED ? COUNT_COMPLETED : COUNT_CANCELLED;
		case TICKET_KINDS: break;
	}
	pg_unreachable();
}

/* put keeps a row.  At this point of a transaction there is no snapshot. */
static void
put(const PreparedDelta *prepared)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	spl_prepared_delta_put(prepared);
	PopActiveSnapshot();
}

/* write_prepared keeps one queue's notes. */
static void
write_prepared(const CounterDelta *delta, void *arg)
{
	int64		  numbers[DELTA_NUMBERS];
	PreparedDelta prepared = {
		.org = delta->org,
		.queue = delta->queue,
		.minute = delta->minute,
		.number_count = DELTA_NUMBERS,
		.numbers = numbers,
	};

	memcpy(numbers, delta->count, sizeof(delta->count));
	memcpy(numbers + COUNTER_SLOTS, delta->total, sizeof(delta->total));
	numbers[DELTA_NUMBERS - 3] = delta->finished.completed;
	numbers[DELTA_NUMBERS - 2] = delta->finished.failed;
	numbers[DELTA_NUMBERS - 1] = delta->finished.duration_ms;
	put(&prepared);
}

/* write_reserved keeps a reservation. */
static void
write_reserved(const PreparedUsage *usage)
{
	int64		  numbers[RESERVED_NUMBERS] = {usage->count.active, usage->count.created};
	PreparedDelta prepared = {
		.org = usage->org,
		.queue = PREPARED_RESERVED,
		.minute = usage->day,
		.number_count = RESERVED_NUMBERS,
		.numbers = numbers,
	};

	put(&prepared);
}

static PreparedUsage
read_reserved(const PreparedDelta *prepared)
{
	if (prepared->number_count != RESERVED_NUMBERS)
		elog(ERROR, "a reservation in prepared_delta has %d numbers", prepared->number_count);
	return (PreparedUsage) {
		.xid = prepared->xid,
		.org = prepared->org,
		.day = prepared->minute,
		.count = {.active = prepared->numbers[0], .created = prepared->numbers[1]},
	};
}

static void
at_pre_prepare(void)
{
	spl_counters_take_notes(write_prepared, NULL);
	spl_prepared_usage_open(write_reserved);
}

/* read_numbers is write_prepared's other half, times "sign". */
static CounterDelta
read_numbers(const PreparedDelta *prepared, int sign)
{
	CounterDelta delta = {.org = prepared->org, .queue = prepared->queue, .minute = prepared->minute};
	const int64 *numbers = prepared->numbers;

	if (prepared->number_count != DELTA_NUMBERS)
		elog(ERROR, "a row of prepared_delta has %d numbers instead of %d", prepared->number_count,
			 (int) DELTA_NUMBERS);
	for (int i = 0; i < COUNTER_SLOTS; i++)
		delta.count[i] = sign * numbers[i];
	for (int i = 0; i < TOTAL_SLOTS; i++)
		delta.total[i] = sign * numbers[COUNTER_SLOTS + i];
	delta.finished.completed = sign * numbers[DELTA_NUMBERS - 3];
	delta.finished.failed = sign * numbers[DELTA_NUMBERS - 2];
	delta.finished.duration_ms = sign * numbers[DELTA_NUMBERS - 1];
	return delta;
}

static void
note_prepared(const PreparedDelta *prepared, void *arg)
{
	CounterDelta delta;

	spl_prepared_usage_mark_of(prepared->xid);
	if (prepared->queue == PREPARED_RESERVED)
		return;
	delta = read_numbers(prepared, 1);
	spl_counters_note_again(&delta);
}

/* apply_prepared adds what transactions noted that have been committed in two phases, and ends what they and others held. */
static bool
apply_prepared(void)
{
	int	 count;
	bool is_held;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	is_held = spl_prepared_usage_mark(); /* before the snapshot: of what is marked all rows are seen */
	PushActiveSnapshot(GetTransactionSnapshot());
	count = spl_prepared_delta_take(note_prepared, NULL);
	PopActiveSnapshot();
	if (is_held)
		spl_due_note(TimestampTzPlusMilliseconds(spl_clock_now(), HELD_LOOK_MS));
	CommitTransactionCommand();
	return count > 0;
}

CountWindows
spl_count_windows(TimestampTz now)
{
	int32 minute = spl_minute_of(now);
	int32 first_five = minute / DAY_BUCKET_MINUTES - (DAY_BUCKETS - 1);

	return (CountWindows) {
		.day_begin = (TimestampTz) first_five * DAY_BUCKET_MINUTES * USECS_PER_MINUTE,
		.hour_begin = (TimestampTz) (minute - (HOUR_BUCKETS - 1)) * USECS_PER_MINUTE,
	};
}

WindowSum
spl_count_finished(const TicketCount *tickets)
{
	WindowSum sum = {0};

	if (tickets->begin != NO_TIME && tickets->kind == TICKET_DEAD_LETTER)
		sum.failed = tickets->jobs;
	else if (tickets->begin != NO_TIME && tickets->reason == OUTCOME_COMPLETED)
		sum = (WindowSum) {.completed = tickets->jobs, .duration_ms = tickets->duration_ms};
	return sum;
}

typedef struct Recount
{
	CountWindows windows;
	int64		 jobs;
} Recount;

/* add_usage adds to the organization of a queue. */
static void
add_usage(const CounterDelta *delta, int64 created)
{
	UsageCount count = {.active = spl_counters_active(delta->count), .created = created};

	if (count.active != 0 || count.created != 0)
		spl_usage_add_counted(delta->org, spl_usage_day(spl_clock_now()), count);
}

static void
add_tickets(const TicketCount *tickets, void *arg)
{
	Recount		*recount = arg;
	CounterDelta delta = {.org = tickets->org, .queue = tickets->queue, .finished = spl_count_finished(tickets)};

	delta.count[spl_counter_of(tickets->kind, tickets->reason)] = tickets->jobs;
	if (tickets->begin != NO_TIME)
		delta.minute = spl_minute_of(tickets->begin);
	spl_counters_add_counted(&delta, tickets->begin >= recount->windows.hour_begin ? RING_BOTH : RING_DAY);
	add_usage(&delta, 0);
	recount->jobs += tickets->jobs;
}

static void
subtract_prepared(const PreparedDelta *prepared, void *arg)
{
	CounterDelta delta;

	if (prepared->queue == PREPARED_RESERVED)
		return;
	delta = read_numbers(prepared, -1);
	spl_counters_add_counted(&delta, RING_BOTH);
	add_usage(&delta, delta.total[TOTAL_ENQUEUED]);
}

/* add_today adds the jobs that an organization added since midnight. */
static void
add_today(int32 org, int64 jobs, void *arg)
{
	spl_usage_add_counted(org, *(int32 *) arg, (UsageCount) {.created = jobs});
}

/* count_tables adds what the tables hold under the active snapshot; returns the number of jobs. */
static int64
count_tables(void)
{
	TimestampTz now = spl_clock_now();
	Recount		recount = {.windows = spl_count_windows(now)};
	int32		day = spl_usage_day(now);

	spl_jobs_count_since((TimestampTz) day * USECS_PER_DAY, add_today, &day);
	spl_tickets_count_all(&recount.windows, add_tickets, &recount);
	spl_prepared_delta_list(subtract_prepared, NULL);
	return recount.jobs;
}

static void
warn_no_room(void)
{
	static bool warned = false;

	if (!warned)
		ereport(
			WARNING,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("there are no counters for this database in shared memory; its jobs are counted at every question"),
			 errhint("Raise spooled.max_databases.")));
	warned = true;
}

/* restore holds what a prepared transaction has reserved, be it over or not: what it did is still to be added. */
static void
restore(const PreparedDelta *prepared, bool is_open, void *arg)
{
	PreparedUsage usage = read_reserved(prepared);

	if (!spl_prepared_usage_restore(&usage))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("there is no room in shared memory for what prepared transactions have reserved"),
				 errhint("Raise max_prepared_transactions, or end them.")));
}

/* add_open adds what a prepared transaction holds whose jobs nobody sees yet. */
static void
add_open(const PreparedDelta *prepared, bool is_open, void *arg)
{
	PreparedUsage *sum = arg;
	PreparedUsage  usage = read_reserved(prepared);

	if (!is_open || usage.org != sum->org)
		return;
	sum->count.active += usage.count.active;
	if (usage.day == sum->day)
		sum->count.created += usage.count.created;
}

UsageCount
spl_prepared_reserved(int32 org, int32 day)
{
	PreparedUsage sum = {.org = org, .day = day};

	if (max_prepared_xacts > 0)
		spl_prepared_reserved_look(add_open, &sum);
	return sum.count;
}

bool
spl_counters_recount(void)
{
	TimestampTz begun = spl_clock_now();
	int64		jobs;
	long		milliseconds;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	if (max_prepared_xacts > 0)
		spl_prepared_reserved_look(restore, NULL);
	if (!spl_counters_cut())
	{
		CommitTransactionCommand();
		warn_no_room();
		return false;
	}
	jobs = count_tables();
	PopActiveSnapshot();
	CommitTransactionCommand();
	spl_counters_finish_recount();
	milliseconds = TimestampDifferenceMilliseconds(begun, spl_clock_now());
	ereport(milliseconds < WORTH_A_LINE_MS ? DEBUG1 : LOG,
			(errmsg("counted " INT64_FORMAT " jobs in %ld ms", jobs, milliseconds)));
	return true;
}

void
spl_counters_come_back_at(TimestampTz due)
{
	StartTransactionCommand();
	spl_due_note(due);
	CommitTransactionCommand();
}

bool
spl_counters_tick(void)
{
	TimestampTz due = spl_counters_recount_due();

	if (due > spl_clock_now() && !TIMESTAMP_IS_NOEND(due))
		spl_counters_come_back_at(due);
	return max_prepared_xacts > 0 && apply_prepared();
}

void
spl_recount_init(void)
{
	static const XactEndSteps steps = {.pre_prepare = at_pre_prepare};

	spl_xact_end_add(&steps);
}

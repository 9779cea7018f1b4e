/*
 * counter_notes.c
 *    What the current transaction will add to the counters, in this backend's memory.
 *
 * One note for each queue, nest level and minute in which something finished.  Room is made when noting; the commit step only
 * reads.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "shmem/counters.h"
#include "shmem/note_stack.h"
#include "shmem/org_usage.h"

#define NO_ORG 0 /* of a note that only forgets */

typedef struct Note
{
	NoteHead	 head;
	CounterDelta delta;
	bool		 forget;  /* afterwards, drop the entry if it is empty */
	bool		 settled; /* its organization has it */
} Note;

/* is_same: of one queue, and of one minute, unless nothing has finished yet. */
static bool
is_same(const void *note, const void *other)
{
	const CounterDelta *a = &((const Note *) note)->delta;
	const CounterDelta *b = &((const Note *) other)->delta;

	return a->queue == b->queue && (a->minute == 0 || b->minute == 0 || a->minute == b->minute);
}

static void
fold(void *note, const void *other)
{
	Note	   *into = note;
	const Note *from = other;

	for (int i = 0; i < COUNTER_SLOTS; i++)
		into->delta.count[i] += from->delta.count[i];
	for (int i = 0; i < TOTAL_SLOTS; i++)
		into->delta.total[i] += from->delta.total[i];
	into->delta.finished.completed += from->delta.finished.completed;
	into->delta.finished.failed += from->delta.finished.failed;
	into->delta.finished.duration_ms += from->delta.finished.duration_ms;
	if (from->delta.minute != 0)
		into->delta.minute = from->delta.minute;
	if (from->delta.org != NO_ORG)
		into->delta.org = from->delta.org;
	into->forget |= from->forget;
}

static NoteStack notes = {.size = sizeof(Note), .is_same = is_same, .fold = fold};
static bool		 noted_again = false;

static Note *
note_at(int i)
{
	return spl_note_at(&notes, i);
}

/* note_for finds or adds the note that takes what happens now. */
static Note *
note_for(int32 org, int32 queue, int32 minute)
{
	Note  empty = {.delta = {.queue = queue, .minute = minute}};
	Note *note = spl_note_for(&notes, &empty);

	if (org != NO_ORG)
		note->delta.org = org;
	if (minute != 0)
		note->delta.minute = minute;
	return note;
}

void
spl_count_note(int32 org, int32 queue, CounterSlot slot, int64 delta)
{
	note_for(org, queue, 0)->delta.count[slot] += delta;
}

void
spl_count_total_note(int32 org, int32 queue, TotalSlot slot, int64 delta)
{
	note_for(org, queue, 0)->delta.total[slot] += delta;
}

/* duration_bucket returns the histogram's bucket of a duration. */
static TotalSlot
duration_bucket(int64 duration_ms)
{
	int bucket = 0;

	while (bucket < DURATION_BUCKETS - 1 && duration_ms > spl_duration_bounds[bucket])
		bucket++;
	return TOTAL_DURATIONS + bucket;
}

void
spl_count_finished_note(int32 org, int32 queue, bool completed, TimestampTz at, int64 duration_ms)
{
	CounterDelta *delta = &note_for(org, queue, spl_minute_of(at))->delta;

	if (completed)
	{
		delta->finished.completed++;
		delta->finished.duration_ms += duration_ms;
		delta->total[TOTAL_COMPLETED]++;
		delta->total[TOTAL_DURATION_MS] += duration_ms;
		delta->total[duration_bucket(duration_ms)]++;
	}
	else
	{
		delta->finished.failed++;
		delta->total[TOTAL_GIVEN_UP]++;
	}
}

void
spl_counters_forget_queue(int32 queue)
{
	note_for(NO_ORG, queue, 0)->forget = true;
}

void
spl_count_again_note(void)
{
	noted_again = true;
}

/* spl_counters_note_again notes what was taken out of a prepared transaction, for this transaction's commit. */
void
spl_counters_note_again(const CounterDelta *delta)
{
	Note note = {.delta = *delta};

	fold(note_for(delta->org, delta->queue, delta->minute), &note);
}

/* spl_counters_take_notes hands out all notes; what is to be forgotten is not worth remembering. */
void
spl_counters_take_notes(void (*take)(const CounterDelta *delta, void *arg), void *arg)
{
	int count = notes.count;

	notes.count = 0;
	for (int i = 0; i < count; i++)
		take(&note_at(i)->delta, arg);
}

/* settle_orgs adds to the organizations, each once: what it reserved ends with what it did. */
static void
settle_orgs(void)
{
	for (int first = 0; first < notes.count; first++)
	{
		UsageCount done = {0};
		int32	   org = note_at(first)->delta.org;

		if (note_at(first)->settled || org == NO_ORG)
			continue;
		for (int i = first; i < notes.count; i++)
			if (note_at(i)->delta.org == org)
			{
				done.active += spl_counters_active(note_at(i)->delta.count);
				done.created += note_at(i)->delta.total[TOTAL_ENQUEUED];
				note_at(i)->settled = true;
			}
		spl_usage_settle(org, done);
	}
}

static void
at_commit(void)
{
	settle_orgs();
	for (int i = 0; i < notes.count; i++)
	{
		if (note_at(i)->delta.org != NO_ORG)
			spl_counters_add(&note_at(i)->delta);
		if (note_at(i)->forget)
			spl_counters_drop_empty(note_at(i)->delta.queue);
	}
	if (noted_again)
		spl_counters_ask_recount();
	notes.count = 0;
	noted_again = false;
}

static void
at_abort(void)
{
	notes.count = 0;
	noted_again = false;
}

static void
at_subxact_commit(int nest_level)
{
	spl_note_raise(&notes, nest_level);
}

static void
at_subxact_abort(int nest_level)
{
	notes.count = spl_note_first_of(&notes, nest_level);
}

void
spl_counters_init(void)
{
	static const XactEndSteps steps = {
		.commit = at_commit,
		.abort = at_abort,
		.subxact_commit = at_subxact_commit,
		.subxact_abort = at_subxact_abort,
	};

	spl_xact_end_add(&steps);
}

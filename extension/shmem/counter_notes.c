/*
 * counter_notes.c
 *    What the current transaction will add to the counters, in this backend's memory.
 *
 * One note for each queue, nest level and minute in which something finished.  Notes are in the order of their
 * levels, as a deeper one ends before anything is noted at a higher one: what a subtransaction noted lies at the end
 * of the array, where its rollback cuts it off and its commit folds it into the level above (so a loop of a million
 * savepoints needs room for two notes).  Room is made when noting; the commit step only reads.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "shmem/counters.h"
#include "shmem/org_usage.h"
#include "utils/memutils.h"

#define NO_ORG 0 /* of a note that only forgets */
#define FIRST_ROOM 8
#define ROOM_TO_KEEP 1024 /* a transaction with more leaves no memory behind */

typedef struct Note
{
	CounterDelta delta;
	int			 nest_level;
	bool		 forget;  /* afterwards, drop the entry if it is empty */
	bool		 settled; /* its organization has it */
} Note;

static Note *notes = NULL;
static int	 note_count = 0;
static int	 note_room = 0;
static bool	 noted_again = false;

static void
make_room(void)
{
	if (note_count == 0 && note_room > ROOM_TO_KEEP)
	{
		pfree(notes);
		note_room = 0;
	}
	if (note_room == 0)
	{
		notes = MemoryContextAlloc(TopMemoryContext, sizeof(Note) * FIRST_ROOM);
		note_room = FIRST_ROOM;
	}
	else if (note_count == note_room)
	{
		notes = repalloc_huge(notes, sizeof(Note) * 2 * note_room);
		note_room *= 2;
	}
}

/* find_note returns the note of a level that takes more of this queue (and minute, unless 0), searching from the end. */
static Note *
find_note(int nest_level, int32 queue, int32 minute)
{
	for (int i = note_count - 1; i >= 0 && notes[i].nest_level == nest_level; i--)
	{
		const CounterDelta *delta = &notes[i].delta;

		if (delta->queue == queue && (minute == 0 || delta->minute == 0 || delta->minute == minute))
			return &notes[i];
	}
	return NULL;
}

/* note_for finds or adds the note that takes what happens now. */
static Note *
note_for(int32 org, int32 queue, int32 minute)
{
	int	  nest_level = GetCurrentTransactionNestLevel();
	Note *note = find_note(nest_level, queue, minute);

	if (note == NULL)
	{
		make_room();
		note = &notes[note_count++];
		memset(note, 0, sizeof(*note));
		note->nest_level = nest_level;
		note->delta.queue = queue;
	}
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

/* fold adds one note to another of the same queue. */
static void
fold(Note *into, const Note *from)
{
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
	int count = note_count;

	note_count = 0;
	for (int i = 0; i < count; i++)
		take(&notes[i].delta, arg);
}

/* settle_orgs adds to the organizations, each once: what it reserved ends with what it did. */
static void
settle_orgs(void)
{
	for (int first = 0; first < note_count; first++)
	{
		UsageCount done = {0};
		int32	   org = notes[first].delta.org;

		if (notes[first].settled || org == NO_ORG)
			continue;
		for (int i = first; i < note_count; i++)
			if (notes[i].delta.org == org)
			{
				done.active += spl_counters_active(notes[i].delta.count);
				done.created += notes[i].delta.total[TOTAL_ENQUEUED];
				notes[i].settled = true;
			}
		spl_usage_settle(org, done);
	}
}

static void
at_commit(void)
{
	settle_orgs();
	for (int i = 0; i < note_count; i++)
	{
		if (notes[i].delta.org != NO_ORG)
			spl_counters_add(&notes[i].delta);
		if (notes[i].forget)
			spl_counters_drop_empty(notes[i].delta.queue);
	}
	if (noted_again)
		spl_counters_ask_recount();
	note_count = 0;
	noted_again = false;
}

static void
at_abort(void)
{
	note_count = 0;
	noted_again = false;
}

/* first_note_of returns where the notes of a level and of those below it begin. */
static int
first_note_of(int nest_level)
{
	int first = note_count;

	while (first > 0 && notes[first - 1].nest_level >= nest_level)
		first--;
	return first;
}

static void
at_subxact_commit(int nest_level)
{
	int first = first_note_of(nest_level);
	int count = note_count;

	note_count = first;
	for (int i = first; i < count; i++)
	{
		Note *above = find_note(nest_level - 1, notes[i].delta.queue, notes[i].delta.minute);

		if (above)
			fold(above, &notes[i]);
		else
		{
			notes[note_count] = notes[i];
			notes[note_count++].nest_level = nest_level - 1;
		}
	}
}

static void
at_subxact_abort(int nest_level)
{
	note_count = first_note_of(nest_level);
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

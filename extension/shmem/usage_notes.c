/*
 * usage_notes.c
 *    What the running transaction has reserved, in this backend's memory.
 *
 * A note for each organization and nest level, in the order of the levels.  A rollback gives the notes of its level and of
 * those below it back; the commit of a savepoint hands them to the level above; at the transaction's commit the counters take
 * them together with what was done.  A transaction with notes can't be prepared: nobody would be there to end them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "shmem/usage_notes.h"
#include "utils/memutils.h"

#define FIRST_ROOM 8

static UsageNote *notes = NULL;
static int		  note_count = 0;
static int		  note_room = 0;

void
spl_usage_notes_make_room(void)
{
	if (note_room == 0)
	{
		notes = MemoryContextAlloc(TopMemoryContext, sizeof(UsageNote) * FIRST_ROOM);
		note_room = FIRST_ROOM;
	}
	else if (note_count == note_room)
	{
		notes = repalloc_huge(notes, sizeof(UsageNote) * 2 * note_room);
		note_room *= 2;
	}
}

/* find_note returns the note of a level for an organization, searching from the end. */
static UsageNote *
find_note(int nest_level, int32 org, int32 day)
{
	for (int i = note_count - 1; i >= 0 && notes[i].nest_level == nest_level; i--)
		if (notes[i].org == org && notes[i].day == day)
			return &notes[i];
	return NULL;
}

static void
add(UsageCount *count, UsageCount more, int sign)
{
	count->active += sign * more.active;
	count->created += sign * more.created;
}

/* note_for finds or adds the note of this level; there is room. */
static UsageNote *
note_for(int32 org, int32 day)
{
	int		   nest_level = GetCurrentTransactionNestLevel();
	UsageNote *note = find_note(nest_level, org, day);

	if (note == NULL)
	{
		note = &notes[note_count++];
		*note = (UsageNote) {.org = org, .day = day, .nest_level = nest_level};
	}
	return note;
}

void
spl_usage_note(int32 org, int32 day, UsageCount count)
{
	add(&note_for(org, day)->count, count, 1);
}

/* A second reset in a transaction takes the place of the first: it was told the same number, or a later one. */
void
spl_usage_forget_note(int32 org, int32 day, int64 created)
{
	note_for(org, day)->forgotten = created;
}

/* Of a transaction that reserved on both sides of midnight, the later day counts; the earlier one's numbers are gone. */
UsageNote
spl_usage_note_take(int32 org)
{
	UsageNote taken = {.org = org};
	int		  kept = 0;

	for (int i = 0; i < note_count; i++)
	{
		if (notes[i].org != org)
		{
			notes[kept++] = notes[i];
			continue;
		}
		taken.count.active += notes[i].count.active;
		if (notes[i].day > taken.day)
		{
			taken.day = notes[i].day;
			taken.count.created = 0;
			taken.forgotten = 0;
		}
		if (notes[i].day == taken.day)
		{
			taken.count.created += notes[i].count.created;
			taken.forgotten = Max(taken.forgotten, notes[i].forgotten);
		}
	}
	note_count = kept;
	return taken;
}

const UsageNote *
spl_usage_note_at(int i)
{
	return i < note_count ? &notes[i] : NULL;
}

UsageCount
spl_usage_reserved_here(int32 org)
{
	UsageCount sum = {0};

	for (int i = 0; i < note_count; i++)
		if (notes[i].org == org)
			add(&sum, notes[i].count, 1);
	return sum;
}

void
spl_usage_give_back(int32 org, UsageCount unused)
{
	int nest_level = GetCurrentTransactionNestLevel();

	for (int i = note_count - 1; i >= 0 && notes[i].nest_level == nest_level; i--)
		if (notes[i].org == org)
		{
			add(&notes[i].count, unused, -1);
			spl_usage_release(org, notes[i].day, unused);
			return;
		}
}

/* give_back_from gives everything back from the note with this number on. */
static void
give_back_from(int first)
{
	while (note_count > first)
	{
		UsageNote *note = &notes[--note_count];

		spl_usage_release(note->org, note->day, note->count);
	}
}

/* at_commit ends what was reserved and then not used at all, and does the resets of who added nothing. */
static void
at_commit(void)
{
	while (note_count > 0)
		spl_usage_settle(notes[note_count - 1].org, (UsageCount) {0});
}

static void
at_abort(void)
{
	give_back_from(0);
}

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
		UsageNote *above = find_note(nest_level - 1, notes[i].org, notes[i].day);

		if (above)
		{
			add(&above->count, notes[i].count, 1);
			above->forgotten = Max(above->forgotten, notes[i].forgotten);
		}
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
	give_back_from(first_note_of(nest_level));
}

/* at_prepare: prepared_usage.c has taken over. */
static void
at_prepare(void)
{
	note_count = 0;
}

void
spl_usage_init(void)
{
	static const XactEndSteps steps = {
		.prepare = at_prepare,
		.commit = at_commit,
		.abort = at_abort,
		.subxact_commit = at_subxact_commit,
		.subxact_abort = at_subxact_abort,
	};

	spl_xact_end_add(&steps);
}

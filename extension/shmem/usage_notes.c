/*
 * usage_notes.c
 *    What the running transaction has reserved, in this backend's memory.
 *
 * A note for each organization, day and nest level.  A rollback gives the notes of its level and of those below it back; at the
 * transaction's commit the counters take them together with what was done.  A transaction with notes can't be prepared: nobody would be there to end them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "shmem/usage_notes.h"

static void
add(UsageCount *count, UsageCount more, int sign)
{
	count->active += sign * more.active;
	count->created += sign * more.created;
}

static bool
is_same(const void *note, const void *other)
{
	const UsageNote *a = note;
	const UsageNote *b = other;

	return a->org == b->org && a->day == b->day;
}

static void
fold(void *note, const void *other)
{
	UsageNote		*into = note;
	const UsageNote *from = other;

	add(&into->count, from->count, 1);
	into->forgotten = Max(into->forgotten, from->forgotten);
}

static NoteStack notes = {.size = sizeof(UsageNote), .is_same = is_same, .fold = fold};

static UsageNote *
note_at(int i)
{
	return spl_note_at(&notes, i);
}

void
spl_usage_notes_make_room(void)
{
	spl_note_make_room(&notes);
}

/* note_for finds or adds the note of this level; there is room. */
static UsageNote *
note_for(int32 org, int32 day)
{
	UsageNote note = {.org = org, .day = day};

	return spl_note_for(&notes, &note);
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

	for (int i = 0; i < notes.count; i++)
	{
		const UsageNote *note = note_at(i);

		if (note->org != org)
		{
			*note_at(kept++) = *note;
			continue;
		}
		taken.count.active += note->count.active;
		if (note->day > taken.day)
		{
			taken.day = note->day;
			taken.count.created = 0;
			taken.forgotten = 0;
		}
		if (note->day == taken.day)
		{
			taken.count.created += note->count.created;
			taken.forgotten = Max(taken.forgotten, note->forgotten);
		}
	}
	notes.count = kept;
	return taken;
}

const UsageNote *
spl_usage_note_at(int i)
{
	return i < notes.count ? note_at(i) : NULL;
}

UsageCount
spl_usage_reserved_here(int32 org)
{
	UsageCount sum = {0};

	for (int i = 0; i < notes.count; i++)
		if (note_at(i)->org == org)
			add(&sum, note_at(i)->count, 1);
	return sum;
}

void
spl_usage_give_back(int32 org, UsageCount unused)
{
	int nest_level = GetCurrentTransactionNestLevel();

	for (int i = notes.count - 1; i >= 0 && note_at(i)->head.nest_level == nest_level; i--)
		if (note_at(i)->org == org)
		{
			add(&note_at(i)->count, unused, -1);
			spl_usage_release(org, note_at(i)->day, unused);
			return;
		}
}

/* give_back_from gives everything back from the note with this number on. */
static void
give_back_from(int first)
{
	while (notes.count > first)
	{
		UsageNote *note = note_at(--notes.count);

		spl_usage_release(note->org, note->day, note->count);
	}
}

/* at_commit ends what was reserved and then not used at all, and does the resets of who added nothing. */
static void
at_commit(void)
{
	while (notes.count > 0)
		spl_usage_settle(note_at(notes.count - 1)->org, (UsageCount) {0});
}

static void
at_abort(void)
{
	give_back_from(0);
}

static void
at_subxact_commit(int nest_level)
{
	spl_note_raise(&notes, nest_level);
}

static void
at_subxact_abort(int nest_level)
{
	give_back_from(spl_note_first_of(&notes, nest_level));
}

/* at_prepare: prepared_usage.c has taken over. */
static void
at_prepare(void)
{
	notes.count = 0;
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

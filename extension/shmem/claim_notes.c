/*
 * claim_notes.c
 *    What this transaction makes claimable, and what it takes: told to the claim lists when it is over.
 *
 * The lists are told before the waiters (wake.c), who then look there.
 *
 * Of each queue, priority and savepoint only the first position in claim order is noted, since the index is read on from
 * there, and of a queue with more priorities than its list can have only that.  A transaction with more notes than there is
 * room for makes all lists of the database be read anew, which under an old snapshot passes over all that was taken since.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "shmem/claim_list.h"
#include "shmem/claim_notes.h"
#include "shmem/wake.h"

#define NOTES_MAX 1024 /* as many queues as one turn of the sweep may find due */
#define ANY_PRIORITY PG_INT16_MAX

typedef struct Note
{
	int32	  queue;
	int16	  priority;
	int		  level; /* savepoint depth */
	pg_uuid_t job_id;
} Note;

typedef struct NoteSet
{
	int	 count;
	bool overflowed;
	Note notes[NOTES_MAX];
} NoteSet;

static NoteSet made;
static NoteSet taken;

/* drop_queue drops what was noted of a queue at one savepoint depth. */
static void
drop_queue(NoteSet *set, int32 queue, int level)
{
	int left = 0;

	for (int i = 0; i < set->count; i++)
		if (set->notes[i].queue != queue || set->notes[i].level != level)
			set->notes[left++] = set->notes[i];
	set->count = left;
}

/* add remembers the lowest position of a queue and priority at a savepoint depth. */
static void
add(NoteSet *set, Note new)
{
	int priorities = 0;

	for (int i = set->count - 1; i >= 0; i--)
	{
		Note *known = &set->notes[i];

		if (known->queue != new.queue || known->level != new.level)
			continue;
		if (known->priority == new.priority || known->priority == ANY_PRIORITY)
		{
			if (memcmp(new.job_id.data, known->job_id.data, UUID_LEN) < 0)
				known->job_id = new.job_id;
			return;
		}
		priorities++;
	}
	if (priorities == CLAIM_LIST_LEVELS)
	{
		drop_queue(set, new.queue, new.level);
		new.priority = ANY_PRIORITY;
	}
	if (set->count == NOTES_MAX)
		set->overflowed = true;
	else
		set->notes[set->count++] = new;
}

static void
note(NoteSet *set, int32 queue, int16 priority, const pg_uuid_t *job_id)
{
	add(set,
		(Note) {.queue = queue, .priority = priority, .level = GetCurrentTransactionNestLevel(), .job_id = *job_id});
}

void
spl_ready_note(int32 queue, int16 priority, const pg_uuid_t *job_id)
{
	note(&made, queue, priority, job_id);
	spl_wake_note(queue);
}

void
spl_ready_note_taken(int32 queue, int16 priority, const pg_uuid_t *job_id)
{
	note(&taken, queue, priority, job_id);
	spl_wake_note_taken(queue);
}

void
spl_ready_note_held(int32 queue, int16 priority, const pg_uuid_t *job_id)
{
	spl_ready_note(queue, priority, job_id);
	spl_ready_note_taken(queue, priority, job_id);
}

void
spl_ready_note_any(void)
{
	made.overflowed = true;
	spl_wake_note_any();
}

bool
spl_ready_is_noted(int32 queue)
{
	for (int i = 0; i < made.count; i++)
		if (made.notes[i].queue == queue)
			return true;
	return made.overflowed;
}

/* tell_all hands a set of notes from "level" on to the lists. */
static void
tell_all(NoteSet *set, int level)
{
	int left = 0;

	if (set->overflowed)
		spl_claim_list_forget_all();
	for (int i = 0; i < set->count; i++)
	{
		const Note *told = &set->notes[i];

		if (told->level < level)
			set->notes[left++] = *told;
		else if (told->priority == ANY_PRIORITY)
			spl_claim_list_forget(told->queue);
		else
			spl_claim_list_found(told->queue, told->priority, &told->job_id);
	}
	set->count = left;
	if (level <= 1)
		set->overflowed = false;
}

static void
at_commit(void)
{
	tell_all(&made, 0);
	taken.count = 0;
	taken.overflowed = false;
}

static void
at_abort(void)
{
	tell_all(&taken, 0);
	made.count = 0;
	made.overflowed = false;
}

/* raise_level gives what was noted at this depth to the one above, where the same may be noted already. */
static void
raise_level(NoteSet *set, int level)
{
	int noted = set->count;
	int first = noted;

	while (first > 0 && set->notes[first - 1].level >= level)
		first--; /* notes are in the order of their depth */
	set->count = first;
	for (int i = first; i < noted; i++)
	{
		Note raised = set->notes[i];

		raised.level = level - 1;
		add(set, raised);
	}
}

static void
at_subxact_commit(int level)
{
	raise_level(&made, level);
	raise_level(&taken, level);
}

static void
at_subxact_abort(int level)
{
	int left = 0;

	tell_all(&taken, level);
	for (int i = 0; i < made.count; i++)
		if (made.notes[i].level < level)
			made.notes[left++] = made.notes[i];
	made.count = left;
}

void
spl_claim_notes_init(void)
{
	static const XactEndSteps steps = {.commit = at_commit,
									   .abort = at_abort,
									   .subxact_commit = at_subxact_commit,
									   .subxact_abort = at_subxact_abort};

	spl_xact_end_add(&steps);
}

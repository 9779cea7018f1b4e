/*
 * claim_notes.c
 *    What this transaction makes claimable, and what it takes: told to the claim lists when it is over.
 *
 * The lists are told before the waiters (wake.c), who then look there.
 *
 * Of each queue, priority and savepoint only the first position in claim order is noted, since the index is read on from
 * there.  A transaction with more than that many makes the lists of the database be read anew.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/xact_end.h"
#include "shmem/claim_list.h"
#include "shmem/claim_notes.h"
#include "shmem/wake.h"

#define NOTES_MAX 64

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

/* note remembers the lowest position of a queue and priority at this savepoint depth. */
static void
note(NoteSet *set, int32 queue, int16 priority, const pg_uuid_t *job_id)
{
	int level = GetCurrentTransactionNestLevel();

	for (int i = set->count - 1; i >= 0; i--)
	{
		Note *known = &set->notes[i];

		if (known->queue == queue && known->priority == priority && known->level == level)
		{
			if (memcmp(job_id->data, known->job_id.data, UUID_LEN) < 0)
				known->job_id = *job_id;
			return;
		}
	}
	if (set->count == NOTES_MAX)
		set->overflowed = true;
	else
		set->notes[set->count++] = (Note) {.queue = queue, .priority = priority, .level = level, .job_id = *job_id};
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
		if (set->notes[i].level >= level)
			spl_claim_list_found(set->notes[i].queue, set->notes[i].priority, &set->notes[i].job_id);
		else
			set->notes[left++] = set->notes[i];
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

static void
raise_level(NoteSet *set, int level)
{
	for (int i = 0; i < set->count; i++)
		if (set->notes[i].level >= level)
			set->notes[i].level = level - 1;
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

/*
 * wake.c
 *    Noting wake-ups during a transaction, and telling them at its end.
 *
 * Notes live in fixed memory, so that the commit step, where an error would be a PANIC, neither allocates nor raises.  A
 * transaction that touches more queues than there is room for tells "any queue".  What a rolled back savepoint noted is
 * dropped; of due times only the earliest is kept, since the worker that is woken for nothing finds that out by itself.
 *
 * PREPARE TRANSACTION ends the notes without telling them: the jobs are not visible yet, and COMMIT PREPARED may come from
 * another session or after a restart.  database_hook.c therefore tells "any queue, and something may be due" at every COMMIT
 * PREPARED and ROLLBACK PREPARED.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "port/atomics.h"
#include "shmem/database.h"
#include "shmem/subscription.h"
#include "shmem/waiter.h"
#include "shmem/wake.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define NOTES_MAX 64

typedef struct Note
{
	int32 queue;
	int	  level; /* the savepoint depth it belongs to */
} Note;

typedef struct NoteSet
{
	int	 count;
	int	 any_level; /* 0: only the queues below; else "any queue", noted at this depth */
	Note notes[NOTES_MAX];
} NoteSet;

static NoteSet	   made;  /* claimable when the transaction commits */
static NoteSet	   taken; /* claimable when it does not */
static TimestampTz noted_due = DT_NOEND;

static pg_atomic_uint64 *next_due = NULL; /* by slot; TimestampTz, DT_NOEND: the worker knows of nothing */

/* note adds a queue.  Deeper savepoints have ended, so what is there already covers this depth. */
static void
note(NoteSet *set, int32 queue)
{
	if (set->any_level != 0)
		return;
	for (int i = set->count - 1; i >= 0; i--)
		if (set->notes[i].queue == queue)
			return;
	if (set->count == NOTES_MAX)
		set->any_level = GetCurrentTransactionNestLevel();
	else
		set->notes[set->count++] = (Note) {.queue = queue, .level = GetCurrentTransactionNestLevel()};
}

void
spl_wake_note(int32 queue)
{
	note(&made, queue);
}

void
spl_wake_note_any(void)
{
	if (made.any_level == 0)
		made.any_level = GetCurrentTransactionNestLevel();
}

void
spl_wake_note_taken(int32 queue)
{
	note(&taken, queue);
}

void
spl_due_note(TimestampTz due)
{
	noted_due = Min(noted_due, due);
}

static void
tell(int slot, int32 queue)
{
	spl_waiter_tell(queue);
	if (slot != SPL_NO_SLOT && spl_subscription_exists(slot))
		spl_subscription_pend(slot, queue);
}

static void
tell_any(int slot)
{
	spl_waiter_tell_any();
	if (slot != SPL_NO_SLOT && spl_subscription_exists(slot))
		spl_subscription_pend_any(slot);
}

/* tell_notes tells what was noted at this depth or below. */
static void
tell_notes(const NoteSet *set, int level)
{
	int slot;

	if (set->count == 0 && set->any_level == 0)
		return;
	slot = spl_database_slot();
	pg_memory_barrier(); /* what is told is visible before anybody is asked whether he listens */
	if (set->any_level >= level)
		tell_any(slot);
	else
		for (int i = 0; i < set->count; i++)
			if (set->notes[i].level >= level)
				tell(slot, set->notes[i].queue);
}

/* drop_notes drops what was noted at this depth or below. */
static void
drop_notes(NoteSet *set, int level)
{
	while (set->count > 0 && set->notes[set->count - 1].level >= level)
		set->count--; /* notes are in the order of their depth */
	if (set->any_level >= level)
		set->any_level = 0;
}

/* raise_notes gives what was noted at this depth to the one above. */
static void
raise_notes(NoteSet *set, int level)
{
	for (int i = set->count - 1; i >= 0 && set->notes[i].level >= level; i--)
		set->notes[i].level = level - 1;
	if (set->any_level >= level)
		set->any_level = level - 1;
}

static void
forget(void)
{
	drop_notes(&made, 0);
	drop_notes(&taken, 0);
	noted_due = DT_NOEND;
}

static void
tell_due(void)
{
	int slot;

	if (noted_due == DT_NOEND || (slot = spl_database_slot()) == SPL_NO_SLOT)
		return;
	if (spl_due_lower(slot, noted_due))
		spl_database_wake_worker(slot);
}

/* at_end tells: what was made when it is committed, what was taken when it is not (or is prepared, then in vain). */
static void
at_end(bool committed)
{
	tell_notes(committed ? &made : &taken, 1);
	if (committed)
		tell_due();
	forget();
}

static void
at_subxact_commit(int level)
{
	raise_notes(&made, level);
	raise_notes(&taken, level);
}

static void
at_subxact_abort(int level)
{
	tell_notes(&taken, level);
	drop_notes(&made, level);
	drop_notes(&taken, level);
}

void
spl_due_reset(int slot)
{
	pg_atomic_write_u64(&next_due[slot], (uint64) DT_NOEND);
	pg_memory_barrier();
}

TimestampTz
spl_due_next(int slot)
{
	return (TimestampTz) pg_atomic_read_u64(&next_due[slot]);
}

bool
spl_due_lower(int slot, TimestampTz due)
{
	uint64 known = pg_atomic_read_u64(&next_due[slot]);

	while (due < (TimestampTz) known)
		if (pg_atomic_compare_exchange_u64(&next_due[slot], &known, (uint64) due))
			return true;
	return false;
}

Size
spl_wake_shmem_size(void)
{
	return mul_size(sizeof(pg_atomic_uint64), spooled_max_databases);
}

void
spl_wake_shmem_startup(void)
{
	bool found;

	next_due = ShmemInitStruct("spooled due times", spl_wake_shmem_size(), &found);
	if (!found)
		for (int slot = 0; slot < spooled_max_databases; slot++)
			pg_atomic_init_u64(&next_due[slot], (uint64) DT_NOEND);
}

void
spl_wake_init(void)
{
	static const XactEndSteps steps = {
		.over = at_end,
		.subxact_commit = at_subxact_commit,
		.subxact_abort = at_subxact_abort,
	};

	spl_xact_end_add(&steps);
}

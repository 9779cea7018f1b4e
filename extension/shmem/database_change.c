/*
 * database_change.c
 *    What a transaction changes about databases: noted or held now, done when it ends.
 *
 * A hold ends a database's worker and keeps it away: DROP, RENAME and TEMPLATE want nobody connected.  It counts in the slot,
 * so several transactions may hold one, and each lets go at its end, however it ends.
 *
 * "Extension created", "extension dropped" and "database copied" are all the same message: have a look.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "shmem/database_change.h"
#include "shmem/database_start.h"
#include "shmem/database_table.h"
#include "shmem/shmem.h"
#include "storage/latch.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define HOLD_POLITE_MS 1000 /* then SIGTERM, which ends waits for locks too */
#define HOLD_PATIENCE_MS 10000
#define HOLD_POLL_MS 5

static bool	 noted_change = false;
static bool	 noted_scan = false;
static bool *held = NULL; /* by slot */
static bool	 holds_any = false;

void
spl_database_note_change(void)
{
	noted_change = true;
}

void
spl_database_note_scan(void)
{
	noted_scan = true;
}

/* hold_slot marks the slot as held by this transaction and returns its worker's pid, 0 when there is none. */
static pid_t
hold_slot(int slot, Oid database)
{
	Database *entry = &spl_databases->slots[slot];
	pid_t	  pid = 0;

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	if (pg_atomic_read_u32(&entry->oid) == database)
	{
		if (!held[slot])
			entry->holds++;
		held[slot] = holds_any = true;
		pg_atomic_write_u32(&entry->must_leave, 1);
		pid = entry->worker_pid;
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	return pid;
}

/* is_gone tells whether a worker has left both its slot and the database. */
static bool
is_gone(int slot, pid_t pid)
{
	bool has_left;

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_SHARED);
	has_left = spl_databases->slots[slot].worker_pid != pid;
	LWLockRelease(spl_lock(LOCK_DATABASES));
	return has_left && BackendPidGetProc(pid) == NULL;
}

/* wait_until_gone waits for a worker that has been told to leave. */
static void
wait_until_gone(int slot, pid_t pid)
{
	static uint32 wait_event = 0;
	TimestampTz	  start = spl_clock_now();
	bool		  was_told_twice = false;

	while (!is_gone(slot, pid))
	{
		TimestampTz now = spl_clock_now();

		if (TimestampDifferenceExceeds(start, now, HOLD_PATIENCE_MS))
			break;
		if (!was_told_twice && TimestampDifferenceExceeds(start, now, HOLD_POLITE_MS))
		{
			kill(pid, SIGTERM);
			was_told_twice = true;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, HOLD_POLL_MS,
						 spl_wait_event(&wait_event, "SpooledWorkerEnd"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
spl_database_hold(Oid database)
{
	int	  slot;
	pid_t pid;

	if (spl_databases == NULL || (slot = spl_database_find(database)) == SPL_NO_SLOT)
		return;
	if (held == NULL)
		held = MemoryContextAllocZero(TopMemoryContext, sizeof(bool) * spooled_max_databases);
	pid = hold_slot(slot, database);
	if (pid == 0)
		return;
	spl_database_wake_worker(slot);
	wait_until_gone(slot, pid);
}

/* release_holds lets the workers come back. */
static void
release_holds(void)
{
	if (!holds_any)
		return;
	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	for (int i = 0; i < spooled_max_databases; i++)
	{
		Database *entry = &spl_databases->slots[i];

		if (held[i] && entry->holds > 0 && --entry->holds == 0)
		{
			pg_atomic_write_u32(&entry->must_leave, 0);
			entry->start_at = DT_NOBEGIN;
		}
		held[i] = false;
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	holds_any = false;
	spl_launcher_wake();
}

/* refuse_prepared: who says COMMIT PREPARED later, perhaps after a restart, knows nothing of what was noted here. */
static void
refuse_prepared(void)
{
	if (noted_change)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that created or dropped extension \"spooled\"")));
}

/* look_at_change has somebody look whether this database has the extension. */
static void
look_at_change(void)
{
	int slot = spl_database_assign(MyDatabaseId);

	if (slot == SPL_NO_SLOT)
		return;
	pg_atomic_write_u32(&spl_databases->slots[slot].must_look, 1);
	spl_database_wake_worker(slot);
}

static void
at_end(bool committed)
{
	if (committed && noted_change)
		look_at_change();
	if (committed && noted_scan)
		spl_scan_want();
	noted_change = noted_scan = false;
	release_holds();
}

void
spl_database_change_init(void)
{
	static const XactEndSteps steps = {.pre_prepare = refuse_prepared, .over = at_end};

	spl_xact_end_add(&steps);
}

/*
 * database.c
 *    A slot for each database that uses the extension.
 *
 * LOCK_DATABASES guards every field that is not an atomic; nobody waits or touches a table while holding it.  A slot's oid
 * is changed under the lock and read without it by sessions of that very database: a session that is just losing its slot
 * can at worst wake a stranger once.  For the same reason latches are set by process number without asking who has it now.
 *
 * The launcher starts a worker for every slot without one, unless somebody holds the slot; whether the database really has
 * the extension is for the worker to find out, which then gives the slot up.  So "extension created", "extension dropped"
 * and "database copied" are all the same message: have a look.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shmem/counters.h"
#include "shmem/database.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "shmem/wake.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ARRIVAL_PATIENCE_MS 5000 /* how long a started worker may take to arrive */
#define RESTART_DELAY_MS 1000
#define HOLD_POLITE_MS 1000 /* then SIGTERM, which ends waits for locks too */
#define HOLD_PATIENCE_MS 10000
#define HOLD_POLL_MS 5

typedef struct Database
{
	pg_atomic_uint32 oid;		  /* InvalidOid: free */
	pg_atomic_uint32 worker_proc; /* SPL_NO_PROC: none */
	pg_atomic_uint32 must_leave;  /* somebody holds the slot */
	pg_atomic_uint32 must_look;
	uint32			 incarnation;
	pid_t			 worker_pid; /* 0: none */
	int				 holds;
	TimestampTz		 start_at; /* when there is no worker: not before this time */
} Database;

typedef struct Databases
{
	pg_atomic_uint32 launcher_proc; /* SPL_NO_PROC: none */
	pg_atomic_uint32 scan;			/* SplScanState */
	pg_atomic_uint32 were_short;
	Database		 slots[FLEXIBLE_ARRAY_MEMBER];
} Databases;

static Databases *shared = NULL;

/* What this transaction does when it ends. */
static bool	 noted_change = false;
static bool	 noted_scan = false;
static bool *held = NULL; /* by slot */
static bool	 holds_any = false;

static int arrived_slot = SPL_NO_SLOT; /* of a worker */

static void
set_latch_of(pg_atomic_uint32 *proc)
{
	uint32 number = pg_atomic_read_u32(proc);

	if (number != (uint32) SPL_NO_PROC)
		SetLatch(&GetPGProcByNumber(number)->procLatch);
}

static void
wake_launcher(void)
{
	set_latch_of(&shared->launcher_proc);
}

/* find returns the slot of a database. */
static int
find(Oid database)
{
	for (int i = 0; i < spooled_max_databases; i++)
		if (pg_atomic_read_u32(&shared->slots[i].oid) == database)
			return i;
	return SPL_NO_SLOT;
}

int
spl_database_slot(void)
{
	static int known = SPL_NO_SLOT;

	if (shared == NULL || !OidIsValid(MyDatabaseId))
		return SPL_NO_SLOT;
	if (known == SPL_NO_SLOT || pg_atomic_read_u32(&shared->slots[known].oid) != MyDatabaseId)
		known = find(MyDatabaseId);
	return known;
}

/* open_slot makes a free slot the database's. */
static void
open_slot(int slot, Oid database)
{
	Database *entry = &shared->slots[slot];

	entry->incarnation++;
	entry->worker_pid = 0;
	entry->holds = 0;
	entry->start_at = DT_NOBEGIN;
	pg_atomic_write_u32(&entry->worker_proc, SPL_NO_PROC);
	pg_atomic_write_u32(&entry->must_leave, 0);
	pg_atomic_write_u32(&entry->must_look, 0);
	spl_subscription_reset(slot);
	spl_due_reset(slot);
	pg_write_barrier();
	pg_atomic_write_u32(&entry->oid, database);
}

int
spl_database_assign(Oid database)
{
	int slot;

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	slot = find(database);
	if (slot == SPL_NO_SLOT)
	{
		slot = find(InvalidOid);
		if (slot != SPL_NO_SLOT)
			open_slot(slot, database);
		else
			pg_atomic_write_u32(&shared->were_short, 1);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	wake_launcher();
	return slot;
}

uint32
spl_database_incarnation(int slot)
{
	return shared->slots[slot].incarnation;
}

void
spl_database_wake_worker(int slot)
{
	set_latch_of(&shared->slots[slot].worker_proc);
}

bool
spl_database_has_worker(int slot)
{
	return pg_atomic_read_u32(&shared->slots[slot].worker_proc) != (uint32) SPL_NO_PROC;
}

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
	Database *entry = &shared->slots[slot];
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
	has_left = shared->slots[slot].worker_pid != pid;
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

	if (shared == NULL || (slot = find(database)) == SPL_NO_SLOT)
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
		Database *entry = &shared->slots[i];

		if (held[i] && entry->holds > 0 && --entry->holds == 0)
		{
			pg_atomic_write_u32(&entry->must_leave, 0);
			entry->start_at = DT_NOBEGIN;
		}
		held[i] = false;
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	holds_any = false;
	wake_launcher();
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
	pg_atomic_write_u32(&shared->slots[slot].must_look, 1);
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

/* leave is the worker's last word; after a failure the next one starts a little later. */
static void
leave(int code, Datum arg)
{
	Database *entry = &shared->slots[arrived_slot];

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	if (entry->worker_pid == MyProcPid)
	{
		entry->worker_pid = 0;
		pg_atomic_write_u32(&entry->worker_proc, SPL_NO_PROC);
		entry->start_at = code == 0 ? DT_NOBEGIN : TimestampTzPlusMilliseconds(spl_clock_now(), RESTART_DELAY_MS);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	wake_launcher();
}

bool
spl_database_worker_arrive(Oid database, int *slot)
{
	Database *entry;
	bool	  is_wanted = false;

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	*slot = find(database);
	if (*slot != SPL_NO_SLOT)
	{
		entry = &shared->slots[*slot];
		is_wanted = entry->holds == 0 && entry->worker_pid == 0;
		if (is_wanted)
		{
			entry->worker_pid = MyProcPid;
			pg_atomic_write_u32(&entry->worker_proc, spl_my_proc_number());
		}
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	if (is_wanted)
	{
		arrived_slot = *slot;
		before_shmem_exit(leave, (Datum) 0);
	}
	return is_wanted;
}

bool
spl_database_worker_must_leave(int slot)
{
	return pg_atomic_read_u32(&shared->slots[slot].must_leave) != 0;
}

bool
spl_database_must_look(int slot)
{
	pg_atomic_uint32 *must_look = &shared->slots[slot].must_look;

	return pg_atomic_read_u32(must_look) != 0 && pg_atomic_exchange_u32(must_look, 0) != 0;
}

void
spl_database_give_up(int slot, Oid database)
{
	Database *entry = &shared->slots[slot];
	bool	  is_freed = false;

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	/* Whoever changed something since this process looked wants another look; whoever holds the slot still needs it. */
	if (pg_atomic_read_u32(&entry->oid) == database && entry->holds == 0 &&
		pg_atomic_read_u32(&entry->must_look) == 0 && (entry->worker_pid == 0 || entry->worker_pid == MyProcPid))
	{
		entry->worker_pid = 0;
		pg_atomic_write_u32(&entry->worker_proc, SPL_NO_PROC);
		pg_atomic_write_u32(&entry->oid, InvalidOid);
		is_freed = true;
		/* A database that found no slot may have this one. */
		if (pg_atomic_exchange_u32(&shared->were_short, 0) != 0)
			pg_atomic_write_u32(&shared->scan, SCAN_WANTED);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	if (is_freed)
		spl_counters_forget_database(database);
	wake_launcher();
}

static void
launcher_leave(int code, Datum arg)
{
	pg_atomic_write_u32(&shared->launcher_proc, SPL_NO_PROC);
}

void
spl_launcher_arrive(void)
{
	pg_atomic_write_u32(&shared->launcher_proc, spl_my_proc_number());
	before_shmem_exit(launcher_leave, (Datum) 0);
}

int
spl_launcher_next_start(TimestampTz now, Oid *database, TimestampTz *when)
{
	int found = SPL_NO_SLOT;

	*when = DT_NOEND;
	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	for (int i = 0; i < spooled_max_databases && found == SPL_NO_SLOT; i++)
	{
		Database *entry = &shared->slots[i];

		*database = pg_atomic_read_u32(&entry->oid);
		if (!OidIsValid(*database) || entry->worker_pid != 0 || entry->holds > 0)
			continue;
		if (entry->start_at > now)
		{
			*when = Min(*when, entry->start_at);
			continue;
		}
		entry->start_at = TimestampTzPlusMilliseconds(now, ARRIVAL_PATIENCE_MS);
		pg_atomic_write_u32(&entry->must_look, 0); /* a new worker looks anyway */
		found = i;
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	return found;
}

void
spl_launcher_start_failed(int slot, TimestampTz again)
{
	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	shared->slots[slot].start_at = again;
	LWLockRelease(spl_lock(LOCK_DATABASES));
}

SplScanState
spl_scan_state(void)
{
	return pg_atomic_read_u32(&shared->scan);
}

void
spl_scan_want(void)
{
	pg_atomic_write_u32(&shared->scan, SCAN_WANTED);
	wake_launcher();
}

void
spl_scan_started(void)
{
	pg_atomic_write_u32(&shared->scan, SCAN_RUNNING);
}

/* spl_scan_done leaves a wish for another scan, which came after the one that is done had begun. */
void
spl_scan_done(void)
{
	uint32 running = SCAN_RUNNING;

	pg_atomic_compare_exchange_u32(&shared->scan, &running, SCAN_NOT_NEEDED);
	wake_launcher();
}

bool
spl_slots_were_short(void)
{
	static bool is_known = false;

	if (is_known || pg_atomic_read_u32(&shared->were_short) == 0)
		return false;
	return is_known = true;
}

Size
spl_database_shmem_size(void)
{
	return add_size(offsetof(Databases, slots), mul_size(sizeof(Database), spooled_max_databases));
}

void
spl_database_shmem_startup(void)
{
	bool found;

	shared = ShmemInitStruct("spooled databases", spl_database_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, spl_database_shmem_size());
	pg_atomic_init_u32(&shared->launcher_proc, SPL_NO_PROC);
	pg_atomic_init_u32(&shared->scan, SCAN_WANTED);
	pg_atomic_init_u32(&shared->were_short, 0);
	for (int i = 0; i < spooled_max_databases; i++)
	{
		Database *entry = &shared->slots[i];

		pg_atomic_init_u32(&entry->oid, InvalidOid);
		pg_atomic_init_u32(&entry->worker_proc, SPL_NO_PROC);
		pg_atomic_init_u32(&entry->must_leave, 0);
		pg_atomic_init_u32(&entry->must_look, 0);
	}
}

void
spl_database_init(void)
{
	static const XactEndSteps steps = {.pre_prepare = refuse_prepared, .over = at_end};

	spl_xact_end_add(&steps);
}

/*
 * database.c
 *    A slot for each database that uses the extension, and the worker in it.
 *
 * Who starts the worker is in database_start.c, who keeps it away in database_change.c.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "shmem/counters.h"
#include "shmem/database_start.h"
#include "shmem/database_table.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "shmem/wake.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define RESTART_DELAY_MS 1000

Databases *spl_databases = NULL;

static int arrived_slot = SPL_NO_SLOT; /* of a worker */

static void
set_latch_of(pg_atomic_uint32 *proc)
{
	uint32 number = pg_atomic_read_u32(proc);

	if (number != (uint32) SPL_NO_PROC)
		SetLatch(&GetPGProcByNumber(number)->procLatch);
}

void
spl_launcher_wake(void)
{
	set_latch_of(&spl_databases->launcher_proc);
}

int
spl_database_find(Oid database)
{
	for (int i = 0; i < spooled_max_databases; i++)
		if (pg_atomic_read_u32(&spl_databases->slots[i].oid) == database)
			return i;
	return SPL_NO_SLOT;
}

int
spl_database_slot(void)
{
	static int known = SPL_NO_SLOT;

	if (spl_databases == NULL || !OidIsValid(MyDatabaseId))
		return SPL_NO_SLOT;
	if (known == SPL_NO_SLOT || pg_atomic_read_u32(&spl_databases->slots[known].oid) != MyDatabaseId)
		known = spl_database_find(MyDatabaseId);
	return known;
}

/* open_slot makes a free slot the database's. */
static void
open_slot(int slot, Oid database)
{
	Database *entry = &spl_databases->slots[slot];

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
	slot = spl_database_find(database);
	if (slot == SPL_NO_SLOT)
	{
		slot = spl_database_find(InvalidOid);
		if (slot != SPL_NO_SLOT)
			open_slot(slot, database);
		else
			pg_atomic_write_u32(&spl_databases->were_short, 1);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	spl_launcher_wake();
	return slot;
}

uint32
spl_database_incarnation(int slot)
{
	return spl_databases->slots[slot].incarnation;
}

void
spl_database_wake_worker(int slot)
{
	set_latch_of(&spl_databases->slots[slot].worker_proc);
}

bool
spl_database_has_worker(int slot)
{
	return pg_atomic_read_u32(&spl_databases->slots[slot].worker_proc) != (uint32) SPL_NO_PROC;
}

/* leave is the worker's last word; after a failure the next one starts a little later. */
static void
leave(int code, Datum arg)
{
	Database *entry = &spl_databases->slots[arrived_slot];

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	if (entry->worker_pid == MyProcPid)
	{
		entry->worker_pid = 0;
		pg_atomic_write_u32(&entry->worker_proc, SPL_NO_PROC);
		entry->start_at = code == 0 ? DT_NOBEGIN : TimestampTzPlusMilliseconds(spl_clock_now(), RESTART_DELAY_MS);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	spl_launcher_wake();
}

bool
spl_database_worker_arrive(Oid database, int *slot)
{
	Database *entry;
	bool	  is_wanted = false;

	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	*slot = spl_database_find(database);
	if (*slot != SPL_NO_SLOT)
	{
		entry = &spl_databases->slots[*slot];
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
	return pg_atomic_read_u32(&spl_databases->slots[slot].must_leave) != 0;
}

bool
spl_database_must_look(int slot)
{
	pg_atomic_uint32 *must_look = &spl_databases->slots[slot].must_look;

	return pg_atomic_read_u32(must_look) != 0 && pg_atomic_exchange_u32(must_look, 0) != 0;
}

void
spl_database_give_up(int slot, Oid database)
{
	Database *entry = &spl_databases->slots[slot];
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
		if (pg_atomic_exchange_u32(&spl_databases->were_short, 0) != 0)
			pg_atomic_write_u32(&spl_databases->scan, SCAN_WANTED);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	if (is_freed)
		spl_counters_forget_database(database);
	spl_launcher_wake();
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

	spl_databases = ShmemInitStruct("spooled databases", spl_database_shmem_size(), &found);
	if (found)
		return;
	memset(spl_databases, 0, spl_database_shmem_size());
	pg_atomic_init_u32(&spl_databases->launcher_proc, SPL_NO_PROC);
	pg_atomic_init_u32(&spl_databases->scan, SCAN_WANTED);
	pg_atomic_init_u32(&spl_databases->were_short, 0);
	for (int i = 0; i < spooled_max_databases; i++)
	{
		Database *entry = &spl_databases->slots[i];

		pg_atomic_init_u32(&entry->oid, InvalidOid);
		pg_atomic_init_u32(&entry->worker_proc, SPL_NO_PROC);
		pg_atomic_init_u32(&entry->must_leave, 0);
		pg_atomic_init_u32(&entry->must_look, 0);
	}
}

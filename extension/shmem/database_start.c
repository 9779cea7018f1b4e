/*
 * database_start.c
 *    The launcher's side of the database slots: whose worker to start now, and whether to look at all databases.
 *
 * The launcher starts a worker for every slot without one, unless somebody holds the slot; whether the database really has
 * the extension is for the worker to find out, which then gives the slot up.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "shmem/database_start.h"
#include "shmem/database_table.h"
#include "shmem/shmem.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#define ARRIVAL_PATIENCE_MS 5000 /* how long a started worker may take to arrive */

static void
launcher_leave(int code, Datum arg)
{
	pg_atomic_write_u32(&spl_databases->launcher_proc, SPL_NO_PROC);
}

void
spl_launcher_arrive(void)
{
	pg_atomic_write_u32(&spl_databases->launcher_proc, spl_my_proc_number());
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
		Database *entry = &spl_databases->slots[i];

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
	spl_databases->slots[slot].start_at = again;
	LWLockRelease(spl_lock(LOCK_DATABASES));
}

SplScanState
spl_scan_state(void)
{
	return pg_atomic_read_u32(&spl_databases->scan);
}

void
spl_scan_want(void)
{
	pg_atomic_write_u32(&spl_databases->scan, SCAN_WANTED);
	spl_launcher_wake();
}

void
spl_scan_started(void)
{
	pg_atomic_write_u32(&spl_databases->scan, SCAN_RUNNING);
}

/* spl_scan_done leaves a wish for another scan, which came after the one that is done had begun. */
void
spl_scan_done(void)
{
	uint32 running = SCAN_RUNNING;

	pg_atomic_compare_exchange_u32(&spl_databases->scan, &running, SCAN_NOT_NEEDED);
	spl_launcher_wake();
}

bool
spl_slots_were_short(void)
{
	static bool is_known = false;

	if (is_known || pg_atomic_read_u32(&spl_databases->were_short) == 0)
		return false;
	return is_known = true;
}

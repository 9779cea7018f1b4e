/*
 * main_loop.c
 *    The background worker of one database.
 *
 * It must never be what others wait for: its batches are small, each in a transaction of its own, and it gives up a lock it
 * does not get soon.  Announcing wake-ups comes first in every turn and again between batches, because somebody is waiting
 * for each of them.  No recovery pass at start: what a crash leaves is a lease that is found expired, and sums that are
 * counted again.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/org_context.h"
#include "bgw/leave.h"
#include "bgw/main_loop.h"
#include "bgw/tick.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "shmem/database.h"
#include "shmem/queue_request.h"
#include "shmem/wake.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/sinval.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define LONGEST_SLEEP_MS 60000

static int my_slot = SPL_NO_SLOT;

/*
 * What a database's or a role's settings could spoil.  lock_timeout is shorter than deadlock_timeout usually is, so that in
 * a deadlock with somebody's DDL this process is the one that gives in.
 */
static const char *const settings[][2] = {
	{"search_path", ""},
	{"statement_timeout", "0"},
	{"lock_timeout", "500ms"},
	{"idle_in_transaction_session_timeout", "0"},
	{"default_transaction_isolation", "read committed"},
	{"default_transaction_read_only", "off"},
	{"default_transaction_deferrable", "off"},
	{"row_security", "on"},
	{"session_replication_role", "origin"},
};

/* start_up makes this process the worker of its database, or ends it. */
static void
start_up(Oid database)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	if (!spl_database_worker_arrive(database, &my_slot))
		proc_exit(0);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	for (int i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
	spl_worker_leave_if_unwanted(my_slot, true);
	spl_org_become_background();
	spl_due_lower(my_slot, spl_clock_now()); /* nobody knows what is due */
	spl_queue_request_resume(my_slot);
}

/* wait_until sleeps until the latch is set or the time has come. */
static void
wait_until(TimestampTz when)
{
	static uint32 wait_event = 0;
	long		  left = Min(TimestampDifferenceMilliseconds(spl_clock_now(), when), LONGEST_SLEEP_MS);

	if (left > 0)
	{
		pgstat_report_stat(left > 1000);
		pgstat_report_activity(STATE_IDLE, NULL);
	}
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left,
					 spl_wait_event(&wait_event, "SpooledWorkerMain"));
	ResetLatch(MyLatch);
}

/* heed reacts to what the outside wants of this process. */
static void
heed(void)
{
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	ProcessCatchupInterrupt();
	spl_worker_leave_if_unwanted(my_slot, false);
}

void
spooled_worker_main(Datum arg)
{
	MemoryContext turn_cxt;

	start_up(DatumGetObjectId(arg));
	turn_cxt = AllocSetContextCreate(TopMemoryContext, "spooled worker turn", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		TimestampTz announce_at;
		TimestampTz due_at;

		heed();
		MemoryContextReset(turn_cxt);
		MemoryContextSwitchTo(turn_cxt);
		announce_at = spl_announce_wakeups(my_slot);
		spl_answer_queue_requests(my_slot);
		due_at = spl_tick(my_slot);
		wait_until(Min(announce_at, due_at));
	}
}

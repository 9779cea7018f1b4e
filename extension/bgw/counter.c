/*
 * counter.c
 *    The process that counts the tables.
 *
 * Counting ten million jobs takes some ten seconds.  The worker of the database cannot be away for so long, because expired
 * leases and waiting clients wait for it, so it starts this process and goes on.  It has at most one, and takes it along when
 * it ends.  Where no process is free, it counts by itself.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "bgw/counter.h"
#include "miscadmin.h"
#include "ops/recount.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define GAP_MS 1000 /* between two attempts, should one fail; by a clock that nobody sets back */

static BackgroundWorkerHandle *running = NULL;

void
spooled_counter_main(Datum arg)
{
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	spl_org_become_background();
	pgstat_report_activity(STATE_RUNNING, "counting");
	spl_counters_recount();
	proc_exit(0);
}

static void
end_with_worker(int code, Datum arg)
{
	if (running)
		TerminateBackgroundWorker(running);
}

/* is_counting tells whether the process that was started is still there. */
static bool
is_counting(void)
{
	pid_t			pid;
	BgwHandleStatus status;

	if (running == NULL)
		return false;
	status = GetBackgroundWorkerPid(running, &pid);
	if (status == BGWH_STARTED || status == BGWH_NOT_YET_STARTED)
		return true;
	pfree(running);
	running = NULL;
	return false;
}

/* start returns false when no process is free. */
static bool
start(void)
{
	static bool		 ends_along = false;
	MemoryContext	 old = MemoryContextSwitchTo(TopMemoryContext);
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId),
		.bgw_notify_pid = MyProcPid,
	};
	bool started;

	strlcpy(worker.bgw_library_name, "spooled", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "spooled_counter_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_type, "spooled counter", sizeof(worker.bgw_type));
	strlcpy(worker.bgw_name, "spooled counter", sizeof(worker.bgw_name));
	started = RegisterDynamicBackgroundWorker(&worker, &running);
	MemoryContextSwitchTo(old);
	if (!started)
		running = NULL;
	else if (!ends_along)
		before_shmem_exit(end_with_worker, (Datum) 0);
	ends_along |= started;
	return started;
}

void
spl_counter_run(void)
{
	static int64 not_before = 0;
	int64		 now = spl_clock_monotonic() / 1000000;

	if (spl_counters_recount_due() > spl_clock_now() || is_counting())
		return;
	if (now < not_before)
	{
		spl_counters_come_back_at(TimestampTzPlusMilliseconds(spl_clock_now(), not_before - now));
		return;
	}
	not_before = now + GAP_MS;
	if (!start())
		spl_counters_recount();
}

/*
 * launcher.c
 *    Starting a background worker for each database that has the extension.
 *
 * A process without a database can read who exists (pg_database) but not who has the extension.  So at start, and after a
 * database was copied, the launcher sends a scout into one database, where pg_shdepend, which is shared, names every
 * database with objects or policies of role spooled_owner: one short process, however many databases there are.  The rest
 * comes as messages at commit (CREATE EXTENSION, DROP EXTENSION).  The worker itself checks what it was started for.
 *
 * The launcher starts when recovery has finished, so it is on a primary, and a standby gets it by its promotion.  What it
 * knows is in shared memory: it may be ended and started again at any time, and a worker that is there already sends a
 * second one away.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "bgw/launcher.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_shdepend.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "shmem/database.h"
#include "shmem/database_start.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define LAUNCHER_RESTART_S 1
#define SCOUT_PATIENCE_MS 10000
#define NO_PROCESS_RETRY_MS 5000 /* max_worker_processes are in use */
#define SCOUT_RETRY_MS 1000
#define OWNER_ROLE "spooled_owner"
#define USUAL_DATABASE "postgres"

typedef struct DatabaseName
{
	Oid		 oid;
	NameData name;
} DatabaseName;

static MemoryContext turn_cxt;
static TimestampTz	 scout_deadline = DT_NOBEGIN; /* a scout that has not reported by then has failed */
static TimestampTz	 scout_not_before = DT_NOBEGIN;
static int			 scouts_failed = 0;
static bool			 short_of_processes = false; /* logged */

/* list_databases returns the databases that one can connect to, as a list of DatabaseName in the current context. */
static List *
list_databases(void)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	List		 *databases = NIL;
	Relation	  rel;
	SysScanDesc	  scan;
	HeapTuple	  tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	rel = relation_open(DatabaseRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext	 old;
		DatabaseName	*database;

		if (!form->datallowconn || form->datconnlimit == DATCONNLIMIT_INVALID_DB)
			continue;
		old = MemoryContextSwitchTo(result_cxt);
		database = palloc(sizeof(DatabaseName));
		database->oid = form->oid;
		database->name = form->datname;
		databases = lappend(databases, database);
		MemoryContextSwitchTo(old);
	}
	systable_endscan(scan);
	relation_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(result_cxt);
	return databases;
}

/* start_process starts a process of ours in a database; false: there is no room for one. */
static bool
start_process(const char *function, const char *type, Oid database, const char *name)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART, /* the launcher does that */
		.bgw_main_arg = ObjectIdGetDatum(database),
	};

	strlcpy(worker.bgw_library_name, "spooled", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, function, sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_type, type, sizeof(worker.bgw_type));
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "%s: %s", type, name);
	if (RegisterDynamicBackgroundWorker(&worker, NULL))
	{
		short_of_processes = false;
		return true;
	}
	if (!short_of_processes)
		ereport(
			LOG,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("no background process is free for spooled in database \"%s\"", name),
			 errhint(
				 "Raise max_worker_processes; spooled needs one for itself, one for each database with the extension, and one more for a moment, beside those of PostgreSQL.")));
	short_of_processes = true;
	return false;
}

static const DatabaseName *
find_database(List *databases, Oid oid)
{
	ListCell *cell;

	foreach(cell, databases)
	{
		DatabaseName *database = lfirst(cell);

		if (database->oid == oid)
			return database;
	}
	return NULL;
}

/* start_workers starts what is missing and returns when to look again. */
static TimestampTz
start_workers(void)
{
	List	   *databases = NIL;
	TimestampTz when;
	Oid			oid;
	int			slot;

	while ((slot = spl_launcher_next_start(spl_clock_now(), &oid, &when)) != SPL_NO_SLOT)
	{
		const DatabaseName *database;

		databases = databases ? databases : list_databases();
		database = find_database(databases, oid);
		if (database == NULL)
			spl_database_give_up(slot, oid);
		else if (!start_process("spooled_worker_main", "spooled worker", oid, NameStr(database->name)))
			spl_launcher_start_failed(slot, TimestampTzPlusMilliseconds(spl_clock_now(), NO_PROCESS_RETRY_MS));
	}
	return when;
}

/* scout_database returns the database to send the scout to: the usual one, or after a failure each in turn. */
static const DatabaseName *
scout_database(List *databases)
{
	ListCell *cell;

	if (databases == NIL)
		return NULL;
	foreach(cell, databases)
		if (scouts_failed == 0 && strcmp(NameStr(((DatabaseName *) lfirst(cell))->name), USUAL_DATABASE) == 0)
			return lfirst(cell);
	return list_nth(databases, scouts_failed % list_length(databases));
}

/* send_scout sees to it that a scan that is wanted happens, and returns when to look again. */
static TimestampTz
send_scout(void)
{
	TimestampTz			now = spl_clock_now();
	const DatabaseName *database;

	switch (spl_scan_state())
	{
		case SCAN_NOT_NEEDED: scouts_failed = 0; return DT_NOEND;
		case SCAN_RUNNING:
			if (now < scout_deadline)
				return scout_deadline;
			scouts_failed++;
			break;
		case SCAN_WANTED:
			if (now < scout_not_before)
				return scout_not_before;
			break;
	}
	database = scout_database(list_databases());
	scout_not_before = TimestampTzPlusMilliseconds(now, SCOUT_RETRY_MS);
	scout_deadline = TimestampTzPlusMilliseconds(now, SCOUT_PATIENCE_MS);
	if (database == NULL)
		return scout_not_before;
	spl_scan_started();
	if (!start_process("spooled_scout_main", "spooled scout", database->oid, NameStr(database->name)))
		spl_scan_want();
	return scout_not_before;
}

static void
log_short_slots(void)
{
	if (spl_slots_were_short())
		ereport(
			LOG,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("more databases have the extension \"spooled\" than the server has slots for"),
			 errhint(
				 "Raise spooled.max_databases and restart the server. A database without a slot has no background worker: its delayed jobs do not become due and its leases do not expire.")));
}

/* wait_until sleeps until the latch is set or the time has come. */
static void
wait_until(TimestampTz when)
{
	static uint32 wait_event = 0;
	long		  left = when == DT_NOEND ? -1 : TimestampDifferenceMilliseconds(spl_clock_now(), when);
	int			  events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (left >= 0 ? WL_TIMEOUT : 0);

	pgstat_report_activity(STATE_IDLE, NULL);
	(void) WaitLatch(MyLatch, events, left, spl_wait_event(&wait_event, "SpooledLauncherMain"));
	ResetLatch(MyLatch);
}

void
spooled_launcher_main(Datum arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	turn_cxt = AllocSetContextCreate(TopMemoryContext, "spooled launcher turn", ALLOCSET_DEFAULT_SIZES);
	spl_launcher_arrive();
	if (spl_scan_state() == SCAN_RUNNING)
		spl_scan_want(); /* its scout may have ended with the launcher before */

	while (!ShutdownRequestPending)
	{
		TimestampTz scout_at;
		TimestampTz start_at;

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		MemoryContextReset(turn_cxt);
		MemoryContextSwitchTo(turn_cxt);
		scout_at = send_scout();
		start_at = start_workers();
		log_short_slots();
		wait_until(Min(scout_at, start_at));
	}
	proc_exit(1); /* 0 would be the end for ever */
}

/* assign_databases gives a slot to each database that depends on the role. */
static void
assign_databases(Oid role)
{
	Relation	rel = relation_open(SharedDependRelationId, AccessShareLock);
	Oid			last = InvalidOid;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_shdepend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(AuthIdRelationId));
	ScanKeyInit(&keys[1], Anum_pg_shdepend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(rel, SharedDependReferenceIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid database = ((Form_pg_shdepend) GETSTRUCT(tuple))->dbid;

		if (OidIsValid(database) && database != last)
			spl_database_assign(database);
		last = database;
	}
	systable_endscan(scan);
	relation_close(rel, AccessShareLock);
}

/* spooled_scout_main finds the databases that may have the extension, from within the database that is the argument. */
void
spooled_scout_main(Datum arg)
{
	Oid role;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	role = get_role_oid(OWNER_ROLE, true);
	if (OidIsValid(role))
		assign_databases(role);
	CommitTransactionCommand();
	spl_scan_done();
	proc_exit(0);
}

void
spl_launcher_init(void)
{
	BackgroundWorker launcher = {
		.bgw_name = "spooled launcher",
		.bgw_type = "spooled launcher",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = LAUNCHER_RESTART_S,
		.bgw_library_name = "spooled",
		.bgw_function_name = "spooled_launcher_main",
	};

	if (!IsBinaryUpgrade)
		RegisterBackgroundWorker(&launcher);
}

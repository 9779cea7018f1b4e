/*
 * doctor_store.c
 *    Statements that look for what an operator should know.
 *
 * They read counters, the ends of indexes and small tables, not the whole history, so they may run every minute.  What grows
 * with the number of leases is to find those that are over: no index contains it.
 */
#include "postgres.h"

#include "base/compat.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "store/doctor_store.h"
#include "store/row_list.h"

typedef struct Check
{
	const char *finding;
	const char *severity;
	const char *hint;
	SpiPlan		search; /* returns (subject text, details text) */
} Check;

#define CHECK(f, s, sql_text, h)                                                                                \
	{                                                                                                           \
		.finding = f, .severity = s, .hint = h, .search = {.sql = sql_text, .nargs = 1, .argtypes = {INT4OID} } \
	}
/* Of what there may be very many, so many are read: the oldest of what waits in vain, the newest of what has just happened. */
#define READ_MOST "10000"
/* The last runs of schedule s. */
#define LAST_RUNS(n)                                                                                                     \
	"LATERAL (SELECT r.status, r.error, r.started_at FROM spooled.schedule_run r WHERE r.org = $1 AND r.schedule = s.id" \
	" ORDER BY r.id DESC LIMIT " n ") r"
#define SETTING_OFF(name) "SELECT '" name "', '{}' WHERE current_setting('" name "') = 'off' AND $1 IS NOT NULL"

static Check checks[] = {
	CHECK("queue_paused", "warning",
		  "SELECT q.name, jsonb_strip_nulls(jsonb_build_object('paused_since', q.paused_at, 'reason', q.paused_reason,"
		  "   'waiting', c.ready))::text FROM spooled.queue q, spooled._queue_counts(q.id) c"
		  " WHERE q.org = $1 AND q.paused_at IS NOT NULL AND c.ready > 0 ORDER BY q.name",
		  "Jobs wait in a paused queue. spooled.resume_queue() lets claims go on."),
	CHECK(
		"queue_without_claims", "warning",
		"SELECT q.name, jsonb_build_object('oldest_ready_since', head.since, 'workers',"
		"   (SELECT count(*) FROM spooled.worker w WHERE w.org = $1 AND w.status <> 'offline' AND q.name = ANY(w.queue_names)))::text"
		" FROM spooled.queue q, spooled._queue_oldest(q.id) head(since), spooled._queue_counts(q.id) c"
		" WHERE q.org = $1 AND q.paused_at IS NULL AND head.since < clock_timestamp() - interval '5 min' AND c.processing = 0"
		" ORDER BY q.name",
		"A job of this queue has been claimable for more than 5 minutes and no worker has a job of it. Start a worker,"
		" and check that it names the queue exactly."),
	CHECK(
		"leases_overdue", "critical",
		"SELECT NULL, jsonb_build_object('count', count(*), 'oldest', min(l.lease_expires_at))::text FROM spooled.lease l"
		" WHERE l.org = $1 AND l.lease_expires_at < clock_timestamp() - interval '30 s' HAVING count(*) > 0",
		"Leases ran out and nobody gave their jobs back: the background worker is not running or far behind. See the server log."),
	CHECK(
		"delayed_overdue", "critical",
		"SELECT NULL, jsonb_build_object('count', count(*), 'oldest', min(d.due))::text FROM spooled.delayed d"
		" WHERE d.org = $1 AND d.due < clock_timestamp() - interval '30 s' HAVING count(*) > 0",
		"Delayed jobs are due and still delayed: the background worker is not running or far behind. See the server log."),
	CHECK(
		"blocked_without_parent", "critical",
		"SELECT NULL, jsonb_build_object('count', count(*), 'example', min(b.job_id::text))::text"
		" FROM (SELECT job_id FROM spooled.blocked WHERE org = $1 ORDER BY job_id LIMIT " READ_MOST ") b"
		" WHERE NOT EXISTS (SELECT FROM spooled.dependency d JOIN spooled.job p ON p.org = $1 AND p.id = d.parent"
		"   WHERE d.org = $1 AND d.child = b.job_id) HAVING count(*) > 0",
		"Jobs wait for parents that do not exist, so they would wait for ever. Cancel them; spooled.check_integrity() lists them."),
	CHECK(
		"dead_letters", "warning",
		"SELECT q.name, jsonb_strip_nulls(jsonb_build_object('last_24_hours', d.count, 'latest', d.latest,"
		"   'or_more', nullif(d.count = " READ_MOST ", false)))::text"
		" FROM spooled.queue q, spooled._queue_counts(q.id) c, LATERAL (SELECT count(*) AS count, max(d.since) AS latest"
		"   FROM (SELECT since FROM spooled.dead_letter WHERE org = $1 AND queue = q.id ORDER BY job_id DESC LIMIT " READ_MOST
		") d WHERE d.since > clock_timestamp() - interval '24 hours') d"
		" WHERE q.org = $1 AND c.deadletter > 0 AND d.count > 0 ORDER BY q.name",
		"Jobs used up their retries. spooled.dlq_list() shows their errors, spooled.dlq_retry() replays them."),
	CHECK(
		"schedules_overdue", "critical",
		"SELECT NULL, jsonb_build_object('count', count(*), 'oldest', min(s.next_run_at))::text FROM spooled.schedule s"
		" WHERE s.org = $1 AND s.is_active AND s.next_run_at < clock_timestamp() - interval '1 min' HAVING count(*) > 0",
		"Schedules are due and have not run: the background worker is not running or far behind. See the server log."),
	CHECK("schedule_failing", "warning",
		  "SELECT s.name, jsonb_build_object('schedule_id', s.id, 'failed_at', r.started_at, 'error', r.error)::text"
		  " FROM spooled.schedule s, " LAST_RUNS(
			  "1") " WHERE s.org = $1 AND s.is_active AND r.status = 'f' ORDER BY s.name, s.id",
		  "The last run of this schedule was refused. Change the schedule or what stands in its way, then run it with"
		  " spooled.trigger_schedule()."),
	CHECK(
		"schedule_skipping", "warning",
		"SELECT s.name, jsonb_build_object('schedule_id', s.id, 'reason', max(r.error), 'last_run_at', s.last_run_at)::text"
		" FROM spooled.schedule s, " LAST_RUNS(
			"3") " WHERE s.org = $1 AND s.is_active"
				 " GROUP BY s.org, s.id HAVING count(*) = 3 AND bool_and(r.status = 's') ORDER BY s.name, s.id",
		"The last three runs of this schedule were left out. What it started is not over before it is due again: look for"
		" jobs that wait or hang, run it less often, or raise max_outstanding."),
	CHECK("schedule_into_paused_queue", "warning",
		  "SELECT s.name, jsonb_build_object('schedule_id', s.id, 'queue', q.name, 'paused_since', q.paused_at)::text"
		  " FROM spooled.schedule s JOIN spooled.queue q ON q.org = $1 AND q.name = ANY (s.queues)"
		  " WHERE s.org = $1 AND s.is_active AND q.paused_at IS NOT NULL ORDER BY s.name, s.id, q.name",
		  "What this schedule enqueues waits in a paused queue. Resume the queue, or pause the schedule too."),
	CHECK(
		"schedule_far_off", "info",
		"SELECT s.name, jsonb_build_object('schedule_id', s.id, 'cron', s.cron, 'next_run_at', s.next_run_at)::text"
		" FROM spooled.schedule s WHERE s.org = $1 AND s.is_active AND s.next_run_at > clock_timestamp() + interval '366 days'"
		" ORDER BY s.name, s.id",
		"This schedule does not run for more than a year. See whether its cron expression says what is meant."),
	CHECK(
		"offline_worker_with_leases", "warning",
		"SELECT w.id, jsonb_build_object('leases', count(*), 'last_heartbeat', w.last_heartbeat)::text FROM spooled.worker w"
		" JOIN spooled.lease l ON l.org = $1 AND l.worker = w.id WHERE w.org = $1 AND w.status = 'offline'"
		" GROUP BY w.id, w.last_heartbeat ORDER BY w.id",
		"A worker counts as offline but claims jobs. It should send heartbeats, or register again."),
	CHECK(
		"api_key_expiring", "info",
		"SELECT k.name, jsonb_build_object('expires_at', k.expires_at)::text FROM spooled.api_key k WHERE k.org = $1 AND k.is_active"
		" AND k.expires_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '14 days' ORDER BY k.expires_at, k.name",
		"Requests with this key will be refused after that. Create a new one with spooled.create_api_key()."),
	CHECK(
		"autovacuum_off", "critical",
		"SELECT 'autovacuum', '{}' WHERE current_setting('autovacuum') = 'off' AND $1 IS NOT NULL"
		" UNION ALL SELECT c.relname, '{}' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" WHERE n.nspname = 'spooled' AND c.relkind = 'r' AND EXISTS (SELECT FROM unnest(c.reloptions) o"
		"   WHERE o IN ('autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=0', 'autovacuum_enabled=no'))",
		"Tickets are inserted and deleted all the time; without autovacuum claims get slower and the disk fills up. Turn it on."),
	CHECK(
		"vacuum_behind", "warning",
		"SELECT s.relname, jsonb_build_object('dead_rows', s.n_dead_tup, 'live_rows', s.n_live_tup,"
		"   'last_vacuum', greatest(s.last_vacuum, s.last_autovacuum))::text FROM pg_stat_all_tables s"
		" WHERE s.schemaname = 'spooled' AND s.relname IN ('ready', 'delayed', 'blocked', 'lease') AND $1 IS NOT NULL"
		" AND s.n_dead_tup > 100000 AND s.n_dead_tup > 2 * s.n_live_tup ORDER BY s.relname",
		"Autovacuum does not keep up with this table. Look for old_transaction findings, and give autovacuum more workers or"
		" less delay."),
	CHECK(
		"prepared_transaction", "warning",
		"SELECT x.gid, jsonb_build_object('prepared', x.prepared, 'owner', x.owner)::text FROM pg_prepared_xacts x"
		" WHERE x.database = current_database() AND x.prepared < clock_timestamp() - current_setting('spooled.long_transaction')::interval AND $1 IS NOT NULL"
		" ORDER BY x.prepared",
		"A prepared transaction that nobody ends keeps dead rows and locks. COMMIT PREPARED or ROLLBACK PREPARED."),
	CHECK(
		"replication_slot", "warning",
		"SELECT s.slot_name, jsonb_build_object('active', s.active, 'xmin_age', age(coalesce(s.xmin, s.catalog_xmin)))::text"
		" FROM pg_replication_slots s WHERE s.xmin IS NOT NULL AND $1 IS NOT NULL"
		" AND (NOT s.active OR age(s.xmin) > 1000000) ORDER BY s.slot_name",
		"A replication slot keeps dead rows from being removed. Bring its standby back, or drop the slot."),
	CHECK(
		"replicated_into", "critical",
		"SELECT s.subname, jsonb_build_object('tables', count(*))::text FROM pg_subscription_rel r"
		" JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
		" WHERE n.nspname = 'spooled' AND $1 IS NOT NULL GROUP BY s.subname ORDER BY s.subname",
		"Two databases would hand out the same jobs and move them each in its own way. Drop the subscription; subscribe to"
		" these tables only from a database without the extension."),
	CHECK("fsync_off", "critical", SETTING_OFF("fsync"),
		  "A crash of the machine may destroy the database. Turn fsync on."),
	CHECK("full_page_writes_off", "critical", SETTING_OFF("full_page_writes"),
		  "A crash of the machine may destroy the database. Turn full_page_writes on."),
	CHECK(
		"synchronous_commit_off", "warning", SETTING_OFF("synchronous_commit"),
		"What was answered may be lost in a crash: jobs that were accepted, and completions, after which jobs run again."),
};

typedef struct Search
{
	const Check *check;
	FindingFn	 found;
	void		*arg;
} Search;

static void
add_finding(HeapTuple row, TupleDesc desc, void *arg)
{
	Search		*search = arg;
	const Check *check = search->check;

	search->found(check->finding, check->severity, spl_row_text(row, desc, 1), spl_row_text(row, desc, 2), check->hint,
				  search->arg);
}

/* spl_doctor_search runs every check. */
void
spl_doctor_search(int32 org, FindingFn found, void *arg)
{
	Datum values[] = {Int32GetDatum(org)};

	for (int i = 0; i < lengthof(checks); i++)
	{
		Search search = {&checks[i], found, arg};

		spl_spi_run(&checks[i].search, values, NULL, add_finding, &search);
	}
}

/* spl_old_transactions reads the sessions' entries directly: in SQL, most are hidden from the owner of the extension. */
int
spl_old_transactions(TimestampTz before, int limit, OldTransaction *list)
{
	int sessions = pgstat_fetch_stat_numbackends();
	int count = 0;

	for (int i = 1; i <= sessions && count < limit; i++)
	{
		LocalPgBackendStatus *entry = spl_session_entry(i);
		PgBackendStatus		 *session = &entry->backendStatus;

		if (session->st_databaseid != MyDatabaseId || session->st_procpid == MyProcPid ||
			session->st_xact_start_timestamp == 0 || session->st_xact_start_timestamp >= before)
			continue;
		list[count++] = (OldTransaction) {
			.pid = session->st_procpid,
			.started_at = session->st_xact_start_timestamp,
			.holds_xmin = TransactionIdIsValid(entry->backend_xmin) || TransactionIdIsValid(entry->backend_xid),
		};
	}
	return count;
}

/*
 * integrity_store.c
 *    Statements that look for rows which the data model forbids.
 *
 * Each statement checks one invariant under one snapshot, so work that goes on meanwhile is never taken for a violation.
 * They read whole tables.  A ticket that its index does not know
 * would never be claimed or found, so each row is looked up as well.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "store/integrity_store.h"
#include "store/planner_settings.h"
#include "store/row_list.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

/* clang-format off */
#define TICKETS_OF(table) "SELECT job_id, queue, run, priority, retry_count, '" table "' AS kind FROM spooled." table " WHERE org = $1"
#define TICKETS \
	"(" TICKETS_OF("ready") " UNION ALL " TICKETS_OF("delayed") " UNION ALL " TICKETS_OF("blocked") \
	" UNION ALL " TICKETS_OF("lease") " UNION ALL " TICKETS_OF("dead_letter") " UNION ALL " TICKETS_OF("outcome") ")"
#define NO_JOB(id) "NOT EXISTS (SELECT FROM spooled.job j WHERE j.org = $1 AND j.id = " id ")"
/* What a transaction has left to the background worker is not wrong yet. */
#define NO_MARK(kind_, id_) \
	"NOT EXISTS (SELECT FROM spooled.dependency_mark k WHERE k.org = $1 AND k.id = " id_ " AND k.kind = '" kind_ "')"
#define NO_PARENT_MARK(id_) \
	"NOT EXISTS (SELECT FROM spooled.dependency_mark k WHERE k.org = $1 AND k.id = " id_ " AND k.kind IN ('p', 'd', 'g'))"
/* Children are told in batches: of the parents of this one, one still has to be. */
#define NO_MARKED_PARENT(child_) \
	"NOT EXISTS (SELECT FROM spooled.dependency p JOIN spooled.dependency_mark k ON k.org = $1 AND k.id = p.parent AND k.kind IN ('p', 'd', 'g')" \
	" WHERE p.org = $1 AND p.child = " child_ ")"
/* Edges with the state that they have, as SPL_EDGES, but for joins of whole tables. */
#define EDGES \
	"(SELECT e.parent, e.child, e.mode, CASE WHEN e.state = 'w' AND c.job_id IS NOT NULL THEN 'c' ELSE e.state END AS state" \
	" FROM spooled.dependency e LEFT JOIN spooled.outcome c ON c.org = $1 AND c.job_id = e.parent AND c.kind = 'c' WHERE e.org = $1)"
/* clang-format on */

/* The index by which the ticket of a job is found. */
static const SplIndex job_index[TICKET_KINDS] = {
	[TICKET_READY] = INDEX_READY_CLAIM,			  [TICKET_DELAYED] = INDEX_DELAYED_JOB,
	[TICKET_BLOCKED] = INDEX_BLOCKED_JOB,		  [TICKET_LEASE] = INDEX_LEASE_JOB,
	[TICKET_DEAD_LETTER] = INDEX_DEAD_LETTER_JOB, [TICKET_OUTCOME] = INDEX_OUTCOME_JOB,
};

typedef struct Invariant
{
	const char *name;
	SpiPlan		search; /* returns (job_id uuid, details text) */
} Invariant;

#define INVARIANT(n, text)                                                                          \
	{                                                                                               \
		.name = n, .search = {.sql = text " LIMIT $2", .nargs = 2, .argtypes = {INT4OID, INT4OID} } \
	}

/* clang-format off */
static Invariant invariants[] = {
	INVARIANT("one_ticket_per_job",
			  "SELECT t.job_id, 'tickets in ' || string_agg(t.kind, ', ' ORDER BY t.kind) FROM " TICKETS " t"
			  " GROUP BY t.job_id HAVING count(*) > 1"),
	INVARIANT("ticket_without_job",
			  "SELECT t.job_id, 'ticket in ' || t.kind FROM " TICKETS " t WHERE " NO_JOB("t.job_id")),
	INVARIANT("job_without_ticket",
			  "SELECT j.id, 'created at ' || j.created_at FROM spooled.job j WHERE j.org = $1"
			  " AND NOT EXISTS (SELECT FROM " TICKETS " t WHERE t.job_id = j.id)"),
	INVARIANT("attempt_without_job",
			  "SELECT a.job_id, 'run ' || a.run FROM spooled.attempt a WHERE a.org = $1 AND " NO_JOB("a.job_id")),
	INVARIANT("event_without_job",
			  "SELECT e.job_id, e.kind FROM spooled.event_log e WHERE e.org = $1 AND e.job_id IS NOT NULL AND " NO_JOB("e.job_id")),
	INVARIANT("key_without_job",
			  "SELECT i.job_id, 'an idempotency key' FROM spooled.idempotency i WHERE i.org = $1 AND " NO_JOB("i.job_id")),
	INVARIANT("tag_without_job",
			  "SELECT g.job_id, 'tag ' || g.tag FROM spooled.job_tag g WHERE g.org = $1 AND " NO_JOB("g.job_id")),
	INVARIANT("tag_not_listed",
			  "SELECT j.id, 'tag ' || k.tag FROM spooled.job j, LATERAL ("
			  "  SELECT json_object_keys(CASE json_typeof(j.tags) WHEN 'object' THEN j.tags END) AS tag"
			  "  UNION SELECT json_array_elements_text(CASE json_typeof(j.tags) WHEN 'array' THEN j.tags END)) k"
			  " WHERE j.org = $1 AND j.tags IS NOT NULL AND k.tag IS NOT NULL"
			  " AND NOT EXISTS (SELECT FROM spooled.job_tag g WHERE g.org = $1 AND g.tag = k.tag AND g.job_id = j.id)"),
	INVARIANT("edge_without_child",
			  "SELECT d.child, 'depends on ' || d.parent FROM spooled.dependency d WHERE d.org = $1 AND d.mode <> 'm' AND " NO_JOB("d.child")),
	INVARIANT("edge_of_finished_parent",
			  "SELECT d.child, 'waits for ' || d.parent || ', which is over' FROM " EDGES " d WHERE d.state = 'w'"
			  " AND NOT EXISTS (SELECT FROM " TICKETS " t WHERE t.job_id = d.parent AND t.kind NOT IN ('dead_letter', 'outcome'))"
			  " AND " NO_PARENT_MARK("d.parent")),
	INVARIANT("edge_of_unfinished_parent",
			  "SELECT d.child, 'no longer waits for ' || d.parent || ', which is in ' || t.kind FROM spooled.dependency d"
			  " JOIN " TICKETS " t ON t.job_id = d.parent WHERE d.org = $1 AND d.state = 'c' AND t.kind <> 'outcome'"),
	INVARIANT("blocked_without_edge",
			  "SELECT b.job_id, 'waits for nobody' FROM spooled.blocked b WHERE b.org = $1 AND " NO_MARK("c", "b.job_id")
			  " AND " NO_MARKED_PARENT("b.job_id") " AND NOT EXISTS (SELECT FROM " EDGES " d WHERE d.child = b.job_id AND d.state = 'w')"),
	INVARIANT("blocked_in_vain",
			  "SELECT b.job_id, 'its parent ' || d.parent || ' has decided: ' || d.mode::text || d.state::text FROM spooled.blocked b"
			  " JOIN " EDGES " d ON d.child = b.job_id"
			  " WHERE b.org = $1 AND " NO_MARK("c", "b.job_id") " AND " NO_PARENT_MARK("d.parent") " AND (d.mode, d.state) IN (('a', 'x'), ('a', 'k'), ('a', 'g'), ('o', 'c'))"),
	INVARIANT("blocked_in_circle",
			  "WITH RECURSIVE waiting AS (SELECT d.parent, d.child FROM " EDGES " d WHERE d.state = 'w'),"
			  " moving (id) AS (SELECT w.child FROM waiting w"
			  "   WHERE NOT EXISTS (SELECT FROM spooled.blocked b JOIN waiting o ON o.child = b.job_id WHERE b.org = $1 AND b.job_id = w.parent)"
			  "   UNION SELECT w.child FROM waiting w JOIN moving m ON m.id = w.parent)"
			  " SELECT b.job_id, 'waits for jobs that wait for each other' FROM spooled.blocked b WHERE b.org = $1 AND " NO_MARK("c", "b.job_id")
			  " AND " NO_MARKED_PARENT("b.job_id") " AND EXISTS (SELECT FROM waiting w WHERE w.child = b.job_id)"
			  " AND NOT EXISTS (SELECT FROM moving m WHERE m.id = b.job_id)"),
	INVARIANT("workflow_over_unnoticed",
			  "SELECT NULL::uuid, 'workflow ' || w.id || ' has no open member' FROM spooled.workflow w WHERE w.org = $1 AND w.finished_at IS NULL"
			  " AND " NO_MARK("f", "w.id") " AND " NO_MARKED_PARENT("w.id")
			  " AND NOT EXISTS (SELECT FROM " EDGES " d WHERE d.child = w.id AND d.state = 'w')"),
	INVARIANT("member_without_workflow",
			  "SELECT d.parent, 'workflow ' || d.child FROM spooled.dependency d WHERE d.org = $1 AND d.mode = 'm'"
			  " AND NOT EXISTS (SELECT FROM spooled.workflow_job m WHERE m.org = $1 AND m.workflow = d.child AND m.job_id = d.parent)"),
	INVARIANT("members_of_workflow",
			  "SELECT NULL::uuid, 'workflow ' || w.id || ' has ' || coalesce(m.members, 0) || ' of ' || w.total_jobs || ' jobs and ' || coalesce(m.edges, 0) || ' edges'"
			  " FROM spooled.workflow w LEFT JOIN (SELECT m.workflow, count(*) AS members, count(d.parent) AS edges"
			  "   FROM spooled.workflow_job m LEFT JOIN spooled.dependency d ON d.org = $1 AND d.parent = m.job_id AND d.child = m.workflow"
			  "   WHERE m.org = $1 GROUP BY m.workflow) m ON m.workflow = w.id"
			  " WHERE w.org = $1 AND (m.members IS DISTINCT FROM w.total_jobs OR m.edges IS DISTINCT FROM w.total_jobs)"),
	INVARIANT("queue_of_ticket_differs",
			  "SELECT t.job_id, 'queue ' || t.queue || ' in ' || t.kind || ', queue ' || j.queue || ' in job' FROM " TICKETS " t"
			  " JOIN spooled.job j ON j.org = $1 AND j.id = t.job_id WHERE j.queue <> t.queue"),
	INVARIANT("job_of_unknown_queue",
			  "SELECT j.id, 'queue ' || j.queue FROM spooled.job j WHERE j.org = $1"
			  " AND NOT EXISTS (SELECT FROM spooled.queue q WHERE q.org = $1 AND q.id = j.queue)"),
	INVARIANT("retry_count_within_bounds",
			  "SELECT t.job_id, 'retry_count ' || t.retry_count || ' of ' || j.max_retries || ' in ' || t.kind FROM " TICKETS " t"
			  " JOIN spooled.job j ON j.org = $1 AND j.id = t.job_id WHERE t.retry_count NOT BETWEEN 0 AND j.max_retries"),
	INVARIANT("priority_within_bounds",
			  "SELECT t.job_id, 'priority ' || t.priority || ' in ' || t.kind FROM " TICKETS " t"
			  " WHERE t.priority NOT BETWEEN -100 AND 100"),
	INVARIANT("run_of_attempts",
			  "SELECT t.job_id, 'attempt ' || a.run || ', but run ' || t.run || ' in ' || t.kind FROM " TICKETS " t"
			  " JOIN spooled.attempt a ON a.org = $1 AND a.job_id = t.job_id"
			  " WHERE a.run > t.run OR (a.run = t.run AND t.kind = 'lease')"),
	INVARIANT("active_schedule_without_next_run",
			  "SELECT NULL::uuid, 'schedule ' || s.id FROM spooled.schedule s WHERE s.org = $1 AND s.is_active AND s.next_run_at IS NULL"),
	INVARIANT("schedule_of_unknown_queue",
			  "SELECT NULL::uuid, 'schedule ' || s.id || ', queue ' || n FROM spooled.schedule s, unnest(s.queues) n WHERE s.org = $1"
			  " AND NOT EXISTS (SELECT FROM spooled.queue q WHERE q.org = $1 AND q.name = n AND q.id = coalesce(s.queue, q.id))"),
	INVARIANT("run_of_unknown_schedule",
			  "SELECT r.job_id, 'run ' || r.id FROM spooled.schedule_run r WHERE r.org = $1"
			  " AND NOT EXISTS (SELECT FROM spooled.schedule s WHERE s.org = $1 AND s.id = r.schedule)"),
};
/* clang-format on */

/* Joins of whole tables; a limit must not tempt the planner into reading one table for each row of another. */
static const PlannerSetting whole_tables[] = {
	{"enable_nestloop", "off"},
	{"jit", "off"},
	{"max_parallel_workers_per_gather", "0"},
};

typedef struct Search
{
	const char *invariant;
	ViolationFn found;
	void	   *arg;
} Search;

static void
add_violation(HeapTuple row, TupleDesc desc, void *arg)
{
	Search	 *search = arg;
	pg_uuid_t id;
	bool	  has_id = spl_row_uuid(row, desc, 1, &id);

	search->found(search->invariant, has_id ? &id : NULL, spl_row_text(row, desc, 2), search->arg);
}

/* is_indexed tells whether the index by which a job's ticket is found leads to this row. */
static bool
is_indexed(TicketKind kind, TupleTableSlot *row, TupleScan *scan)
{
	ScanKeyData keys[3];
	bool		isnull;
	Datum		job_id = slot_getattr(row, TICKET_JOB_ID, &isnull);

	if (kind == TICKET_READY)
	{
		ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, slot_getattr(row, TICKET_QUEUE, &isnull));
		ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT2EQ, slot_getattr(row, TICKET_PRIORITY, &isnull));
		ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_UUID_EQ, job_id);
	}
	else
		spl_ticket_keys(keys, DatumGetInt32(slot_getattr(row, TICKET_ORG, &isnull)), DatumGetUUIDP(job_id));
	spl_scan_keys(scan, keys, kind == TICKET_READY ? 3 : 2);
	while (spl_scan_next(scan, ForwardScanDirection))
		if (ItemPointerEquals(&scan->slot->tts_tid, &row->tts_tid))
			return true;
	return false;
}

/* search_indexes reads a ticket table from end to end and looks every row of the organization up in its index. */
static void
search_indexes(TicketKind kind, int32 org, ViolationFn found, void *arg)
{
	Snapshot		snapshot = spl_snapshot_fresh();
	Relation		table = table_open(spl_table_oid(spl_ticket_table(kind)), AccessShareLock);
	TupleTableSlot *row = table_slot_create(table, NULL);
	TableScanDesc	rows = table_beginscan(table, snapshot, 0, NULL);
	TupleScan		scan;
	int				shown = 0;

	spl_scan_begin(&scan, spl_ticket_table(kind), job_index[kind], AccessShareLock, snapshot,
				   kind == TICKET_READY ? 3 : 2);
	while (shown < VIOLATIONS_SHOWN && table_scan_getnextslot(rows, ForwardScanDirection, row))
	{
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		if (DatumGetInt32(slot_getattr(row, TICKET_ORG, &isnull)) != org || !spl_tuple_is_ours(table, row) ||
			is_indexed(kind, row, &scan))
			continue;
		found("ticket_in_index", DatumGetUUIDP(slot_getattr(row, TICKET_JOB_ID, &isnull)),
			  psprintf("a row of %s is missing from its index", RelationGetRelationName(table)), arg);
		shown++;
	}
	spl_scan_end(&scan);
	table_endscan(rows);
	ExecDropSingleTupleTableSlot(row);
	table_close(table, AccessShareLock);
	UnregisterSnapshot(snapshot);
}

/* spl_integrity_search looks for violations of every invariant between tables, and between a table and its index. */
void
spl_integrity_search(int32 org, ViolationFn found, void *arg)
{
	Datum values[] = {Int32GetDatum(org), Int32GetDatum(VIOLATIONS_SHOWN)};
	int	  level = spl_planner_begin(whole_tables, lengthof(whole_tables));

	for (int i = 0; i < lengthof(invariants); i++)
	{
		Search search = {invariants[i].name, found, arg};

		spl_spi_run(&invariants[i].search, values, NULL, add_violation, &search);
	}
	spl_planner_end(level);
	for (TicketKind kind = 0; kind < TICKET_KINDS; kind++)
		search_indexes(kind, org, found, arg);
}

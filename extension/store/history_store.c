/*
 * history_store.c
 *    What the tables know about a job's past and its place.
 *
 * The happy path writes no history: it follows from the job and its ticket.  A run that was claimed is known from the lease,
 * from the outcome or dead letter it ended in, from its attempt, or from the log entry of its release; where two of these
 * tell of the same run, it is shown once.  So is a cancellation that the log and the outcome both know.
 */
#include "postgres.h"

#include "store/dependency_store.h"
#include "store/history_store.h"
#include "store/row_list.h"

static SpiPlan read_history = {
	.sql =
		"WITH runs AS ("
		"  SELECT a.run, a.started_at, a.worker, a.lease_id::text FROM spooled.attempt a WHERE a.org = $1 AND a.job_id = $2"
		"  UNION ALL SELECT t.run, t.since, t.worker, t.lease_id::text FROM spooled.lease t WHERE t.org = $1 AND t.job_id = $2"
		"  UNION ALL SELECT t.run, t.started_at, t.worker, t.lease_id::text FROM spooled.outcome t"
		"   WHERE t.org = $1 AND t.job_id = $2 AND t.lease_id IS NOT NULL"
		"  UNION ALL SELECT t.run, t.started_at, t.worker, t.lease_id::text FROM spooled.dead_letter t"
		"   WHERE t.org = $1 AND t.job_id = $2 AND t.lease_id IS NOT NULL"
		"  UNION ALL SELECT (e.details->>'run')::int4, (e.details->>'started_at')::timestamptz, e.details->>'worker', e.details->>'lease_id'"
		"   FROM spooled.event_log e WHERE e.org = $1 AND e.job_id = $2 AND e.kind = 'released')"
		", events AS ("
		"  SELECT j.created_at AS at, 'created' AS event, 0 AS run, NULL::text AS worker, 0 AS rank, 0::int8 AS id,"
		"    jsonb_build_object('priority', j.priority, 'scheduled_at', j.scheduled_at) AS details"
		"   FROM spooled.job j WHERE j.org = $1 AND j.id = $2"
		"  UNION ALL SELECT * FROM (SELECT DISTINCT ON (r.run) r.started_at, 'processing', r.run, r.worker, 1, 0::int8,"
		"    jsonb_build_object('lease_id', r.lease_id) FROM runs r ORDER BY r.run, r.started_at) r"
		"  UNION ALL SELECT a.ended_at, CASE WHEN a.next_run_at IS NULL THEN 'deadlettered' ELSE 'retry_scheduled' END,"
		"    a.run, a.worker, 2, 0::int8,"
		"    jsonb_build_object('error', a.error, 'cause', CASE a.kind WHEN 'l' THEN 'lease_expired' WHEN 'o' THEN 'worker_offline'"
		"     WHEN 't' THEN 'timeout' ELSE 'failed' END, 'retry_count', a.retry_count, 'next_run_at', a.next_run_at)"
		"   FROM spooled.attempt a WHERE a.org = $1 AND a.job_id = $2 AND a.kind <> 'x'"
		"  UNION ALL SELECT e.at, e.kind, coalesce((e.details->>'run')::int4, 0), e.details->>'worker', 3, e.id,"
		"    e.details - ARRAY['run', 'worker', 'started_at'] || jsonb_build_object('actor', e.actor)"
		"   FROM spooled.event_log e WHERE e.org = $1 AND e.job_id = $2"
		"  UNION ALL SELECT t.since, CASE t.kind WHEN 'c' THEN 'completed' WHEN 'x' THEN 'cancelled' ELSE 'expired' END,"
		"    CASE WHEN t.lease_id IS NULL THEN 0 ELSE t.run END, t.worker, 4, 0::int8, jsonb_build_object('error', t.error)"
		"   FROM spooled.outcome t WHERE t.org = $1 AND t.job_id = $2"
		"    AND NOT EXISTS (SELECT FROM spooled.event_log e WHERE e.org = $1 AND e.job_id = $2 AND e.kind = 'cancelled' AND e.at = t.since))"
		" SELECT e.at, e.event, e.run, e.worker, jsonb_strip_nulls(e.details)::text FROM events e ORDER BY e.at, e.rank, e.run, e.id",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

typedef struct HistoryList
{
	HistoryRow *rows;
	int			count;
	int			room;
} HistoryList;

static void
add_event(HeapTuple row, TupleDesc desc, void *arg)
{
	HistoryList *list = arg;
	HistoryRow	*event;

	if (list->count == list->room)
		list->rows = spl_grow_rows(list->rows, &list->room, sizeof(HistoryRow));
	event = &list->rows[list->count++];
	event->at = spl_row_time(row, desc, 1);
	event->event = spl_row_text(row, desc, 2);
	event->run = spl_row_int32(row, desc, 3);
	event->worker = spl_row_text(row, desc, 4);
	event->details = spl_row_text(row, desc, 5);
}

/* spl_history_read reads every transition of a job, oldest first. */
int
spl_history_read(int32 org, const pg_uuid_t *job_id, HistoryRow **rows)
{
	HistoryList list = {NULL, 0, 0};
	Datum		values[] = {Int32GetDatum(org), UUIDPGetDatum(job_id)};

	spl_spi_run(&read_history, values, NULL, add_event, &list);
	*rows = list.rows;
	return list.count;
}

static SpiPlan read_parents = {
	.sql = "SELECT d.parent FROM " SPL_EDGES
		   " d WHERE d.org = $1 AND d.child = $2 AND d.state = 'w' ORDER BY d.parent LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

typedef struct ParentList
{
	pg_uuid_t *ids;
	int		   count;
} ParentList;

static void
add_parent(HeapTuple row, TupleDesc desc, void *arg)
{
	ParentList *list = arg;

	spl_row_uuid(row, desc, 1, &list->ids[list->count++]);
}

/* spl_parents_read reads parents that a job waits for. */
int
spl_parents_read(int32 org, const pg_uuid_t *child, int limit, pg_uuid_t *parents)
{
	ParentList list = {parents, 0};
	Datum	   values[] = {Int32GetDatum(org), UUIDPGetDatum(child), Int32GetDatum(limit)};

	spl_spi_run(&read_parents, values, NULL, add_parent, &list);
	return list.count;
}

/*
 * workflow_store.c
 *    Rows of workflow and workflow_job.
 *
 * While a workflow is live nobody writes its row, and its numbers are counted from the edges of its members, which lie side
 * by side in an index.
 */
#include "postgres.h"

#include "store/job_store.h"
#include "store/row_list.h"
#include "store/workflow_store.h"
#include "utils/builtins.h"

static SpiPlan lock_workflow = {
	.sql = "SELECT id, status, total_jobs, queues FROM spooled.workflow WHERE org = $1 AND id = $2 FOR UPDATE",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static void
read_row(HeapTuple tuple, TupleDesc desc, void *arg)
{
	WorkflowRow	 *row = arg;
	bool		  is_live;
	Datum		  status = spl_row_datum(tuple, desc, 2, &is_live);
	ArrayType	 *queues = DatumGetArrayTypePCopy(spl_row_datum(tuple, desc, 4, NULL));
	MemoryContext caller = spl_spi_caller_context();

	spl_row_uuid(tuple, desc, 1, &row->id);
	row->status = is_live ? WORKFLOW_LIVE : DatumGetChar(status);
	row->total_jobs = spl_row_int32(tuple, desc, 3);
	row->queue_count = ArrayGetNItems(ARR_NDIM(queues), ARR_DIMS(queues));
	row->queues = MemoryContextAlloc(caller, sizeof(int32) * Max(row->queue_count, 1));
	memcpy(row->queues, ARR_DATA_PTR(queues), sizeof(int32) * row->queue_count);
}

bool
spl_workflow_lock(int32 org, const pg_uuid_t *id, WorkflowRow *row)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	return spl_spi_run(&lock_workflow, values, NULL, read_row, row) == 1;
}

/* clang-format off */
#define STARTED_AT \
	"(SELECT min(r.started_at) FROM spooled.dependency d, LATERAL (" \
	"  SELECT o.started_at FROM spooled.outcome o WHERE o.org = $1 AND o.job_id = d.parent" \
	"  UNION ALL SELECT l.started_at FROM spooled.dead_letter l WHERE l.org = $1 AND l.job_id = d.parent" \
	"  UNION ALL SELECT a.started_at FROM spooled.attempt a WHERE a.org = $1 AND a.job_id = d.parent) r" \
	" WHERE d.org = $1 AND d.child = $2)"
/* clang-format on */

static SpiPlan end_workflow = {
	.sql =
		"WITH live AS (SELECT id FROM spooled.workflow WHERE org = $1 AND id = $2 AND finished_at IS NULL FOR UPDATE SKIP LOCKED),"
		" members AS (SELECT count(*) FILTER (WHERE state = 'c') AS completed, count(*) FILTER (WHERE state = 'x') AS failed, count(*) AS total"
		"   FROM spooled.dependency WHERE org = $1 AND child = $2 AND EXISTS (SELECT FROM live))"
		" UPDATE spooled.workflow w SET status = CASE WHEN m.completed = m.total THEN 'c' ELSE 'f' END::\"char\", finished_at = $3,"
		"   completed_jobs = m.completed, failed_jobs = m.failed, started_at = " STARTED_AT
		" FROM live, members m WHERE w.org = $1 AND w.id = live.id",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, TIMESTAMPTZOID},
};

static SpiPlan is_live = {
	.sql = "SELECT FROM spooled.workflow WHERE org = $1 AND id = $2 AND finished_at IS NULL",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

bool
spl_workflow_end(int32 org, const pg_uuid_t *id, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), TimestampTzGetDatum(now)};

	return spl_spi_run(&end_workflow, values, NULL, NULL, NULL) > 0 ||
		spl_spi_run(&is_live, values, NULL, NULL, NULL) == 0;
}

static SpiPlan set_cancelled = {
	.sql = "UPDATE spooled.workflow SET status = 'x', finished_at = $3 WHERE org = $1 AND id = $2",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, TIMESTAMPTZOID},
};

void
spl_workflow_set_cancelled(int32 org, const pg_uuid_t *id, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), TimestampTzGetDatum(now)};

	spl_spi_run(&set_cancelled, values, NULL, NULL, NULL);
}

static SpiPlan set_live = {
	.sql =
		"UPDATE spooled.workflow SET status = NULL, started_at = NULL, finished_at = NULL, completed_jobs = NULL, failed_jobs = NULL"
		" WHERE org = $1 AND id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_workflow_set_live(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	spl_spi_run(&set_live, values, NULL, NULL, NULL);
}

typedef struct MemberList
{
	pg_uuid_t *ids;
	int		   count;
} MemberList;

static void
add_member(HeapTuple row, TupleDesc desc, void *arg)
{
	MemberList *list = arg;

	spl_row_uuid(row, desc, 1, &list->ids[list->count++]);
}

/* list_members runs a statement that lists members. */
static int
list_members(SpiPlan *plan, int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members)
{
	MemberList list = {members, 0};
	Datum	   values[] = {Int32GetDatum(org), UUIDPGetDatum(id), Int32GetDatum(limit)};

	spl_spi_run(plan, values, NULL, add_member, &list);
	return list.count;
}

static SpiPlan list_waiting = {
	.sql = "SELECT d.parent FROM spooled.dependency d WHERE d.org = $1 AND d.child = $2 AND d.state = 'w'"
		   " AND NOT EXISTS (SELECT FROM spooled.lease l WHERE l.org = $1 AND l.job_id = d.parent)"
		   " AND NOT EXISTS (SELECT FROM spooled.outcome o WHERE o.org = $1 AND o.job_id = d.parent)"
		   " AND NOT EXISTS (SELECT FROM spooled.dead_letter l WHERE l.org = $1 AND l.job_id = d.parent) LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

int
spl_workflow_waiting(int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members)
{
	return list_members(&list_waiting, org, id, limit, members);
}

static SpiPlan list_failed = {
	.sql = "SELECT d.parent FROM spooled.dependency d WHERE d.org = $1 AND d.child = $2 AND d.state IN ('x', 'k', 'g')"
		   " ORDER BY d.parent LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

int
spl_workflow_failed(int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members)
{
	return list_members(&list_failed, org, id, limit, members);
}

static SpiPlan reopen_members = {
	.sql =
		"UPDATE spooled.dependency d SET state = 'w' WHERE d.org = $1 AND d.parent = ANY($3) AND d.state IN ('x', 'k')"
		" AND (d.child = $2 OR d.child = ANY($3)"
		"  OR EXISTS (SELECT FROM spooled.blocked b WHERE b.org = $1 AND b.job_id = d.child))",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDARRAYOID},
};

void
spl_workflow_reopen(int32 org, const pg_uuid_t *id, const pg_uuid_t *members, int count)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id), spl_uuid_array(members, count)};

	spl_spi_run(&reopen_members, values, NULL, NULL, NULL);
}

static SpiPlan delete_workflow = {
	.sql = "WITH edges AS (DELETE FROM spooled.dependency WHERE org = $1 AND child = $2),"
		   " members AS (DELETE FROM spooled.workflow_job WHERE org = $1 AND workflow = $2)"
		   " DELETE FROM spooled.workflow WHERE org = $1 AND id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_workflow_delete(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	spl_spi_run(&delete_workflow, values, NULL, NULL, NULL);
}

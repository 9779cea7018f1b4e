/*
 * dependency_store.c
 *    Rows of dependency and dependency_mark.
 *
 * Looking at a child's parents has to see what other transactions are about to do, so it reads with a dirty snapshot: of two
 * that end the last parents of a child at the same moment, each has changed its own edge before it looks, so at least one of
 * them sees the other.  It goes from the edge of the parent that has just ended in both directions at once: whatever the
 * order in which parents end, the next open one is near as long as there are many, and all looks of a wide fan-in together
 * cost n log n.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/uuid7.h"
#include "catalog/pg_type.h"
#include "shmem/wake.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/row_list.h"
#include "store/ticket_row.h"
#include "store/tuple.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

enum EdgeColumn
{
	EDGE_ORG = 1,
	EDGE_PARENT,
	EDGE_CHILD,
	EDGE_MODE,
	EDGE_STATE
};

static void
fill_edge(const void *edges, int i, Datum *values, bool *nulls)
{
	const Edge *edge = (const Edge *) edges + i;

	values[EDGE_ORG - 1] = Int32GetDatum(edge->org);
	values[EDGE_PARENT - 1] = UUIDPGetDatum(&edge->parent);
	values[EDGE_CHILD - 1] = UUIDPGetDatum(&edge->child);
	values[EDGE_MODE - 1] = CharGetDatum((char) edge->mode);
	values[EDGE_STATE - 1] = CharGetDatum(edge->state);
}

void
spl_edges_put(const Edge *edges, int count)
{
	spl_tuples_insert(TABLE_DEPENDENCY, edges, count, fill_edge, NULL);
}

static Edge
read_edge(TupleTableSlot *slot)
{
	bool isnull;

	slot_getallattrs(slot);
	return (Edge) {
		.org = DatumGetInt32(slot_getattr(slot, EDGE_ORG, &isnull)),
		.parent = *DatumGetUUIDP(slot_getattr(slot, EDGE_PARENT, &isnull)),
		.child = *DatumGetUUIDP(slot_getattr(slot, EDGE_CHILD, &isnull)),
		.mode = (FanInMode) DatumGetChar(slot_getattr(slot, EDGE_MODE, &isnull)),
		.state = DatumGetChar(slot_getattr(slot, EDGE_STATE, &isnull)),
	};
}

/* latest returns a snapshot of what is committed now: whoever adds a child may have come after this transaction's. */
static Snapshot
latest(void)
{
	return IsolationUsesXactSnapshot() ? spl_snapshot_latest() : spl_snapshot_fresh();
}

bool
spl_edges_exist(void)
{
	Relation table = table_open(spl_table_oid(TABLE_DEPENDENCY), RowExclusiveLock);
	bool	 has_page = RelationGetNumberOfBlocks(table) > 0;

	table_close(table, NoLock);
	return has_page;
}

static void
add_edge(EdgeList *list, const Edge *edge)
{
	if (list->count == list->room)
	{
		list->room = Max(list->room * 2, 8);
		list->edges =
			list->edges ? repalloc(list->edges, sizeof(Edge) * list->room) : palloc(sizeof(Edge) * list->room);
	}
	list->edges[list->count++] = *edge;
}

/* close_of closes the open edges of one parent. */
static void
close_of(TupleScan *scan, int32 org, EndedParent *parent, int limit, EdgeList *closed)
{
	ScanKeyData keys[2];

	spl_ticket_keys(keys, org, &parent->id);
	spl_scan_keys(scan, keys, 2);
	while (!(parent->left && closed->count == limit) && spl_scan_next(scan, ForwardScanDirection))
	{
		Edge edge = read_edge(scan->slot);

		if (edge.state != EDGE_OPEN)
			continue;
		edge.state = parent->state;
		if (closed->count < limit && spl_scan_update(scan, EDGE_STATE, CharGetDatum(edge.state)) == DELETE_OK)
			add_edge(closed, &edge);
		else
			parent->left = true;
	}
}

void
spl_edges_close(int32 org, EndedParent *parents, int count, int limit, EdgeList *closed)
{
	Snapshot  snapshot = latest();
	TupleScan scan;

	spl_scan_begin(&scan, TABLE_DEPENDENCY, INDEX_DEPENDENCY, RowExclusiveLock, snapshot, 2);
	for (int i = 0; i < count; i++)
		close_of(&scan, org, &parents[i], limit, closed);
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
}

void
spl_look_begin(EdgeLook *look, int32 org)
{
	memset(look, 0, sizeof(*look));
	look->org = org;
}

void
spl_look_end(EdgeLook *look)
{
	for (int i = 0; i < lengthof(look->sides); i++)
		if (look->sides[i].is_begun)
			spl_scan_end(&look->sides[i].scan);
}

/* side_begin places a side before its first edge: behind "from" for the first side, in front of it for the second. */
static void
side_begin(EdgeLook *look, int which, const pg_uuid_t *child, const pg_uuid_t *from)
{
	static const pg_uuid_t lowest = {{0}};
	EdgeSide			  *side = &look->sides[which];
	ScanKeyData			   keys[3];

	if (!side->is_begun)
	{
		InitDirtySnapshot(side->dirty);
		spl_scan_begin(&side->scan, TABLE_DEPENDENCY, INDEX_DEPENDENCY_CHILD, RowExclusiveLock, &side->dirty, 3);
		side->is_begun = true;
	}
	spl_ticket_keys(keys, look->org, child);
	if (from == NULL)
		ScanKeyInit(&keys[2], 3, BTGreaterEqualStrategyNumber, F_UUID_GE, UUIDPGetDatum(&lowest));
	else if (which == 0)
		ScanKeyInit(&keys[2], 3, BTGreaterStrategyNumber, F_UUID_GT, UUIDPGetDatum(from));
	else
		ScanKeyInit(&keys[2], 3, BTLessStrategyNumber, F_UUID_LT, UUIDPGetDatum(from));
	spl_scan_keys(&side->scan, keys, 3);
}

/* side_step looks at the next edge of a side; false: there is none. */
static bool
side_step(EdgeSide *side, ScanDirection direction, FanInMode *mode, FanInFacts *facts, bool *parent_gone)
{
	Edge edge;

	if (!spl_scan_next(&side->scan, direction))
		return false;
	edge = read_edge(side->scan.slot);
	*mode = edge.mode;
	if (TransactionIdIsValid(side->dirty.xmin) || TransactionIdIsValid(side->dirty.xmax))
		facts->is_busy = true;
	else if (edge.state == EDGE_OPEN)
		facts->is_open = true;
	else if (edge.state == EDGE_COMPLETED)
		facts->completed = true;
	else
	{
		facts->failed = true;
		*parent_gone |= edge.state == EDGE_GONE;
	}
	return true;
}

FanInMode
spl_edges_look(EdgeLook *look, const pg_uuid_t *child, const pg_uuid_t *from, FanInMode mode, FanInFacts *facts,
			   bool *parent_gone)
{
	static const ScanDirection directions[] = {ForwardScanDirection, BackwardScanDirection};
	bool					   has_more[] = {true, from != NULL};

	for (int turn = 0; has_more[0] || has_more[1]; turn++)
	{
		int which = turn % 2;

		if (turn < 2 && has_more[which])
			side_begin(look, which, child, from);
		if (has_more[which])
			has_more[which] = side_step(&look->sides[which], directions[which], &mode, facts, parent_gone);
		if (from && facts->is_open)
			break;
	}
	return mode;
}

void
spl_edges_lock(int32 org)
{
	LockDatabaseObject(spl_table_oid(TABLE_DEPENDENCY), (Oid) org, 0, ExclusiveLock);
}

/* Both run under a snapshot that the caller has pushed. */
static SpiPlan reach = {
	.sql =
		"WITH RECURSIVE down (id) AS (SELECT $2 UNION"
		"   SELECT d.child FROM spooled.dependency d JOIN down ON d.parent = down.id WHERE d.org = $1 AND d.state = 'w')"
		" SELECT id FROM down WHERE id = ANY($3)",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDARRAYOID},
	.read_only = true,
};

static SpiPlan find_known = {
	.sql = "SELECT parent FROM spooled.dependency WHERE org = $1 AND child = $2 AND parent = ANY($3)",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDARRAYOID},
	.read_only = true,
};

typedef struct Reached
{
	const pg_uuid_t *ids;
	int				 count;
	bool			*reached;
} Reached;

static void
note_reached(HeapTuple row, TupleDesc desc, void *arg)
{
	Reached	 *answer = arg;
	pg_uuid_t id;

	spl_row_uuid(row, desc, 1, &id);
	for (int i = 0; i < answer->count; i++)
		answer->reached[i] |= spl_uuid_equal(&answer->ids[i], &id);
}

/* find_among runs one of the two statements as of now. */
static void
find_among(SpiPlan *plan, int32 org, const pg_uuid_t *job, const pg_uuid_t *ids, int count, bool *reached)
{
	Reached answer = {ids, count, reached};
	Datum	values[] = {Int32GetDatum(org), UUIDPGetDatum(job), spl_uuid_array(ids, count)};

	memset(reached, 0, sizeof(bool) * count);
	PushActiveSnapshot(GetLatestSnapshot());
	spl_spi_run(plan, values, NULL, note_reached, &answer);
	PopActiveSnapshot();
}

void
spl_edges_reach(int32 org, const pg_uuid_t *from, const pg_uuid_t *ids, int count, bool *reached)
{
	find_among(&reach, org, from, ids, count, reached);
}

void
spl_edges_known(int32 org, const pg_uuid_t *child, const pg_uuid_t *ids, int count, bool *known)
{
	find_among(&find_known, org, child, ids, count, known);
}

static SpiPlan set_mode = {
	.sql = "UPDATE spooled.dependency SET mode = $3 WHERE org = $1 AND child = $2 AND mode <> $3",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, CHAROID},
};

void
spl_edges_set_mode(int32 org, const pg_uuid_t *child, FanInMode mode)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(child), CharGetDatum((char) mode)};

	spl_spi_run(&set_mode, values, NULL, NULL, NULL);
}

/* list_edges lists edges by their first two index columns. */
static int
list_edges(SplIndex index, int32 org, const pg_uuid_t *id, int limit, Edge *edges)
{
	TupleScan	scan;
	ScanKeyData keys[2];
	int			count = 0;

	spl_ticket_keys(keys, org, id);
	spl_scan_begin(&scan, TABLE_DEPENDENCY, index, AccessShareLock, NULL, 2);
	spl_scan_keys(&scan, keys, 2);
	while (count < limit && spl_scan_next(&scan, ForwardScanDirection))
	{
		edges[count] = read_edge(scan.slot);
		if (edges[count].mode != FAN_IN_MEMBER)
			count++;
	}
	spl_scan_end(&scan);
	return count;
}

int
spl_edges_of_child(int32 org, const pg_uuid_t *child, int limit, Edge *edges)
{
	return list_edges(INDEX_DEPENDENCY_CHILD, org, child, limit, edges);
}

int
spl_edges_of_parent(int32 org, const pg_uuid_t *parent, int limit, Edge *edges)
{
	return list_edges(INDEX_DEPENDENCY, org, parent, limit, edges);
}

bool
spl_edge_to_workflow(int32 org, const pg_uuid_t *job_id, pg_uuid_t *workflow)
{
	TupleScan	scan;
	ScanKeyData keys[2];
	bool		found = false;

	spl_ticket_keys(keys, org, job_id);
	spl_scan_begin(&scan, TABLE_DEPENDENCY, INDEX_DEPENDENCY, AccessShareLock, NULL, 2);
	spl_scan_keys(&scan, keys, 2);
	while (!found && spl_scan_next(&scan, ForwardScanDirection))
	{
		Edge edge = read_edge(scan.slot);

		found = edge.mode == FAN_IN_MEMBER;
		*workflow = edge.child;
	}
	spl_scan_end(&scan);
	return found;
}

static SpiPlan reopen_edges = {
	.sql =
		"UPDATE spooled.dependency d SET state = 'w' WHERE d.org = $1 AND d.parent = $2 AND d.state IN ('x', 'k')"
		" AND (EXISTS (SELECT FROM spooled.blocked b WHERE b.org = $1 AND b.job_id = d.child)"
		"  OR EXISTS (SELECT FROM spooled.workflow w WHERE w.org = $1 AND w.id = d.child AND w.finished_at IS NULL))",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_edges_reopen(int32 org, const pg_uuid_t *parent)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(parent)};

	spl_spi_run(&reopen_edges, values, NULL, NULL, NULL);
}

static SpiPlan put_marks = {
	.sql = "INSERT INTO spooled.dependency_mark (org, id, kind, noted_at) SELECT $1, u, $2, $4 FROM unnest($3) u",
	.nargs = 4,
	.argtypes = {INT4OID, CHAROID, UUIDARRAYOID, TIMESTAMPTZOID},
};

void
spl_marks_put(int32 org, char kind, const pg_uuid_t *ids, int count, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), CharGetDatum(kind), spl_uuid_array(ids, count), TimestampTzGetDatum(now)};

	if (count == 0)
		return;
	spl_spi_run(&put_marks, values, NULL, NULL, NULL);
	spl_due_note(now);
}

static SpiPlan list_marks = {
	.sql = "SELECT ctid, org, id, kind FROM spooled.dependency_mark WHERE ctid > $1 LIMIT $2",
	.nargs = 2,
	.argtypes = {TIDOID, INT4OID},
};

typedef struct MarkList
{
	Mark *marks;
	int	  count;
} MarkList;

static void
add_mark(HeapTuple row, TupleDesc desc, void *arg)
{
	MarkList *list = arg;
	Mark	 *mark = &list->marks[list->count++];

	mark->tid = *(ItemPointer) DatumGetPointer(spl_row_datum(row, desc, 1, NULL));
	mark->org = spl_row_int32(row, desc, 2);
	spl_row_uuid(row, desc, 3, &mark->id);
	mark->kind = DatumGetChar(spl_row_datum(row, desc, 4, NULL));
}

int
spl_marks_list(const ItemPointerData *after, int limit, Mark *marks)
{
	MarkList list = {marks, 0};
	Datum	 values[] = {PointerGetDatum(after), Int32GetDatum(limit)};

	spl_spi_run(&list_marks, values, NULL, add_mark, &list);
	return list.count;
}

static SpiPlan delete_mark = {
	.sql = "DELETE FROM spooled.dependency_mark WHERE ctid = $1 AND org = $2 AND id = $3 AND kind = $4",
	.nargs = 4,
	.argtypes = {TIDOID, INT4OID, UUIDOID, CHAROID},
};

void
spl_mark_delete(const Mark *mark)
{
	Datum values[] = {PointerGetDatum(&mark->tid), Int32GetDatum(mark->org), UUIDPGetDatum(&mark->id),
					  CharGetDatum(mark->kind)};

	spl_spi_run(&delete_mark, values, NULL, NULL, NULL);
}

static SpiPlan oldest_mark = {
	.sql = "SELECT min(noted_at) FROM spooled.dependency_mark",
};

static void
read_oldest(HeapTuple row, TupleDesc desc, void *oldest)
{
	*(TimestampTz *) oldest = spl_row_time(row, desc, 1);
}

TimestampTz
spl_marks_oldest(void)
{
	TimestampTz oldest = DT_NOBEGIN;

	spl_spi_run(&oldest_mark, NULL, NULL, read_oldest, &oldest);
	return oldest;
}

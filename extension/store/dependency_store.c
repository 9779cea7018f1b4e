/*
 * dependency_store.c
 *    Rows of dependency and dependency_mark.
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
#include "store/edge_look.h"
#include "store/edge_row.h"
#include "store/id_scan.h"
#include "store/job_store.h"
#include "store/row_list.h"
#include "store/ticket_row.h"
#include "store/tuple.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

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
	bool	 has_page = spl_table_has_block(table, 0);

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

/* close_one gives an edge its parent's state; false: somebody else is changing it. */
static bool
close_one(TupleScan *scan, EndedParent *parent, Edge *edge)
{
	edge->state = parent->state;
	if (parent->state != EDGE_COMPLETED || parent->is_deleted)
		return spl_scan_update(scan, EDGE_STATE, CharGetDatum(edge->state)) == DELETE_OK;
	parent->after = edge->child;
	return true;
}

/* close_of closes the open edges of one parent. */
static void
close_of(IdWalk *walk, EndedParent *parent, int limit, EdgeList *closed)
{
	static const pg_uuid_t none = {{0}};
	bool				   has_edge = spl_uuid_equal(&parent->after, &none) ? spl_walk_to(walk, &parent->id)
																			: spl_walk_behind(walk, &parent->id, &parent->after);

	for (; has_edge && !(parent->left && closed->count == limit); has_edge = spl_walk_next(walk))
	{
		Edge edge = spl_edge_read(walk->scan.slot);

		if (edge.state != EDGE_OPEN)
			continue;
		if (closed->count < limit && close_one(&walk->scan, parent, &edge))
			add_edge(closed, &edge);
		else
			parent->left = true;
	}
}

/* Children that were found to wait, in one call: a fan-in, its workflow. */
typedef struct WaitingChildren
{
	EdgeLook  look;
	int		  count;
	pg_uuid_t ids[4];
} WaitingChildren;

/* leads_to_waiting tells of an entry of a completed parent whether the child waits for another one anyway. */
static bool
leads_to_waiting(IndexTuple entry, TupleDesc keys, void *arg)
{
	WaitingChildren *waiting = arg;
	bool			 isnull;
	const pg_uuid_t *child = DatumGetUUIDP(index_getattr(entry, EDGE_CHILD, keys, &isnull));

	for (int i = 0; i < Min(waiting->count, lengthof(waiting->ids)); i++)
		if (spl_uuid_equal(&waiting->ids[i], child))
			return true;
	if (!spl_child_waits(&waiting->look, child))
		return false;
	waiting->ids[waiting->count++ % lengthof(waiting->ids)] = *child;
	return true;
}

/* have_completed tells whether nothing is to be written into the edges of any of the parents. */
static bool
have_completed(const EndedParent *parents, int count)
{
	for (int i = 0; i < count; i++)
		if (parents[i].state != EDGE_COMPLETED || parents[i].is_deleted)
			return false;
	return true;
}

void
spl_edges_close(int32 org, EndedParent *parents, int count, int limit, EdgeList *closed)
{
	static const IdTable by_parent = {TABLE_DEPENDENCY, INDEX_DEPENDENCY, RowExclusiveLock,
									  EDGE_ORG,			EDGE_PARENT,	  EDGE_STATE};
	Snapshot			 snapshot = latest();
	const pg_uuid_t		*last = &parents[0].id;
	bool				 may_skip = limit > 0 && have_completed(parents, count);
	WaitingChildren		 waiting;
	IdWalk				 walk;

	for (int i = 1; i < count; i++)
		if (spl_uuid_compare(&parents[i].id, last) > 0)
			last = &parents[i].id;
	spl_walk_begin(&walk, &by_parent, snapshot, org, last);
	if (may_skip)
	{
		waiting.count = 0;
		spl_look_begin(&waiting.look, org);
		spl_scan_skip(&walk.scan, leads_to_waiting, &waiting);
	}
	for (int i = 0; i < count; i++)
		close_of(&walk, &parents[i], limit, closed);
	spl_walk_end(&walk);
	if (may_skip)
		spl_look_end(&waiting.look);
	UnregisterSnapshot(snapshot);
}

void
spl_edges_lock(int32 org)
{
	LockDatabaseObject(spl_table_oid(TABLE_DEPENDENCY), (Oid) org, 0, ExclusiveLock);
}

/*
 * Both run under a snapshot that the caller has pushed.  An edge whose parent failed or was cancelled is followed as well: it
 * is open again when that end is taken back.
 */
static SpiPlan reach = {
	.sql = "WITH RECURSIVE down (id) AS (SELECT $2 UNION"
		   "   SELECT d.child FROM " SPL_EDGES
		   " d JOIN down ON d.parent = down.id WHERE d.org = $1 AND d.state IN ('w', 'x', 'k'))"
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
	Snapshot	snapshot = spl_snapshot_fresh();
	TupleScan	scan;
	ScanKeyData keys[2];
	int			count = 0;

	spl_ticket_keys(keys, org, id);
	spl_scan_begin(&scan, TABLE_DEPENDENCY, index, AccessShareLock, snapshot, 2);
	spl_scan_keys(&scan, keys, 2);
	while (count < limit && spl_scan_next(&scan, ForwardScanDirection))
	{
		edges[count] = spl_edge_read(scan.slot);
		if (edges[count].mode != FAN_IN_MEMBER)
			count++;
	}
	spl_scan_end(&scan);
	spl_edges_see_completed(org, snapshot, edges, count);
	UnregisterSnapshot(snapshot);
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
		Edge edge = spl_edge_read(scan.slot);

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

static SpiPlan put_parent_marks = {
	.sql =
		"INSERT INTO spooled.dependency_mark (org, id, kind, after, noted_at)"
		" SELECT $1, u.id, u.kind, nullif(u.after, '00000000-0000-0000-0000-000000000000'), $5 FROM unnest($2, $3, $4) u (id, kind, after)",
	.nargs = 5,
	.argtypes = {INT4OID, UUIDARRAYOID, CHARARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID},
};

/* parent_mark says what is to be left of a parent: what its edges are to say is in its tickets, or is no longer. */
static char
parent_mark(const EndedParent *parent)
{
	if (!parent->is_deleted)
		return MARK_PARENT;
	return parent->state == EDGE_COMPLETED ? MARK_COMPLETED : MARK_GONE;
}

void
spl_marks_put_parents(int32 org, const EndedParent *parents, int count, TimestampTz now)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	pg_uuid_t *afters = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	Datum	  *kinds = palloc(sizeof(Datum) * Max(count, 1));
	Datum	   values[] = {Int32GetDatum(org), 0, 0, 0, TimestampTzGetDatum(now)};

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
	{
		ids[i] = parents[i].id;
		afters[i] = parents[i].after;
		kinds[i] = CharGetDatum(parent_mark(&parents[i]));
	}
	values[1] = spl_uuid_array(ids, count);
	values[2] = PointerGetDatum(construct_array(kinds, count, CHAROID, 1, true, TYPALIGN_CHAR));
	values[3] = spl_uuid_array(afters, count);
	spl_spi_run(&put_parent_marks, values, NULL, NULL, NULL);
	spl_due_note(now);
}

static SpiPlan list_marks = {
	.sql = "SELECT ctid, org, id, kind, after FROM spooled.dependency_mark WHERE ctid > $1 LIMIT $2",
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
	memset(&mark->after, 0, sizeof(mark->after));
	spl_row_uuid(row, desc, 5, &mark->after);
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

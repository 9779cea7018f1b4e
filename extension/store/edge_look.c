/*
 * edge_look.c
 *    How the parents of a child stand: from its edges and the parents' outcomes.
 *
 * A look has to see what other transactions are about to do, so it reads with a dirty snapshot: of two that end the last
 * parents of a child at the same moment, each has put its outcome, or changed its own edge, before it looks, so at least one
 * of them sees the other.  "Open" is believed only when no outcome says otherwise and the edge, read after that, still says so:
 * who deletes a completed parent writes the edge before its outcome is gone for others.
 *
 * A wide fan-in must not be read at every end of a parent.  Where an open parent was, this backend remembers and looks first;
 * at the child's last parent next, since parents mostly end in their order, and at its first, since some do so backwards; and
 * then from the one that ended in both directions at once.  So a look is mostly one edge and one outcome, and what is remembered
 * is never believed without them.  While it holds, the edges of parents that complete are not read at all (spl_child_waits).
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "base/uuid7.h"
#include "storage/bufmgr.h"
#include "store/edge_look.h"
#include "store/edge_row.h"
#include "store/id_scan.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

/* Edges whose parents' outcomes are looked for together. */
#define MOST_AT_ONCE 128

/* An answer of spl_parents_ask under construction. */
typedef struct OutcomeAnswer
{
	Snapshot	   snapshot;
	ParentOutcome *outcomes;
} OutcomeAnswer;

/* is_changing tells whether an open transaction has to do with what a dirty snapshot has just seen. */
static bool
is_changing(const SnapshotData *dirty)
{
	return TransactionIdIsValid(dirty->xmin) || TransactionIdIsValid(dirty->xmax);
}

static void
see_outcome(TupleTableSlot *slot, int i, void *arg)
{
	OutcomeAnswer *answer = arg;
	OutcomeBrief   brief = spl_outcome_brief(slot);
	ParentEnd	   end = brief.reason == OUTCOME_COMPLETED ? PARENT_COMPLETED : PARENT_NOT_COMPLETED;

	if (answer->snapshot->snapshot_type == SNAPSHOT_DIRTY && is_changing(answer->snapshot))
		end = PARENT_BUSY;
	answer->outcomes[i] = (ParentOutcome) {end, brief.run, brief.started_at};
}

void
spl_parents_ask(int32 org, Snapshot snapshot, const pg_uuid_t *parents, int count, ParentOutcome *outcomes)
{
	static const IdTable table = {TABLE_OUTCOME, INDEX_OUTCOME_JOB, AccessShareLock,
								  TICKET_ORG,	 TICKET_JOB_ID,		OUTCOME_BRIEF_COLUMNS};
	OutcomeAnswer		 answer = {snapshot, outcomes};

	for (int i = 0; i < count; i++)
		outcomes[i] = (ParentOutcome) {PARENT_NOT_COMPLETED, 0, NO_TIME};
	if (count > 0)
		spl_rows_by_id(&table, snapshot, org, parents, NULL, count, see_outcome, &answer);
}

void
spl_edges_see_completed(int32 org, Snapshot snapshot, Edge *edges, int count)
{
	pg_uuid_t	  *parents = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	ParentOutcome *outcomes = palloc(sizeof(ParentOutcome) * Max(count, 1));

	for (int i = 0; i < count; i++)
		parents[i] = edges[i].parent;
	spl_parents_ask(org, snapshot, parents, count, outcomes);
	for (int i = 0; i < count; i++)
		if (edges[i].state == EDGE_OPEN && outcomes[i].end == PARENT_COMPLETED)
			edges[i].state = EDGE_COMPLETED;
	pfree(parents);
	pfree(outcomes);
}

void
spl_look_begin(EdgeLook *look, int32 org)
{
	memset(look, 0, sizeof(*look));
	look->org = org;
	look->table = table_open(spl_table_oid(TABLE_DEPENDENCY), RowExclusiveLock);
	look->slot = spl_slot_create(look->table);
}

void
spl_look_end(EdgeLook *look)
{
	for (int i = 0; i < LOOK_SIDES; i++)
		if (look->sides[i].is_begun)
			spl_scan_end(&look->sides[i].scan);
	ExecDropSingleTupleTableSlot(look->slot);
	table_close(look->table, NoLock);
}

/* Open edges that this backend has seen, by child; those of workflows apart, so that one's never displaces its fan-in's. */
static PlacedEdge remembered[2][64];

/* remembered_of returns the place for a child's edge; the last byte of an id is random. */
static PlacedEdge *
remembered_of(const pg_uuid_t *child, FanInMode mode)
{
	return &remembered[mode == FAN_IN_MEMBER][child->data[UUID_LEN - 1] % lengthof(remembered[0])];
}

static bool
is_edge_to(const PlacedEdge *placed, int32 org, const pg_uuid_t *child)
{
	return placed->edge.org == org && spl_uuid_equal(&placed->edge.child, child);
}

/* is_still_open reads an edge once more: nobody has changed it, and nobody is about to. */
static bool
is_still_open(EdgeLook *look, const PlacedEdge *placed)
{
	SnapshotData	dirty;
	ItemPointerData tid = placed->tid;
	Edge			now;
	bool			is_open;

	InitDirtySnapshot(dirty);
	if (!table_tuple_fetch_row_version(look->table, &tid, &dirty, look->slot))
		return false;
	now = spl_edge_read(look->slot);
	is_open = spl_tuple_is_ours(look->table, look->slot) && !is_changing(&dirty) && now.org == look->org &&
		spl_uuid_equal(&now.parent, &placed->edge.parent) && spl_uuid_equal(&now.child, &placed->edge.child) &&
		now.state == EDGE_OPEN && now.mode == placed->edge.mode;
	ExecClearTuple(look->slot);
	return is_open;
}

/* finds_remembered looks whether the open edge of a child that was last seen is still open; else it is forgotten. */
static bool
finds_remembered(EdgeLook *look, const pg_uuid_t *child, FanInMode mode)
{
	PlacedEdge	 *placed = remembered_of(child, mode);
	SnapshotData  dirty;
	ParentOutcome outcome = {PARENT_COMPLETED};

	if (!is_edge_to(placed, look->org, child))
		return false;
	InitDirtySnapshot(dirty);
	if (spl_table_has_block(look->table, ItemPointerGetBlockNumber(&placed->tid)))
		spl_parents_ask(look->org, &dirty, &placed->edge.parent, 1, &outcome);
	if (outcome.end == PARENT_NOT_COMPLETED && is_still_open(look, placed))
		return true;
	memset(placed, 0, sizeof(*placed));
	return false;
}

bool
spl_child_waits(EdgeLook *look, const pg_uuid_t *child)
{
	const PlacedEdge *placed = remembered_of(child, FAN_IN_ALL);

	if (is_edge_to(placed, look->org, child) && placed->edge.mode == FAN_IN_ANY)
		return false;
	return finds_remembered(look, child, FAN_IN_ALL) || finds_remembered(look, child, FAN_IN_MEMBER);
}

/* Open edges of one side that are to be compared with the outcomes. */
typedef struct OpenEdges
{
	int		   count;
	PlacedEdge edges[MOST_AT_ONCE];
} OpenEdges;

/* How a look goes: its answer, and what is open on its sides. */
typedef struct Looking
{
	FanInMode	mode;
	FanInFacts *facts;
	bool	   *parent_gone;
	OpenEdges	on;	  /* by ascending parent */
	OpenEdges	back; /* by descending parent */
} Looking;

void
spl_edge_weigh(EdgeLook *look, FanInFacts *facts, const PlacedEdge *placed, ParentEnd end)
{
	if (end == PARENT_COMPLETED)
		facts->completed = true;
	else if (end == PARENT_BUSY)
		facts->is_busy = true;
	else if (facts->is_open)
		return;
	else if (is_still_open(look, placed))
	{
		facts->is_open = true;
		*remembered_of(&placed->edge.child, placed->edge.mode) = *placed;
	}
	else
		facts->is_busy = true;
}

/* weigh_open weighs the open edges of one side, the ones that are farthest first. */
static void
weigh_open(EdgeLook *look, FanInFacts *facts, OpenEdges *open, bool is_descending)
{
	pg_uuid_t	  parents[MOST_AT_ONCE]; /* ascending */
	ParentOutcome outcomes[MOST_AT_ONCE];
	int			  count = open->count;
	SnapshotData  dirty;

	if (count <= 0)
		return;
	for (int i = 0; i < count; i++)
		parents[is_descending ? count - 1 - i : i] = open->edges[i].edge.parent;
	InitDirtySnapshot(dirty);
	spl_parents_ask(look->org, &dirty, parents, count, outcomes);
	for (int i = count - 1; i >= 0; i--)
		spl_edge_weigh(look, facts, &open->edges[i], outcomes[is_descending ? count - 1 - i : i].end);
	open->count = 0;
}

/* The sides of a look: from the child's last parent back, from "from" on, and from there back. */
enum LookSide
{
	SIDE_END,
	SIDE_ON,
	SIDE_BACK
};

/* side_begin places a side before its first edge; without "from" SIDE_ON begins at the first of all. */
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
		side->scan.columns = EDGE_STATE;
		side->is_begun = true;
	}
	spl_ticket_keys(keys, look->org, child);
	if (which == SIDE_END || from == NULL)
		ScanKeyInit(&keys[2], 3, BTGreaterEqualStrategyNumber, F_UUID_GE, UUIDPGetDatum(&lowest));
	else if (which == SIDE_ON)
		ScanKeyInit(&keys[2], 3, BTGreaterStrategyNumber, F_UUID_GT, UUIDPGetDatum(from));
	else
		ScanKeyInit(&keys[2], 3, BTLessStrategyNumber, F_UUID_LT, UUIDPGetDatum(from));
	spl_scan_keys(&side->scan, keys, 3);
}

/* side_step looks at the next edge of a side; false: there is none. */
static bool
side_step(EdgeLook *look, int which, Looking *looking)
{
	EdgeSide  *side = &look->sides[which];
	OpenEdges *open = which == SIDE_ON ? &looking->on : &looking->back;
	Edge	   edge;

	if (!spl_scan_next(&side->scan, which == SIDE_ON ? ForwardScanDirection : BackwardScanDirection))
		return false;
	edge = spl_edge_read(side->scan.slot);
	looking->mode = edge.mode;
	if (is_changing(&side->dirty))
	{
		looking->facts->is_busy = true;
		looking->facts->is_returning |= edge.state == EDGE_FAILED || edge.state == EDGE_CANCELLED;
	}
	else if (edge.state == EDGE_OPEN)
		open->edges[open->count++] = (PlacedEdge) {edge, side->scan.slot->tts_tid};
	else if (edge.state == EDGE_COMPLETED)
		looking->facts->completed = true;
	else
	{
		looking->facts->failed = true;
		*looking->parent_gone |= edge.state == EDGE_GONE;
	}
	return true;
}

/* look_at_last looks at the child's last parent; true: that is another one than "from". */
static bool
look_at_last(EdgeLook *look, Looking *looking, const pg_uuid_t *child, const pg_uuid_t *from)
{
	bool is_other;

	side_begin(look, SIDE_END, child, NULL);
	is_other = side_step(look, SIDE_END, looking) &&
		!spl_uuid_equal(DatumGetUUIDP(look->sides[SIDE_END].scan.slot->tts_values[EDGE_PARENT - 1]), from);
	weigh_open(look, looking->facts, &looking->back, true);
	return is_other;
}

/* look_at_first looks at the child's first parent. */
static void
look_at_first(EdgeLook *look, Looking *looking, const pg_uuid_t *child)
{
	side_begin(look, SIDE_ON, child, NULL);
	side_step(look, SIDE_ON, looking);
	weigh_open(look, looking->facts, &looking->on, false);
}

/* look_around looks at the other parents of a child from the place of "from" in both directions, more and more at once. */
static void
look_around(EdgeLook *look, Looking *looking, const pg_uuid_t *child, const pg_uuid_t *from)
{
	bool has_more[LOOK_SIDES] = {[SIDE_ON] = true, [SIDE_BACK] = from != NULL};

	side_begin(look, SIDE_ON, child, from);
	if (from)
		side_begin(look, SIDE_BACK, child, from);
	for (int room = 2; has_more[SIDE_ON] || has_more[SIDE_BACK]; room = Min(room * 2, MOST_AT_ONCE))
	{
		for (int i = 0; i < room; i++)
		{
			int which = i % 2 == 0 ? SIDE_ON : SIDE_BACK;

			if (has_more[which])
				has_more[which] = side_step(look, which, looking);
		}
		weigh_open(look, looking->facts, &looking->on, false);
		weigh_open(look, looking->facts, &looking->back, true);
		if (from && (looking->facts->is_open || (looking->mode == FAN_IN_MEMBER && room == MOST_AT_ONCE)))
			return;
	}
}

FanInMode
spl_edges_look(EdgeLook *look, const pg_uuid_t *child, const pg_uuid_t *from, FanInMode mode, FanInFacts *facts,
			   bool *parent_gone)
{
	Looking looking; /* large, and mostly not filled */

	if (from && finds_remembered(look, child, mode))
	{
		facts->is_open = true;
		return mode;
	}
	looking.mode = mode;
	looking.facts = facts;
	looking.parent_gone = parent_gone;
	looking.on.count = looking.back.count = 0;
	if (from && look_at_last(look, &looking, child, from) && !facts->is_open)
		look_at_first(look, &looking, child);
	if (!(from && facts->is_open))
		look_around(look, &looking, child, from);
	return looking.mode;
}

/* are_all tells whether the child of some edges has no others, and nobody is changing it. */
static bool
are_all(IdWalk *walk, const SnapshotData *dirty, const Edge *const *edges, int count)
{
	int seen = 0;

	for (bool is_there = spl_walk_to(walk, &edges[0]->child); is_there; is_there = spl_walk_next(walk))
	{
		Edge edge = spl_edge_read(walk->scan.slot);

		if (seen == count || is_changing(dirty) || !spl_uuid_equal(&edge.parent, &edges[seen]->parent))
			return false;
		seen++;
	}
	return seen == count;
}

void
spl_edges_are_all(int32 org, const Edge *const *edges, int count, bool *all)
{
	static const IdTable by_child = {TABLE_DEPENDENCY, INDEX_DEPENDENCY_CHILD, RowExclusiveLock, EDGE_ORG, EDGE_CHILD,
									 EDGE_STATE};
	SnapshotData		 dirty;
	IdWalk				 walk;

	InitDirtySnapshot(dirty);
	spl_walk_begin(&walk, &by_child, &dirty, org, &edges[count - 1]->child);
	for (int first = 0, end; first < count; first = end)
	{
		for (end = first + 1; end < count && spl_uuid_equal(&edges[end]->child, &edges[first]->child);)
			end++;
		all[first] = are_all(&walk, &dirty, &edges[first], end - first);
	}
	spl_walk_end(&walk);
}

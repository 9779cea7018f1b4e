/*
 * edge_look.h
 *    How the parents of a child stand.
 */
#ifndef SPL_EDGE_LOOK_H
#define SPL_EDGE_LOOK_H

#include "store/dependency_store.h"
#include "store/tuple.h"
#include "utils/snapshot.h"

/* What the outcomes say about a parent. */
typedef enum ParentEnd
{
	PARENT_NOT_COMPLETED,
	PARENT_COMPLETED,
	PARENT_BUSY /* an open transaction is making or deleting the outcome */
} ParentEnd;

typedef struct ParentOutcome
{
	ParentEnd	end;
	int32		run;		/* 0: there is no outcome */
	TimestampTz started_at; /* NO_TIME: it never ran */
} ParentOutcome;

/* spl_parents_ask tells of parents in ascending order how they stand by their outcomes. */
extern void spl_parents_ask(int32 org, Snapshot snapshot, const pg_uuid_t *parents, int count, ParentOutcome *outcomes);

/* An edge, and where it is. */
typedef struct PlacedEdge
{
	Edge			edge;
	ItemPointerData tid;
} PlacedEdge;

/* A direction in which a look goes through the parents of a child. */
typedef struct EdgeSide
{
	TupleScan	 scan;
	SnapshotData dirty;
	bool		 is_begun;
} EdgeSide;

#define LOOK_SIDES 3

/* A way of looking at the parents of children, one child after the other. */
typedef struct EdgeLook
{
	int32			org;
	Relation		table;
	TupleTableSlot *slot;
	EdgeSide		sides[LOOK_SIDES];
} EdgeLook;

extern void spl_look_begin(EdgeLook *look, int32 org);
extern void spl_look_end(EdgeLook *look);

/*
 * spl_edges_look tells how the parents of a child stand, also as far as open transactions have come.  With "from", a parent
 * that has just ended, it is enough to find an open one, and the many members of a workflow are not all looked at: whether it
 * is over spl_members_sum tells.  Returns the mode of the edges, or "mode" when it read none.
 */
extern FanInMode spl_edges_look(EdgeLook *look, const pg_uuid_t *child, const pg_uuid_t *from, FanInMode mode,
								FanInFacts *facts, bool *parent_gone);

/*
 * spl_child_waits tells whether a child is known to wait, whatever parents of it have completed: an open parent that this
 * backend remembers is still open, and its end will look.  False: not known.
 */
extern bool spl_child_waits(EdgeLook *look, const pg_uuid_t *child);

/* spl_edge_weigh adds to the facts what an edge says that is stored as open, when this is what its parent's outcome says. */
extern void spl_edge_weigh(EdgeLook *look, FanInFacts *facts, const PlacedEdge *placed, ParentEnd end);

/*
 * spl_edges_are_all tells of edges, sorted by child and parent, at the first of each child, whether the child has no others.
 * For many children, whose edges are neighbours: it looks at few of each.
 */
extern void spl_edges_are_all(int32 org, const Edge *const *edges, int count, bool *all);

/* spl_edges_see_completed gives open edges whose parents have completed, as a snapshot sees it, that state. */
extern void spl_edges_see_completed(int32 org, Snapshot snapshot, Edge *edges, int count);

#endif

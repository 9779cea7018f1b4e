/*
 * dependency_store.h
 *    Edges between parents and what depends on them, and the marks of what is left to the background worker.
 *
 * The state of an edge is changed by the end of its parent and by nobody else, except when that end is taken back (replay,
 * retry).  Nothing here waits for another transaction: what somebody is just changing is "busy".
 */
#ifndef SPL_DEPENDENCY_STORE_H
#define SPL_DEPENDENCY_STORE_H

#include "base/fan_in_kind.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "store/tuple.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#define EDGE_OPEN 'w'
#define EDGE_COMPLETED 'c'
#define EDGE_FAILED 'x'	   /* a dead letter */
#define EDGE_CANCELLED 'k' /* cancelled, expired */
#define EDGE_GONE 'g'	   /* the parent was deleted before it ended */

typedef struct Edge
{
	int32	  org;
	pg_uuid_t parent;
	pg_uuid_t child;
	FanInMode mode;
	char	  state;
} Edge;

extern void spl_edges_put(const Edge *edges, int count);

/*
 * spl_edges_exist tells whether the table has a page at all: where nobody uses dependencies, an end costs no look into the
 * index.  Asked when the parents' tickets have been taken: whoever adds a child holds the parent before, so his edge has its
 * page by then.
 */
extern bool spl_edges_exist(void);

typedef struct EdgeList
{
	Edge *edges;
	int	  count;
	int	  room;
} EdgeList;

/* A job that is over, and what its edges are to say. */
typedef struct EndedParent
{
	pg_uuid_t id;
	char	  state;
	bool	  left; /* out: some of its edges are still open */
} EndedParent;

/*
 * spl_edges_close gives the open edges of parents their state, as of now whatever the isolation level, until the list has
 * "limit".  Edges are left because of the limit, or because somebody else is just changing them.
 */
extern void spl_edges_close(int32 org, EndedParent *parents, int count, int limit, EdgeList *closed);

/* A way of looking at the parents of children, one child after the other; a side is a direction from where a look starts. */
typedef struct EdgeSide
{
	TupleScan	 scan;
	SnapshotData dirty;
	bool		 is_begun;
} EdgeSide;

typedef struct EdgeLook
{
	int32	 org;
	EdgeSide sides[2];
} EdgeLook;

extern void spl_look_begin(EdgeLook *look, int32 org);
extern void spl_look_end(EdgeLook *look);

/*
 * spl_edges_look tells how the parents of a child stand, also as far as open transactions have come.  It starts at the place
 * of "from", whose own edge it leaves out, and ends at the first open edge; NULL: all.  Returns the mode of the edges, or
 * "mode" when there are none.
 */
extern FanInMode spl_edges_look(EdgeLook *look, const pg_uuid_t *child, const pg_uuid_t *from, FanInMode mode,
								FanInFacts *facts, bool *parent_gone);

/*
 * spl_edges_lock keeps others from adding edges between the organization's jobs until this transaction ends: two that did so
 * at the same moment could close a circle that neither sees.
 */
extern void spl_edges_lock(int32 org);

/* spl_edges_reach tells of each of "ids" whether there is a way to it from "from" along open edges, as of now. */
extern void spl_edges_reach(int32 org, const pg_uuid_t *from, const pg_uuid_t *ids, int count, bool *reached);

/* spl_edges_known tells of each of "ids" whether it is a parent of the child already, as of now. */
extern void spl_edges_known(int32 org, const pg_uuid_t *child, const pg_uuid_t *ids, int count, bool *known);

/* spl_edges_set_mode changes how a child depends on all its parents. */
extern void spl_edges_set_mode(int32 org, const pg_uuid_t *child, FanInMode mode);

/* spl_edges_of_child and spl_edges_of_parent list up to "limit" edges, without those to workflows. */
extern int spl_edges_of_child(int32 org, const pg_uuid_t *child, int limit, Edge *edges);
extern int spl_edges_of_parent(int32 org, const pg_uuid_t *parent, int limit, Edge *edges);

/* spl_edge_to_workflow finds the workflow that a job is a member of. */
extern bool spl_edge_to_workflow(int32 org, const pg_uuid_t *job_id, pg_uuid_t *workflow);

/* spl_edges_reopen takes back the end of a parent, for children that still wait and for live workflows. */
extern void spl_edges_reopen(int32 org, const pg_uuid_t *parent);

#define MARK_PARENT 'p'	  /* a job that is over: tell its children */
#define MARK_CHILD 'c'	  /* a child: look at its parents again */
#define MARK_WORKFLOW 'f' /* a workflow: look at its members again */
#define MARK_CANCEL 'k'	  /* a cancelled workflow: cancel the members that are left */

typedef struct Mark
{
	ItemPointerData tid;
	int32			org;
	pg_uuid_t		id;
	char			kind;
} Mark;

/* spl_marks_put leaves something to the background worker, which learns of it when this transaction commits. */
extern void spl_marks_put(int32 org, char kind, const pg_uuid_t *ids, int count, TimestampTz now);

/* spl_marks_list lists marks of all organizations, from the place after "after" on. */
extern int		   spl_marks_list(const ItemPointerData *after, int limit, Mark *marks);
extern void		   spl_mark_delete(const Mark *mark);
extern TimestampTz spl_marks_oldest(void); /* DT_NOBEGIN: there is none */

#endif

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

/* spl_edge_exists_many tells of each job whether it has open edges to children, as of now whatever the isolation level. */
extern void spl_edge_exists_many(int32 org, const pg_uuid_t *parents, int count, bool *exists);

/*
 * spl_edges_close gives up to "limit" open edges of a parent a state and returns them.  "left" tells whether there are
 * others, because of the limit or because somebody else is just changing them.
 */
extern int spl_edges_close(int32 org, const pg_uuid_t *parent, char state, int limit, Edge *closed, bool *left);

/*
 * spl_edges_look tells how the parents of a child stand, also as far as open transactions have come.  It starts at the place
 * of "from", whose own edge it leaves out, and ends at the first open edge; NULL: all.  Returns the mode of the edges, or
 * "mode" when there are none.
 */
extern FanInMode spl_edges_look(int32 org, const pg_uuid_t *child, const pg_uuid_t *from, FanInMode mode,
								FanInFacts *facts, bool *parent_gone);

/*
 * spl_edges_lock keeps others from adding edges between the organization's jobs until this transaction ends: two that did so
 * at the same moment could close a circle that neither sees.
 */
extern void spl_edges_lock(int32 org);

/* spl_edges_reach tells of each of "ids" whether there is a way to it from "from" along open edges, as of now. */
extern void spl_edges_reach(int32 org, const pg_uuid_t *from, const pg_uuid_t *ids, int count, bool *reached);

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

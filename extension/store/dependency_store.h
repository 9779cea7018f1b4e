/*
 * dependency_store.h
 *    Edges between parents and what depends on them, and the marks of what is left to the background worker.
 *
 * A parent that completes writes nothing into its edges, which may be thousands: its outcome is there, and says it.  Any other
 * end changes the state of an edge, and so does the deletion of a parent, whose outcome goes; taking an end back (replay,
 * retry) changes it again, and nobody else does.  So the state that is stored is not the whole truth: statements read
 * SPL_EDGES, and C the functions below.  Nothing here waits for another transaction: what somebody is just changing is "busy".
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

/* The edges for statements, each with the state that it has.  OFFSET 0: an outcome is looked up by its key, whatever is planned. */
/* clang-format off */
#define SPL_EDGES \
	"(SELECT d.org, d.parent, d.child, d.mode, CASE WHEN o.completed THEN 'c' ELSE d.state END AS state FROM spooled.dependency d" \
	"   LEFT JOIN LATERAL (SELECT true AS completed FROM spooled.outcome c WHERE d.state = 'w' AND c.org = d.org" \
	"     AND c.job_id = d.parent AND c.kind = 'c' OFFSET 0) o ON true)"
/* clang-format on */

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
	bool	  is_deleted; /* its outcome goes: its edges have to say it even if it completed */
	pg_uuid_t after;	  /* completed: its children up to this one are done; zero: none */
	bool	  left;		  /* out: some of its edges are still open */
} EndedParent;

/*
 * spl_edges_close gives the open edges of parents their state, or only lists them where a parent's outcome says it, as of now
 * whatever the isolation level, until the list has "limit".  Edges are left because of the limit, or because somebody else is
 * just changing them.  Parents in ascending order, as those of one claim are, cost one descent of the index and not one each.
 */
extern void spl_edges_close(int32 org, EndedParent *parents, int count, int limit, EdgeList *closed);

/*
 * spl_edges_lock keeps others from adding edges between the organization's jobs until this transaction ends: two that did so
 * at the same moment could close a circle that neither sees.
 */
extern void spl_edges_lock(int32 org);

/*
 * spl_edges_reach tells of each of "ids" whether there is a way to it from "from", as of now, along edges that are open or
 * may be again.
 */
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

#define MARK_PARENT 'p'	   /* a job that is over: tell its children */
#define MARK_COMPLETED 'd' /* the same of a completed job that is deleted */
#define MARK_GONE 'g'	   /* the same of one that was deleted before it ended */
#define MARK_CHILD 'c'	   /* a child: look at its parents again */
#define MARK_WORKFLOW 'f'  /* a workflow: look at its members again */
#define MARK_CANCEL 'k'	   /* a cancelled workflow: cancel the members that are left */

typedef struct Mark
{
	ItemPointerData tid;
	int32			org;
	pg_uuid_t		id;
	char			kind;
	pg_uuid_t		after; /* MARK_PARENT: see EndedParent */
} Mark;

/* spl_marks_put leaves something to the background worker, which learns of it when this transaction commits. */
extern void spl_marks_put(int32 org, char kind, const pg_uuid_t *ids, int count, TimestampTz now);
extern void spl_marks_put_parents(int32 org, const EndedParent *parents, int count, TimestampTz now);

/* spl_marks_list lists marks of all organizations, from the place after "after" on. */
extern int		   spl_marks_list(const ItemPointerData *after, int limit, Mark *marks);
extern void		   spl_mark_delete(const Mark *mark);
extern TimestampTz spl_marks_oldest(void); /* DT_NOBEGIN: there is none */

#endif

/*
 * dependency_work.h
 *    What follows from the ends of jobs, while it is being worked off.  For the files of dependency alone.
 */
#ifndef SPL_DEPENDENCY_WORK_H
#define SPL_DEPENDENCY_WORK_H

#include "store/dependency_store.h"
#include "store/ticket.h"

#define DEPENDENCY_AT_ONCE 1000 /* edges that one transaction works off */

typedef struct IdList
{
	pg_uuid_t *ids;
	int		   count;
	int		   room;
} IdList;

/* What is decided about a child. */
typedef struct Fate
{
	pg_uuid_t	child;
	const char *error; /* NULL: it may run */
} Fate;

/* All that one end brings about. */
typedef struct DependencyWork
{
	int32		 org;
	TimestampTz	 now;
	int			 left; /* edges that may still be worked off */
	EndedParent *over;
	int			 over_count;
	int			 over_room;
	Fate		*fates;
	int			 fate_count;
	int			 fate_room;
	IdList		 finished; /* workflows whose members may all be over */

	/* What is left to the background worker. */
	EndedParent *parents;
	int			 parent_count;
	int			 parent_room;
	IdList		 children;
	IdList		 workflows;
} DependencyWork;

/* spl_edge_state says what the edges of a job with this ticket are to say. */
extern char spl_edge_state(const Ticket *ticket);

/* spl_work_add_over adds a job that is over, or deleted, with what its edges are to say. */
extern void spl_work_add_over(DependencyWork *work, const EndedParent *parent);
extern void spl_work_add_fate(DependencyWork *work, const pg_uuid_t *child, const char *error);
extern void spl_work_leave(IdList *list, const pg_uuid_t *id);

/* spl_work_judge_again decides about a child from all its edges. */
extern void spl_work_judge_again(DependencyWork *work, const pg_uuid_t *child);

/* spl_work_off tells the children of all that is over, and theirs. */
extern void spl_work_off(DependencyWork *work);

/* spl_work_leave_marks leaves to the background worker what was put aside. */
extern void spl_work_leave_marks(const DependencyWork *work);

/* spl_work_move_children releases or cancels the children about whom there is a verdict (dependency_child.c). */
extern void spl_work_move_children(DependencyWork *work);

#endif

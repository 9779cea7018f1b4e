/*
 * parent_results.h
 *    What the parents of a job have left for it.
 */
#ifndef SPL_PARENT_RESULTS_H
#define SPL_PARENT_RESULTS_H

#include "ops/settle.h"
#include "store/parent_result_store.h"

#define PARENT_RESULTS_ROOM (8 * 1024 * 1024) /* bytes of results in one answer */

typedef struct ParentView
{
	ParentResult parent;
	const char	*key;	 /* in the child's workflow, or NULL */
	const char	*status; /* completed, deadletter or cancelled; NULL: it is not over */
} ParentView;

typedef struct ParentViews
{
	ParentView *views;
	int			count;
	bool		is_more; /* there are more than were asked for */
} ParentViews;

/*
 * spl_parent_results reads what up to "limit" parents of a job have left, as far as the credential's queues go, and results as
 * long as they fit into *room.  Whether the caller may ask for this job at all is not asked here.
 */
extern void spl_parent_results(const pg_uuid_t *job_id, int limit, int64 *room, ParentViews *parents);

/* spl_parent_results_of_run does so for a job that the caller runs; refused like any other act on a lease. */
extern SplCode spl_parent_results_of_run(SettleItem *run, int limit, ParentViews *parents, SplFault *fault);

#endif

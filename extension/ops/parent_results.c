/*
 * parent_results.c
 *    What the parents of a job have left for it.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "ops/parent_results.h"
#include "store/dependency_store.h"
#include "store/workflow_read_store.h"

/* status_of names how a parent ended; NULL: it has not. */
static const char *
status_of(char state)
{
	switch (state)
	{
		case EDGE_OPEN: return NULL;
		case EDGE_COMPLETED: return "completed";
		case EDGE_FAILED: return "deadletter";
		default: return "cancelled";
	}
}

/* is_visible: a parent that is deleted belongs to no queue any more, so a restricted credential does not see it. */
static bool
is_visible(const ParentResult *parent)
{
	return parent->queue ? spl_queue_in_scope(parent->queue) : !spl_scope_is_restricted();
}

/* find_keys finds the keys that the parents, in the order of their ids, have in the workflow of their child. */
static const char **
find_keys(int32 org, const pg_uuid_t *child, const ParentResult *parents, int count)
{
	const char **keys = palloc0(sizeof(char *) * Max(count, 1));
	pg_uuid_t	*ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	pg_uuid_t	 workflow;

	for (int i = 0; i < count; i++)
		ids[i] = parents[i].job_id;
	if (count > 0 && spl_edge_to_workflow(org, child, &workflow))
		spl_workflow_keys(org, &workflow, ids, count, keys);
	pfree(ids);
	return keys;
}

void
spl_parent_results(const pg_uuid_t *job_id, int limit, int64 *room, ParentViews *parents)
{
	int32		  org = spl_org();
	ParentResult *rows;
	int			  count = spl_parent_results_read(org, job_id, limit + 1, room, &rows);
	const char	**keys = find_keys(org, job_id, rows, count);

	*parents = (ParentViews) {.views = palloc(sizeof(ParentView) * Max(count, 1)), .is_more = count > limit};
	for (int i = 0; i < Min(count, limit); i++)
		if (is_visible(&rows[i]))
			parents->views[parents->count++] = (ParentView) {rows[i], keys[i], status_of(rows[i].state)};
}

SplCode
spl_parent_results_of_run(SettleItem *run, int limit, ParentViews *parents, SplFault *fault)
{
	int64 room = PARENT_RESULTS_ROOM;

	spl_settle(SETTLE_LOOK, run, 1);
	*fault = run->fault;
	if (fault->code == SPL_OK)
		spl_parent_results(&run->job_id, limit, &room, parents);
	return fault->code;
}

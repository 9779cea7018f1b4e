/*
 * parent_results.c
 *    What the parents of a job have left for it.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "ops/parent_results.h"
#include "store/dependency_store.h"

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

void
spl_parent_results(const pg_uuid_t *job_id, int limit, int64 *room, ParentViews *parents)
{
	ParentResult *rows;
	int			  count = spl_parent_results_read(spl_org(), job_id, limit + 1, room, &rows);

	*parents = (ParentViews) {.views = palloc(sizeof(ParentView) * Max(count, 1)), .is_more = count > limit};
	for (int i = 0; i < Min(count, limit); i++)
		if (is_visible(&rows[i]))
			parents->views[parents->count++] = (ParentView) {rows[i], status_of(rows[i].state)};
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

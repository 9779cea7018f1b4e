/*
 * workflow_list.c
 *    Reading workflows and their members.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/workflow_list.h"
#include "store/dependency_store.h"

#define MOST_PARENTS MEMBERS_SHOWN

SplCode
spl_workflow_get(const pg_uuid_t *id, WorkflowSummary *workflow, SplFault *fault)
{
	if (spl_workflow_find(spl_org(), id, workflow))
		return SPL_OK;
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Workflow %s not found", spl_uuid_text(id));
}

/* status_filter returns a status that a workflow can have, or NULL. */
static const char *
status_filter(const char *status)
{
	static const char *const statuses[] = {"pending", "running", "completed", "failed", "cancelled"};

	for (int i = 0; status && i < lengthof(statuses); i++)
		if (strcmp(status, statuses[i]) == 0)
			return statuses[i];
	return NULL;
}

int
spl_workflow_list(const char *status, int limit, int offset, WorkflowSummary **workflows)
{
	return spl_workflow_page(spl_org(), status_filter(status), limit, offset, workflows);
}

/* status_of names what the edge of a deleted job says. */
static const char *
status_of(char state)
{
	switch (state)
	{
		case EDGE_COMPLETED: return "completed";
		case EDGE_FAILED: return "deadletter";
		default: return "cancelled";
	}
}

static const char *
key_of(const MemberView *members, int count, const pg_uuid_t *job_id)
{
	for (int i = 0; i < count; i++)
		if (spl_uuid_equal(&members[i].job_id, job_id))
			return members[i].key;
	return NULL;
}

/* read_parents fills in what a member depends on, as far as it belongs to the workflow. */
static void
read_parents(int32 org, const MemberView *members, int count, Edge *edges, MemberView *member)
{
	int edge_count = spl_edges_of_child(org, &member->job_id, MOST_PARENTS, edges);

	member->mode = edge_count > 0 ? edges[0].mode : FAN_IN_ALL;
	member->depends_on = palloc(sizeof(char *) * Max(edge_count, 1));
	member->parents = palloc(sizeof(pg_uuid_t) * Max(edge_count, 1));
	for (int i = 0; i < edge_count; i++)
	{
		const char *key = key_of(members, count, &edges[i].parent);

		if (key == NULL)
			continue;
		member->depends_on[member->depends_count] = key;
		member->parents[member->depends_count++] = edges[i].parent;
	}
}

int
spl_workflow_members(const pg_uuid_t *id, MemberView **members)
{
	int32	   org = spl_org();
	MemberRow *rows;
	int		   count = spl_workflow_members_read(org, id, MEMBERS_SHOWN, &rows);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	JobView	  *jobs = palloc(sizeof(JobView) * Max(count, 1));
	bool	  *found = palloc(sizeof(bool) * Max(count, 1));
	Edge	  *edges = palloc(sizeof(Edge) * MOST_PARENTS);

	*members = palloc0(sizeof(MemberView) * Max(count, 1));
	for (int i = 0; i < count; i++)
		ids[i] = rows[i].job_id;
	spl_job_get_whole(ids, count, PAYLOADS_MAX, jobs, found);
	for (int i = 0; i < count; i++)
	{
		MemberView *member = &(*members)[i];

		member->key = rows[i].key;
		member->job_id = rows[i].job_id;
		member->has_job = found[i];
		if (found[i])
			member->job = jobs[i];
		member->status = found[i] ? jobs[i].status : status_of(rows[i].state);
	}
	for (int i = 0; i < count; i++)
		read_parents(org, *members, count, edges, &(*members)[i]);
	return count;
}

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

void
spl_workflow_count_running(WorkflowSummary *workflow)
{
	workflow->processing_jobs = spl_workflow_running(spl_org(), &workflow->id);
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

/* What members depend on. */
typedef struct Parents
{
	pg_uuid_t	*ids; /* of all of them, sorted, each once */
	const char **keys;
	int			 count;
	int			 room;
} Parents;

/* note_parents notes what a member depends on. */
static void
note_parents(int32 org, Parents *parents, Edge *edges, MemberView *member)
{
	int count = spl_edges_of_child(org, &member->job_id, MOST_PARENTS, edges);

	member->mode = count > 0 ? edges[0].mode : FAN_IN_ALL;
	member->depends_on = palloc(sizeof(char *) * Max(count, 1));
	member->parents = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	member->depends_count = count;
	while (parents->count + count > parents->room)
		parents->ids = repalloc_huge(parents->ids, sizeof(pg_uuid_t) * (parents->room *= 2));
	for (int i = 0; i < count; i++)
		parents->ids[parents->count++] = member->parents[i] = edges[i].parent;
}

/* find_keys finds the keys of all parents in one go. */
static void
find_keys(int32 org, const pg_uuid_t *workflow, Parents *parents)
{
	int kept = 0;

	qsort(parents->ids, parents->count, sizeof(pg_uuid_t), spl_uuid_compare);
	for (int i = 0; i < parents->count; i++)
		if (kept == 0 || !spl_uuid_equal(&parents->ids[i], &parents->ids[kept - 1]))
			parents->ids[kept++] = parents->ids[i];
	parents->count = kept;
	parents->keys = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * Max(kept, 1));
	spl_workflow_keys(org, workflow, parents->ids, kept, parents->keys);
}

/* name_parents keeps of a member's parents those that belong to the workflow, with their keys. */
static void
name_parents(const Parents *parents, MemberView *member)
{
	int kept = 0;

	for (int i = 0; i < member->depends_count; i++)
	{
		const pg_uuid_t *id =
			bsearch(&member->parents[i], parents->ids, parents->count, sizeof(pg_uuid_t), spl_uuid_compare);

		if (parents->keys[id - parents->ids] == NULL)
			continue;
		member->depends_on[kept] = parents->keys[id - parents->ids];
		member->parents[kept++] = *id;
	}
	member->depends_count = kept;
}

/* read_parents fills in what the members depend on, as far as it belongs to the workflow. */
static void
read_parents(int32 org, const pg_uuid_t *workflow, MemberView *members, int count)
{
	Edge   *edges = palloc(sizeof(Edge) * MOST_PARENTS);
	Parents parents = {.room = 1024};

	parents.ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(pg_uuid_t) * parents.room);
	for (int i = 0; i < count; i++)
		note_parents(org, &parents, edges, &members[i]);
	find_keys(org, workflow, &parents);
	for (int i = 0; i < count; i++)
		name_parents(&parents, &members[i]);
}

int
spl_workflow_members(const pg_uuid_t *id, int position, int limit, MemberView **members)
{
	int32	   org = spl_org();
	MemberRow *rows;
	int		   count = spl_workflow_members_read(org, id, position, limit, &rows);
	JobView	   no_job = {.job = {.created_at = NO_TIME},
						 .scheduled_at = NO_TIME,
						 .started_at = NO_TIME,
						 .completed_at = NO_TIME};
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	JobView	  *jobs = palloc(sizeof(JobView) * Max(count, 1));
	bool	  *found = palloc(sizeof(bool) * Max(count, 1));

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
		member->job = found[i] ? jobs[i] : no_job;
		member->status = found[i] ? jobs[i].status : status_of(rows[i].state);
	}
	read_parents(org, id, *members, count);
	return count;
}

SplCode
spl_workflow_member(const pg_uuid_t *id, const char *name, MemberView *member, SplFault *fault)
{
	pg_uuid_t	job_id;
	bool		is_id = spl_uuid_parse(name, &job_id);
	int			position = spl_workflow_member_at(spl_org(), id, is_id ? &job_id : NULL, name);
	MemberView *members;

	if (position < 0 || spl_workflow_members(id, position, 1, &members) == 0)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Resource not found");
	*member = members[0];
	return SPL_OK;
}

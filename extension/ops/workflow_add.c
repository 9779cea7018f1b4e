/*
 * workflow_add.c
 *    Jobs that a worker adds to the workflow of the job that it runs.
 *
 * The lease of that job is held until the transaction ends.  So its end comes either before, and then nothing is added, or
 * after, and then it sees what was added: as long as a member runs the workflow is not over, and never ends without noticing
 * a job that is just being added.  After the lease the workflow's row is locked, which serialises those who add, and those who
 * cancel.  No end of a job waits for that row.
 *
 * A new job can wait for others, old and new; none that is there already can wait for a new one.  So a circle could lie only
 * among the new ones, where it is looked for.
 *
 * Keys make it repeatable: a job that has added a key before, in this run or an earlier one, is told what it added then.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/settle_refused.h"
#include "ops/workflow_add.h"
#include "ops/workflow_spec.h"
#include "store/attempt_store.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/tuple.h"
#include "store/workflow_store.h"

/* An edge from a job that the workflow has to one that is added. */
typedef struct OuterEdge
{
	int			child; /* step */
	const char *key;
	pg_uuid_t	parent;
	char		state;
} OuterEdge;

typedef struct Growth
{
	int32			  org;
	WorkflowAddition *addition;
	NewWorkflow		  request;
	int				 *place; /* of each step among the items that are new; -1: it exists */
	EnqueueItem		 *items;
	int				  item_count;
	GraphEdge		 *inner; /* between steps */
	int				  inner_count;
	OuterEdge		 *outer;
	int				  outer_count;
	WorkflowRow		  row;
} Growth;

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* move_outer takes what is no key of the request out of the steps' dependencies. */
static void
move_outer(Growth *growth)
{
	NewWorkflow *request = &growth->request;
	const char **keys = palloc(sizeof(char *) * request->step_count);
	int64		 room = 0;

	for (int i = 0; i < request->step_count; i++)
	{
		keys[i] = request->steps[i].key;
		room += request->steps[i].depends_count;
	}
	qsort(keys, request->step_count, sizeof(char *), compare_texts);
	growth->outer = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(OuterEdge) * Max(room, 1));
	for (int i = 0; i < request->step_count; i++)
	{
		WorkflowStep *step = &request->steps[i];
		int			  kept = 0;

		for (int d = 0; d < step->depends_count; d++)
			if (bsearch(&step->depends_on[d], keys, request->step_count, sizeof(char *), compare_texts))
				step->depends_on[kept++] = step->depends_on[d];
			else
				growth->outer[growth->outer_count++] = (OuterEdge) {.child = i, .key = step->depends_on[d]};
		step->depends_count = kept;
	}
}

/* read_request reads the new jobs and what they wait for. */
static SplCode
read_request(Growth *growth, SplFault *fault)
{
	growth->request.jobs = growth->addition->jobs;
	growth->request.most_jobs = growth->addition->most_jobs > 0 ? growth->addition->most_jobs : WORKFLOW_MOST_JOBS;
	if (spl_workflow_read_steps(&growth->request, fault) != SPL_OK)
		return fault->code;
	move_outer(growth);
	return spl_workflow_read_edges(&growth->request, &growth->inner, &growth->inner_count, fault);
}

/* lock_workflow holds the lease first, then locks the workflow. */
static SplCode
lock_workflow(Growth *growth, SplFault *fault)
{
	SettleItem *run = &growth->addition->run;

	spl_settle(SETTLE_HOLD, run, 1);
	*fault = run->fault;
	if (fault->code != SPL_OK)
		return fault->code;
	if (!spl_edge_to_workflow(growth->org, &run->job_id, &growth->addition->workflow) ||
		!spl_workflow_lock(growth->org, &growth->addition->workflow, &growth->row))
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "job %s does not belong to a workflow",
						 spl_uuid_text(&run->job_id));
	if (growth->row.status != WORKFLOW_LIVE)
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "the workflow is over");
	return SPL_OK;
}

/* sort_out finds the steps that exist already: repeated ones have the answer of the first time, others are refused. */
static SplCode
sort_out(Growth *growth, SplFault *fault)
{
	WorkflowAddition *addition = growth->addition;
	int				  count = growth->request.step_count;
	const char		**keys = palloc(sizeof(char *) * count);
	KnownMember		 *known = palloc(sizeof(KnownMember) * count);

	addition->added = palloc(sizeof(AddedJob) * count);
	addition->count = count;
	growth->place = palloc(sizeof(int) * count);
	growth->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(EnqueueItem) * count);
	for (int i = 0; i < count; i++)
		keys[i] = growth->request.steps[i].key;
	spl_workflow_find_members(growth->org, &addition->workflow, keys, count, known);
	for (int i = 0; i < count; i++)
	{
		addition->added[i] = (AddedJob) {.key = keys[i], .job_id = known[i].job_id, .created = !known[i].found};
		growth->place[i] = known[i].found ? -1 : growth->item_count;
		if (!known[i].found)
			growth->items[growth->item_count++] = growth->request.steps[i].item;
		else if (!known[i].was_added || !spl_uuid_equal(&known[i].added_by, &addition->run.job_id))
			return spl_fault(fault, SPL_BAD_REQUEST, psprintf("jobs[%d].key", i), "duplicate_key", NULL,
							 "the workflow has a job \"%s\" already", keys[i]);
	}
	if (growth->row.total_jobs + growth->item_count > WORKFLOW_MOST_JOBS)
		return spl_fault(fault, SPL_INVALID, "jobs", "out_of_range", NULL, "a workflow must not have more than %d jobs",
						 WORKFLOW_MOST_JOBS);
	return SPL_OK;
}

static int
compare_outer(const void *a, const void *b)
{
	const OuterEdge *x = a, *y = b;

	if (x->child != y->child)
		return x->child < y->child ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* distinct_outer drops the edges of steps that exist, and those that are there twice. */
static void
distinct_outer(Growth *growth)
{
	int kept = 0;

	qsort(growth->outer, growth->outer_count, sizeof(OuterEdge), compare_outer);
	for (int i = 0; i < growth->outer_count; i++)
		if (growth->place[growth->outer[i].child] >= 0 &&
			(kept == 0 || compare_outer(&growth->outer[i], &growth->outer[kept - 1]) != 0))
			growth->outer[kept++] = growth->outer[i];
	growth->outer_count = kept;
}

/* hold_parent says how a job of the workflow stands; an open one is held.  One that is deleted left its end in its edge. */
static SplCode
hold_parent(Growth *growth, OuterEdge *edge, SplFault *fault)
{
	Job job;

	if (!spl_job_find(growth->org, &edge->parent, false, &job))
		return SPL_OK;
	if (!spl_settle_in_scope(job.queue))
		return SPL_NOT_FOUND;
	return spl_dependency_hold_parent(growth->org, &edge->parent, job.queue, job.priority, &edge->state, fault);
}

/* unknown_key refuses a dependency on what is no job of the workflow, or of none that this credential may see. */
static SplCode
unknown_key(const Growth *growth, const OuterEdge *edge, SplFault *fault)
{
	return spl_fault(fault, SPL_BAD_REQUEST, psprintf("jobs[%d].depends_on", edge->child), "unknown_key", NULL,
					 "job \"%s\" depends on \"%s\", which is not a job of this workflow",
					 growth->request.steps[edge->child].key, edge->key);
}

/* find_parents finds the jobs of the workflow that new ones wait for. */
static SplCode
find_parents(Growth *growth, SplFault *fault)
{
	const char **keys;
	KnownMember *known;

	distinct_outer(growth);
	keys = palloc(sizeof(char *) * Max(growth->outer_count, 1));
	known = palloc(sizeof(KnownMember) * Max(growth->outer_count, 1));
	for (int i = 0; i < growth->outer_count; i++)
		keys[i] = growth->outer[i].key;
	spl_workflow_find_members(growth->org, &growth->addition->workflow, keys, growth->outer_count, known);
	for (int i = 0; i < growth->outer_count; i++)
	{
		if (!known[i].found)
			return unknown_key(growth, &growth->outer[i], fault);
		growth->outer[i].parent = known[i].job_id;
		growth->outer[i].state = known[i].state;
	}
	return SPL_OK;
}

static int
compare_parents(const void *a, const void *b)
{
	return spl_uuid_compare(&(*(OuterEdge *const *) a)->parent, &(*(OuterEdge *const *) b)->parent);
}

/* hold_parents holds them in the order in which a batch that ends several takes them, so that the two never deadlock. */
static SplCode
hold_parents(Growth *growth, SplFault *fault)
{
	OuterEdge **sorted;

	if (find_parents(growth, fault) != SPL_OK)
		return fault->code;
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(OuterEdge *) * Max(growth->outer_count, 1));
	for (int i = 0; i < growth->outer_count; i++)
		sorted[i] = &growth->outer[i];
	qsort(sorted, growth->outer_count, sizeof(OuterEdge *), compare_parents);
	for (int i = 0; i < growth->outer_count; i++)
	{
		SplCode code = hold_parent(growth, sorted[i], fault);

		if (code == SPL_NOT_FOUND)
			return unknown_key(growth, sorted[i], fault);
		if (code != SPL_OK)
			return code;
	}
	pfree(sorted);
	return SPL_OK;
}

/* split_inner turns edges from steps that exist into outer ones; only edges between new steps stay inner. */
static void
split_inner(Growth *growth)
{
	int kept = 0;

	growth->outer = repalloc_huge(growth->outer, sizeof(OuterEdge) * (growth->outer_count + growth->inner_count + 1));
	for (int i = 0; i < growth->inner_count; i++)
	{
		GraphEdge edge = growth->inner[i];

		if (growth->place[edge.child] < 0)
			continue;
		if (growth->place[edge.parent] >= 0)
			growth->inner[kept++] = edge;
		else
			growth->outer[growth->outer_count++] =
				(OuterEdge) {.child = edge.child, .key = growth->request.steps[edge.parent].key};
	}
	growth->inner_count = kept;
}

/* put_jobs adds what is new; those with parents wait. */
static SplCode
put_jobs(Growth *growth, SplFault *fault)
{
	for (int i = 0; i < growth->inner_count; i++)
		growth->items[growth->place[growth->inner[i].child]].waits = true;
	for (int i = 0; i < growth->outer_count; i++)
		growth->items[growth->place[growth->outer[i].child]].waits = true;
	spl_enqueue(growth->items, growth->item_count);
	for (int i = 0; i < growth->request.step_count; i++)
	{
		EnqueueItem *item = growth->place[i] >= 0 ? &growth->items[growth->place[i]] : NULL;

		if (item && item->fault.code != SPL_OK)
			return spl_step_fault(fault, &item->fault, i);
		if (item)
			growth->addition->added[i].job_id = item->job_id;
	}
	return SPL_OK;
}

/* put_edges writes who belongs to the workflow and who waits for whom. */
static void
put_edges(const Growth *growth)
{
	const AddedJob *added = growth->addition->added;
	Edge		   *edges =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(Edge) * (growth->item_count + growth->inner_count + growth->outer_count));
	int n = 0;

	for (int i = 0; i < growth->item_count; i++)
		edges[n++] = (Edge) {.org = growth->org,
							 .parent = growth->items[i].job_id,
							 .child = growth->addition->workflow,
							 .mode = FAN_IN_MEMBER,
							 .state = EDGE_OPEN};
	for (int i = 0; i < growth->inner_count; i++)
		edges[n++] = (Edge) {.org = growth->org,
							 .parent = added[growth->inner[i].parent].job_id,
							 .child = added[growth->inner[i].child].job_id,
							 .mode = growth->request.steps[growth->inner[i].child].mode,
							 .state = EDGE_OPEN};
	for (int i = 0; i < growth->outer_count; i++)
		edges[n++] = (Edge) {.org = growth->org,
							 .parent = growth->outer[i].parent,
							 .child = added[growth->outer[i].child].job_id,
							 .mode = growth->request.steps[growth->outer[i].child].mode,
							 .state = growth->outer[i].state};
	spl_edges_put(edges, n);
	pfree(edges);
}

/* put_members makes the new jobs members, behind those that the workflow has. */
static void
put_members(const Growth *growth)
{
	const WorkflowAddition *addition = growth->addition;
	WorkflowMember *members = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(WorkflowMember) * growth->item_count);
	const char	  **queues;
	int				queue_count = spl_workflow_queues(&growth->request, &queues);

	for (int i = 0; i < addition->count; i++)
		if (growth->place[i] >= 0)
			members[growth->place[i]] = (WorkflowMember) {.org = growth->org,
														  .workflow = addition->workflow,
														  .position = growth->row.total_jobs + growth->place[i],
														  .job_id = addition->added[i].job_id,
														  .key = addition->added[i].key,
														  .added_by = &addition->run.job_id};
	spl_workflow_put_members(members, growth->item_count);
	spl_workflow_grow(growth->org, &addition->workflow, growth->item_count, queues, queue_count);
	pfree(members);
}

/* judge_children decides about new jobs some of whose parents are over. */
static void
judge_children(const Growth *growth)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(growth->outer_count, 1));
	int		   count = 0;

	for (int i = 0; i < growth->outer_count; i++)
	{
		const pg_uuid_t *child = &growth->addition->added[growth->outer[i].child].job_id;

		if (growth->outer[i].state != EDGE_OPEN && (count == 0 || !spl_uuid_equal(&ids[count - 1], child)))
			ids[count++] = *child;
	}
	if (count > 0)
		spl_dependency_look_again(growth->org, ids, count);
	pfree(ids);
}

SplCode
spl_workflow_add(WorkflowAddition *addition, SplFault *fault)
{
	Growth growth = {.org = spl_org(), .addition = addition};

	*fault = (SplFault) {SPL_OK};
	if (read_request(&growth, fault) != SPL_OK || lock_workflow(&growth, fault) != SPL_OK ||
		sort_out(&growth, fault) != SPL_OK)
		return fault->code;
	split_inner(&growth);
	addition->created = growth.item_count;
	addition->total_jobs = growth.row.total_jobs + growth.item_count;
	if (hold_parents(&growth, fault) != SPL_OK || growth.item_count == 0 || put_jobs(&growth, fault) != SPL_OK)
		return fault->code;
	put_edges(&growth);
	put_members(&growth);
	spl_event_log_put(growth.org, &addition->run.job_id, spl_clock_now(), "workflow_jobs_added", spl_actor(),
					  psprintf("{\"added\":%d}", growth.item_count));
	spl_changes_done();
	judge_children(&growth);
	spl_changes_done();
	return SPL_OK;
}

/*
 * workflow.c
 *    Making workflows.
 *
 * The workflow's row comes first, since its idempotency key decides whether there is anything to make; then the jobs, which
 * nobody sees before the transaction commits, so that edges can be added to them without locking any.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/limit.h"
#include "ops/workflow.h"
#include "ops/workflow_spec.h"
#include "rules/json_text.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "store/dependency_store.h"
#include "store/tuple.h"
#include "store/workflow_store.h"
#include "utils/timestamp.h"

#define MAX_DESCRIPTION_LENGTH 1000
#define MAX_KEY_LENGTH 255

/* check_workflow checks what can be said without its jobs. */
static SplCode
check_workflow(const NewWorkflow *workflow, SplFault *fault)
{
	SplCode code;

	if (workflow->name == NULL)
		return spl_fault(fault, SPL_INVALID, "name", "missing_field", NULL, "name is required");
	if ((code = spl_check_workflow_name(workflow->name, fault)) != SPL_OK)
		return code;
	if (workflow->description &&
		(code = spl_check_length("description", workflow->description, 0, MAX_DESCRIPTION_LENGTH, fault)) != SPL_OK)
		return code;
	if (workflow->metadata &&
		(code = spl_check_json("metadata", VARDATA_ANY(workflow->metadata), VARSIZE_ANY_EXHDR(workflow->metadata),
							   false, SPL_JSON_SMALL_BYTES, fault)) != SPL_OK)
		return code;
	if (workflow->idempotency_key)
		return spl_check_length("idempotency_key", workflow->idempotency_key, 1, MAX_KEY_LENGTH, fault);
	return SPL_OK;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int
spl_workflow_queues(const NewWorkflow *workflow, const char ***names)
{
	int given = 0;
	int kept = 0;

	*names = palloc(sizeof(char *) * workflow->step_count);
	for (int i = 0; i < workflow->step_count; i++)
		if (workflow->steps[i].item.queue)
			(*names)[given++] = workflow->steps[i].item.queue;
	qsort(*names, given, sizeof(char *), compare_names);
	for (int i = 0; i < given; i++)
		if (kept == 0 || strcmp((*names)[i], (*names)[kept - 1]) != 0)
			(*names)[kept++] = (*names)[i];
	return kept;
}

/* key_since returns the time before which keys that were taken are free again. */
static TimestampTz
key_since(TimestampTz now)
{
	return spooled_idempotency_ttl > 0 ? now - (int64) spooled_idempotency_ttl * USECS_PER_SEC : DT_NOBEGIN;
}

/* put_row takes the idempotency key and writes the workflow's row; workflow->created tells whether there is more to do. */
static SplCode
put_row(int32 org, NewWorkflow *workflow, TimestampTz now, SplFault *fault)
{
	WorkflowDraft draft = {.org = org,
						   .id = spl_uuid7(now),
						   .name = workflow->name,
						   .description = workflow->description,
						   .metadata = workflow->metadata,
						   .total_jobs = workflow->step_count,
						   .created_at = now,
						   .idempotency_key = workflow->idempotency_key};

	draft.key_since = key_since(now);
	draft.queue_count = spl_workflow_queues(workflow, &draft.queues);
	if (!spl_workflow_put(&draft, &workflow->id, &workflow->created))
		return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.",
						 "the idempotency key is changing hands too fast");
	return SPL_OK;
}

/* add_jobs adds the jobs of the steps; those with parents wait. */
static SplCode
add_jobs(NewWorkflow *workflow, SplFault *fault)
{
	int			 count = workflow->step_count;
	EnqueueItem *items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(EnqueueItem) * count);

	for (int i = 0; i < count; i++)
	{
		items[i] = workflow->steps[i].item;
		items[i].waits = workflow->steps[i].depends_count > 0;
	}
	spl_enqueue(items, count);
	for (int i = 0; i < count; i++)
	{
		if (items[i].fault.code != SPL_OK)
			return spl_step_fault(fault, &items[i].fault, i);
		workflow->steps[i].item = items[i];
	}
	pfree(items);
	return SPL_OK;
}

/* compare_edges sorts edges by parent: a job that ends finds its own side by side. */
static int
compare_edges(const void *a, const void *b)
{
	const Edge *x = a;
	const Edge *y = b;
	int			order = spl_uuid_compare(&x->parent, &y->parent);

	return order ? order : spl_uuid_compare(&x->child, &y->child);
}

/* put_edges writes who waits for whom, and who belongs to the workflow. */
static void
put_edges(int32 org, const NewWorkflow *workflow)
{
	int	  count = workflow->step_count + workflow->edge_count;
	Edge *edges = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Edge) * count);
	int	  n = 0;

	for (int i = 0; i < workflow->step_count; i++)
		edges[n++] = (Edge) {.org = org,
							 .parent = workflow->steps[i].item.job_id,
							 .child = workflow->id,
							 .mode = FAN_IN_MEMBER,
							 .state = EDGE_OPEN};
	for (int i = 0; i < workflow->edge_count; i++)
	{
		const WorkflowStep *child = &workflow->steps[workflow->edges[i].child];

		edges[n++] = (Edge) {.org = org,
							 .parent = workflow->steps[workflow->edges[i].parent].item.job_id,
							 .child = child->item.job_id,
							 .mode = child->mode,
							 .state = EDGE_OPEN};
	}
	qsort(edges, n, sizeof(Edge), compare_edges);
	spl_edges_put(edges, n);
	pfree(edges);
}

static void
put_members(int32 org, const NewWorkflow *workflow)
{
	WorkflowMember *members =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(WorkflowMember) * workflow->step_count);

	for (int i = 0; i < workflow->step_count; i++)
		members[i] = (WorkflowMember) {.org = org,
									   .workflow = workflow->id,
									   .position = i,
									   .job_id = workflow->steps[i].item.job_id,
									   .key = workflow->steps[i].key};
	spl_workflow_put_members(members, workflow->step_count);
	pfree(members);
}

/* read_workflow checks a workflow and reads its steps and their edges. */
static SplCode
read_workflow(NewWorkflow *workflow, SplFault *fault)
{
	*fault = (SplFault) {SPL_OK};
	workflow->most_jobs = workflow->most_jobs > 0 ? workflow->most_jobs : WORKFLOW_MOST_JOBS;
	if (check_workflow(workflow, fault) != SPL_OK || spl_workflow_read_steps(workflow, fault) != SPL_OK)
		return fault->code;
	return spl_workflow_read_edges(workflow, &workflow->edges, &workflow->edge_count, fault);
}

SplCode
spl_workflow_check(NewWorkflow *workflow, SplFault *fault)
{
	SplFault of_step;

	if (read_workflow(workflow, fault) != SPL_OK)
		return fault->code;
	for (int i = 0; i < workflow->step_count; i++)
		if (spl_enqueue_check(&workflow->steps[i].item, &of_step) != SPL_OK)
			return spl_step_fault(fault, &of_step, i);
	return SPL_OK;
}

SplCode
spl_workflow_create(NewWorkflow *workflow, SplFault *fault)
{
	int32		org = spl_org();
	TimestampTz now = spl_clock_now();

	if (read_workflow(workflow, fault) != SPL_OK)
		return fault->code;
	workflow->created = false;
	workflow->created_at = now;
	if (workflow->idempotency_key &&
		spl_workflow_find_key(org, workflow->idempotency_key, key_since(now), &workflow->id))
		return SPL_OK;
	if (spl_limit_resource(fault, LIMIT_WORKFLOWS) != SPL_OK || put_row(org, workflow, now, fault) != SPL_OK ||
		!workflow->created || add_jobs(workflow, fault) != SPL_OK)
		return fault->code;
	put_edges(org, workflow);
	put_members(org, workflow);
	spl_changes_done();
	return SPL_OK;
}

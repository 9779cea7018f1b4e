/*
 * schedule_target.c
 *    What a schedule runs: a job of a queue, or a workflow.
 *
 * The jobs of a workflow are kept as the text that they were given as, and read again at each run.  All that creating the
 * workflow would check is checked when the schedule is made or changed, so a run is refused only for what has changed since:
 * limits, settings, queues.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "ops/limit.h"
#include "ops/queue.h"
#include "ops/schedule_target.h"
#include "ops/workflow.h"
#include "rules/json_text.h"
#include "rules/names.h"
#include "store/queue_store.h"
#include "store/ticket.h"

/* use_queue finds a queue, or makes it; *made counts those that users do not see yet. */
static SplCode
use_queue(int32 org, const char *name, int *made, int32 *id, SplFault *fault)
{
	const Queue *queue;
	SplCode		 code = spl_check_queue_name(name, fault);

	if (code != SPL_OK)
		return code;
	if (!spl_queue_in_scope(name))
		return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, "Use a key whose queues include it.",
						 "this credential may not use queue \"%s\"", name);
	if (spl_limit_applies(LIMIT_QUEUES) && !spl_queue_exists(name) &&
		(code = spl_limit_queue(fault, (*made)++)) != SPL_OK)
		return code;
	queue = spl_queue_by_name(org, name);
	*id = queue ? queue->id : spl_queue_make(org, name);
	return SPL_OK;
}

static SplCode
set_queue(const char *name, ScheduleRow *row, SplFault *fault)
{
	int		made = 0;
	SplCode code = use_queue(row->org, name, &made, &row->queue, fault);

	if (code != SPL_OK)
		return code;
	row->queue_name = pstrdup(name);
	row->queues = palloc(sizeof(char *));
	row->queues[0] = row->queue_name;
	row->queue_count = 1;
	row->workflow_jobs = NULL;
	return SPL_OK;
}

/* workflow_of returns the workflow that a run of the schedule starts. */
static NewWorkflow
workflow_of(const ScheduleRow *row)
{
	return (NewWorkflow) {.name = row->name,
						  .description = row->description,
						  .metadata = row->metadata,
						  .jobs = row->workflow_jobs,
						  .most_jobs = SCHEDULE_MOST_JOBS};
}

/* in_schedule gives a fault of the workflow's jobs the name that the field has in a schedule. */
static SplCode
in_schedule(SplFault *fault)
{
	if (fault->field && strncmp(fault->field, "jobs", 4) == 0)
		fault->field = psprintf("workflow_%s", fault->field);
	return fault->code;
}

/* check_times refuses fixed times: the second run would be late, or over before it begins. */
static SplCode
check_times(const NewWorkflow *workflow, SplFault *fault)
{
	for (int i = 0; i < workflow->step_count; i++)
	{
		const EnqueueItem *item = &workflow->steps[i].item;
		const char		  *field = item->scheduled_at != NO_TIME ? "scheduled_at" : "expires_at";

		if (item->scheduled_at != NO_TIME || item->expires_at != NO_TIME)
			return spl_fault(fault, SPL_INVALID, psprintf("jobs[%d].%s", i, field), "invalid_value",
							 "delay_seconds counts from each run.", "a job of a schedule cannot have a fixed %s",
							 field);
	}
	return SPL_OK;
}

static SplCode
set_workflow(const SchedulePatch *patch, ScheduleRow *row, SplFault *fault)
{
	NewWorkflow	 workflow;
	const char **names;
	int			 count;
	int			 made = 0;
	int32		 id;

	if (spl_check_json("workflow_jobs", VARDATA_ANY(patch->workflow_jobs), VARSIZE_ANY_EXHDR(patch->workflow_jobs),
					   false, spooled_max_payload_bytes, fault) != SPL_OK ||
		spl_limit_feature(fault, LIMIT_WORKFLOWS) != SPL_OK)
		return fault->code;
	row->workflow_jobs = patch->workflow_jobs;
	row->queue = 0;
	row->queue_name = NULL;
	row->payload = NULL;
	workflow = workflow_of(row);
	if (patch->most_jobs > 0)
		workflow.most_jobs = Min(workflow.most_jobs, patch->most_jobs);
	if (spl_workflow_check(&workflow, fault) != SPL_OK || check_times(&workflow, fault) != SPL_OK)
		return in_schedule(fault);
	count = spl_workflow_queues(&workflow, &names);
	for (int i = 0; i < count; i++)
		if (use_queue(row->org, names[i], &made, &id, fault) != SPL_OK)
			return fault->code;
	row->queues = (char **) names;
	row->queue_count = count;
	return SPL_OK;
}

static SplCode
set_payload(const SchedulePatch *patch, ScheduleRow *row, SplFault *fault)
{
	if (row->workflow_jobs && patch->payload)
		return spl_fault(fault, SPL_INVALID, "payload_template", "invalid_value",
						 "The jobs of the workflow have payloads of their own.",
						 "a schedule that starts a workflow has no payload_template");
	if (patch->payload)
		row->payload = patch->payload;
	if (row->workflow_jobs == NULL && row->payload == NULL)
		return spl_fault(fault, SPL_INVALID, "payload_template", "missing_field", NULL, "payload_template is required");
	return SPL_OK;
}

SplCode
spl_schedule_set_target(const SchedulePatch *patch, ScheduleRow *row, SplFault *fault)
{
	SplCode code = SPL_OK;

	if (patch->queue && patch->workflow_jobs)
		return spl_fault(fault, SPL_INVALID, "workflow_jobs", "invalid_value", NULL,
						 "a schedule has either queue_name or workflow_jobs");
	if (patch->workflow_jobs)
		code = set_workflow(patch, row, fault);
	else if (patch->queue)
		code = set_queue(patch->queue, row, fault);
	else if (row->workflow_jobs && patch->name)
		code = spl_check_workflow_name(row->name, fault);
	return code == SPL_OK ? set_payload(patch, row, fault) : code;
}

EnqueueItem
spl_schedule_item(const ScheduleRow *row)
{
	EnqueueItem item = spl_enqueue_item(row->queue_name, row->payload);

	item.priority = row->priority;
	item.max_retries = row->max_retries >= 0 ? row->max_retries : NOT_GIVEN;
	item.timeout_seconds = row->timeout_seconds >= 0 ? row->timeout_seconds : NOT_GIVEN;
	item.tags = row->tags;
	return item;
}

SplCode
spl_schedule_start(const ScheduleRow *row, const char *key, pg_uuid_t *id, bool *created, SplFault *fault)
{
	NewWorkflow workflow = workflow_of(row);

	workflow.idempotency_key = key;
	if (spl_workflow_create(&workflow, fault) != SPL_OK)
		return fault->code;
	*id = workflow.id;
	*created = workflow.created;
	return SPL_OK;
}

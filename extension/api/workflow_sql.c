/*
 * workflow_sql.c
 *    spooled.create_workflow, cancel_workflow, retry_workflow, delete_workflow and workflow_status.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/workflow.h"
#include "ops/workflow_end.h"
#include "ops/workflow_list.h"

/* spooled.create_workflow(name text, jobs json, description text = NULL, metadata json = NULL, idempotency_key text = NULL) returns uuid */
SPL_FUNCTION(spooled_create_workflow, WORKFLOWS_WRITE)
{
	NewWorkflow workflow = {
		.name = text_arg(fcinfo, 0),
		.jobs = bytes_arg(fcinfo, 1),
		.description = text_arg(fcinfo, 2),
		.metadata = bytes_arg(fcinfo, 3),
		.idempotency_key = text_arg(fcinfo, 4),
		.most_jobs = WORKFLOW_MOST_JOBS,
	};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	SplFault   fault;

	raise_unless_ok(spl_workflow_create(&workflow, &fault), &fault);
	*id = workflow.id;
	PG_RETURN_UUID_P(id);
}

/* spooled.cancel_workflow(workflow_id uuid) returns text */
SPL_FUNCTION(spooled_cancel_workflow, WORKFLOWS_WRITE)
{
	WorkflowSummary workflow;
	SplFault		fault;

	raise_unless_ok(spl_workflow_cancel(uuid_arg(fcinfo, 0), &fault), &fault);
	raise_unless_ok(spl_workflow_get(uuid_arg(fcinfo, 0), &workflow, &fault), &fault);
	PG_RETURN_TEXT_P(cstring_to_text(workflow.status));
}

/* spooled.retry_workflow(workflow_id uuid) returns int */
SPL_FUNCTION(spooled_retry_workflow, WORKFLOWS_WRITE)
{
	int		 revived;
	SplFault fault;

	raise_unless_ok(spl_workflow_retry(uuid_arg(fcinfo, 0), &revived, &fault), &fault);
	PG_RETURN_INT32(revived);
}

/* spooled.delete_workflow(workflow_id uuid) returns void */
SPL_FUNCTION(spooled_delete_workflow, WORKFLOWS_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_workflow_remove(uuid_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.workflow_status(workflow_id uuid, OUT status text, OUT total_jobs int, ..., OUT finished_at timestamptz) */
SPL_FUNCTION(spooled_workflow_status, WORKFLOWS_READ)
{
	WorkflowSummary workflow;
	Datum			values[8];
	bool			nulls[8] = {false};
	SplFault		fault;

	raise_unless_ok(spl_workflow_get(uuid_arg(fcinfo, 0), &workflow, &fault), &fault);
	set_text(values, nulls, 0, workflow.status);
	set_int(values, nulls, 1, workflow.total_jobs);
	set_int(values, nulls, 2, workflow.completed_jobs);
	set_int(values, nulls, 3, workflow.failed_jobs);
	set_int(values, nulls, 4, workflow.cancelled_jobs);
	set_time(values, nulls, 5, workflow.created_at);
	set_time(values, nulls, 6, workflow.started_at);
	set_time(values, nulls, 7, workflow.finished_at);
	return spl_record_out(fcinfo, values, nulls);
}

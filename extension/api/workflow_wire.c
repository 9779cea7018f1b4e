/*
 * workflow_wire.c
 *    Workflows, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/uuid7.h"
#include "ops/request.h"
#include "ops/workflow.h"
#include "ops/workflow_add.h"
#include "ops/workflow_created.h"
#include "ops/workflow_end.h"
#include "json/json_write.h"
#include "json/workflow_json.h"

/* id_arg reads the id of a workflow; a text that can be none is one that nobody has. */
static pg_uuid_t
id_arg(FunctionCallInfo fcinfo, int n)
{
	char	 *text = text_arg(fcinfo, n);
	pg_uuid_t id;
	SplFault  fault;

	spl_need_arg(fcinfo, n, "id");
	if (!spl_uuid_parse(text, &id))
		raise_unless_ok(spl_fault(&fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Workflow not found"), &fault);
	return id;
}

/* reply_summary answers with a workflow as it is now. */
static Datum
reply_summary(FunctionCallInfo fcinfo, const pg_uuid_t *id)
{
	WorkflowSummary workflow;
	StringInfoData	body;
	SplFault		fault;

	raise_unless_ok(spl_workflow_get(id, &workflow, &fault), &fault);
	initStringInfo(&body);
	spl_json_workflow(&body, &workflow);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* reply_members answers with a workflow and its members. */
static Datum
reply_members(FunctionCallInfo fcinfo, const WorkflowSummary *workflow, const MemberView *members, int count,
			  ReplyCode code, bool created)
{
	StringInfoData body;

	initStringInfo(&body);
	spl_json_workflow_detail(&body, workflow, members, count, created);
	return spl_reply(fcinfo, code, &body, 0);
}

/* reply_detail answers with a workflow and its members as they are now. */
static Datum
reply_detail(FunctionCallInfo fcinfo, const pg_uuid_t *id, bool created)
{
	WorkflowSummary workflow;
	MemberView	   *members;
	int				count;
	SplFault		fault;

	raise_unless_ok(spl_workflow_get(id, &workflow, &fault), &fault);
	spl_workflow_count_running(&workflow);
	count = spl_workflow_members(id, 0, MEMBERS_SHOWN, &members);
	return reply_members(fcinfo, &workflow, members, count, REPLY_OK, created);
}

/* spooled._workflow_list(status text, max_workflows int, skip int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_list, WORKFLOWS_READ)
{
	WorkflowSummary *workflows;
	int				 limit = spl_page_limit(int_arg(fcinfo, 1, PAGE_DEFAULT));
	int count = spl_workflow_list(text_arg(fcinfo, 0), limit, spl_page_offset(int_arg(fcinfo, 2, 0)), &workflows);
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_workflow(&body, &workflows[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._workflow_create(name text, description text, jobs text, metadata text, idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_create, WORKFLOWS_WRITE)
{
	NewWorkflow workflow = {
		.name = text_arg(fcinfo, 0),
		.description = text_arg(fcinfo, 1),
		.jobs = bytes_arg(fcinfo, 2),
		.metadata = bytes_arg(fcinfo, 3),
		.idempotency_key = text_arg(fcinfo, 4),
		.most_jobs = REQUEST_MAX_JOBS,
	};
	WorkflowSummary summary;
	MemberView	   *members;
	int				count;
	SplFault		fault;

	raise_unless_ok(spl_workflow_create(&workflow, &fault), &fault);
	if (!workflow.created)
		return reply_detail(fcinfo, &workflow.id, true);
	count = spl_workflow_created(&workflow, &summary, &members);
	return reply_members(fcinfo, &summary, members, count, REPLY_CREATED, true);
}

/* spooled._workflow_add(id text, worker_id text, lease_id text, jobs text) returns spooled._reply: to the workflow of job "id" */
SPL_FUNCTION(spooled_wire_workflow_add, JOBS_WRITE)
{
	pg_uuid_t		 job_id = spl_id_arg(fcinfo, 0);
	WorkflowAddition addition = {.run = spl_settle_item(&job_id),
								 .jobs = bytes_arg(fcinfo, 3),
								 .most_jobs = REQUEST_MAX_JOBS};
	StringInfoData	 body;
	SplFault		 fault;

	addition.run.worker = text_arg(fcinfo, 1);
	addition.run.lease_id = text_arg(fcinfo, 2);
	raise_unless_ok(spl_workflow_add(&addition, &fault), &fault);
	initStringInfo(&body);
	spl_json_workflow_addition(&body, &addition);
	return spl_reply(fcinfo, addition.created > 0 ? REPLY_CREATED : REPLY_OK, &body, 0);
}

/* spooled._workflow_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_get, WORKFLOWS_READ)
{
	pg_uuid_t id = id_arg(fcinfo, 0);

	return reply_detail(fcinfo, &id, false);
}

/* spooled._workflow_cancel(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_cancel, WORKFLOWS_WRITE)
{
	pg_uuid_t id = id_arg(fcinfo, 0);
	SplFault  fault;

	raise_unless_ok(spl_workflow_cancel(&id, &fault), &fault);
	return reply_summary(fcinfo, &id);
}

/* spooled._workflow_retry(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_retry, WORKFLOWS_WRITE)
{
	pg_uuid_t id = id_arg(fcinfo, 0);
	int		  revived;
	SplFault  fault;

	raise_unless_ok(spl_workflow_retry(&id, &revived, &fault), &fault);
	return reply_summary(fcinfo, &id);
}

/* spooled._workflow_delete(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_delete, WORKFLOWS_WRITE)
{
	pg_uuid_t id = id_arg(fcinfo, 0);
	SplFault  fault;

	raise_unless_ok(spl_workflow_remove(&id, &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

/* members_arg reads a page of the members of the workflow that argument 0 names; 1 and 2 are its length and where it begins. */
static int
members_arg(FunctionCallInfo fcinfo, pg_uuid_t *id, MemberView **members)
{
	int				limit = Min(Max(int_arg(fcinfo, 1, MEMBERS_SHOWN), 1), MEMBERS_SHOWN);
	WorkflowSummary workflow;
	SplFault		fault;

	*id = id_arg(fcinfo, 0);
	raise_unless_ok(spl_workflow_get(id, &workflow, &fault), &fault);
	return spl_workflow_members(id, spl_page_offset(int_arg(fcinfo, 2, 0)), limit, members);
}

/* spooled._workflow_members(id text, max_jobs int, skip int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_members, WORKFLOWS_READ)
{
	pg_uuid_t	   id;
	MemberView	  *members;
	int			   count = members_arg(fcinfo, &id, &members);
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_workflow_job(&body, &id, &members[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._workflow_member(id text, job_id text) returns spooled._reply: the job with this id or this key */
SPL_FUNCTION(spooled_wire_workflow_member, WORKFLOWS_READ)
{
	pg_uuid_t		id = id_arg(fcinfo, 0);
	WorkflowSummary workflow;
	MemberView		member;
	StringInfoData	body;
	SplFault		fault;

	spl_need_arg(fcinfo, 1, "job_id");
	raise_unless_ok(spl_workflow_get(&id, &workflow, &fault), &fault);
	raise_unless_ok(spl_workflow_member(&id, text_arg(fcinfo, 1), &member, &fault), &fault);
	initStringInfo(&body);
	spl_json_workflow_job(&body, &id, &member);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._workflow_member_states(id text, max_jobs int, skip int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_workflow_member_states, WORKFLOWS_READ)
{
	pg_uuid_t	   id;
	MemberView	  *members;
	int			   count = members_arg(fcinfo, &id, &members);
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_workflow_job_status(&body, &members[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

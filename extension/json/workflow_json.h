/*
 * workflow_json.h
 *    Workflows and their jobs as JSON.
 */
#ifndef SPL_WORKFLOW_JSON_H
#define SPL_WORKFLOW_JSON_H

#include "lib/stringinfo.h"
#include "ops/workflow_add.h"
#include "ops/workflow_list.h"

/* A row of a list; also what cancel and retry answer. */
extern void spl_json_workflow(StringInfo out, const WorkflowSummary *workflow);

/* One workflow with its jobs; "created" adds what the answer to creating it has beside. */
extern void spl_json_workflow_detail(StringInfo out, const WorkflowSummary *workflow, const MemberView *members,
									 int count, bool created);

/* What was added to a workflow. */
extern void spl_json_workflow_addition(StringInfo out, const WorkflowAddition *addition);

/* A job as an element of its workflow, and how far it is. */
extern void spl_json_workflow_job(StringInfo out, const pg_uuid_t *workflow, const MemberView *member);
extern void spl_json_workflow_job_status(StringInfo out, const MemberView *member);

#endif

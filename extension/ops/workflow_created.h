/*
 * workflow_created.h
 *    A workflow that was just created, as reading it would show it.
 */
#ifndef SPL_WORKFLOW_CREATED_H
#define SPL_WORKFLOW_CREATED_H

#include "ops/workflow.h"
#include "ops/workflow_list.h"

/* spl_workflow_created shows what spl_workflow_create has made; returns how many members there are. */
extern int spl_workflow_created(const NewWorkflow *workflow, WorkflowSummary *summary, MemberView **members);

#endif

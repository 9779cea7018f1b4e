/*
 * workflow_spec.h
 *    From the JSON description of a workflow's jobs to steps.
 */
#ifndef SPL_WORKFLOW_SPEC_H
#define SPL_WORKFLOW_SPEC_H

#include "ops/workflow.h"
#include "rules/workflow_graph.h"

/* spl_workflow_read_steps makes the steps of workflow->jobs. */
extern SplCode spl_workflow_read_steps(NewWorkflow *workflow, SplFault *fault);

/* spl_workflow_read_edges turns keys into edges between steps, each once, and refuses unknown keys and circles. */
extern SplCode spl_workflow_read_edges(NewWorkflow *workflow, GraphEdge **edges, int *count, SplFault *fault);

/* spl_step_fault puts the place of a step's fault in front of its field. */
extern SplCode spl_step_fault(SplFault *fault, const SplFault *of_step, int step);

#endif

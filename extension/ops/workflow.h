/*
 * workflow.h
 *    Making workflows: jobs that wait for each other, created in one transaction.
 */
#ifndef SPL_WORKFLOW_H
#define SPL_WORKFLOW_H

#include "base/fan_in_kind.h"
#include "ops/enqueue.h"
#include "rules/workflow_graph.h"

#define WORKFLOW_MOST_JOBS 100000

typedef struct WorkflowStep
{
	EnqueueItem item; /* in and out: spl_workflow_create adds it as a job */
	const char *key;
	char	  **depends_on; /* keys */
	int			depends_count;
	const char *mode_name; /* NULL: all */
	FanInMode	mode;
	SplFault	fault; /* of a value that is of the wrong type */
} WorkflowStep;

typedef struct NewWorkflow
{
	/* in */
	const char	   *name;
	const char	   *description;
	struct varlena *metadata;		 /* json, or NULL */
	struct varlena *jobs;			 /* json: an array of objects, as in POST /api/v1/workflows */
	const char	   *idempotency_key; /* of the whole; or NULL */
	int				most_jobs;

	/* out */
	pg_uuid_t	  id;
	bool		  created; /* false: the idempotency key is that of a workflow that exists */
	WorkflowStep *steps;   /* when created */
	int			  step_count;
	GraphEdge	 *edges; /* between steps, sorted by parent */
	int			  edge_count;
	TimestampTz	  created_at;
} NewWorkflow;

/* spl_workflow_check reads the steps and refuses what creating the workflow would refuse, as far as that needs no row. */
extern SplCode spl_workflow_check(NewWorkflow *workflow, SplFault *fault);

/* spl_workflow_queues returns the names of the queues that the steps use, each once. */
extern int spl_workflow_queues(const NewWorkflow *workflow, const char ***names);

/*
 * spl_workflow_create creates a workflow and all its jobs.  After a refusal the transaction has to be rolled back: some of
 * the jobs may have been written.
 */
extern SplCode spl_workflow_create(NewWorkflow *workflow, SplFault *fault);

#endif

/*
 * workflow_add.h
 *    Jobs that a worker adds to the workflow of the job that it runs.
 */
#ifndef SPL_WORKFLOW_ADD_H
#define SPL_WORKFLOW_ADD_H

#include "ops/settle.h"
#include "ops/workflow.h"

typedef struct AddedJob
{
	const char *key;
	pg_uuid_t	job_id;
	bool		created; /* false: this job has added it before */
} AddedJob;

typedef struct WorkflowAddition
{
	/* in */
	SettleItem		run;  /* the job that runs, with what its worker presents */
	struct varlena *jobs; /* json, as for a new workflow; depends_on may name jobs that the workflow has */
	int				most_jobs;

	/* out */
	pg_uuid_t workflow;
	AddedJob *added; /* in the order of "jobs" */
	int		  count;
	int		  created;
	int		  total_jobs; /* of the workflow, now */
} WorkflowAddition;

/*
 * spl_workflow_add adds jobs to a live workflow.  After a refusal the transaction has to be rolled back: some of the jobs may
 * have been written.
 */
extern SplCode spl_workflow_add(WorkflowAddition *addition, SplFault *fault);

#endif

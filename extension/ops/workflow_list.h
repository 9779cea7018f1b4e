/*
 * workflow_list.h
 *    Reading workflows and their members.
 */
#ifndef SPL_WORKFLOW_LIST_H
#define SPL_WORKFLOW_LIST_H

#include "base/codes.h"
#include "ops/list.h"
#include "store/workflow_read_store.h"

#define PAYLOADS_MAX (8 * 1024 * 1024) /* of one answer */
#define MEMBERS_SHOWN 1000			   /* at most in one answer; the view workflow_jobs has them all */

typedef struct MemberView
{
	const char	*key;
	pg_uuid_t	 job_id;
	bool		 has_job; /* false: deleted by retention, only the status is known */
	JobView		 job;
	const char	*status;
	FanInMode	 mode;
	const char **depends_on; /* keys */
	pg_uuid_t	*parents;	 /* their ids */
	int			 depends_count;
} MemberView;

/* spl_workflow_get reads one workflow. */
extern SplCode spl_workflow_get(const pg_uuid_t *id, WorkflowSummary *workflow, SplFault *fault);

/* spl_workflow_count_running fills in how many members run: processing_jobs. */
extern void spl_workflow_count_running(WorkflowSummary *workflow);

/* spl_workflow_list reads a page, newest first; a status that is none filters nothing. */
extern int spl_workflow_list(const char *status, int limit, int offset, WorkflowSummary **workflows);

/*
 * spl_workflow_members reads up to "limit" members in their order, from the one at "position" on, with payloads and results as
 * far as they fit.
 */
extern int spl_workflow_members(const pg_uuid_t *id, int position, int limit, MemberView **members);

/* spl_workflow_member reads the member with this id or this key. */
extern SplCode spl_workflow_member(const pg_uuid_t *id, const char *name, MemberView *member, SplFault *fault);

#endif

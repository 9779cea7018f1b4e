/*
 * workflow_store.h
 *    Rows of workflow and workflow_job.  A member belongs to its workflow by an edge, which the end of the member closes.
 */
#ifndef SPL_WORKFLOW_STORE_H
#define SPL_WORKFLOW_STORE_H

#include "datatype/timestamp.h"
#include "store/member_sum.h"
#include "utils/uuid.h"

#define WORKFLOW_LIVE '\0'
#define WORKFLOW_COMPLETED 'c'
#define WORKFLOW_FAILED 'f'
#define WORKFLOW_CANCELLED 'x'

/* A row to be. */
typedef struct WorkflowDraft
{
	int32			org;
	pg_uuid_t		id;
	const char	   *name;
	const char	   *description;
	struct varlena *metadata; /* json */
	const char	  **queues;	  /* names */
	int				queue_count;
	int				total_jobs;
	TimestampTz		created_at;
	const char	   *idempotency_key;
	TimestampTz		key_since; /* a key that was taken before is free again; DT_NOBEGIN: never */
} WorkflowDraft;

/*
 * spl_workflow_put inserts a workflow; *created false: its key is that of workflow *id, and nothing was inserted.  False: the
 * key changed hands too fast.
 */
extern bool spl_workflow_put(const WorkflowDraft *draft, pg_uuid_t *id, bool *created);

/* spl_workflow_find_key finds the workflow that has taken a key since a time. */
extern bool spl_workflow_find_key(int32 org, const char *key, TimestampTz since, pg_uuid_t *id);

typedef struct WorkflowMember
{
	int32			 org;
	pg_uuid_t		 workflow;
	int				 position;
	pg_uuid_t		 job_id;
	const char		*key;
	const pg_uuid_t *added_by; /* the job whose worker added it; NULL: it was there from the start */
} WorkflowMember;

extern void spl_workflow_put_members(const WorkflowMember *members, int count);

/* What is known of a member by its key. */
typedef struct KnownMember
{
	bool	  found;
	pg_uuid_t job_id;
	bool	  was_added;
	pg_uuid_t added_by;
	char	  state; /* of its edge to the workflow */
} KnownMember;

/* spl_workflow_find_members finds the members that have these keys. */
extern void
spl_workflow_find_members(int32 org, const pg_uuid_t *id, const char **keys, int count, KnownMember *members);

/* spl_workflow_grow counts in members that were put into a workflow that is locked, and their queues. */
extern void spl_workflow_grow(int32 org, const pg_uuid_t *id, int members, const char **queues, int queue_count);

/* What has to be known of a workflow to change it. */
typedef struct WorkflowRow
{
	pg_uuid_t id;
	char	  status; /* WORKFLOW_* */
	int		  total_jobs;
	char	**queues; /* names */
	int		  queue_count;
} WorkflowRow;

/* spl_workflow_lock reads a workflow and keeps others from changing it; false: there is none. */
extern bool spl_workflow_lock(int32 org, const pg_uuid_t *id, WorkflowRow *row);

/* spl_workflow_end ends a live workflow as its members ended; false: somebody else is just changing it. */
extern bool spl_workflow_end(int32 org, const pg_uuid_t *id, const MemberSum *sum, TimestampTz now);

/* spl_workflow_live_jobs returns how many members a live workflow has; 0: it is over, or deleted. */
extern int spl_workflow_live_jobs(int32 org, const pg_uuid_t *id);

extern void spl_workflow_set_cancelled(int32 org, const pg_uuid_t *id, TimestampTz now);
extern void spl_workflow_set_live(int32 org, const pg_uuid_t *id);

/* spl_workflow_to_cancel lists members that are not over, without those that run and are asked to stop already. */
extern int spl_workflow_to_cancel(int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members);

/* spl_workflow_failed lists members that did not complete, in the order of their ids. */
extern int spl_workflow_failed(int32 org, const pg_uuid_t *id, int limit, pg_uuid_t *members);

/*
 * spl_workflow_other_parents lists parents whose end lets one of these (sorted) jobs wait in vain and that are none of them
 * themselves.
 */
extern int spl_workflow_other_parents(int32 org, const pg_uuid_t *revived, int count, int limit, pg_uuid_t *parents);

/* spl_workflow_reopen takes back, for jobs that are revived, the ends of these of their parents. */
extern void
spl_workflow_reopen(int32 org, const pg_uuid_t *revived, int count, const pg_uuid_t *parents, int parent_count);

extern void spl_workflow_delete(int32 org, const pg_uuid_t *id);

/* spl_workflow_delete_old deletes up to "limit" workflows of an organization that were over before a time. */
extern int spl_workflow_delete_old(int32 org, TimestampTz cutoff, int limit);

#endif

/*
 * workflow_read_store.h
 *    Reading workflows: the view that users read as well, and members.
 */
#ifndef SPL_WORKFLOW_READ_STORE_H
#define SPL_WORKFLOW_READ_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct WorkflowSummary
{
	pg_uuid_t		id;
	pg_uuid_t		org_uid;
	char		   *name;
	char		   *description;
	char		   *status; /* on the wire */
	int				total_jobs;
	int				completed_jobs;
	int				failed_jobs;
	int				cancelled_jobs;
	int				processing_jobs; /* as spl_workflow_running says, or 0 */
	TimestampTz		created_at;
	TimestampTz		started_at; /* DT_NOBEGIN: nothing has run */
	TimestampTz		finished_at;
	struct varlena *metadata; /* json, or NULL */
} WorkflowSummary;

/* spl_workflow_find reads one that this credential may see. */
extern bool spl_workflow_find(int32 org, const pg_uuid_t *id, WorkflowSummary *workflow);

/* spl_workflow_running counts the members that run. */
extern int spl_workflow_running(int32 org, const pg_uuid_t *id);

/* spl_workflow_page reads a page, newest first; status NULL: any. */
extern int spl_workflow_page(int32 org, const char *status, int limit, int offset, WorkflowSummary **workflows);

/* spl_workflow_statuses tells the status of each of "ids"; NULL: it is not there, or this credential may not see it. */
extern void spl_workflow_statuses(int32 org, const pg_uuid_t *ids, int count, const char **statuses);

typedef struct MemberRow
{
	int		  position;
	pg_uuid_t job_id;
	char	 *key;
	char	  state; /* of its edge to the workflow */
} MemberRow;

/* spl_workflow_members_read reads up to "limit" members in their order, from the one at "position" on. */
extern int spl_workflow_members_read(int32 org, const pg_uuid_t *id, int position, int limit, MemberRow **members);

/* spl_workflow_member_at finds the position of the member with this id, or (NULL) with this key; -1: there is none. */
extern int spl_workflow_member_at(int32 org, const pg_uuid_t *id, const pg_uuid_t *job_id, const char *key);

/* spl_workflow_keys returns the keys of those of "ids", which are sorted, that are members, at their places, and NULL for others. */
extern void spl_workflow_keys(int32 org, const pg_uuid_t *id, const pg_uuid_t *ids, int count, const char **keys);

#endif

/*
 * parent_result_store.h
 *    What the parents of a job have left for it.
 */
#ifndef SPL_PARENT_RESULT_STORE_H
#define SPL_PARENT_RESULT_STORE_H

#include "postgres.h"

#include "utils/uuid.h"

typedef struct ParentResult
{
	pg_uuid_t		job_id;
	char		   *queue;	 /* NULL: the job is deleted */
	char			state;	 /* of the edge: EDGE_* */
	struct varlena *result;	 /* json, or NULL */
	bool			omitted; /* it has one, for which there was no room */
} ParentResult;

/*
 * spl_parent_results_read reads up to "limit" parents of a job, in the order of their ids, with results as long as they fit
 * into *room, which they use up.
 */
extern int spl_parent_results_read(int32 org, const pg_uuid_t *child, int limit, int64 *room, ParentResult **parents);

#endif

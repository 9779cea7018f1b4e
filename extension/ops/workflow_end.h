/*
 * workflow_end.h
 *    How workflows end, by themselves and by order, and how a failed one begins again.
 */
#ifndef SPL_WORKFLOW_END_H
#define SPL_WORKFLOW_END_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/*
 * spl_workflow_finish ends a workflow if its members are all over.  False: somebody else is just changing it or them, or they
 * are too many for one transaction; the background worker is to look.
 */
extern bool spl_workflow_finish(int32 org, const pg_uuid_t *id, TimestampTz now);

/*
 * spl_workflow_cancel cancels what does not run yet and asks what runs to stop, as cancelling a single job does; it leaves a
 * workflow that is over as it is.
 */
extern SplCode spl_workflow_cancel(const pg_uuid_t *id, SplFault *fault);

/* spl_workflow_cancel_rest goes on with that; true: nothing is left.  *is_more: another batch can follow at once. */
extern bool spl_workflow_cancel_rest(int32 org, const pg_uuid_t *id, TimestampTz now, int limit, bool *is_more);

/* spl_workflow_retry lets the members of a failed workflow that did not complete run again; *revived: how many. */
extern SplCode spl_workflow_retry(const pg_uuid_t *id, int *revived, SplFault *fault);

/* spl_workflow_remove deletes a workflow that is over; its jobs stay as long as others. */
extern SplCode spl_workflow_remove(const pg_uuid_t *id, SplFault *fault);

#endif

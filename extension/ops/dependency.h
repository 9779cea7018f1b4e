/*
 * dependency.h
 *    What waits for a job, and what the job's end means for it.
 */
#ifndef SPL_DEPENDENCY_H
#define SPL_DEPENDENCY_H

#include "base/codes.h"
#include "store/dependency_store.h"
#include "store/ticket.h"

#define PARENT_FAILED_ERROR "Parent job failed or was deadlettered"
#define PARENT_PURGED_ERROR "Parent was purged"

/*
 * spl_dependency_hold_parent says how a job stands that another is to depend on, as the state of their edge.  One that has not
 * completed is held until this transaction ends: it can end, or be replayed.  SPL_NOT_FOUND: it is being deleted.
 */
extern SplCode spl_dependency_hold_parent(int32 org, const pg_uuid_t *parent, int32 queue, int16 priority, char *state,
										  SplFault *fault);

/* spl_dependency_check_parent does so for the parent that a new job in "queue" names. */
extern SplCode spl_dependency_check_parent(int32 org, const char *parent, int32 queue, pg_uuid_t *parent_id,
										   char *state, SplFault *fault);

/* spl_dependency_parents_ended releases what waited for completed jobs only, and cancels what can no longer run, all the way down. */
extern void spl_dependency_parents_ended(int32 org, const Ticket *ended, int count);

/* spl_dependency_parents_deleted does the same for jobs that are being deleted, whose tickets are taken. */
extern void spl_dependency_parents_deleted(int32 org, const Ticket *taken, int count);

/* spl_dependency_parent_back takes back the end of a job that is to run again. */
extern void spl_dependency_parent_back(int32 org, const pg_uuid_t *parent);

/* spl_dependency_must_wait tells whether a job has parents that let it wait, or that it is not yet known of. */
extern bool spl_dependency_must_wait(int32 org, const pg_uuid_t *child);

/* spl_dependency_look_again decides about children as they stand, now and once more after commit. */
extern void spl_dependency_look_again(int32 org, const pg_uuid_t *children, int count);

/* spl_dependency_work_off does what transactions have left to the background worker; returns how much. */
extern int		   spl_dependency_work_off(TimestampTz now, int limit);
extern TimestampTz spl_dependency_next_due(void);

#endif

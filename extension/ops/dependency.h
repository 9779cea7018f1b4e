/*
 * dependency.h
 *    Children that wait for a parent, and what its end means for them.
 */
#ifndef SPL_DEPENDENCY_H
#define SPL_DEPENDENCY_H

#include "base/codes.h"
#include "store/ticket.h"

typedef enum ParentState
{
	PARENT_OPEN, /* it may still complete; it is held until this transaction ends */
	PARENT_COMPLETED,
	PARENT_ENDED_BADLY
} ParentState;

/* spl_dependency_check_parent says what a job in "queue" that is to wait for "parent" has to expect. */
extern SplCode spl_dependency_check_parent(int32 org, const char *parent, int32 queue, pg_uuid_t *parent_id,
										   ParentState *state, SplFault *fault);

/* spl_dependency_parents_ended releases the children of completed jobs and cancels those of all others, all the way down. */
extern void spl_dependency_parents_ended(int32 org, const Ticket *ended, int count);

/* spl_dependency_parent_purged cancels the children of jobs that are being deleted. */
extern void spl_dependency_parent_purged(int32 org, const pg_uuid_t *parents, int count);

#endif

/*
 * dependency_parent.c
 *    How a job stands that another is to wait for.
 *
 * A child that is added and its parent's end must not miss each other: who adds a child to a job locks that job's ticket
 * first, so the parent ends either before, which is seen here, or after the child's edge is there for it to find.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/dependency_work.h"
#include "store/job_store.h"

#define MAX_LOOKS 20

SplCode
spl_dependency_hold_parent(int32 org, const pg_uuid_t *parent, int32 queue, int16 priority, char *state,
						   SplFault *fault)
{
	Ticket ticket;

	for (int look = 0; look < MAX_LOOKS; look++)
	{
		if (!spl_ticket_find(org, parent, queue, priority, &ticket))
			return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(parent));
		*state = spl_edge_state(&ticket);
		if (*state == EDGE_COMPLETED || spl_ticket_hold(&ticket) == TAKE_OK)
			return SPL_OK;
	}
	return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.",
					 "the parent job is changing too fast to wait for it");
}

SplCode
spl_dependency_check_parent(int32 org, const char *parent, int32 queue, pg_uuid_t *parent_id, char *state,
							SplFault *fault)
{
	SplCode code;
	Job		job;

	if (!spl_uuid_parse(parent, parent_id) || !spl_job_find(org, parent_id, false, &job) || job.queue != queue)
		return spl_fault(fault, SPL_INVALID, "parent_job_id", "unknown_parent", NULL,
						 "parent_job_id must name a job of the same queue");
	code = spl_dependency_hold_parent(org, parent_id, job.queue, job.priority, state, fault);
	if (code == SPL_NOT_FOUND)
		return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.", "the parent job is being deleted");
	return code;
}

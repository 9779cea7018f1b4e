/*
 * limit.h
 *    What the organization's plan allows, checked in the transaction that uses it.
 *
 * A plan without the limit in question costs a comparison.
 */
#ifndef SPL_LIMIT_H
#define SPL_LIMIT_H

#include "base/codes.h"

typedef enum LimitResource
{
	LIMIT_QUEUES,
	LIMIT_WORKERS,
	LIMIT_API_KEYS,
	LIMIT_SCHEDULES,
	LIMIT_WORKFLOWS,
	LIMIT_WEBHOOKS,
	LIMIT_RESOURCES
} LimitResource;

/*
 * spl_limit_resource tells whether the current organization may have one more.  Call it before the row is inserted or made to
 * count again: others who ask for the same thing wait until this transaction ends, and then count its row.
 */
extern SplCode spl_limit_resource(SplFault *fault, LimitResource what);

/* spl_limit_feature tells whether the current organization may have any. */
extern SplCode spl_limit_feature(SplFault *fault, LimitResource what);

/* spl_limit_applies tells whether the current organization's plan limits it at all. */
extern bool spl_limit_applies(LimitResource what);

/*
 * spl_limit_queue is spl_limit_resource for the first job, schedule or workflow of a queue that does not exist for users yet;
 * "more" are other such queues of the same call.
 */
extern SplCode spl_limit_queue(SplFault *fault, int more);

/*
 * spl_limit_jobs reserves "created" new jobs, of which "active" will be active, for the current organization: all or none.
 * spl_limit_active is for jobs that become active again.  Call it before they do, in the same (sub)transaction: a rollback
 * gives them back, and so does spl_limit_unused.
 */
extern SplCode spl_limit_jobs(SplFault *fault, int created, int active);
extern SplCode spl_limit_active(SplFault *fault, int active);
extern void	   spl_limit_unused(int created, int active);

/* spl_limit_payload refuses a payload (or a template of one) that is larger than the plan's. */
extern SplCode spl_limit_payload(SplFault *fault, int64 bytes);

#endif

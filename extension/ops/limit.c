/*
 * limit.c
 *    Counting what a plan limits.
 *
 * Things of which an organization has few are counted in their tables, under a lock of the organization and the kind of thing
 * that is held until the transaction ends: so of many at once who ask for the last one, the second counts the row of the
 * first.  It lies among PostgreSQL's advisory locks, in a class (the fourth field) that their SQL functions can't name.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "miscadmin.h"
#include "ops/limit.h"
#include "ops/plan.h"
#include "ops/queue.h"
#include "storage/lock.h"
#include "store/plan_store.h"

#define LOCK_CLASS 0x5350 /* pg_advisory_lock uses 1 and 2 */

static const struct
{
	PlanField field;
	int		  counted; /* CountedThing, or COUNTED_THINGS: not by a statement */
} resources[LIMIT_RESOURCES] = {
	[LIMIT_QUEUES] = {PLAN_QUEUES, COUNTED_THINGS},			 [LIMIT_WORKERS] = {PLAN_WORKERS, COUNTED_WORKERS},
	[LIMIT_API_KEYS] = {PLAN_API_KEYS, COUNTED_API_KEYS},	 [LIMIT_SCHEDULES] = {PLAN_SCHEDULES, COUNTED_SCHEDULES},
	[LIMIT_WORKFLOWS] = {PLAN_WORKFLOWS, COUNTED_WORKFLOWS}, [LIMIT_WEBHOOKS] = {PLAN_WEBHOOKS, COUNTED_WEBHOOKS},
};

static void
lock_resource(int32 org, LimitResource what)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) org, what, LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

static int64
count_resource(int32 org, LimitResource what)
{
	if (what == LIMIT_QUEUES)
		return spl_queue_count();
	return spl_plan_count(resources[what].counted, org);
}

SplCode
spl_limit_resource(SplFault *fault, LimitResource what)
{
	int32	org = spl_org();
	SplPlan plan = *spl_plan_of(org);
	int64	limit = plan.limit[resources[what].field];
	int64	current;

	if (limit == PLAN_UNLIMITED)
		return SPL_OK;
	if (limit == 0)
		return spl_plan_refuse(&plan, resources[what].field, 0, fault);
	lock_resource(org, what);
	current = count_resource(org, what);
	return current < limit ? SPL_OK : spl_plan_refuse(&plan, resources[what].field, current, fault);
}

bool
spl_limit_applies(LimitResource what)
{
	return spl_plan_of(spl_org())->limit[resources[what].field] != PLAN_UNLIMITED;
}

SplCode
spl_limit_payload(SplFault *fault, int64 bytes)
{
	return spl_plan_check_payload(spl_plan_of(spl_org()), bytes, fault);
}

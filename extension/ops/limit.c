/*
 * limit.c
 *    Counting what a plan limits.
 *
 * Jobs are reserved in shared memory (shmem/org_usage).  While the numbers there are not known, after a start or when there
 * are more organizations than room, the tables are counted: the reservation is made first and the snapshot taken after, so of
 * two who ask at once the second sees the first in one or the other.  It may see it in both; then it looks again.
 *
 * Things of which an organization has few are counted in their tables, under a lock of the organization and the kind of thing
 * that is held until the transaction ends: so of many at once who ask for the last one, the second counts the row of the
 * first.  It lies among PostgreSQL's advisory locks, in a class (the fourth field) that their SQL functions can't name.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "miscadmin.h"
#include "ops/limit.h"
#include "ops/plan.h"
#include "ops/queue.h"
#include "ops/recount.h"
#include "shmem/org_usage.h"
#include "storage/lock.h"
#include "store/plan_store.h"
#include "store/usage_store.h"
#include "utils/timestamp.h"

#define MAX_LOOKS 3
#define LIMIT_JOBS LIMIT_RESOURCES /* for the lock: not counted as the others are */

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

/* check_one_more counts and compares; "more" of the same call are not in the tables yet. */
static SplCode
check_one_more(SplFault *fault, LimitResource what, int more)
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
	current = count_resource(org, what) + more;
	return current < limit ? SPL_OK : spl_plan_refuse(&plan, resources[what].field, current, fault);
}

SplCode
spl_limit_resource(SplFault *fault, LimitResource what)
{
	return check_one_more(fault, what, 0);
}

SplCode
spl_limit_queue(SplFault *fault, int more)
{
	return check_one_more(fault, LIMIT_QUEUES, more);
}

SplCode
spl_limit_feature(SplFault *fault, LimitResource what)
{
	SplPlan plan = *spl_plan_of(spl_org());

	return plan.limit[resources[what].field] == 0 ? spl_plan_refuse(&plan, resources[what].field, 0, fault) : SPL_OK;
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

static bool
is_over(int64 limit, int64 wanted, int64 current)
{
	return limit != PLAN_UNLIMITED && wanted > 0 && current + wanted > limit;
}

/* refuse_jobs names the limit that is in the way. */
static SplCode
refuse_jobs(const SplPlan *plan, UsageCount wanted, UsageCount current, SplFault *fault)
{
	if (is_over(plan->limit[PLAN_ACTIVE_JOBS], wanted.active, current.active))
		return spl_plan_refuse(plan, PLAN_ACTIVE_JOBS, current.active, fault);
	return spl_plan_refuse(plan, PLAN_JOBS_PER_DAY, current.created, fault);
}

/*
 * count_current counts the tables, and adds what others have reserved; what this transaction did stands in the tables.  What
 * prepared transactions hold is read before, so that one that is committed meanwhile is seen twice and not missed.
 */
static UsageCount
count_current(int32 org, TimestampTz midnight, const UsageReading *reading, UsageCount wanted)
{
	UsageCount here = spl_usage_reserved_here(org);
	UsageCount held = spl_prepared_reserved(org, spl_usage_day(midnight));
	int64	   active, created;

	spl_org_count_jobs(org, midnight, &active, &created);
	return (UsageCount) {
		.active = active + held.active + Max(reading->reserved.active - (here.active - wanted.active), 0),
		.created = created + held.created + Max(reading->reserved.created - (here.created - wanted.created), 0),
	};
}

/* reserve_counted decides by the tables; the reservation has been made, if there was room for it. */
static SplCode
reserve_counted(const SplPlan *plan, UsageReserve answer, UsageCount wanted, TimestampTz midnight,
				const UsageReading *reading, SplFault *fault)
{
	int32	   org = spl_org();
	UsageCount current;

	if (answer == USAGE_NO_ROOM)
	{
		lock_resource(org, LIMIT_JOBS);
		current = count_current(org, midnight, reading, (UsageCount) {0});
	}
	else
		current = count_current(org, midnight, reading, wanted);
	if (!is_over(plan->limit[PLAN_ACTIVE_JOBS], wanted.active, current.active) &&
		!is_over(plan->limit[PLAN_JOBS_PER_DAY], wanted.created, current.created))
		return SPL_OK;
	if (answer != USAGE_NO_ROOM)
		spl_usage_give_back(org, wanted);
	return refuse_jobs(plan, wanted, current, fault);
}

static SplCode
reserve(SplFault *fault, UsageCount wanted)
{
	int32		 org = spl_org();
	SplPlan		 plan = *spl_plan_of(org);
	UsageCount	 limits = {plan.limit[PLAN_ACTIVE_JOBS], plan.limit[PLAN_JOBS_PER_DAY]};
	SplCode		 code = SPL_OK;
	UsageReading reading;

	if (limits.active == PLAN_UNLIMITED && limits.created == PLAN_UNLIMITED)
		return SPL_OK;
	for (int look = 0; look < MAX_LOOKS; look++)
	{
		int32		 day = spl_usage_day(spl_clock_now());
		UsageReserve answer = spl_usage_reserve(org, day, wanted, limits, &reading);

		if (answer == USAGE_RESERVED)
			return SPL_OK;
		if (answer == USAGE_FULL)
			return refuse_jobs(&plan, wanted,
							   (UsageCount) {reading.committed.active + reading.reserved.active,
											 reading.committed.created + reading.reserved.created},
							   fault);
		code = reserve_counted(&plan, answer, wanted, (TimestampTz) day * USECS_PER_DAY, &reading, fault);
		if (code == SPL_OK || answer == USAGE_NO_ROOM)
			return code;
	}
	return code;
}

SplCode
spl_limit_jobs(SplFault *fault, int created, int active)
{
	return reserve(fault, (UsageCount) {.active = active, .created = created});
}

SplCode
spl_limit_active(SplFault *fault, int active)
{
	return reserve(fault, (UsageCount) {.active = active});
}

void
spl_limit_unused(int created, int active)
{
	spl_usage_give_back(spl_org(), (UsageCount) {.active = active, .created = created});
}

/*
 * usage.c
 *    See usage.h.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "ops/plan.h"
#include "ops/queue.h"
#include "ops/stats.h"
#include "ops/usage.h"
#include "shmem/org_usage.h"
#include "store/plan_store.h"
#include "store/usage_store.h"
#include "utils/timestamp.h"

/* count_jobs reads shared memory, or counts the tables while that is not known. */
static void
count_jobs(int32 org, OrgUsage *usage)
{
	int32		 day = spl_usage_day(spl_clock_now());
	UsageReading reading;

	spl_usage_read(org, day, &reading);
	if (!reading.is_known)
		spl_org_count_jobs(org, (TimestampTz) day * USECS_PER_DAY, &reading.committed.active,
						   &reading.committed.created);
	usage->used[PLAN_ACTIVE_JOBS] = reading.committed.active;
	usage->used[PLAN_JOBS_PER_DAY] = reading.committed.created;
}

/* count_queues: an admin works for no organization whose queues could be asked for their jobs. */
static int64
count_queues(int32 org)
{
	int32 *queues;

	return spl_is_admin() ? spl_org_queues(org, &queues) : spl_queue_count();
}

void
spl_usage_of(OrgUsage *usage)
{
	spl_usage_of_org(spl_org(), usage);
}

void
spl_usage_of_org(int32 org, OrgUsage *usage)
{
	usage->plan = spl_plan_shown(spl_plan_of(org));
	count_jobs(org, usage);
	usage->used[PLAN_QUEUES] = count_queues(org);
	usage->used[PLAN_WORKERS] = spl_plan_count(COUNTED_WORKERS, org);
	usage->used[PLAN_API_KEYS] = spl_plan_count(COUNTED_API_KEYS, org);
	usage->used[PLAN_SCHEDULES] = spl_plan_count(COUNTED_SCHEDULES, org);
	usage->used[PLAN_WORKFLOWS] = spl_plan_count(COUNTED_WORKFLOWS, org);
	usage->used[PLAN_WEBHOOKS] = spl_plan_count(COUNTED_WEBHOOKS, org);
}

void
spl_usage_reset_today(int32 org)
{
	TimestampTz now = spl_clock_now();

	spl_org_count_from(org, now);
	if (!spl_usage_forget(org, spl_usage_day(now)))
		spl_stats_recount(); /* one that is under way may not see the row */
}

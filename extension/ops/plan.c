/*
 * plan.c
 *    Plans, cached per backend.
 *
 * Every enqueue asks for one, so the last answer is kept by itself.  Organizations without limits of their own share the
 * plan of their tier; the cache is emptied when something that decides a plan changed, and when it has grown large.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "ops/plan.h"
#include "store/plan_store.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#define MOST_CACHED 2048

typedef struct CachedPlan
{
	int32		   org;
	const SplPlan *plan; /* of its tier, or its own */
} CachedPlan;

static MemoryContext cache_context = NULL;
static HTAB			*by_org;
static uint64		 cache_generation = 0;
static SplPlan		 of_tier[PLAN_TIERS];
static CachedPlan	 last_used;

static void
warn_ignored(const char *field, void *arg)
{
	ereport(LOG, (errmsg("the limit \"%s\" of a plan is not a number from 0 on and is ignored", field)));
}

static void
empty_cache(void)
{
	HASHCTL orgs = {.keysize = sizeof(int32), .entrysize = sizeof(CachedPlan)};

	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(CacheMemoryContext, "spooled plans", ALLOCSET_SMALL_SIZES);
	cache_generation = 0; /* should the rest fail */
	last_used.plan = NULL;
	MemoryContextReset(cache_context);
	orgs.hcxt = cache_context;
	by_org = hash_create("spooled plans by organization", 16, &orgs, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* read_tiers reads what this installation says of the tiers. */
static void
read_tiers(void)
{
	for (PlanTier tier = 0; tier < PLAN_TIERS; tier++)
	{
		char *limits = spl_plan_limits_read(spl_plan_tier_name(tier));

		of_tier[tier] = spl_plan_builtin(tier);
		if (limits)
			spl_plan_override(&of_tier[tier], limits, strlen(limits), warn_ignored, NULL);
	}
}

static void
open_cache(void)
{
	uint64 generation = spl_plan_generation();

	if (cache_generation == generation)
		return;
	empty_cache();
	read_tiers();
	cache_generation = generation; /* a change that came while reading makes it old again */
}

/* load makes the plan of an organization; one that is gone has the smallest. */
static const SplPlan *
load(int32 org)
{
	OrgPlan	 row;
	SplPlan *own;
	PlanTier tier;

	if (!spl_org_plan_read(org, &row))
		return &of_tier[TIER_FREE];
	tier = spl_plan_tier_of(row.tier);
	if (row.custom_limits == NULL)
		return &of_tier[tier];
	own = MemoryContextAlloc(cache_context, sizeof(SplPlan));
	*own = of_tier[tier];
	spl_plan_override(own, row.custom_limits, strlen(row.custom_limits), warn_ignored, NULL);
	return own;
}

const SplPlan *
spl_plan_of(int32 org)
{
	CachedPlan *cached;

	AcceptInvalidationMessages();
	open_cache();
	if (last_used.plan && last_used.org == org)
		return last_used.plan;
	if (hash_get_num_entries(by_org) >= MOST_CACHED)
	{
		empty_cache();
		open_cache();
	}
	cached = hash_search(by_org, &org, HASH_FIND, NULL);
	if (cached == NULL)
	{
		const SplPlan *plan = load(org);

		cached = hash_search(by_org, &org, HASH_ENTER, NULL);
		cached->plan = plan;
	}
	last_used = *cached;
	return last_used.plan;
}

const SplPlan *
spl_plan_of_tier(PlanTier tier)
{
	AcceptInvalidationMessages();
	open_cache();
	return &of_tier[tier];
}

SplPlan
spl_plan_shown(const SplPlan *plan)
{
	SplPlan shown = *plan;

	shown.limit[PLAN_PAYLOAD_BYTES] = Min(shown.limit[PLAN_PAYLOAD_BYTES], spooled_max_payload_bytes);
	return shown;
}

void
spl_plans_changed(void)
{
	spl_plans_touched();
}

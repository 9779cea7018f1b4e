/*
 * plan_store.h
 *    Which plan an organization has, what overrides the built-in plans, and how much of a thing it has.
 */
#ifndef SPL_PLAN_STORE_H
#define SPL_PLAN_STORE_H

#include "c.h"

/* What decides an organization's plan; text in the caller's memory. */
typedef struct OrgPlan
{
	char *tier;
	char *custom_limits; /* a JSON object, or NULL */
} OrgPlan;

/* spl_org_plan_read reads one organization's; false: there is none. */
extern bool spl_org_plan_read(int32 org, OrgPlan *plan);

/* spl_plan_limits_read returns the JSON object that overrides a tier in this installation, or NULL. */
extern char *spl_plan_limits_read(const char *tier);

/* spl_plan_limits_write replaces it; NULL: the built-in plan. */
extern void spl_plan_limits_write(const char *tier, const char *limits);

/* spl_plan_generation changes whenever an organization or the plans may have changed. */
extern uint64 spl_plan_generation(void);

/* spl_plans_touched makes every backend read its plans again when this transaction commits. */
extern void spl_plans_touched(void);

/* What is counted by a statement.  Whoever adds a table with a limit adds its row in plan_store.c. */
typedef enum CountedThing
{
	COUNTED_WORKERS,
	COUNTED_API_KEYS,
	COUNTED_SCHEDULES,
	COUNTED_WORKFLOWS,
	COUNTED_WEBHOOKS,
	COUNTED_THINGS
} CountedThing;

/* spl_plan_count counts an organization's live things of a kind, those of this transaction among them. */
extern int64 spl_plan_count(CountedThing thing, int32 org);

#endif

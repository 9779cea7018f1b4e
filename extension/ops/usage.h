/*
 * usage.h
 *    What an organization uses of what its plan allows.
 */
#ifndef SPL_USAGE_H
#define SPL_USAGE_H

#include "rules/plan.h"

typedef struct OrgUsage
{
	SplPlan plan;
	int64	used[PLAN_COUNTS]; /* by PlanField */
} OrgUsage;

/* spl_usage_of counts for the current organization; jobs cost the same however many there are, once they are counted. */
extern void spl_usage_of(OrgUsage *usage);

/* spl_usage_of_org is the same for any organization: for an admin. */
extern void spl_usage_of_org(int32 org, OrgUsage *usage);

/* spl_usage_reset_today makes the jobs that an organization has added today count no more, when this transaction commits. */
extern void spl_usage_reset_today(int32 org);

#endif

/*
 * plan.h
 *    The plan that an organization has.
 */
#ifndef SPL_OPS_PLAN_H
#define SPL_OPS_PLAN_H

#include "rules/plan.h"

/* spl_plan_of returns an organization's plan, cached per backend; valid until the next call that may run SQL. */
extern const SplPlan *spl_plan_of(int32 org);

/* spl_plan_of_tier returns what a tier has in this installation. */
extern const SplPlan *spl_plan_of_tier(PlanTier tier);

/* spl_plan_shown returns a plan as it works here: no payload is larger than what the server takes. */
extern SplPlan spl_plan_shown(const SplPlan *plan);

/* spl_plans_changed makes every backend read its plans again when this transaction commits. */
extern void spl_plans_changed(void);

#endif

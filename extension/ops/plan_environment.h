/*
 * plan_environment.h
 *    Whether a gateway's SPOOLED_PLAN_* say of the plans what this database says.
 */
#ifndef SPL_PLAN_ENVIRONMENT_H
#define SPL_PLAN_ENVIRONMENT_H

#include "base/codes.h"

#define PLAN_VARIABLE_PREFIX "SPOOLED_PLAN_"

typedef struct PlanVariable
{
	const char *name;
	const char *value;
} PlanVariable;

/* spl_plan_environment_check compares what these variables together set; what they leave out is the database's. */
extern SplCode spl_plan_environment_check(const PlanVariable *variables, int count, SplFault *fault);

#endif

/*
 * plan_json.h
 *    Plans and usage as REST shows them.
 */
#ifndef SPL_PLAN_JSON_H
#define SPL_PLAN_JSON_H

#include "lib/stringinfo.h"
#include "ops/usage.h"

/* spl_json_plan writes a plan as an object; a limit that there is not is null. */
extern void spl_json_plan(StringInfo out, const char *name, const SplPlan *plan);

/* spl_json_plan_fields writes its members into an open object. */
extern void spl_json_plan_fields(StringInfo out, const SplPlan *plan);

/* spl_json_usage_numbers writes what is used alone. */
extern void spl_json_usage_numbers(StringInfo out, const char *name, const OrgUsage *usage);

/* spl_json_usage_fields writes the members of a usage report into an open object. */
extern void spl_json_usage_fields(StringInfo out, const OrgUsage *usage);

#endif

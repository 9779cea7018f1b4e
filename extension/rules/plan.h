/*
 * plan.h
 *    Plans: what each tier may have, what overrides it, and the words of a refusal.
 *
 * An organization's plan is made in steps, each over the last: the built-in table, what the installation says of the tier,
 * what is agreed with the organization.  The later two are JSON objects with the names of the built-in fields.
 */
#ifndef SPL_PLAN_H
#define SPL_PLAN_H

#include "base/codes.h"

typedef enum PlanTier
{
	TIER_FREE, /* also for a word that is no tier */
	TIER_STARTER,
	TIER_PRO,
	TIER_ENTERPRISE,
	PLAN_TIERS
} PlanTier;

typedef enum PlanField
{
	PLAN_JOBS_PER_DAY,
	PLAN_ACTIVE_JOBS,
	PLAN_QUEUES,
	PLAN_WORKERS,
	PLAN_API_KEYS,
	PLAN_SCHEDULES,
	PLAN_WORKFLOWS,
	PLAN_WEBHOOKS,
	PLAN_PAYLOAD_BYTES, /* from here on PLAN_UNLIMITED has no meaning */
	PLAN_RATE,			/* requests per second; 0: the request rate is not limited */
	PLAN_BURST,
	PLAN_JOB_RETENTION, /* days */
	PLAN_HISTORY_RETENTION,
	PLAN_FIELDS
} PlanField;

#define PLAN_COUNTS PLAN_PAYLOAD_BYTES /* the fields before it count things */
#define PLAN_UNLIMITED (-1)

typedef struct SplPlan
{
	PlanTier tier;
	int64	 limit[PLAN_FIELDS];
} SplPlan;

extern const char *spl_plan_tier_name(PlanTier tier);
extern const char *spl_plan_tier_title(PlanTier tier);
extern PlanTier	   spl_plan_tier_of(const char *name);
extern bool		   spl_plan_tier_exists(const char *name);

/* The field as plans are written in JSON (max_active_jobs), and as refusals and usage name it (active_jobs). */
extern const char *spl_plan_field_name(PlanField field);
extern const char *spl_plan_resource(PlanField field);

extern SplPlan spl_plan_builtin(PlanTier tier);

/* spl_plan_field_of_variable finds what SPOOLED_PLAN_<TIER>_<suffix> sets; PLAN_FIELDS: nothing. */
extern PlanField spl_plan_field_of_variable(const char *suffix);

/* spl_plan_limit_parse reads a variable: a number from 0 on, for what is counted also a word for no limit. */
extern bool spl_plan_limit_parse(PlanField field, const char *value, int64 *limit);

/* spl_plan_override sets the fields that the JSON object gives; values of a wrong type are left out and told to "ignored". */
extern void
spl_plan_override(SplPlan *plan, const char *object, int len, void (*ignored)(const char *field, void *arg), void *arg);

/* spl_plan_refuse fills the fault of one more than the plan has; a limit of 0 means that the plan does not have it at all. */
extern SplCode spl_plan_refuse(const SplPlan *plan, PlanField field, int64 current, SplFault *fault);

/* spl_plan_check_payload refuses a payload that is larger than the plan's. */
extern SplCode spl_plan_check_payload(const SplPlan *plan, int64 bytes, SplFault *fault);

#endif

/*
 * plan_environment.c
 *    See plan_environment.h.
 *
 * The variables go over each other: SPOOLED_PLAN_LIMITS_JSON, then a tier's own _LIMITS_JSON, then single limits.  Only what
 * comes out at the top is compared, and the one that put it there is named.
 */
#include "postgres.h"

#include "ops/plan.h"
#include "ops/plan_environment.h"
#include "rules/json_text.h"
#include "rules/limits.h"

#define ALL_TIERS PLAN_VARIABLE_PREFIX "LIMITS_JSON"
#define OF_TIER "LIMITS_JSON"
#define MOST_JSON (64 * 1024)

/* Of one tier: what the variables say, starting from what the database says. */
typedef struct Claimed
{
	SplPlan		plan;
	const char *by[PLAN_FIELDS]; /* the variable that last changed a limit */
} Claimed;

static void
note_ignored(const char *field, void *first)
{
	if (*(const char **) first == NULL)
		*(const char **) first = field;
}

static SplCode
refuse_value(const PlanVariable *variable, const char *field, SplFault *fault)
{
	return spl_fault(fault, SPL_INVALID, variable->name, "invalid_value", NULL,
					 "%s is \"%s\": %s must be a number from 0 on, or for what is counted no limit", variable->name,
					 variable->value, field);
}

/* note_changes remembers who changed what. */
static void
note_changes(Claimed *claimed, const SplPlan *before, const PlanVariable *variable)
{
	for (PlanField field = 0; field < PLAN_FIELDS; field++)
		if (claimed->plan.limit[field] != before->limit[field])
			claimed->by[field] = variable->name;
}

static SplCode
apply_object(Claimed *claimed, const PlanVariable *variable, const char *object, int len, SplFault *fault)
{
	SplPlan		before = claimed->plan;
	const char *ignored = NULL;

	spl_plan_override(&claimed->plan, object, len, note_ignored, &ignored);
	note_changes(claimed, &before, variable);
	return ignored ? refuse_value(variable, ignored, fault) : SPL_OK;
}

static SplCode
check_object(const PlanVariable *variable, SplFault *fault)
{
	int		len = strlen(variable->value);
	SplCode code = spl_check_json(variable->name, variable->value, len, false, MOST_JSON, fault);

	if (code == SPL_OK && spl_json_kind(variable->value, len) != '{')
		code = spl_fault(fault, SPL_INVALID, variable->name, "invalid_type", NULL, "%s must be a JSON object",
						 variable->name);
	return code;
}

/* Applies a variable to a tier, if it is about that tier and this is its turn. */
typedef SplCode (*ApplyStep)(Claimed *claimed, const PlanVariable *variable, SplFault *fault);

/* suffix_of returns what follows SPOOLED_PLAN_<TIER>_ in a name, or NULL. */
static const char *
suffix_of(const char *name, PlanTier tier)
{
	const char *word = spl_plan_tier_name(tier);
	int			len = strlen(word);

	name += strlen(PLAN_VARIABLE_PREFIX);
	return pg_strncasecmp(name, word, len) == 0 && name[len] == '_' ? name + len + 1 : NULL;
}

static SplCode
apply_all(Claimed *claimed, const PlanVariable *variable, SplFault *fault)
{
	SplCode		code;
	const char *object;
	int			len;

	if (strcmp(variable->name, ALL_TIERS) != 0)
		return SPL_OK;
	if ((code = check_object(variable, fault)) != SPL_OK)
		return code;
	object = spl_json_member(variable->value, strlen(variable->value), spl_plan_tier_name(claimed->plan.tier), &len);
	return object ? apply_object(claimed, variable, object, len, fault) : SPL_OK;
}

static SplCode
apply_of_tier(Claimed *claimed, const PlanVariable *variable, SplFault *fault)
{
	const char *suffix = suffix_of(variable->name, claimed->plan.tier);
	SplCode		code;

	if (suffix == NULL || strcmp(suffix, OF_TIER) != 0)
		return SPL_OK;
	code = check_object(variable, fault);
	return code == SPL_OK ? apply_object(claimed, variable, variable->value, strlen(variable->value), fault) : code;
}

static SplCode
apply_limit(Claimed *claimed, const PlanVariable *variable, SplFault *fault)
{
	const char *suffix = suffix_of(variable->name, claimed->plan.tier);
	SplPlan		before = claimed->plan;
	PlanField	field;

	if (suffix == NULL || strcmp(suffix, OF_TIER) == 0)
		return SPL_OK;
	field = spl_plan_field_of_variable(suffix);
	if (!spl_plan_limit_parse(field, variable->value, &claimed->plan.limit[field]))
		return refuse_value(variable, spl_plan_field_name(field), fault);
	note_changes(claimed, &before, variable);
	return SPL_OK;
}

static char *
shown(int64 limit)
{
	return limit == PLAN_UNLIMITED ? pstrdup("unlimited") : psprintf(INT64_FORMAT, limit);
}

/* compare refuses the first limit that is another one in the database. */
static SplCode
compare(const Claimed *claimed, const SplPlan *plan, SplFault *fault)
{
	for (PlanField field = 0; field < PLAN_FIELDS; field++)
		if (claimed->plan.limit[field] != plan->limit[field])
			return spl_fault(fault, SPL_INVALID, claimed->by[field], "differs", NULL,
							 "%s makes %s of the %s plan %s for the gateway, but in the database it is %s",
							 claimed->by[field], spl_plan_field_name(field), spl_plan_tier_name(plan->tier),
							 shown(claimed->plan.limit[field]), shown(plan->limit[field]));
	return SPL_OK;
}

/* check_name refuses what sets nothing: most likely a slip of the pen. */
static SplCode
check_name(const char *name, SplFault *fault)
{
	const char *suffix = NULL;

	for (PlanTier tier = 0; tier < PLAN_TIERS && suffix == NULL; tier++)
		suffix = suffix_of(name, tier);
	if (strcmp(name, ALL_TIERS) == 0 ||
		(suffix && (strcmp(suffix, OF_TIER) == 0 || spl_plan_field_of_variable(suffix) != PLAN_FIELDS)))
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, "environment", "unknown", NULL,
					 "%s is a variable that this database does not know", name);
}

static SplCode
check_tier(PlanTier tier, const PlanVariable *variables, int count, SplFault *fault)
{
	static const ApplyStep steps[] = {apply_all, apply_of_tier, apply_limit};
	SplPlan				   plan = *spl_plan_of_tier(tier);
	Claimed				   claimed = {.plan = plan};

	for (int step = 0; step < lengthof(steps); step++)
		for (int i = 0; i < count; i++)
		{
			SplCode code = steps[step](&claimed, &variables[i], fault);

			if (code != SPL_OK)
				return code;
		}
	return compare(&claimed, &plan, fault);
}

SplCode
spl_plan_environment_check(const PlanVariable *variables, int count, SplFault *fault)
{
	SplCode code = SPL_OK;

	for (int i = 0; i < count && code == SPL_OK; i++)
		code = check_name(variables[i].name, fault);
	for (PlanTier tier = 0; tier < PLAN_TIERS && code == SPL_OK && count > 0; tier++)
		code = check_tier(tier, variables, count, fault);
	return code;
}

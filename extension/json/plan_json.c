/*
 * plan_json.c
 *    See plan_json.h.
 */
#include "postgres.h"

#include "json/json_write.h"
#include "json/plan_json.h"

#define WARN_FREE 50 /* percent */
#define WARN_OTHERS 80

/* write_limit writes null for what is not limited. */
static void
write_limit(StringInfo out, const char *name, PlanField field, int64 limit)
{
	if (field < PLAN_COUNTS && limit == PLAN_UNLIMITED)
		spl_json_null(out, name);
	else
		spl_json_int(out, name, limit);
}

void
spl_json_plan_fields(StringInfo out, const SplPlan *plan)
{
	spl_json_text(out, "tier", spl_plan_tier_name(plan->tier));
	spl_json_text(out, "display_name", spl_plan_tier_title(plan->tier));
	for (PlanField field = 0; field < PLAN_FIELDS; field++)
		write_limit(out, spl_plan_field_name(field), field, plan->limit[field]);
}

void
spl_json_plan(StringInfo out, const char *name, const SplPlan *plan)
{
	spl_json_open(out, name, '{');
	spl_json_plan_fields(out, plan);
	spl_json_close(out, '}');
}

static bool
has_percentage(int64 limit)
{
	return limit != PLAN_UNLIMITED && limit != 0;
}

/* shown_name: the usage of a day is told as what it is. */
static const char *
shown_name(PlanField field)
{
	return field == PLAN_JOBS_PER_DAY ? "jobs_today" : spl_plan_resource(field);
}

static void
write_used(StringInfo out, const OrgUsage *usage, PlanField field)
{
	int64 limit = usage->plan.limit[field];
	char *percentage = psprintf("%.1f", has_percentage(limit) ? usage->used[field] * 100.0 / limit : 0);

	spl_json_open(out, shown_name(field), '{');
	spl_json_int(out, "current", usage->used[field]);
	write_limit(out, "limit", field, limit);
	if (has_percentage(limit))
		spl_json_raw(out, "percentage", percentage, strlen(percentage));
	else
		spl_json_null(out, "percentage");
	spl_json_bool(out, "is_disabled", limit == 0);
	spl_json_close(out, '}');
}

/* write_warning writes a warning from half of the limit on (a free plan; others: from four fifths on). */
static void
write_warning(StringInfo out, const OrgUsage *usage, PlanField field)
{
	int64 limit = usage->plan.limit[field];
	int64 percent = has_percentage(limit) ? usage->used[field] * 100 / limit : 0;
	char *words = pstrdup(spl_plan_resource(field));

	if (percent < (usage->plan.tier == TIER_FREE ? WARN_FREE : WARN_OTHERS))
		return;
	for (char *c = words; *c; c++)
		if (*c == '_')
			*c = ' ';
	spl_json_open(out, NULL, '{');
	spl_json_text(out, "resource", spl_plan_resource(field));
	spl_json_text(out, "message",
				  percent >= 100 ? psprintf("%s limit reached", words)
								 : psprintf("%s at " INT64_FORMAT "%% of limit", words, percent));
	spl_json_text(out, "severity", percent >= 100 ? "critical" : "warning");
	spl_json_close(out, '}');
}

void
spl_json_usage_fields(StringInfo out, const OrgUsage *usage)
{
	spl_json_text(out, "plan", spl_plan_tier_name(usage->plan.tier));
	spl_json_text(out, "plan_display_name", spl_plan_tier_title(usage->plan.tier));
	spl_json_plan(out, "limits", &usage->plan);
	spl_json_open(out, "usage", '{');
	for (PlanField field = 0; field < PLAN_COUNTS; field++)
		write_used(out, usage, field);
	spl_json_close(out, '}');
	spl_json_open(out, "warnings", '[');
	for (PlanField field = 0; field < PLAN_COUNTS; field++)
		write_warning(out, usage, field);
	spl_json_close(out, ']');
}

void
spl_json_usage_numbers(StringInfo out, const char *name, const OrgUsage *usage)
{
	spl_json_open(out, name, '{');
	for (PlanField field = 0; field < PLAN_COUNTS; field++)
		spl_json_int(out, shown_name(field), usage->used[field]);
	spl_json_close(out, '}');
}

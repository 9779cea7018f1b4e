/*
 * plan.c
 *    See plan.h.
 */
#include "postgres.h"

#include "rules/json_text.h"
#include "rules/plan.h"

#define KB (INT64CONST(1024))

static const struct
{
	const char *name;
	const char *title;
} tiers[PLAN_TIERS] = {
	[TIER_FREE] = {"free", "Free"},
	[TIER_STARTER] = {"starter", "Starter"},
	[TIER_PRO] = {"pro", "Pro"},
	[TIER_ENTERPRISE] = {"enterprise", "Enterprise"},
};

static const struct
{
	const char *name;
	const char *resource;
	int64		builtin[PLAN_TIERS];
} fields[PLAN_FIELDS] = {
	[PLAN_JOBS_PER_DAY] = {"max_jobs_per_day", "jobs_per_day", {1000, 10000, 100000, PLAN_UNLIMITED}},
	[PLAN_ACTIVE_JOBS] = {"max_active_jobs", "active_jobs", {10, 500, 5000, PLAN_UNLIMITED}},
	[PLAN_QUEUES] = {"max_queues", "queues", {2, 10, 50, PLAN_UNLIMITED}},
	[PLAN_WORKERS] = {"max_workers", "workers", {1, 5, 25, PLAN_UNLIMITED}},
	[PLAN_API_KEYS] = {"max_api_keys", "api_keys", {2, 5, 25, PLAN_UNLIMITED}},
	[PLAN_SCHEDULES] = {"max_schedules", "schedules", {1, 10, 50, PLAN_UNLIMITED}},
	[PLAN_WORKFLOWS] = {"max_workflows", "workflows", {0, 5, 25, PLAN_UNLIMITED}},
	[PLAN_WEBHOOKS] = {"max_webhooks", "webhooks", {1, 5, 20, PLAN_UNLIMITED}},
	[PLAN_PAYLOAD_BYTES] = {"max_payload_size_bytes", "payload_size", {64 * KB, 256 * KB, 1024 * KB, 5120 * KB}},
	[PLAN_RATE] = {"rate_limit_requests_per_second", "requests", {5, 25, 100, 500}},
	[PLAN_BURST] = {"rate_limit_burst", "burst", {10, 50, 200, 1000}},
	[PLAN_JOB_RETENTION] = {"job_retention_days", "job_retention", {3, 14, 30, 90}},
	[PLAN_HISTORY_RETENTION] = {"history_retention_days", "history_retention", {1, 7, 30, 90}},
};

const char *
spl_plan_tier_name(PlanTier tier)
{
	return tiers[tier].name;
}

const char *
spl_plan_tier_title(PlanTier tier)
{
	return tiers[tier].title;
}

bool
spl_plan_tier_exists(const char *name)
{
	for (PlanTier tier = 0; tier < PLAN_TIERS; tier++)
		if (strcmp(tiers[tier].name, name) == 0)
			return true;
	return false;
}

PlanTier
spl_plan_tier_of(const char *name)
{
	for (PlanTier tier = 0; tier < PLAN_TIERS; tier++)
		if (strcmp(tiers[tier].name, name) == 0)
			return tier;
	return TIER_FREE;
}

const char *
spl_plan_field_name(PlanField field)
{
	return fields[field].name;
}

const char *
spl_plan_resource(PlanField field)
{
	return fields[field].resource;
}

SplPlan
spl_plan_builtin(PlanTier tier)
{
	SplPlan plan = {.tier = tier};

	for (PlanField field = 0; field < PLAN_FIELDS; field++)
		plan.limit[field] = fields[field].builtin[tier];
	return plan;
}

/* read_limit reads an integer from 0 on, and for what is counted null: no limit.  False: it is something else. */
static bool
read_limit(PlanField field, const char *value, int len, int64 *limit)
{
	char  text[20];
	char *end;
	int64 number;

	if (len == 4 && memcmp(value, "null", 4) == 0 && field < PLAN_COUNTS)
	{
		*limit = PLAN_UNLIMITED;
		return true;
	}
	if (len == 0 || len >= sizeof(text) || value[0] < '0' || value[0] > '9')
		return false;
	memcpy(text, value, len);
	text[len] = '\0';
	number = strtoi64(text, &end, 10);
	if (*end != '\0')
		return false;
	*limit = number;
	return true;
}

PlanField
spl_plan_field_of_variable(const char *suffix)
{
	if (strcmp(suffix, "RATE_LIMIT_RPS") == 0)
		return PLAN_RATE;
	for (PlanField field = 0; field < PLAN_FIELDS; field++)
		if (field != PLAN_RATE && pg_strcasecmp(fields[field].name, suffix) == 0)
			return field;
	return PLAN_FIELDS;
}

bool
spl_plan_limit_parse(PlanField field, const char *value, int64 *limit)
{
	static const char *const unlimited[] = {"unlimited", "none", "null", "-1"};

	for (int i = 0; i < lengthof(unlimited); i++)
		if (strcmp(value, unlimited[i]) == 0)
			value = "null";
	return read_limit(field, value, strlen(value), limit);
}

void
spl_plan_override(SplPlan *plan, const char *object, int len, void (*ignored)(const char *field, void *arg), void *arg)
{
	for (PlanField field = 0; field < PLAN_FIELDS; field++)
	{
		int			value_len;
		const char *value = spl_json_member(object, len, fields[field].name, &value_len);

		if (value && !read_limit(field, value, value_len, &plan->limit[field]) && ignored)
			ignored(fields[field].name, arg);
	}
}

/* words returns a resource as a sentence says it. */
static char *
words(const char *resource)
{
	char *text = pstrdup(resource);

	for (char *c = text; *c; c++)
		if (*c == '_')
			*c = ' ';
	return text;
}

static bool
has_next(const SplPlan *plan)
{
	return plan->tier != TIER_ENTERPRISE;
}

/* upgrade returns the last member of a detail: the next tier, unless there is none. */
static char *
upgrade(const SplPlan *plan)
{
	return has_next(plan) ? psprintf(",\"upgrade_to\":\"%s\"", tiers[plan->tier + 1].name) : pstrdup("");
}

/* refuse_feature: the plan does not have it at all. */
static SplCode
refuse_feature(const SplPlan *plan, PlanField field, SplFault *fault)
{
	spl_fault(fault, SPL_FEATURE_DISABLED, NULL, NULL, NULL, "%s is not available on the %s plan.%s",
			  words(fields[field].resource), tiers[plan->tier].title,
			  has_next(plan) ? " Upgrade to unlock this feature." : "");
	fault->details = psprintf("{\"feature\":\"%s\",\"plan\":\"%s\"%s}", fields[field].resource, tiers[plan->tier].name,
							  upgrade(plan));
	return SPL_FEATURE_DISABLED;
}

SplCode
spl_plan_refuse(const SplPlan *plan, PlanField field, int64 current, SplFault *fault)
{
	int64 limit = plan->limit[field];

	if (limit == 0)
		return refuse_feature(plan, field, fault);
	spl_fault(fault, SPL_QUOTA_EXCEEDED, NULL, NULL, NULL, "%s limit reached (" INT64_FORMAT "/" INT64_FORMAT ").%s",
			  words(fields[field].resource), current, limit,
			  has_next(plan) ? psprintf(" Upgrade to %s for higher limits.", tiers[plan->tier + 1].name) : "");
	fault->details =
		psprintf("{\"resource\":\"%s\",\"current\":" INT64_FORMAT ",\"limit\":" INT64_FORMAT ",\"plan\":\"%s\"%s}",
				 fields[field].resource, current, limit, tiers[plan->tier].name, upgrade(plan));
	return SPL_QUOTA_EXCEEDED;
}

SplCode
spl_plan_check_payload(const SplPlan *plan, int64 bytes, SplFault *fault)
{
	int64 limit = plan->limit[PLAN_PAYLOAD_BYTES];

	if (bytes <= limit)
		return SPL_OK;
	spl_fault(fault, SPL_PAYLOAD_TOO_LARGE, NULL, NULL, NULL,
			  "the payload has " INT64_FORMAT " bytes; the %s plan allows " INT64_FORMAT, bytes,
			  tiers[plan->tier].title, limit);
	fault->details =
		psprintf("{\"current\":" INT64_FORMAT ",\"limit\":" INT64_FORMAT ",\"plan\":\"%s\",\"upgrade_to\":%s}", bytes,
				 limit, tiers[plan->tier].name, has_next(plan) ? "true" : "false");
	return SPL_PAYLOAD_TOO_LARGE;
}

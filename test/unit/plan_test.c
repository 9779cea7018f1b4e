/*
 * plan_test.c
 *    Plans: what overrides what, and the words of a refusal.
 *
 * links: extension/rules/plan.c extension/rules/json_text.c
 * libs: -lpgcommon -lpgport
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/plan.h"

#undef vasprintf
#undef vsnprintf
#include <stdarg.h>

/* The parts of PostgreSQL and of base/ that plan.c uses; what they allocate lives as long as the test. */
static char memory[64 * 1024];
static int	used = 0;

static char *
keep(const char *format, va_list args)
{
	char *text = memory + used;

	used += vsnprintf(text, sizeof(memory) - used, format, args) + 1;
	return text;
}

char *
pstrdup(const char *text)
{
	return psprintf("%s", text);
}

char *
psprintf(const char *format, ...)
{
	char   *text;
	va_list args;

	va_start(args, format);
	text = keep(format, args);
	va_end(args);
	return text;
}

SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	va_list args;

	memset(fault, 0, sizeof(*fault));
	fault->code = code;
	fault->field = field;
	va_start(args, format);
	fault->message = keep(format, args);
	va_end(args);
	return code;
}

static const char *last_ignored;

static void
note_ignored(const char *field, void *arg)
{
	last_ignored = field;
}

static SplPlan
overridden(PlanTier tier, const char *object)
{
	SplPlan plan = spl_plan_builtin(tier);

	last_ignored = NULL;
	spl_plan_override(&plan, object, strlen(object), note_ignored, NULL);
	return plan;
}

static void
test_tiers(void)
{
	CHECK_INT(spl_plan_tier_of("pro"), TIER_PRO);
	CHECK_INT(spl_plan_tier_of("deleted"), TIER_FREE);
	CHECK(!spl_plan_tier_exists("deleted"));
	CHECK(spl_plan_tier_exists("enterprise"));
	CHECK_INT(spl_plan_builtin(TIER_FREE).limit[PLAN_ACTIVE_JOBS], 10);
	CHECK_INT(spl_plan_builtin(TIER_STARTER).limit[PLAN_RATE], 25);
	for (PlanField field = 0; field < PLAN_COUNTS; field++)
		CHECK_INT(spl_plan_builtin(TIER_ENTERPRISE).limit[field], PLAN_UNLIMITED);
}

static void
test_override(void)
{
	SplPlan plan = overridden(TIER_FREE, "{\"max_queues\": 7, \"max_workers\": null, \"nobody\": 1}");

	CHECK_INT(plan.limit[PLAN_QUEUES], 7);
	CHECK_INT(plan.limit[PLAN_WORKERS], PLAN_UNLIMITED);
	CHECK_INT(plan.limit[PLAN_API_KEYS], 2);
	CHECK_TEXT(last_ignored, NULL);

	CHECK_INT(overridden(TIER_FREE, "{\"max_queues\": \"7\"}").limit[PLAN_QUEUES], 2);
	CHECK_TEXT(last_ignored, "max_queues");
	CHECK_INT(overridden(TIER_FREE, "{\"max_queues\": -1}").limit[PLAN_QUEUES], 2);
	CHECK_INT(overridden(TIER_FREE, "{\"max_queues\": 1.5}").limit[PLAN_QUEUES], 2);
	CHECK_INT(overridden(TIER_FREE, "{\"max_queues\": 0}").limit[PLAN_QUEUES], 0);
	/* Only what is counted can be without a limit. */
	CHECK_INT(overridden(TIER_FREE, "{\"max_payload_size_bytes\": null}").limit[PLAN_PAYLOAD_BYTES], 65536);
	CHECK_TEXT(last_ignored, "max_payload_size_bytes");
	CHECK_INT(overridden(TIER_FREE, "[]").limit[PLAN_QUEUES], 2);
}

static void
test_variables(void)
{
	int64 limit = 17;

	CHECK_INT(spl_plan_field_of_variable("MAX_QUEUES"), PLAN_QUEUES);
	CHECK_INT(spl_plan_field_of_variable("RATE_LIMIT_RPS"), PLAN_RATE);
	CHECK_INT(spl_plan_field_of_variable("RATE_LIMIT_BURST"), PLAN_BURST);
	CHECK_INT(spl_plan_field_of_variable("RATE_LIMIT_REQUESTS_PER_SECOND"), PLAN_FIELDS);
	CHECK_INT(spl_plan_field_of_variable(""), PLAN_FIELDS);
	CHECK(spl_plan_limit_parse(PLAN_QUEUES, "5", &limit));
	CHECK_INT(limit, 5);
	for (int i = 0; i < 4; i++)
	{
		static const char *const words[] = {"unlimited", "none", "null", "-1"};

		CHECK(spl_plan_limit_parse(PLAN_QUEUES, words[i], &limit));
		CHECK_INT(limit, PLAN_UNLIMITED);
		CHECK(!spl_plan_limit_parse(PLAN_BURST, words[i], &limit));
	}
	CHECK(!spl_plan_limit_parse(PLAN_QUEUES, "-2", &limit));
	CHECK(!spl_plan_limit_parse(PLAN_QUEUES, "5 ", &limit));
	CHECK(!spl_plan_limit_parse(PLAN_QUEUES, "", &limit));
}

static void
test_refusals(void)
{
	SplPlan	 free_plan = spl_plan_builtin(TIER_FREE);
	SplPlan	 capped = overridden(TIER_ENTERPRISE, "{\"max_queues\": 3, \"max_webhooks\": 0}");
	SplFault fault;

	CHECK_INT(spl_plan_refuse(&free_plan, PLAN_ACTIVE_JOBS, 10, &fault), SPL_QUOTA_EXCEEDED);
	CHECK_TEXT(fault.message, "active jobs limit reached (10/10). Upgrade to starter for higher limits.");
	CHECK_TEXT(
		fault.details,
		"{\"resource\":\"active_jobs\",\"current\":10,\"limit\":10,\"plan\":\"free\",\"upgrade_to\":\"starter\"}");

	CHECK_INT(spl_plan_refuse(&capped, PLAN_QUEUES, 3, &fault), SPL_QUOTA_EXCEEDED);
	CHECK_TEXT(fault.message, "queues limit reached (3/3).");
	CHECK_TEXT(fault.details, "{\"resource\":\"queues\",\"current\":3,\"limit\":3,\"plan\":\"enterprise\"}");

	CHECK_INT(spl_plan_refuse(&free_plan, PLAN_WORKFLOWS, 0, &fault), SPL_FEATURE_DISABLED);
	CHECK_TEXT(fault.message, "workflows is not available on the Free plan. Upgrade to unlock this feature.");
	CHECK_TEXT(fault.details, "{\"feature\":\"workflows\",\"plan\":\"free\",\"upgrade_to\":\"starter\"}");
	CHECK_INT(spl_plan_refuse(&capped, PLAN_WEBHOOKS, 0, &fault), SPL_FEATURE_DISABLED);
	CHECK_TEXT(fault.message, "webhooks is not available on the Enterprise plan.");

	CHECK_INT(spl_plan_check_payload(&free_plan, 65536, &fault), SPL_OK);
	CHECK_INT(spl_plan_check_payload(&free_plan, 65537, &fault), SPL_PAYLOAD_TOO_LARGE);
	CHECK_TEXT(fault.details, "{\"current\":65537,\"limit\":65536,\"plan\":\"free\",\"upgrade_to\":true}");
}

int
main(void)
{
	test_tiers();
	test_override();
	test_variables();
	test_refusals();
	return unit_end();
}

/*
 * admin_wire.c
 *    Organizations as the installation's admin sees them, for the gateway.
 */
#include "postgres.h"

#include "api/api_key_args.h"
#include "api/function.h"
#include "api/organization_args.h"
#include "api/reply.h"
#include "base/uuid7.h"
#include "ops/admin.h"
#include "ops/audit.h"
#include "ops/plan.h"
#include "ops/request.h"
#include "ops/usage.h"
#include "json/json_write.h"
#include "json/organization_json.h"
#include "json/plan_json.h"

static void
need_admin(void)
{
	SplFault fault;

	raise_unless_ok(spl_need_admin(&fault), &fault);
}

static void
write_listed(StringInfo out, const OrgRow *org)
{
	OrgUsage usage;

	spl_usage_of_org(org->id, &usage);
	spl_json_open(out, NULL, '{');
	spl_json_organization_fields(out, org, NULL);
	spl_json_usage_numbers(out, "usage", &usage);
	spl_json_close(out, '}');
}

/* is_tier: a filter that no organization can match by its form is ignored. */
static bool
is_tier(const char *tier)
{
	return tier && (spl_plan_tier_exists(tier) || strcmp(tier, "deleted") == 0);
}

/* spooled._admin_organization_list(plan_tier text, search text, max_rows int, skip int, sort_by text, sort_order text)
 * returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_organization_list, PERMISSION_NONE)
{
	const char *tier = text_arg(fcinfo, 0);
	const char *order = text_arg(fcinfo, 4);
	const char *direction = text_arg(fcinfo, 5);
	OrgFilter	filter = {
		  .plan_tier = is_tier(tier) ? tier : NULL,
		  .search = text_arg(fcinfo, 1),
		  .limit = spl_page_limit(int_arg(fcinfo, 2, PAGE_DEFAULT)),
		  .offset = spl_page_offset(int_arg(fcinfo, 3, 0)),
		  .order = order ? order : "created_at",
		  .ascending = direction && pg_strcasecmp(direction, "asc") == 0,
	  };
	OrgRow		  *rows;
	int			   count;
	int64		   total;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_admin_list(&filter, &rows, &count, &total, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_open(&body, "organizations", '[');
	for (int i = 0; i < count; i++)
		write_listed(&body, &rows[i]);
	spl_json_close(&body, ']');
	spl_json_int(&body, "total", total);
	spl_json_int(&body, "limit", filter.limit);
	spl_json_int(&body, "offset", filter.offset);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._admin_organization_create(name text, slug text, billing_email text, plan_tier text, settings text,
 * custom_limits text, idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_organization_create, PERMISSION_NONE)
{
	NewOrganization wanted = {
		.name = text_arg(fcinfo, 0),
		.slug = text_arg(fcinfo, 1),
		.billing_email = text_arg(fcinfo, 2),
		.plan_tier = text_arg(fcinfo, 3),
	};
	OrganizationPatch more = {.settings = text_arg(fcinfo, 4), .custom_limits = text_arg(fcinfo, 5)};
	RequestKey		  request = spl_request_key_of_new(&wanted, text_arg(fcinfo, 6));
	OrgRow			  made;
	ApiKeyRow		  first;
	const char		 *key;
	Datum			  repeated;
	SplFault		  fault;

	need_admin();
	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_admin_create(&wanted, &more, &made, &first, &key, &fault), &fault);
	return spl_reply_new_organization(fcinfo, &request, &made, &first, key);
}

/* spooled._admin_organization_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_organization_get, PERMISSION_NONE)
{
	OrgRow		   org;
	OrgUsage	   usage;
	JobStats	   jobs;
	StringInfoData body;
	SplFault	   fault;

	need_admin();
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	spl_usage_of_org(org.id, &usage);
	spl_org_job_stats(org.id, 0, &jobs);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_organization_fields(&body, &org, NULL);
	spl_json_open(&body, "usage_info", '{');
	spl_json_usage_fields(&body, &usage);
	spl_json_close(&body, '}');
	spl_json_usage_numbers(&body, "usage", &usage);
	spl_json_int(&body, "api_keys_count", spl_org_key_count(org.id));
	spl_json_int(&body, "total_jobs", jobs.total);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._admin_organization_update(id text, name text, billing_email text, settings text, plan_tier text,
 * custom_limits text, stripe_customer_id text, stripe_subscription_id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_organization_update, PERMISSION_NONE)
{
	OrganizationPatch patch = {
		.name = text_arg(fcinfo, 1),
		.billing_email = text_arg(fcinfo, 2),
		.settings = text_arg(fcinfo, 3),
		.plan_tier = text_arg(fcinfo, 4),
		.custom_limits = text_arg(fcinfo, 5),
		.stripe_customer_id = text_arg(fcinfo, 6),
		.stripe_subscription_id = text_arg(fcinfo, 7),
	};
	OrgRow		   org;
	StringInfoData body;
	SplFault	   fault;

	need_admin();
	raise_unless_ok(spl_organization_change(spl_org_id_arg(fcinfo, 0), &patch, &org, &fault), &fault);
	initStringInfo(&body);
	spl_json_organization(&body, NULL, &org, NULL);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._admin_organization_delete(id text, hard_delete boolean) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_organization_delete, PERMISSION_NONE)
{
	SplFault fault;

	raise_unless_ok(spl_admin_delete(spl_org_id_arg(fcinfo, 0), bool_arg(fcinfo, 1, false), &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

/* spooled._admin_api_key_create(id text, name text, queues text[], rate_limit int, expires_at timestamptz,
 * permissions text[], idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_api_key_create, PERMISSION_NONE)
{
	static char *everything[] = {"*"};
	ApiKeyWish	 wish = spl_api_key_wish_args(fcinfo, 1);
	RequestKey	 request = {.operation = "admin.api_key.create", .key = text_arg(fcinfo, 6)};
	OrgRow		 org;
	ApiKeyRow	 made;
	const char	*key;
	Datum		 repeated;
	SplFault	 fault;

	if (wish.queue_count == TEXTS_NOT_GIVEN)
	{
		wish.queues = everything;
		wish.queue_count = 1;
	}
	need_admin();
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	request.org = org.id;
	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_admin_api_key_create(&org, &wish, &made, &key, &fault), &fault);
	return spl_reply_new_api_key(fcinfo, &request, &made, key);
}

/* spooled._admin_usage_reset(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_usage_reset, PERMISSION_NONE)
{
	OrgRow	 org;
	SplFault fault;

	need_admin();
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	spl_usage_reset_today(org.id);
	spl_audit_of(org.id, "organization.usage_reset", "organization", spl_uuid_text(&org.uid), NULL);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

static const char *const plan_descriptions[PLAN_TIERS] = {
	[TIER_FREE] = "To try it out",
	[TIER_STARTER] = "For a small product",
	[TIER_PRO] = "For a product that grows",
	[TIER_ENTERPRISE] = "Without limits",
};

/* spooled._admin_plans() returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_plans, PERMISSION_NONE)
{
	StringInfoData body;

	need_admin();
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int tier = 0; tier < PLAN_TIERS; tier++)
	{
		SplPlan plan = spl_plan_shown(spl_plan_of_tier(tier));

		spl_json_open(&body, NULL, '{');
		spl_json_plan_fields(&body, &plan);
		spl_json_text(&body, "description", plan_descriptions[tier]);
		spl_json_plan(&body, "limits", &plan);
		spl_json_close(&body, '}');
	}
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/*
 * organization_json.c
 *    Organizations as JSON, with the names of every client.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "json/json_write.h"
#include "json/organization_json.h"

/* write_settings adds the token to the stored object, where clients look for it. */
static void
write_settings(StringInfo out, const OrgRow *org, const char *webhook_token)
{
	const char *end = strrchr(org->settings, '}');

	if (webhook_token == NULL)
	{
		spl_json_raw(out, "settings", org->settings, strlen(org->settings));
		return;
	}
	Assert(end != NULL);
	spl_json_raw(out, "settings", org->settings, end - org->settings);
	spl_json_text(out, "webhook_token", webhook_token);
	spl_json_close(out, '}');
}

void
spl_json_organization_fields(StringInfo out, const OrgRow *org, const char *webhook_token)
{
	const char *plan = TIMESTAMP_IS_NOBEGIN(org->deleted_at) ? org->plan_tier : "deleted";

	spl_json_uuid(out, "id", &org->uid);
	spl_json_text(out, "name", org->name);
	spl_json_text(out, "slug", org->slug);
	spl_json_text(out, "plan_tier", plan);
	spl_json_text(out, "plan", plan);
	spl_json_text(out, "billing_email", org->billing_email);
	spl_json_text(out, "email", org->billing_email);
	write_settings(out, org, webhook_token);
	spl_json_raw(out, "custom_limits", org->custom_limits, org->custom_limits ? strlen(org->custom_limits) : 0);
	spl_json_text(out, "stripe_customer_id", org->stripe_customer_id);
	spl_json_text(out, "stripe_subscription_id", org->stripe_subscription_id);
	spl_json_null(out, "stripe_subscription_status");
	spl_json_null(out, "stripe_current_period_end");
	spl_json_null(out, "stripe_cancel_at_period_end");
	spl_json_time(out, "created_at", org->created_at);
	spl_json_time(out, "updated_at", org->updated_at);
}

void
spl_json_organization(StringInfo out, const char *name, const OrgRow *org, const char *webhook_token)
{
	spl_json_open(out, name, '{');
	spl_json_organization_fields(out, org, webhook_token);
	spl_json_close(out, '}');
}

/* is_owner: a key for every queue. */
static bool
is_owner(const ApiKeyRow *key)
{
	for (int i = 0; i < key->queue_count; i++)
		if (strcmp(key->queues[i], "*") == 0)
			return true;
	return key->queue_count == 0;
}

void
spl_json_org_member(StringInfo out, const OrgRow *org, const ApiKeyRow *key)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &key->id);
	spl_json_uuid(out, "user_id", &key->id);
	spl_json_uuid(out, "organization_id", &org->uid);
	spl_json_text(out, "email", org->billing_email ? org->billing_email : "");
	spl_json_text(out, "name", key->name);
	spl_json_text(out, "role", is_owner(key) ? "owner" : "member");
	spl_json_time(out, "joined_at", key->created_at);
	spl_json_close(out, '}');
}

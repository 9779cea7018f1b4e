/*
 * organization.c
 *    Organizations.
 *
 * A deleted organization keeps its row and its slug until it is erased, so that nobody takes its place by its name; its keys
 * end with it.  Whoever ends or makes keys, or closes an organization, holds the lock on its row.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/audit.h"
#include "ops/identity.h"
#include "ops/organization.h"
#include "ops/plan.h"
#include "rules/json_text.h"
#include "rules/org_names.h"
#include "store/email_store.h"
#include "store/ticket.h"

#define DEFAULT_ORG 1
#define SLUG_END_BYTES 3

static SplCode
not_found(SplFault *fault)
{
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Organization not found");
}

static SplCode
email_taken(SplFault *fault)
{
	return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "Another organization has this billing e-mail address");
}

static SplCode
check_plan_tier(const char *tier, SplFault *fault)
{
	if (spl_plan_tier_exists(tier))
		return SPL_OK;
	return spl_fault(fault, SPL_INVALID, "plan_tier", "invalid_value", NULL,
					 "plan_tier must be free, starter, pro or enterprise");
}

static SplCode
check_new(const NewOrganization *wanted, SplFault *fault)
{
	SplCode code;

	if ((code = spl_check_org_name(wanted->name, fault)) != SPL_OK ||
		(code = spl_is_admin() ? spl_check_slug_by_admin(wanted->slug, fault) : spl_check_slug(wanted->slug, fault)) !=
			SPL_OK)
		return code;
	if (wanted->plan_tier && (code = check_plan_tier(wanted->plan_tier, fault)) != SPL_OK)
		return code;
	return wanted->billing_email ? spl_check_email("billing_email", wanted->billing_email, fault) : SPL_OK;
}

SplCode
spl_organization_create(const NewOrganization *wanted, OrgRow *made, SplFault *fault)
{
	SplCode code = check_new(wanted, fault);

	if (code != SPL_OK)
		return code;
	*made = (OrgRow) {
		.name = pstrdup(wanted->name),
		.slug = pstrdup(wanted->slug),
		.plan_tier = pstrdup(wanted->plan_tier ? wanted->plan_tier : "free"),
		.billing_email = wanted->billing_email ? pstrdup(wanted->billing_email) : NULL,
	};
	if (made->billing_email)
		spl_email_lock(made->billing_email);
	if (!spl_org_put(made))
		return spl_org_slug_is_taken(wanted->slug)
			? spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "Organization with this slug already exists")
			: email_taken(fault);
	spl_audit_of(made->id, "organization.create", "organization", spl_uuid_text(&made->uid), NULL);
	return SPL_OK;
}

/* may_register asks the registration mode; an admin may when it is closed, and nobody may by invitation. */
static SplCode
may_register(const char *admin_key, SplFault *fault)
{
	switch (spooled_registration_mode)
	{
		case REGISTRATION_OPEN: return SPL_OK;
		case REGISTRATION_CLOSED:
			if (admin_key && spl_enter_admin(admin_key, spl_client(), 1, fault) == SPL_OK)
				return SPL_OK;
			return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "Registration is closed");
		default: return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "Registration is by invitation only");
	}
}

SplCode
spl_organization_register(const NewOrganization *wanted, const char *admin_key, OrgRow *made, ApiKeyRow *first,
						  const char **key, SplFault *fault)
{
	SplPrincipal founder = {.kind = PRINCIPAL_PUBLIC, .name = "registration", .client = spl_client()};
	SplCode		 code = may_register(admin_key, fault);

	if (code != SPL_OK)
		return code;
	if (!spl_is_admin())
		spl_org_enter(&founder);
	if ((code = spl_organization_create(wanted, made, fault)) != SPL_OK)
		return code;
	founder.org = made->id;
	if (!spl_is_admin())
		spl_org_enter(&founder);
	return spl_organization_first_key(made, first, key, fault);
}

SplCode
spl_organization_first_key(OrgRow *made, ApiKeyRow *first, const char **key, SplFault *fault)
{
	static char *everything[] = {"*"};
	ApiKeyWish	 wish = spl_api_key_wish();
	SplCode		 code = spl_webhook_token_renew(&made->uid, made, fault);

	wish.name = "Initial Admin Key";
	wish.queues = everything;
	wish.queue_count = 1;
	return code == SPL_OK ? spl_api_key_create(made->id, &wish, first, key, fault) : code;
}

SplCode
spl_organization_get(const pg_uuid_t *uid, OrgRow *org, SplFault *fault)
{
	bool is_there = uid ? spl_org_find(uid, org) : spl_org_read(spl_org(), org);

	if (!is_there || (!spl_is_admin() && org->id != spl_org()))
		return not_found(fault);
	return SPL_OK;
}

/* begin_change reads and locks an organization that will be changed. */
static SplCode
begin_change(const pg_uuid_t *uid, OrgRow *org, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK)
		code = spl_organization_get(uid, org, fault);
	if (code != SPL_OK)
		return code;
	if (!spl_org_lock(org->id))
		return not_found(fault);
	return spl_organization_get(&org->uid, org, fault);
}

static SplCode
check_object(const char *field, const char *json, SplFault *fault)
{
	SplCode code = spl_check_json(field, json, strlen(json), false, SPL_JSON_SMALL_BYTES, fault);

	if (code == SPL_OK && json[strspn(json, " \t\r\n")] != '{')
		code = spl_fault(fault, SPL_INVALID, field, "invalid_type", NULL, "%s must be an object", field);
	return code;
}

static bool
is_null(const char *json)
{
	return strcmp(json, "null") == 0;
}

static SplCode
check_patch(const OrganizationPatch *patch, SplFault *fault)
{
	SplCode code = SPL_OK;

	if (patch->name)
		code = spl_check_org_name(patch->name, fault);
	if (code == SPL_OK && patch->billing_email)
		code = spl_check_email("billing_email", patch->billing_email, fault);
	if (code == SPL_OK && patch->settings)
		code = check_object("settings", patch->settings, fault);
	if (code == SPL_OK && patch->plan_tier)
		code = check_plan_tier(patch->plan_tier, fault);
	if (code == SPL_OK && patch->custom_limits && !is_null(patch->custom_limits))
		code = check_object("custom_limits", patch->custom_limits, fault);
	return code;
}

/* changed returns what a text becomes: as it is, or new.  It may well be "null", say an organization's name. */
static char *
changed(const char *patch, char *now)
{
	return patch ? pstrdup(patch) : now;
}

/* changed_or_cleared is the same for what the word null clears. */
static char *
changed_or_cleared(const char *patch, char *now)
{
	return patch && is_null(patch) ? NULL : changed(patch, now);
}

/* is_empty_object: an object without members. */
static bool
is_empty_object(const char *json)
{
	json += strspn(json, " \t\r\n{");
	return *json == '}';
}

static void
apply(const OrganizationPatch *patch, OrgRow *org)
{
	org->name = changed(patch->name, org->name);
	org->billing_email = changed(patch->billing_email, org->billing_email);
	org->settings = changed(patch->settings, org->settings);
	org->plan_tier = changed(patch->plan_tier, org->plan_tier);
	org->custom_limits = changed_or_cleared(patch->custom_limits, org->custom_limits);
	if (org->custom_limits && is_empty_object(org->custom_limits))
		org->custom_limits = NULL;
	org->stripe_customer_id = changed_or_cleared(patch->stripe_customer_id, org->stripe_customer_id);
	org->stripe_subscription_id = changed_or_cleared(patch->stripe_subscription_id, org->stripe_subscription_id);
}

/* audit_change notes which fields were given; their values may be private. */
static void
audit_change(const OrganizationPatch *patch, const OrgRow *org)
{
	const struct
	{
		const char *name;
		const char *value;
	} fields[] = {
		{"name", patch->name},
		{"billing_email", patch->billing_email},
		{"settings", patch->settings},
		{"plan_tier", patch->plan_tier},
		{"custom_limits", patch->custom_limits},
		{"stripe_customer_id", patch->stripe_customer_id},
		{"stripe_subscription_id", patch->stripe_subscription_id},
	};
	StringInfoData details;
	bool		   is_first = true;

	initStringInfo(&details);
	appendStringInfoString(&details, "{\"changed\":[");
	for (int i = 0; i < lengthof(fields); i++)
	{
		if (fields[i].value == NULL)
			continue;
		appendStringInfo(&details, "%s\"%s\"", is_first ? "" : ",", fields[i].name);
		is_first = false;
	}
	appendStringInfo(&details, "],\"plan_tier\":\"%s\"}", org->plan_tier);
	spl_audit_of(org->id, "organization.update", "organization", spl_uuid_text(&org->uid), details.data);
}

SplCode
spl_organization_change(const pg_uuid_t *uid, const OrganizationPatch *patch, OrgRow *org, SplFault *fault)
{
	SplCode code = begin_change(uid, org, fault);

	if (code != SPL_OK || (code = check_patch(patch, fault)) != SPL_OK)
		return code;
	apply(patch, org);
	if (patch->billing_email)
		spl_email_lock(org->billing_email);
	org->updated_at = spl_clock_now();
	if (!spl_org_write(org))
		return email_taken(fault);
	if (patch->plan_tier || patch->custom_limits)
		spl_plans_changed();
	spl_organization_get(&org->uid, org, fault);
	audit_change(patch, org);
	return SPL_OK;
}

SplCode
spl_organization_delete(const pg_uuid_t *uid, SplFault *fault)
{
	OrgRow	org;
	SplCode code = begin_change(uid, &org, fault);

	if (code != SPL_OK)
		return code;
	if (spl_org_is_in_use(org.id))
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL,
						 "The organization has active jobs, workers or schedules");
	return spl_organization_close(&org, fault);
}

SplCode
spl_organization_close(const OrgRow *org, SplFault *fault)
{
	if (org->id == DEFAULT_ORG)
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL,
						 "The default organization stays: the database's superusers work for it");
	spl_org_close(org->id, spl_clock_now());
	spl_audit_of(org->id, "organization.delete", "organization", spl_uuid_text(&org->uid), NULL);
	return SPL_OK;
}

SplCode
spl_organization_members(const pg_uuid_t *uid, OrgRow *org, ApiKeyRow **keys, int *count, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK)
		code = spl_organization_get(uid, org, fault);
	if (code == SPL_OK)
		*count = spl_api_key_list_rows(org->id, 100, true, keys);
	return code;
}

bool
spl_slug_is_free(const char *slug)
{
	return !spl_org_slug_is_taken(slug);
}

char *
spl_slug_suggest(const char *slug)
{
	for (;;)
	{
		pg_uuid_t random = spl_uuid_random();
		char	 *suggestion;

		suggestion = psprintf("%s-%02x%02x%02x", spl_slug_of_name(slug, 1 + SLUG_END_BYTES * 2), random.data[0],
							  random.data[1], random.data[2]);
		if (spl_slug_is_free(suggestion))
			return suggestion;
	}
}

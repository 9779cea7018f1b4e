/*
 * organization.c
 *    Organizations: making them.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "ops/audit.h"
#include "ops/organization.h"
#include "rules/org_names.h"

static SplCode
check_new(const NewOrganization *wanted, SplFault *fault)
{
	SplCode code;

	if ((code = spl_check_org_name(wanted->name, fault)) != SPL_OK ||
		(code = spl_check_slug(wanted->slug, fault)) != SPL_OK)
		return code;
	if (wanted->plan_tier && (code = spl_check_plan_tier(wanted->plan_tier, fault)) != SPL_OK)
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
	if (!spl_org_put(made))
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "%s",
						 spl_org_slug_is_taken(wanted->slug) ? "Organization with this slug already exists"
															 : "Another organization has this billing e-mail address");
	spl_audit_of(made->id, "organization.create", "organization", spl_uuid_text(&made->uid), NULL);
	return SPL_OK;
}

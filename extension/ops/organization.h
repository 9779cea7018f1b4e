/*
 * organization.h
 *    Organizations: making, changing and closing them, their slugs and their webhook tokens.
 */
#ifndef SPL_ORGANIZATION_H
#define SPL_ORGANIZATION_H

#include "base/codes.h"
#include "ops/api_key.h"
#include "store/org_store.h"

typedef struct NewOrganization
{
	const char *name;
	const char *slug;
	const char *plan_tier;	   /* NULL: free */
	const char *billing_email; /* or NULL */
} NewOrganization;

/* spl_organization_create makes an organization; who may do so is for the caller to know. */
extern SplCode spl_organization_create(const NewOrganization *wanted, OrgRow *made, SplFault *fault);

/*
 * spl_organization_register makes one for whoever asks, if the registration mode or the admin key allows it, with a webhook
 * token and a first API key; the rest of the transaction works for it.
 */
extern SplCode spl_organization_register(const NewOrganization *wanted, const char *admin_key, OrgRow *made,
										 ApiKeyRow *first, const char **key, SplFault *fault);

/* spl_organization_first_key makes the key that a new organization starts with, and its webhook token. */
extern SplCode spl_organization_first_key(OrgRow *made, ApiKeyRow *first, const char **key, SplFault *fault);

/* spl_organization_get reads the one with this id (NULL: the caller's); any other one is unknown to all but the admin. */
extern SplCode spl_organization_get(const pg_uuid_t *uid, OrgRow *org, SplFault *fault);

/* What is left out (NULL) stays. */
typedef struct OrganizationPatch
{
	const char *name;
	const char *billing_email;
	const char *settings; /* a JSON object, in place of the one there is */
	/* by an admin */
	const char *plan_tier;
	/* and what the word null clears, the limits also {} */
	const char *custom_limits;
	const char *stripe_customer_id;
	const char *stripe_subscription_id;
} OrganizationPatch;

extern SplCode
spl_organization_change(const pg_uuid_t *uid, const OrganizationPatch *patch, OrgRow *org, SplFault *fault);

/* spl_organization_delete ends its keys at once; its rows stay until it is erased.  Refused while there is work. */
extern SplCode spl_organization_delete(const pg_uuid_t *uid, SplFault *fault);

/* spl_organization_close is the same whatever work there is; "org" must be locked. */
extern SplCode spl_organization_close(const OrgRow *org, SplFault *fault);

/* spl_organization_members lists the keys that can be used, oldest first. */
extern SplCode
spl_organization_members(const pg_uuid_t *uid, OrgRow *org, ApiKeyRow **keys, int *count, SplFault *fault);

/* spl_slug_is_free tells anybody whether a slug can be had; what is no slug can't. */
extern bool spl_slug_is_free(const char *slug);

/* spl_slug_suggest returns the slug with a random end that is free, within the length of slugs. */
extern char *spl_slug_suggest(const char *slug);

/* spl_webhook_token returns the organization's token, or NULL when it has none or the secret key is another one now. */
extern char *spl_webhook_token(const OrgRow *org);

/* spl_webhook_token_renew gives an organization a new token; the old one is worth nothing at once. */
extern SplCode spl_webhook_token_renew(const pg_uuid_t *uid, OrgRow *org, SplFault *fault);

/* spl_webhook_token_matches tells whether a token is the organization's. */
extern bool spl_webhook_token_matches(const OrgRow *org, const char *token);

extern char *spl_webhook_url(const OrgRow *org);

#endif

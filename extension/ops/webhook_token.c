/*
 * webhook_token.c
 *    The token with which others may send jobs to an organization.
 *
 * It can be looked at again, so a hash alone would not do; but it need not be stored: it is derived from the installation's
 * secret key, the organization and how many tokens there were.  What is stored is its hash, by which a caller is let in; and
 * by which a token is not shown that another key would make.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/secret_key.h"
#include "base/uuid7.h"
#include "ops/audit.h"
#include "ops/organization.h"

#define TOKEN_BYTES 24 /* 32 characters */

/* derive makes the organization's token of this number. */
static char *
derive(const OrgRow *org)
{
	uint8 derived[SPL_HASH_BYTES];
	uint8 input[UUID_LEN + sizeof(org->webhook_token_number)];

	memcpy(input, org->uid.data, UUID_LEN);
	memcpy(input + UUID_LEN, &org->webhook_token_number, sizeof(org->webhook_token_number));
	spl_secret_derive("webhook token", input, sizeof(input), derived);
	return psprintf("whk_%s", spl_base64url(derived, TOKEN_BYTES));
}

char *
spl_webhook_token(const OrgRow *org)
{
	char *token;

	if (!org->has_webhook_token)
		return NULL;
	token = derive(org);
	return spl_webhook_token_matches(org, token) ? token : NULL;
}

bool
spl_webhook_token_matches(const OrgRow *org, const char *token)
{
	uint8 hash[SPL_HASH_BYTES];

	spl_secret_hash(token, hash);
	return org->has_webhook_token && spl_secret_equal(hash, org->webhook_token_hash, SPL_HASH_BYTES);
}

SplCode
spl_webhook_token_renew(const pg_uuid_t *uid, OrgRow *org, SplFault *fault)
{
	SplCode code = spl_need_unrestricted(fault);

	if (code == SPL_OK)
		code = spl_organization_get(uid, org, fault);
	if (code != SPL_OK)
		return code;
	if (!spl_org_lock(org->id) || spl_organization_get(&org->uid, org, fault) != SPL_OK)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Organization not found");
	org->webhook_token_number++;
	org->has_webhook_token = true;
	spl_secret_hash(derive(org), org->webhook_token_hash);
	org->updated_at = spl_clock_now();
	spl_org_write(org);
	spl_audit_of(org->id, "organization.webhook_token_renew", "organization", spl_uuid_text(&org->uid), NULL);
	return SPL_OK;
}

char *
spl_webhook_url(const OrgRow *org)
{
	return psprintf("%s/api/v1/webhooks/%s/custom", spooled_external_url, spl_uuid_text(&org->uid));
}

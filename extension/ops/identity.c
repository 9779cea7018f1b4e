/*
 * identity.c
 *    Credentials.
 *
 * A key is found by the SHA-256 of all of it: 256 random bits leave nothing to guess.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/secret.h"
#include "ops/identity.h"
#include "ops/login.h"
#include "ops/token.h"
#include "shmem/key_use.h"
#include "store/identity_store.h"
#include "store/org_store.h"
#include "store/ticket.h"
#include "store/tuple.h"

#define LAST_USED_EXACT_TO USECS_PER_MINUTE

SplCode
spl_principal_of_key(const ApiKey *key, SplPrincipal *principal, SplFault *fault)
{
	TimestampTz now = spl_clock_now();

	if (!key->is_active)
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL,
						 spl_org_is_deleted(key->org) ? "Organization is not available" : "API key has been revoked");
	if (key->expires_at != NO_TIME && key->expires_at <= now)
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "API key has expired");
	if (key->last_used == NO_TIME || now - key->last_used >= LAST_USED_EXACT_TO)
		spl_key_use_note(&key->id, now);
	principal->org = key->org;
	principal->name = key->name;
	principal->has_api_key = true;
	principal->api_key = key->id;
	principal->queues = key->queues;
	principal->queue_count = key->queue_count;
	principal->denied = key->denied;
	principal->rate_limit = key->rate_limit;
	return SPL_OK;
}

SplCode
spl_principal_of_secret(const char *key_text, SplPrincipal *principal, SplFault *fault)
{
	uint8  hash[SPL_HASH_BYTES];
	ApiKey key;

	principal->kind = PRINCIPAL_API_KEY;
	spl_secret_hash(key_text, hash);
	if (!spl_api_key_find(hash, &key))
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "Invalid API key");
	return spl_principal_of_key(&key, principal, fault);
}

SplCode
spl_enter(const char *credential, const char *client, int requests, RateAnswer *rate, SplFault *fault)
{
	SplPrincipal principal = {.client = client};
	SplCode		 code;

	*rate = (RateAnswer) {0};
	if (strncmp(credential, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0)
		code = spl_principal_of_token(credential, &principal, fault);
	else
		code = spl_principal_of_secret(credential, &principal, fault);
	if (code != SPL_OK)
		return code;
	spl_org_enter(&principal);
	return spl_rate_organization(principal.org, principal.has_api_key ? &principal.api_key : NULL, principal.rate_limit,
								 requests, rate, fault);
}

SplCode
spl_enter_public(const char *client, int requests, RateAnswer *rate, SplFault *fault)
{
	SplPrincipal principal = {.kind = PRINCIPAL_PUBLIC, .name = "public", .client = client};

	spl_org_enter(&principal);
	return spl_rate_public(client, requests, rate, fault);
}

SplCode
spl_enter_admin(const char *key, const char *client, int requests, SplFault *fault)
{
	uint8		 hash[SPL_HASH_BYTES];
	uint8		 expected[SPL_HASH_BYTES];
	SplPrincipal principal = {.kind = PRINCIPAL_ADMIN, .name = "admin", .client = client};
	SplCode		 code = spl_rate_admin(client, requests, fault);

	if (code != SPL_OK)
		return code;
	if (*spooled_admin_key_hash == '\0' || !spl_hex_decode(spooled_admin_key_hash, expected, SPL_HASH_BYTES))
		return spl_fault(fault, SPL_ADMIN_NOT_CONFIGURED, NULL, NULL, NULL, "Admin API is not configured");
	if (key == NULL || *key == '\0')
		return spl_fault(fault, SPL_ADMIN_KEY_MISSING, NULL, NULL, NULL, "X-Admin-Key header is required");
	spl_secret_hash(key, hash);
	if (!spl_secret_equal(hash, expected, SPL_HASH_BYTES))
		return spl_fault(fault, SPL_ADMIN_KEY_INVALID, NULL, NULL, NULL, "Invalid admin key");
	spl_org_enter(&principal);
	return SPL_OK;
}

SplCode
spl_enter_organization(const char *slug, SplFault *fault)
{
	SplPrincipal principal = {.kind = PRINCIPAL_ROLE, .org = spl_org_by_slug(slug)};

	if (principal.org == SPL_ORG_NONE)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "there is no organization \"%s\"", slug);
	spl_org_enter(&principal);
	return SPL_OK;
}

SplCode
spl_role_bind_org(Oid role, const char *slug, SplFault *fault)
{
	if (slug == NULL)
		spl_role_unbind(role);
	else if (!spl_role_bind(role, slug))
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "there is no organization \"%s\"", slug);
	spl_changes_done();
	return SPL_OK;
}

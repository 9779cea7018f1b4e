/*
 * identity.c
 *    Credentials.
 *
 * A key is 256 random bits, so one SHA-256 of all of it is enough to store and to look it up by.  The plaintext exists in
 * the answer of spl_api_key_create and nowhere else.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "ops/identity.h"
#include "rules/limits.h"
#include "store/identity_store.h"
#include "store/ticket.h"
#include "store/tuple.h"

#define KEY_BYTES 32
#define KEY_CHARACTERS 43 /* base64url without padding */

StaticAssertDecl(API_KEY_HASH_BYTES == PG_SHA256_DIGEST_LENGTH, "an API key is stored as its SHA-256");

static void
hash_credential(const char *credential, uint8 *hash)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) credential, strlen(credential)) < 0 ||
		pg_cryptohash_final(context, hash, API_KEY_HASH_BYTES) < 0)
		elog(ERROR, "hashing a credential failed");
	pg_cryptohash_free(context);
}

SplCode
spl_enter(const char *credential, SplFault *fault)
{
	uint8  hash[API_KEY_HASH_BYTES];
	ApiKey key;

	hash_credential(credential, hash);
	if (!spl_api_key_find(hash, &key))
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "Invalid API key");
	if (!key.is_active)
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "API key has been revoked");
	if (key.expires_at != NO_TIME && key.expires_at <= spl_clock_now())
		return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "API key has expired");
	spl_org_enter(key.org, key.queues, key.queue_count, key.name);
	return SPL_OK;
}

/* random_secret writes KEY_CHARACTERS characters of base64url. */
static void
random_secret(char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8			  bytes[KEY_BYTES + 1] = {0};

	if (!pg_strong_random(bytes, KEY_BYTES))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes for an API key")));
	for (int i = 0; i < KEY_CHARACTERS; i++)
	{
		int bit = i * 6;
		int pair = bytes[bit / 8] << 8 | bytes[bit / 8 + 1];

		out[i] = digits[(pair >> (10 - bit % 8)) & 0x3F];
	}
	out[KEY_CHARACTERS] = '\0';
}

SplCode
spl_api_key_create(const char *name, Datum queues, TimestampTz expires_at, char **key, SplFault *fault)
{
	int32	org = spl_org();
	char	secret[KEY_CHARACTERS + 1];
	uint8	hash[API_KEY_HASH_BYTES];
	SplCode code = spl_check_length("name", name, 1, 100, fault);

	if (code != SPL_OK)
		return code;
	if (spl_scope_is_restricted())
		return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL,
						 "a key that is limited to queues may not make keys");
	random_secret(secret);
	*key = psprintf("%s%s", spooled_api_key_prefix, secret);
	hash_credential(*key, hash);
	spl_api_key_put(org, name, hash, queues, expires_at);
	spl_changes_done();
	return SPL_OK;
}

SplCode
spl_api_key_end(const pg_uuid_t *id, SplFault *fault)
{
	if (!spl_api_key_revoke(spl_org(), id))
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Resource not found");
	spl_changes_done();
	return SPL_OK;
}

SplCode
spl_role_bind_org(Oid role, const char *slug, SplFault *fault)
{
	if (!spl_role_bind(role, slug))
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "there is no organization \"%s\"", slug);
	spl_changes_done();
	return SPL_OK;
}

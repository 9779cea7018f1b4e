/*
 * secret.c
 *    Secrets: made from random bytes, stored as hashes, compared without telling where they differ.
 *
 * One SHA-256 is enough for what has 256 random bits: there is nothing to guess.  What a person chose would need more.
 */
#include "postgres.h"

#include "base/hex.h"
#include "base/secret.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"

StaticAssertDecl(SPL_HASH_BYTES == PG_SHA256_DIGEST_LENGTH, "a secret is stored as its SHA-256");

void
spl_secret_hash(const char *text, uint8 *hash)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) text, strlen(text)) < 0 ||
		pg_cryptohash_final(context, hash, SPL_HASH_BYTES) < 0)
		elog(ERROR, "hashing a secret failed");
	pg_cryptohash_free(context);
}

bool
spl_secret_equal(const uint8 *a, const uint8 *b, Size length)
{
	uint8 difference = 0;

	for (Size i = 0; i < length; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

char *
spl_base64url(const uint8 *bytes, int length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	int				  characters = (length * 8 + 5) / 6;
	char			 *text = palloc(characters + 1);

	for (int i = 0; i < characters; i++)
	{
		int bit = i * 6;
		int next = bit / 8 + 1 < length ? bytes[bit / 8 + 1] : 0;
		int pair = bytes[bit / 8] << 8 | next;

		text[i] = digits[(pair >> (10 - bit % 8)) & 0x3F];
	}
	text[characters] = '\0';
	return text;
}

char *
spl_secret_random(int bytes)
{
	uint8 *random = palloc(bytes);

	if (!pg_strong_random(random, bytes))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes for a secret")));
	return spl_base64url(random, bytes);
}

bool
spl_hex_decode(const char *hex, uint8 *bytes, int length)
{
	if (strlen(hex) != (size_t) length * 2)
		return false;
	for (int i = 0; i < length; i++)
	{
		int high = spl_hex_value(hex[i * 2]);
		int low = spl_hex_value(hex[i * 2 + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8) (high << 4 | low);
	}
	return true;
}

/*
 * hmac.c
 *    HMAC-SHA-256, by the library that PostgreSQL was built with.
 */
#include "postgres.h"

#include "base/hmac.h"
#include "common/hmac.h"

void
spl_hmac(const void *key, Size key_length, const void *data, Size length, uint8 *code)
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

	if (context == NULL || pg_hmac_init(context, key, key_length) < 0 || pg_hmac_update(context, data, length) < 0 ||
		pg_hmac_final(context, code, SPL_HMAC_BYTES) < 0)
		elog(ERROR, "HMAC-SHA-256 failed");
	pg_hmac_free(context);
}

/*
 * request_key_store.c
 *    See request_key_store.h.
 *
 * The lock comes first: two equal requests at the same time would both find nothing, and both make something.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/request_key_store.h"
#include "store/spi_plan.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static SpiPlan lock_key = {
	.sql = "SELECT pg_advisory_xact_lock(hashtextextended($2 || ' ' || $3, $1))",
	.nargs = 3,
	.argtypes = {INT8OID, TEXTOID, TEXTOID},
};

static SpiPlan read_answer = {
	.sql = "SELECT answer FROM spooled.request_key WHERE org = $1 AND operation = $2 AND key = $3 AND expires_at > $4",
	.nargs = 4,
	.argtypes = {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
};

/* Whoever asks belongs to no organization yet. */
static SpiPlan read_answer_of_new = {
	.sql = "SELECT k.answer FROM spooled.org o JOIN spooled.request_key k ON k.org = o.id"
		   " WHERE o.slug = $1 AND o.deleted_at IS NULL AND k.operation = $2 AND k.key = $3 AND k.expires_at > $4",
	.nargs = 4,
	.argtypes = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
	.across_orgs = true,
};

static SpiPlan put_answer = {
	.sql =
		"INSERT INTO spooled.request_key (org, operation, key, answer, expires_at) VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (org, operation, key) DO UPDATE SET answer = EXCLUDED.answer, expires_at = EXCLUDED.expires_at",
	.nargs = 5,
	.argtypes = {INT4OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
};

static SpiPlan delete_expired = {
	.sql = "DELETE FROM spooled.request_key r USING (SELECT k.org, k.operation, k.key FROM spooled.request_key k"
		   "   WHERE k.expires_at <= $1 ORDER BY k.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) old"
		   " WHERE r.org = old.org AND r.operation = old.operation AND r.key = old.key AND r.expires_at <= $1",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
};

static void
read_text(HeapTuple row, TupleDesc desc, void *text)
{
	*(char **) text = spl_row_text(row, desc, 1);
}

char *
spl_request_key_answer(int32 org, const char *operation, const char *key, TimestampTz now)
{
	Datum names[] = {Int64GetDatum(org), CStringGetTextDatum(operation), CStringGetTextDatum(key)};
	Datum values[] = {Int32GetDatum(org), names[1], names[2], TimestampTzGetDatum(now)};
	char *answer = NULL;

	spl_spi_run(&lock_key, names, NULL, NULL, NULL);
	spl_spi_run(&read_answer, values, NULL, read_text, &answer);
	return answer;
}

char *
spl_request_key_answer_of_new(const char *slug, const char *operation, const char *key, TimestampTz now)
{
	Datum names[] = {Int64GetDatum(0), CStringGetTextDatum(operation), CStringGetTextDatum(key)};
	Datum values[] = {CStringGetTextDatum(slug), names[1], names[2], TimestampTzGetDatum(now)};
	char *answer = NULL;

	spl_spi_run(&lock_key, names, NULL, NULL, NULL);
	spl_spi_run(&read_answer_of_new, values, NULL, read_text, &answer);
	return answer;
}

void
spl_request_key_put(int32 org, const char *operation, const char *key, const char *answer, TimestampTz expires_at)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(operation), CStringGetTextDatum(key),
					  CStringGetTextDatum(answer), TimestampTzGetDatum(expires_at)};

	spl_spi_run(&put_answer, values, NULL, NULL, NULL);
}

int
spl_request_key_delete_expired(TimestampTz now, int limit)
{
	Datum values[] = {TimestampTzGetDatum(now), Int32GetDatum(limit)};

	return spl_spi_run(&delete_expired, values, NULL, NULL, NULL);
}

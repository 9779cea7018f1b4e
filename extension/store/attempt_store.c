/*
 * attempt_store.c
 *    Rows of attempt and event_log.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/attempt_store.h"
#include "store/row_list.h"
#include "store/spi_plan.h"
#include "store/tuple.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

enum AttemptColumn
{
	ATTEMPT_ENDED_AT = 1,
	ATTEMPT_STARTED_AT,
	ATTEMPT_NEXT_RUN_AT,
	ATTEMPT_ORG,
	ATTEMPT_RUN,
	ATTEMPT_RETRY_COUNT,
	ATTEMPT_KIND,
	ATTEMPT_JOB_ID,
	ATTEMPT_LEASE_ID,
	ATTEMPT_WORKER,
	ATTEMPT_ERROR
};

static void
fill_attempt(const void *attempts, int i, Datum *values, bool *nulls)
{
	const Attempt *attempt = (const Attempt *) attempts + i;

	values[ATTEMPT_ENDED_AT - 1] = TimestampTzGetDatum(attempt->ended_at);
	values[ATTEMPT_STARTED_AT - 1] = TimestampTzGetDatum(attempt->started_at);
	if (attempt->next_run_at == NO_TIME)
		nulls[ATTEMPT_NEXT_RUN_AT - 1] = true;
	else
		values[ATTEMPT_NEXT_RUN_AT - 1] = TimestampTzGetDatum(attempt->next_run_at);
	values[ATTEMPT_ORG - 1] = Int32GetDatum(attempt->org);
	values[ATTEMPT_RUN - 1] = Int32GetDatum(attempt->run);
	values[ATTEMPT_RETRY_COUNT - 1] = Int16GetDatum(attempt->retry_count);
	values[ATTEMPT_KIND - 1] = CharGetDatum(attempt->kind);
	values[ATTEMPT_JOB_ID - 1] = UUIDPGetDatum(&attempt->job_id);
	values[ATTEMPT_LEASE_ID - 1] = UUIDPGetDatum(&attempt->lease_id);
	values[ATTEMPT_WORKER - 1] = CStringGetTextDatum(attempt->worker);
	values[ATTEMPT_ERROR - 1] = CStringGetTextDatum(attempt->error);
}

void
spl_attempt_put(const Attempt *attempts, int count)
{
	spl_tuples_insert(TABLE_ATTEMPT, attempts, count, fill_attempt, NULL);
}

static SpiPlan find_attempt = {
	.sql =
		"SELECT run, kind, retry_count, next_run_at, error FROM spooled.attempt"
		" WHERE org = $1 AND job_id = $2 AND worker = coalesce($3, worker) AND lease_id::text = coalesce(lower($4), lease_id::text)"
		" ORDER BY run DESC LIMIT 1",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, TEXTOID, TEXTOID},
};

static void
read_attempt(HeapTuple row, TupleDesc desc, void *arg)
{
	Attempt *attempt = arg;
	bool	 isnull;
	Datum	 next;

	attempt->run = spl_row_int32(row, desc, 1);
	attempt->kind = DatumGetChar(spl_row_datum(row, desc, 2, NULL));
	attempt->retry_count = DatumGetInt16(spl_row_datum(row, desc, 3, NULL));
	next = spl_row_datum(row, desc, 4, &isnull);
	attempt->next_run_at = isnull ? NO_TIME : DatumGetTimestampTz(next);
	attempt->error = spl_row_text(row, desc, 5);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* name_run fills the arguments that say which run is looked for, $1 to $4; of worker and lease NULL is any. */
static void
name_run(int32 org, const pg_uuid_t *job_id, const char *worker, const char *lease_id, Datum *values, bool *nulls)
{
	values[0] = Int32GetDatum(org);
	values[1] = UUIDPGetDatum(job_id);
	nulls[0] = nulls[1] = false;
	values[2] = text_or_null(worker, &nulls[2]);
	values[3] = text_or_null(lease_id, &nulls[3]);
}

bool
spl_attempt_find(int32 org, const pg_uuid_t *job_id, const char *worker, const char *lease_id, Attempt *attempt)
{
	Datum values[4];
	bool  nulls[4];

	name_run(org, job_id, worker, lease_id, values, nulls);
	return spl_spi_run(&find_attempt, values, nulls, read_attempt, attempt) > 0;
}

static SpiPlan put_event = {
	.sql =
		"INSERT INTO spooled.event_log (org, job_id, at, kind, actor, details) VALUES ($1, $2, $3, $4, $5, coalesce($6::jsonb, '{}'))",
	.nargs = 6,
	.argtypes = {INT4OID, UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID},
};

void
spl_event_log_put(int32 org, const pg_uuid_t *job_id, TimestampTz at, const char *kind, const char *actor,
				  const char *details)
{
	Datum values[6] = {Int32GetDatum(org), UUIDPGetDatum(job_id), TimestampTzGetDatum(at), CStringGetTextDatum(kind)};
	bool  nulls[6] = {false, job_id == NULL, false, false};

	values[4] = text_or_null(actor, &nulls[4]);
	values[5] = text_or_null(details, &nulls[5]);
	spl_spi_run(&put_event, values, nulls, NULL, NULL);
}

static SpiPlan find_release = {
	.sql = "SELECT details ? 'cause' FROM spooled.event_log WHERE org = $1 AND job_id = $2 AND kind = 'released'"
		   " AND ($3 IS NULL OR details->>'worker' = $3) AND ($4 IS NULL OR details->>'lease_id' = lower($4))"
		   " ORDER BY id DESC LIMIT 1",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, TEXTOID, TEXTOID},
};

static void
read_taken_away(HeapTuple row, TupleDesc desc, void *taken_away)
{
	*(bool *) taken_away = spl_row_bool(row, desc, 1);
}

bool
spl_event_log_find_release(int32 org, const pg_uuid_t *job_id, const char *worker, const char *lease_id,
						   bool *taken_away)
{
	Datum values[4];
	bool  nulls[4];

	name_run(org, job_id, worker, lease_id, values, nulls);
	return spl_spi_run(&find_release, values, nulls, read_taken_away, taken_away) > 0;
}

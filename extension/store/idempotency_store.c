/*
 * idempotency_store.c
 *    Rows of idempotency.
 *
 * A duplicate only reads: no row is locked or rewritten for it.  ON CONFLICT DO NOTHING waits for a concurrent insert of the
 * same key and then leaves it to the next reading, under a new snapshot, to say who has it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/idempotency_store.h"
#include "store/job_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_ROUNDS 10

static SpiPlan read_keys = {
	.sql =
		"SELECT key, job_id, coalesce(expires_at <= $3, false) FROM spooled.idempotency WHERE org = $1 AND key = ANY($2)",
	.nargs = 3,
	.argtypes = {INT4OID, TEXTARRAYOID, TIMESTAMPTZOID},
};

static SpiPlan delete_own_expired = {
	.sql = "DELETE FROM spooled.idempotency WHERE org = $1 AND key = ANY($2) AND expires_at <= $3",
	.nargs = 3,
	.argtypes = {INT4OID, TEXTARRAYOID, TIMESTAMPTZOID},
};

static SpiPlan insert_keys = {
	.sql =
		"INSERT INTO spooled.idempotency (org, key, job_id, expires_at)"
		" SELECT $1, k, j, $4 FROM unnest($2, $3) AS u(k, j) ORDER BY k COLLATE \"C\" ON CONFLICT (org, key) DO NOTHING RETURNING key",
	.nargs = 4,
	.argtypes = {INT4OID, TEXTARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID},
};

/* The claims of one call and which of them are settled. */
typedef struct Round
{
	KeyClaim *claims;
	bool	 *settled;
	int		  count;
	bool	  saw_expired;
} Round;

/* find_claim returns the place of a key among the sorted claims. */
static int
find_claim(const Round *round, const char *key)
{
	int low = 0, high = round->count - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(round->claims[middle].key, key);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	elog(ERROR, "an idempotency key came back that was not asked for");
	pg_unreachable();
}

static void
see_taken(HeapTuple row, TupleDesc desc, void *arg)
{
	Round *round = arg;
	int	   i = find_claim(round, spl_row_text(row, desc, 1));

	if (DatumGetBool(spl_row_datum(row, desc, 3, NULL)))
	{
		round->saw_expired = true;
		return;
	}
	round->claims[i].job_id = *DatumGetUUIDP(spl_row_datum(row, desc, 2, NULL));
	round->claims[i].taken = true;
	round->settled[i] = true;
}

static void
see_inserted(HeapTuple row, TupleDesc desc, void *arg)
{
	Round *round = arg;

	round->settled[find_claim(round, spl_row_text(row, desc, 1))] = true;
}

/* open_claims returns arrays of the keys and jobs that are not settled; 0: all are. */
static int
open_claims(const Round *round, Datum *keys, Datum *jobs)
{
	Datum	  *texts = palloc(sizeof(Datum) * round->count);
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * round->count);
	int		   open = 0;

	for (int i = 0; i < round->count; i++)
		if (!round->settled[i])
		{
			texts[open] = CStringGetTextDatum(round->claims[i].key);
			ids[open++] = round->claims[i].job_id;
		}
	*keys = PointerGetDatum(construct_array(texts, open, TEXTOID, -1, false, TYPALIGN_INT));
	*jobs = spl_uuid_array(ids, open);
	return open;
}

bool
spl_idempotency_take(int32 org, KeyClaim *claims, int count, TimestampTz now, TimestampTz expires_at)
{
	Round round = {claims, palloc0(sizeof(bool) * count), count, false};
	bool  nulls[4] = {false, false, false, expires_at == NO_TIME};

	for (int i = 0; i < MAX_ROUNDS; i++)
	{
		Datum keys, jobs;

		if (open_claims(&round, &keys, &jobs) == 0)
			return true;
		round.saw_expired = false;
		spl_spi_run(&read_keys, (Datum[]) {Int32GetDatum(org), keys, TimestampTzGetDatum(now)}, NULL, see_taken,
					&round);
		if (round.saw_expired)
			spl_spi_run(&delete_own_expired, (Datum[]) {Int32GetDatum(org), keys, TimestampTzGetDatum(now)}, NULL, NULL,
						NULL);
		if (open_claims(&round, &keys, &jobs) == 0)
			return true;
		spl_spi_run(&insert_keys, (Datum[]) {Int32GetDatum(org), keys, jobs, TimestampTzGetDatum(expires_at)}, nulls,
					see_inserted, &round);
	}
	return false;
}

static SpiPlan delete_keys = {
	.sql = "DELETE FROM spooled.idempotency WHERE org = $1 AND key = ANY($2) AND job_id = ANY($3)",
	.nargs = 3,
	.argtypes = {INT4OID, TEXTARRAYOID, UUIDARRAYOID},
};

void
spl_idempotency_leave(int32 org, const char *const *keys, const pg_uuid_t *job_ids, int count)
{
	Datum *texts = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
		texts[i] = CStringGetTextDatum(keys[i]);
	spl_spi_run(&delete_keys,
				(Datum[]) {Int32GetDatum(org),
						   PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT)),
						   spl_uuid_array(job_ids, count)},
				NULL, NULL, NULL);
}

/*
 * created_store.c
 *    Numbers about an organization's newest jobs: how many were made, how long they waited.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "store/created_store.h"
#include "store/row_list.h"

static SpiPlan count_created = {
	.sql = "SELECT count(*) FROM (SELECT FROM spooled.job WHERE org = $1 AND id >= $2 LIMIT $3) j",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

static SpiPlan count_created_in = {
	.sql = "SELECT count(*) FROM (SELECT FROM spooled.job WHERE org = $1 AND id >= $2 AND queue = ANY ($4) LIMIT $3) j",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, INT4OID, INT4ARRAYOID},
};

/* Only first runs: when a job that was given back became claimable again, nothing tells.  The look by key can't be planned badly. */
static SpiPlan average_wait = {
	.sql =
		"SELECT (extract(epoch FROM avg(o.started_at - greatest(j.created_at, j.scheduled_at))) * 1000)::int8"
		" FROM (SELECT job_id, queue, kind, run, since, started_at FROM spooled.outcome WHERE org = $1 ORDER BY job_id DESC LIMIT $3) o,"
		" LATERAL (SELECT created_at, scheduled_at FROM spooled.job WHERE org = $1 AND id = o.job_id OFFSET 0) j"
		" WHERE o.kind = 'c' AND o.run = 1 AND o.since >= $2 AND ($4 IS NULL OR o.queue = ANY ($4))",
	.nargs = 4,
	.argtypes = {INT4OID, TIMESTAMPTZOID, INT4OID, INT4ARRAYOID},
};

int64
spl_jobs_created_since(int32 org, TimestampTz since, const int32 *queues, int queue_count, int most)
{
	pg_uuid_t first = spl_uuid7_first(since);
	Datum	  values[] = {Int32GetDatum(org), UUIDPGetDatum(&first), Int32GetDatum(most),
					  queues ? spl_int_array(queues, queue_count) : (Datum) 0};
	int64	  count = 0;

	spl_spi_run(queues ? &count_created_in : &count_created, values, NULL, spl_row_only_int64, &count);
	return count;
}

static void
read_average(HeapTuple row, TupleDesc desc, void *arg)
{
	bool  isnull;
	Datum average = spl_row_datum(row, desc, 1, &isnull);

	if (!isnull)
		*(int64 *) arg = DatumGetInt64(average);
}

int64
spl_jobs_average_wait(int32 org, TimestampTz since, const int32 *queues, int queue_count, int most)
{
	Datum values[] = {Int32GetDatum(org), TimestampTzGetDatum(since), Int32GetDatum(most),
					  queues ? spl_int_array(queues, queue_count) : (Datum) 0};
	bool  nulls[] = {false, false, false, queues == NULL};
	int64 average = -1;

	spl_spi_run(&average_wait, values, nulls, read_average, &average);
	return average;
}

/*
 * created_store.c
 *    Counting an organization's jobs by the time they were made.
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

static void
read_count(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int64 *) arg = spl_row_int64(row, desc, 1);
}

int64
spl_jobs_created_since(int32 org, TimestampTz since, const int32 *queues, int queue_count, int most)
{
	pg_uuid_t first = spl_uuid7_first(since);
	Datum	  values[] = {Int32GetDatum(org), UUIDPGetDatum(&first), Int32GetDatum(most),
					  queues ? spl_int_array(queues, queue_count) : (Datum) 0};
	int64	  count = 0;

	spl_spi_run(queues ? &count_created_in : &count_created, values, NULL, read_count, &count);
	return count;
}

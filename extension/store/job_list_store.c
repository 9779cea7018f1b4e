/*
 * job_list_store.c
 *    Jobs of a queue, in batches.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/job_list_store.h"
#include "store/spi_plan.h"

static SpiPlan list_waiting = {
	.sql = "(SELECT job_id FROM spooled.ready WHERE org = $1 AND queue = $2 LIMIT $3)"
		   " UNION ALL (SELECT job_id FROM spooled.delayed WHERE org = $1 AND queue = $2 LIMIT $3)"
		   " UNION ALL (SELECT job_id FROM spooled.blocked WHERE org = $1 AND queue = $2 LIMIT $3) LIMIT $3",
	.nargs = 3,
	.argtypes = {INT4OID, INT4OID, INT4OID},
};

static SpiPlan list_all = {
	.sql = "SELECT id FROM spooled.job WHERE org = $1 AND queue = $2 AND id > $4 ORDER BY id LIMIT $3",
	.nargs = 4,
	.argtypes = {INT4OID, INT4OID, INT4OID, UUIDOID},
};

typedef struct Ids
{
	int		   count;
	pg_uuid_t *ids;
} Ids;

static void
add_id(HeapTuple row, TupleDesc desc, void *arg)
{
	Ids *ids = arg;

	ids->ids[ids->count++] = *DatumGetUUIDP(spl_row_datum(row, desc, 1, NULL));
}

int
spl_waiting_jobs_list(int32 org, int32 queue, int limit, pg_uuid_t *ids)
{
	Datum values[] = {Int32GetDatum(org), Int32GetDatum(queue), Int32GetDatum(limit)};
	Ids	  found = {0, ids};

	spl_spi_run(&list_waiting, values, NULL, add_id, &found);
	return found.count;
}

int
spl_queue_jobs_list(int32 org, int32 queue, const pg_uuid_t *after, int limit, pg_uuid_t *ids)
{
	Datum values[] = {Int32GetDatum(org), Int32GetDatum(queue), Int32GetDatum(limit), UUIDPGetDatum(after)};
	Ids	  found = {0, ids};

	spl_spi_run(&list_all, values, NULL, add_id, &found);
	return found.count;
}

/*
 * usage_store.c
 *    See usage_store.h.  An id begins with the time at which its job was made, so the primary key of jobs answers for a day.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/spi_plan.h"
#include "store/tuple.h"
#include "store/usage_store.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* first_id returns the smallest id of version 7 that a job made at a time can have. */
static pg_uuid_t *
first_id(TimestampTz time)
{
	pg_uuid_t *id = palloc0(sizeof(pg_uuid_t));
	int64	   ms = time / 1000 + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400000);

	for (int i = 0; i < 6; i++)
		id->data[i] = ms >> (40 - 8 * i) & 0xff;
	return id;
}

static SpiPlan count_since = {
	.sql = "SELECT o.id, (SELECT count(*) FROM spooled.job j WHERE j.org = o.id AND j.id >= greatest($1, o.usage_from))"
		   " FROM spooled.org o",
	.nargs = 1,
	.argtypes = {UUIDOID},
	.read_only = true,
};

typedef struct OrgJobsTaker
{
	OrgJobsFn take;
	void	 *arg;
} OrgJobsTaker;

static void
read_org_jobs(HeapTuple row, TupleDesc desc, void *arg)
{
	OrgJobsTaker *taker = arg;
	int64		  jobs = spl_row_int64(row, desc, 2);

	if (jobs > 0)
		taker->take(spl_row_int32(row, desc, 1), jobs, taker->arg);
}

void
spl_jobs_count_since(TimestampTz since, OrgJobsFn take, void *arg)
{
	OrgJobsTaker taker = {take, arg};
	Datum		 values[] = {UUIDPGetDatum(first_id(since))};

	spl_spi_run(&count_since, values, NULL, read_org_jobs, &taker);
}

static SpiPlan count_jobs = {
	.sql = "SELECT (SELECT count(*) FROM spooled.queue q JOIN spooled.ready r ON r.queue = q.id WHERE q.org = $1)"
		   " + (SELECT count(*) FROM spooled.delayed WHERE org = $1)"
		   " + (SELECT count(*) FROM spooled.blocked WHERE org = $1)"
		   " + (SELECT count(*) FROM spooled.lease WHERE org = $1),"
		   " (SELECT count(*) FROM spooled.job WHERE org = $1"
		   "   AND id >= greatest($2, (SELECT usage_from FROM spooled.org WHERE id = $1)))",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
	.read_only = true,
};

static void
read_jobs(HeapTuple row, TupleDesc desc, void *arg)
{
	int64 *counts = arg;

	counts[0] = spl_row_int64(row, desc, 1);
	counts[1] = spl_row_int64(row, desc, 2);
}

void
spl_org_count_jobs(int32 org, TimestampTz since, int64 *active, int64 *made)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(first_id(since))};
	int64 counts[2] = {0};

	spl_spi_count(&count_jobs, values, read_jobs, counts);
	*active = counts[0];
	*made = counts[1];
}

static SpiPlan count_from = {
	.sql = "UPDATE spooled.org SET usage_from = $2 WHERE id = $1",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

/* The id is of the next millisecond: what this one has seen so far is forgotten for certain. */
void
spl_org_count_from(int32 org, TimestampTz time)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(first_id(time + 1000))};

	spl_spi_run(&count_from, values, NULL, NULL, NULL);
}

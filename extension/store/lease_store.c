/*
 * lease_store.c
 *    Leases by job and by worker.
 *
 * A heartbeat changes only lease_expires_at, which no index contains, so it is a heap-only update.  Where the new version of
 * the row is, the clock in shared memory has to be told (lease_sweep.c).
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "base/compat.h"
#include "base/uuid7.h"
#include "catalog/pg_type.h"
#include "shmem/lease_clock.h"
#include "store/id_scan.h"
#include "store/spi_plan.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define LEASE_HINTS 1024

/* Each statement writes one column: what two sessions change at the same time must not undo each other. */
static SpiPlan renew_lease = {
	.sql =
		"UPDATE spooled.lease SET lease_expires_at = $4 WHERE org = $1 AND job_id = $2 AND run = $3 RETURNING ctid, lease_expires_at, cancel_requested",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, INT4OID, TIMESTAMPTZOID},
};

static SpiPlan ask_cancel = {
	.sql = "UPDATE spooled.lease SET cancel_requested = true WHERE org = $1 AND job_id = $2 AND run = $3"
		   " RETURNING ctid, lease_expires_at, cancel_requested",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

static SpiPlan ask_cancel_at_once = {
	.sql = "UPDATE spooled.lease SET cancel_requested = true WHERE ctid = (SELECT ctid FROM spooled.lease"
		   "   WHERE org = $1 AND job_id = $2 AND run = $3 FOR NO KEY UPDATE SKIP LOCKED)"
		   " RETURNING ctid, lease_expires_at, cancel_requested",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

/*
 * Where this session has put leases: who completes a job is often who claimed it.  A hint is checked like any other reading;
 * one that is out of date costs a page, and the index answers.
 */
typedef struct LeaseHint
{
	int32			org;
	pg_uuid_t		job_id;
	ItemPointerData tid;
} LeaseHint;

static LeaseHint hints[LEASE_HINTS];

/* hint_of returns the place of a job's hint; the end of an id is random. */
static LeaseHint *
hint_of(const pg_uuid_t *job_id)
{
	return &hints[(job_id->data[UUID_LEN - 1] | job_id->data[UUID_LEN - 2] << 8) % LEASE_HINTS];
}

void
spl_lease_placed(const Ticket *leases, const ItemPointerData *tids, int count)
{
	for (int i = 0; i < count; i++)
	{
		spl_lease_clock_lower(ItemPointerGetBlockNumber(&tids[i]), leases[i].lease_expires_at);
		*hint_of(&leases[i].job_id) = (LeaseHint) {.org = leases[i].org, .job_id = leases[i].job_id, .tid = tids[i]};
	}
}

static const IdTable lease_rows = {TABLE_LEASE, INDEX_LEASE_JOB, RowExclusiveLock, TICKET_ORG, TICKET_JOB_ID, 0};

/* The answer of spl_lease_find_many under construction. */
typedef struct LeaseRows
{
	Ticket *leases;
	bool   *found;
} LeaseRows;

static void
see_lease(TupleTableSlot *slot, int i, void *arg)
{
	LeaseRows *rows = arg;

	spl_ticket_read(TICKET_LEASE, slot, &rows->leases[i]);
	rows->found[i] = true;
}

/* hinted_places returns where this session has put the leases of the jobs; invalid where it has not. */
static ItemPointerData *
hinted_places(int32 org, const pg_uuid_t *job_ids, int count)
{
	ItemPointerData *places = palloc0(sizeof(ItemPointerData) * count);

	for (int i = 0; i < count; i++)
	{
		LeaseHint *hint = hint_of(&job_ids[i]);

		if (hint->org == org && spl_uuid_equal(&hint->job_id, &job_ids[i]))
			places[i] = hint->tid;
	}
	return places;
}

void
spl_lease_find_many(int32 org, const pg_uuid_t *job_ids, int count, Snapshot snapshot, Ticket *leases, bool *found)
{
	LeaseRows rows = {leases, found};

	memset(found, 0, sizeof(bool) * count);
	spl_rows_by_id(&lease_rows, snapshot, org, job_ids, hinted_places(org, job_ids, count), count, see_lease, &rows);
}

/* see_update tells the clock where the lease's row is now, and reads whether cancellation was asked for. */
static void
see_update(HeapTuple row, TupleDesc desc, void *cancel_requested)
{
	ItemPointer tid = (ItemPointer) DatumGetPointer(spl_row_datum(row, desc, 1, NULL));

	spl_lease_clock_lower(ItemPointerGetBlockNumber(tid), DatumGetTimestampTz(spl_row_datum(row, desc, 2, NULL)));
	*(bool *) cancel_requested = DatumGetBool(spl_row_datum(row, desc, 3, NULL));
}

TakeResult
spl_lease_renew(Ticket *lease)
{
	Datum values[] = {Int32GetDatum(lease->org), UUIDPGetDatum(&lease->job_id), Int32GetDatum(lease->run),
					  TimestampTzGetDatum(lease->lease_expires_at)};

	return spl_spi_run(&renew_lease, values, NULL, see_update, &lease->cancel_requested) == 1 ? TAKE_OK : TAKE_LOST;
}

TakeResult
spl_lease_ask_cancel(const Ticket *lease, bool wait)
{
	Datum values[] = {Int32GetDatum(lease->org), UUIDPGetDatum(&lease->job_id), Int32GetDatum(lease->run)};
	bool  cancel_requested;

	return spl_spi_run(wait ? &ask_cancel : &ask_cancel_at_once, values, NULL, see_update, &cancel_requested) == 1
		? TAKE_OK
		: TAKE_LOST;
}

int
spl_lease_list_worker(int32 org, const char *worker, int limit, Ticket *leases)
{
	TupleScan	scan;
	ScanKeyData key;
	int			count = 0;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(org));
	spl_scan_begin(&scan, TABLE_LEASE, INDEX_LEASE_JOB, RowExclusiveLock, NULL, 1);
	spl_scan_keys(&scan, &key, 1);
	while (count < limit && spl_scan_next(&scan, ForwardScanDirection))
	{
		spl_ticket_read(TICKET_LEASE, scan.slot, &leases[count]);
		if (strcmp(leases[count].worker, worker) == 0)
			count++;
	}
	spl_scan_end(&scan);
	return count;
}

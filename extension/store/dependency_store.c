/*
 * dependency_store.c
 *    Rows of dependency.
 *
 * Every completion asks whether the job has children, so that question is one index probe; the rest runs only where there
 * are edges.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "store/dependency_store.h"
#include "store/spi_plan.h"
#include "store/ticket_row.h"
#include "utils/snapmgr.h"

static SpiPlan put_edge = {
	.sql = "INSERT INTO spooled.dependency (org, parent, child) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDOID},
};

static SpiPlan take_children = {
	.sql = "DELETE FROM spooled.dependency WHERE org = $1 AND parent = $2 RETURNING child",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static SpiPlan drop_child = {
	.sql = "DELETE FROM spooled.dependency WHERE org = $1 AND child = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static SpiPlan has_parents = {
	.sql = "SELECT 1 FROM spooled.dependency WHERE org = $1 AND child = $2 LIMIT 1",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_edge_put(int32 org, const pg_uuid_t *parent, const pg_uuid_t *child)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(parent), UUIDPGetDatum(child)};

	spl_spi_run(&put_edge, values, NULL, NULL, NULL);
}

/* exist_in probes under one snapshot (NULL: a fresh one). */
static void
exist_in(Snapshot snapshot, int32 org, const pg_uuid_t *parents, int count, bool *exists)
{
	TupleScan scan;

	spl_scan_begin(&scan, TABLE_DEPENDENCY, INDEX_DEPENDENCY, RowExclusiveLock, snapshot, 2);
	for (int i = 0; i < count; i++)
	{
		ScanKeyData keys[2];

		spl_ticket_keys(keys, org, &parents[i]);
		spl_scan_keys(&scan, keys, 2);
		exists[i] = spl_scan_next(&scan, ForwardScanDirection);
	}
	spl_scan_end(&scan);
}

/* count_edges counts the edges of one parent under one snapshot. */
static int64
count_edges(Snapshot snapshot, int32 org, const pg_uuid_t *parent)
{
	TupleScan	scan;
	ScanKeyData keys[2];
	int64		count = 0;

	spl_ticket_keys(keys, org, parent);
	spl_scan_begin(&scan, TABLE_DEPENDENCY, INDEX_DEPENDENCY, RowExclusiveLock, snapshot, 2);
	spl_scan_keys(&scan, keys, 2);
	while (spl_scan_next(&scan, ForwardScanDirection))
		count++;
	spl_scan_end(&scan);
	return count;
}

/* refuse_unseen raises 40001 when a child was added since this transaction's snapshot: it would wait for ever. */
static void
refuse_unseen(Snapshot latest, int32 org, const pg_uuid_t *parent)
{
	if (count_edges(latest, org, parent) != count_edges(NULL, org, parent))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access: a job that waits for this one was added or ended meanwhile")));
}

void
spl_edge_exists_many(int32 org, const pg_uuid_t *parents, int count, bool *exists)
{
	Snapshot latest;

	if (!IsolationUsesXactSnapshot())
	{
		exist_in(NULL, org, parents, count, exists);
		return;
	}
	latest = spl_snapshot_latest();
	exist_in(latest, org, parents, count, exists);
	for (int i = 0; i < count; i++)
		if (exists[i])
			refuse_unseen(latest, org, &parents[i]);
	UnregisterSnapshot(latest);
}

typedef struct Children
{
	int		   count;
	int		   room;
	pg_uuid_t *ids;
} Children;

static void
add_child(HeapTuple row, TupleDesc desc, void *arg)
{
	Children *children = arg;

	if (children->count == children->room)
		children->ids = repalloc(children->ids, sizeof(pg_uuid_t) * (children->room *= 2));
	children->ids[children->count++] = *DatumGetUUIDP(spl_row_datum(row, desc, 1, NULL));
}

int
spl_edge_take_children(int32 org, const pg_uuid_t *parent, pg_uuid_t **ids)
{
	Children children = {0, 8, palloc(sizeof(pg_uuid_t) * 8)};
	Datum	 values[] = {Int32GetDatum(org), UUIDPGetDatum(parent)};

	spl_spi_run(&take_children, values, NULL, add_child, &children);
	*ids = children.ids;
	return children.count;
}

void
spl_edge_drop_child(int32 org, const pg_uuid_t *child)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(child)};

	spl_spi_run(&drop_child, values, NULL, NULL, NULL);
}

bool
spl_edge_has_parents(int32 org, const pg_uuid_t *child)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(child)};

	return spl_spi_run(&has_parents, values, NULL, NULL, NULL) > 0;
}

/*
 * id_scan.c
 *    Reading the rows of many ids in one go.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "store/id_scan.h"
#include "utils/fmgroids.h"

/* So many strangers between two ids are read over; then descending the index again is cheaper. */
#define MOST_STRANGERS 4

/* What is looked for: ids of one organization, none above "last". */
typedef struct Wanted
{
	int32			 org;
	int				 id_column;
	const pg_uuid_t *last;
} Wanted;

/*
 * start_at makes the scan go on from the first row whose id is not below "id".  It ends at the last id that is wanted, so
 * that entries of rows that are gone are not read over behind it.
 */
static void
start_at(TupleScan *scan, const Wanted *wanted, const pg_uuid_t *id)
{
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(wanted->org));
	ScanKeyInit(&keys[1], 2, BTGreaterEqualStrategyNumber, F_UUID_GE, UUIDPGetDatum(id));
	ScanKeyInit(&keys[2], 2, BTLessEqualStrategyNumber, F_UUID_LE, UUIDPGetDatum(wanted->last));
	spl_scan_keys(scan, keys, 3);
}

/* compare_row compares the scan's row with an id. */
static int
compare_row(const TupleScan *scan, int id_column, const pg_uuid_t *id)
{
	bool isnull;

	return memcmp(DatumGetUUIDP(slot_getattr(scan->slot, id_column, &isnull))->data, id->data, UUID_LEN);
}

/*
 * next_from moves the scan, which stands on a row unless "at_end", to the first row whose id is not below "id".  Returns how
 * that row compares to it; 1 at the end.
 */
static int
next_from(TupleScan *scan, const Wanted *wanted, const pg_uuid_t *id, bool *at_end)
{
	int order = *at_end ? 1 : compare_row(scan, wanted->id_column, id);

	for (int strangers = 0; order < 0; strangers++)
	{
		if (strangers == MOST_STRANGERS)
			start_at(scan, wanted, id);
		*at_end = !spl_scan_next(scan, ForwardScanDirection);
		order = *at_end ? 1 : compare_row(scan, wanted->id_column, id);
	}
	return order;
}

void
spl_scan_ids(SplTable table, SplIndex index, LOCKMODE lock, Snapshot snapshot, int32 org, const pg_uuid_t *ids,
			 int count, int id_column, IdRowFn found, void *arg)
{
	TupleScan scan;
	Wanted	  wanted = {org, id_column, ids};
	bool	  at_end = true;

	for (int i = 1; i < count; i++)
		if (memcmp(ids[i].data, wanted.last->data, UUID_LEN) > 0)
			wanted.last = &ids[i];
	spl_scan_begin(&scan, table, index, lock, snapshot, 3);
	for (int i = 0; i < count; i++)
	{
		bool goes_on = i > 0 && memcmp(ids[i - 1].data, ids[i].data, UUID_LEN) <= 0;

		if (!goes_on)
		{
			start_at(&scan, &wanted, &ids[i]);
			at_end = !spl_scan_next(&scan, ForwardScanDirection);
		}
		if (next_from(&scan, &wanted, &ids[i], &at_end) == 0)
			found(scan.slot, i, arg);
	}
	spl_scan_end(&scan);
}

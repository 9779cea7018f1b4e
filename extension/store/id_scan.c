/*
 * id_scan.c
 *    Reading the rows of many ids in one go.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "store/id_scan.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

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

/* An answer under construction: the ids that are looked for, and whom to tell. */
typedef struct IdSearch
{
	const IdTable	*from;
	int32			 org;
	const pg_uuid_t *ids;
	IdRowFn			 found;
	void			*arg;
} IdSearch;

static bool
is_row_of(const IdSearch *search, TupleTableSlot *slot, int i)
{
	bool isnull;

	return DatumGetInt32(slot_getattr(slot, search->from->org_column, &isnull)) == search->org &&
		memcmp(DatumGetUUIDP(slot_getattr(slot, search->from->id_column, &isnull))->data, search->ids[i].data,
			   UUID_LEN) == 0;
}

/*
 * read_places reads the rows that are where they are said to be.  A place may be out of date in any way: somebody else's row
 * after vacuum, behind the end of the table after it was rewritten.  Fills "left" with the positions of the others.
 */
static int
read_places(const IdSearch *search, Snapshot snapshot, const ItemPointerData *places, int count, int *left)
{
	Relation	table = table_open(spl_table_oid(search->from->table), search->from->lock);
	PlaceReader reader;
	int			left_count = 0;

	spl_reader_begin(&reader, table, snapshot, count);
	for (int i = 0; i < count; i++)
	{
		ItemPointerData place = places[i];

		if (ItemPointerIsValid(&place) && spl_reader_row(&reader, &place) && is_row_of(search, reader.slot, i))
			search->found(reader.slot, i, search->arg);
		else
			left[left_count++] = i;
	}
	spl_reader_end(&reader);
	table_close(table, NoLock);
	return left_count;
}

/* scan_index reads the rows of those ids whose positions are in "which". */
static void
scan_index(const IdSearch *search, Snapshot snapshot, const int *which, int count)
{
	const pg_uuid_t *ids = search->ids;
	TupleScan		 scan;
	Wanted			 wanted = {search->org, search->from->id_column, &ids[which[0]]};
	bool			 at_end = true;

	for (int i = 1; i < count; i++)
		if (memcmp(ids[which[i]].data, wanted.last->data, UUID_LEN) > 0)
			wanted.last = &ids[which[i]];
	spl_scan_begin(&scan, search->from->table, search->from->index, search->from->lock, snapshot, 3);
	for (int i = 0; i < count; i++)
	{
		const pg_uuid_t *id = &ids[which[i]];
		bool			 goes_on = i > 0 && memcmp(ids[which[i - 1]].data, id->data, UUID_LEN) <= 0;

		if (!goes_on)
		{
			start_at(&scan, &wanted, id);
			at_end = !spl_scan_next(&scan, ForwardScanDirection);
		}
		if (next_from(&scan, &wanted, id, &at_end) == 0)
			search->found(scan.slot, which[i], search->arg);
	}
	spl_scan_end(&scan);
}

void
spl_rows_by_id(const IdTable *from, Snapshot snapshot, int32 org, const pg_uuid_t *ids, const ItemPointerData *places,
			   int count, IdRowFn found, void *arg)
{
	IdSearch search = {from, org, ids, found, arg};
	Snapshot own = snapshot ? NULL : spl_snapshot_fresh();
	int		*left = palloc(sizeof(int) * Max(count, 1));
	int		 left_count = 0;

	if (places)
		left_count = read_places(&search, snapshot ? snapshot : own, places, count, left);
	else
		while (left_count < count)
		{
			left[left_count] = left_count;
			left_count++;
		}
	if (left_count > 0)
		scan_index(&search, snapshot ? snapshot : own, left, left_count);
	if (own)
		UnregisterSnapshot(own);
	pfree(left);
}

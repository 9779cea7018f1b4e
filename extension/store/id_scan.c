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

/*
 * start_at makes the scan go on from the first row whose id is not below the walk's.  It ends at the last id that is wanted, so
 * that entries of rows that are gone are not read over behind it.
 */
static void
start_at(IdWalk *walk)
{
	ScanKeyData keys[3];

	walk->from = walk->id;
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(walk->org));
	ScanKeyInit(&keys[1], 2, BTGreaterEqualStrategyNumber, F_UUID_GE, UUIDPGetDatum(&walk->from));
	ScanKeyInit(&keys[2], 2, BTLessEqualStrategyNumber, F_UUID_LE, UUIDPGetDatum(walk->last));
	spl_scan_keys(&walk->scan, keys, 3);
	walk->goes_on = true;
	walk->at_end = !spl_scan_next(&walk->scan, ForwardScanDirection);
}

/* compare_row compares the scan's row with the walk's id; 1 at the end. */
static int
compare_row(const IdWalk *walk)
{
	bool isnull;

	if (walk->at_end)
		return 1;
	return memcmp(DatumGetUUIDP(slot_getattr(walk->scan.slot, walk->id_column, &isnull))->data, walk->id.data,
				  UUID_LEN);
}

void
spl_walk_begin(IdWalk *walk, const IdTable *from, Snapshot snapshot, int32 org, const pg_uuid_t *last)
{
	walk->org = org;
	walk->id_column = from->id_column;
	walk->last = last;
	walk->goes_on = false;
	spl_scan_begin(&walk->scan, from->table, from->index, from->lock, snapshot, 3);
	walk->scan.columns = from->columns;
}

bool
spl_walk_to(IdWalk *walk, const pg_uuid_t *id)
{
	bool goes_on = walk->goes_on && memcmp(walk->id.data, id->data, UUID_LEN) <= 0;
	int	 order;

	walk->id = *id;
	if (!goes_on)
		start_at(walk);
	order = compare_row(walk);
	for (int strangers = 0; order < 0; strangers++)
	{
		if (strangers == MOST_STRANGERS)
			start_at(walk);
		else
			walk->at_end = !spl_scan_next(&walk->scan, ForwardScanDirection);
		order = compare_row(walk);
	}
	return order == 0;
}

bool
spl_walk_behind(IdWalk *walk, const pg_uuid_t *id, const pg_uuid_t *after)
{
	ScanKeyData keys[3];

	walk->id = walk->from = *id;
	walk->after = *after;
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(walk->org));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&walk->from));
	ScanKeyInit(&keys[2], 3, BTGreaterStrategyNumber, F_UUID_GT, UUIDPGetDatum(&walk->after));
	spl_scan_keys(&walk->scan, keys, 3);
	walk->goes_on = false;
	walk->at_end = !spl_scan_next(&walk->scan, ForwardScanDirection);
	return !walk->at_end;
}

bool
spl_walk_next(IdWalk *walk)
{
	walk->at_end = !spl_scan_next(&walk->scan, ForwardScanDirection);
	return compare_row(walk) == 0;
}

void
spl_walk_end(IdWalk *walk)
{
	spl_scan_end(&walk->scan);
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

	spl_reader_begin(&reader, search->from->table, table, snapshot, count);
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
	const pg_uuid_t *last = &ids[which[0]];
	IdWalk			 walk;

	for (int i = 1; i < count; i++)
		if (memcmp(ids[which[i]].data, last->data, UUID_LEN) > 0)
			last = &ids[which[i]];
	spl_walk_begin(&walk, search->from, snapshot, search->org, last);
	for (int i = 0; i < count; i++)
		if (spl_walk_to(&walk, &ids[which[i]]))
			search->found(walk.scan.slot, which[i], search->arg);
	spl_walk_end(&walk);
}

void
spl_rows_by_id(const IdTable *from, Snapshot snapshot, int32 org, const pg_uuid_t *ids, const ItemPointerData *places,
			   int count, IdRowFn found, void *arg)
{
	IdSearch search = {from, org, ids, found, arg};
	int		*left = palloc(sizeof(int) * Max(count, 1));
	int		 left_count = 0;

	if (places)
		left_count = read_places(&search, snapshot ? snapshot : SnapshotSelf, places, count, left);
	else
		while (left_count < count)
		{
			left[left_count] = left_count;
			left_count++;
		}
	if (left_count > 0)
		scan_index(&search, snapshot, left, left_count);
	pfree(left);
}

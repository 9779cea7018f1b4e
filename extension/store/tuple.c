/*
 * tuple.c
 *    Rows and their index entries through the table access method: no planner, no executor.
 *
 * Deleting never chases updates: whoever finds a tuple changed looks again under a fresh snapshot.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/org_context.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "store/delete_run.h"
#include "store/insert_set.h"
#include "store/tuple.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"

/* What a read-only transaction is told: nobody else asks when the executor is passed by. */
static const char write_command[] = "a function that changes jobs";

/* asked_by says by which column rows of a table are compared with who is asking, and who that is. */
static OrgCheck
asked_by(Relation table)
{
	OrgCheck check = {InvalidAttrNumber, SPL_ORG_NONE};

	if (spl_org_is_background())
		return check;
	check.column = spl_org_column(RelationGetRelid(table));
	if (check.column != InvalidAttrNumber)
		check.org = spl_org_as_known();
	return check;
}

/* is_ours tells whether who is asking may see the row. */
static bool
is_ours(const OrgCheck *check, TupleTableSlot *slot)
{
	bool isnull;

	return check->column == InvalidAttrNumber ||
		DatumGetInt32(slot_getattr(slot, check->column, &isnull)) == check->org;
}

bool
spl_tuple_is_ours(Relation table, TupleTableSlot *slot)
{
	OrgCheck check = asked_by(table);

	return is_ours(&check, slot);
}

/* insert_chunk inserts at most INSERT_CHUNK rows. */
static void
insert_chunk(Relation table, const OrgCheck *check, InsertSet *set, const void *rows, int first, int count,
			 FillRowFn fill, ItemPointer tids)
{
	for (int i = 0; i < count; i++)
	{
		TupleTableSlot *slot = spl_insert_set_slot(set, i);

		memset(slot->tts_isnull, 0, sizeof(bool) * set->given);
		memset(slot->tts_isnull + set->given, true, sizeof(bool) * (set->shape.natts - set->given));
		fill(rows, first + i, slot->tts_values, slot->tts_isnull);
		spl_insert_set_form(set, slot);
		if (!is_ours(check, slot))
			elog(ERROR, "a row of another organization for table \"%s\"", RelationGetRelationName(table));
	}
	if (count == 1)
		table_tuple_insert(table, set->slots[0], GetCurrentCommandId(true), 0, NULL);
	else
		table_multi_insert(table, set->slots, count, GetCurrentCommandId(true), 0, NULL);
	spl_insert_set_indexes(set, table, set->slots, count);
	for (int i = 0; i < count; i++)
	{
		if (tids)
			tids[first + i] = set->slots[i]->tts_tid;
		ExecClearTuple(set->slots[i]);
	}
}

void
spl_tuples_insert(SplTable which, const void *rows, int count, FillRowFn fill, ItemPointer tids)
{
	Relation   table;
	OrgCheck   check;
	InsertSet *set;

	if (count == 0)
		return;
	PreventCommandIfReadOnly(write_command);
	table = table_open(spl_table_oid(which), RowExclusiveLock);
	Assert(RelationGetNumberOfAttributes(table) <= SPL_MAX_COLUMNS);
	check = asked_by(table);
	set = spl_insert_set_of(which, table);
	for (int first = 0; first < count; first += INSERT_CHUNK)
		insert_chunk(table, &check, set, rows, first, Min(count - first, INSERT_CHUNK), fill, tids);
	table_close(table, NoLock);
}

Snapshot
spl_snapshot_fresh(void)
{
	return RegisterSnapshot(GetTransactionSnapshot());
}

Snapshot
spl_snapshot_latest(void)
{
	return RegisterSnapshot(GetLatestSnapshot());
}

void
spl_scan_begin(TupleScan *scan, SplTable table, SplIndex index, LOCKMODE lock, Snapshot snapshot, int key_count)
{
	scan->which = table;
	scan->table = table_open(spl_table_oid(table), lock);
	scan->index = index_open(spl_index_oid(index), lock);
	scan->owns_snapshot = snapshot == NULL;
	scan->snapshot = snapshot ? snapshot : spl_snapshot_fresh();
	scan->slot = table_slot_create(scan->table, NULL);
	scan->check = asked_by(scan->table);
	scan->columns = 0;
	scan->skip = NULL;
	scan->scan = index_beginscan(scan->table, scan->index, scan->snapshot, key_count, 0);
}

void
spl_scan_skip(TupleScan *scan, SkipEntryFn skip, void *arg)
{
	scan->skip = skip;
	scan->skip_arg = arg;
	scan->scan->xs_want_itup = true;
}

void
spl_scan_keys(TupleScan *scan, ScanKey keys, int key_count)
{
	index_rescan(scan->scan, keys, key_count, NULL, 0);
}

bool
spl_scan_next(TupleScan *scan, ScanDirection direction)
{
	/* One version for each index entry: a dirty snapshot says of the first one whether another is being made. */
	while (index_getnext_tid(scan->scan, direction) != NULL)
	{
		if (scan->skip && scan->skip(scan->scan->xs_itup, scan->scan->xs_itupdesc, scan->skip_arg))
			continue;
		if (!index_fetch_heap(scan->scan, scan->slot))
			continue;
		slot_getsomeattrs(scan->slot, scan->columns);
		if (is_ours(&scan->check, scan->slot))
			return true;
	}
	return false;
}

void
spl_scan_end(TupleScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	if (scan->owns_snapshot)
		UnregisterSnapshot(scan->snapshot);
	index_close(scan->index, NoLock);
	table_close(scan->table, NoLock);
}

/* change_result translates what the table says; for who has waited, a row that was lost is an error where it has to be. */
static DeleteResult
change_result(TM_Result result, bool has_waited)
{
	switch (result)
	{
		case TM_Ok: return DELETE_OK;
		case TM_BeingModified:
		case TM_WouldBlock: return DELETE_BUSY;
		case TM_SelfModified: return DELETE_LOST;
		case TM_Updated:
		case TM_Deleted:
			if (has_waited && IsolationUsesXactSnapshot())
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("could not serialize access due to concurrent update")));
			return DELETE_LOST;
		case TM_Invisible: break;
	}
	elog(ERROR, "unexpected result %d of a change", result);
	pg_unreachable();
}

DeleteResult
spl_tuple_delete(Relation table, ItemPointer tid, Snapshot snapshot, bool wait)
{
	TM_FailureData failure;

	PreventCommandIfReadOnly(write_command);
	return change_result(table_tuple_delete(table, tid, GetCurrentCommandId(true), snapshot, InvalidSnapshot, wait,
											&failure, false),
						 wait);
}

void
spl_tuples_delete(Relation table, const ItemPointerData *tids, int count, Snapshot snapshot, bool wait,
				  DeleteResult *results)
{
	PreventCommandIfReadOnly(write_command);
	for (int i = 0; i < count;)
	{
		int run = count > 1 ? spl_delete_run(table, &tids[i], count - i, GetCurrentCommandId(true)) : 0;

		for (int k = 0; k < run; k++)
			results[i++] = DELETE_OK;
		if (i < count && run == 0)
		{
			results[i] = spl_tuple_delete(table, (ItemPointer) &tids[i], snapshot, wait);
			i++;
		}
	}
}

/* changed_row returns the scan's row with another value in one column. */
static HeapTuple
changed_row(TupleScan *scan, int column, Datum value)
{
	TupleDesc desc = RelationGetDescr(scan->table);
	Datum	  values[SPL_MAX_COLUMNS] = {0};
	bool	  nulls[SPL_MAX_COLUMNS] = {false};
	bool	  replaced[SPL_MAX_COLUMNS] = {false};
	bool	  is_copy;
	HeapTuple row = ExecFetchSlotHeapTuple(scan->slot, false, &is_copy);

	Assert(!is_copy);
	values[column - 1] = value;
	replaced[column - 1] = true;
	return heap_modify_tuple(row, desc, values, nulls, replaced);
}

DeleteResult
spl_scan_update(TupleScan *scan, int column, Datum value)
{
	ItemPointerData tid = scan->slot->tts_tid;
	TupleTableSlot *next = table_slot_create(scan->table, NULL);
	bool			needs_index = false;
	DeleteResult	result;

	PreventCommandIfReadOnly(write_command);
	ExecForceStoreHeapTuple(changed_row(scan, column, value), next, true);
	next->tts_tableOid = RelationGetRelid(scan->table);
	result = change_result(spl_table_update(scan->table, &tid, next, GetCurrentCommandId(true), scan->snapshot,
											&needs_index),
						   false);
	if (result == DELETE_OK && needs_index)
		spl_insert_set_indexes(spl_insert_set_of(scan->which, scan->table), scan->table, &next, 1);
	ExecDropSingleTupleTableSlot(next);
	return result;
}

/*
 * A table becomes shorter only under AccessExclusiveLock, and who does that tells all sessions to forget what they know of the
 * file before he lets go of it; they listen when they lock the table.  So what was its size once it still is at least.  It may
 * have grown, which the kernel knows.
 */
bool
spl_table_has_block(Relation table, BlockNumber block)
{
	BlockNumber seen = RelationGetSmgr(table)->smgr_cached_nblocks[MAIN_FORKNUM];

	return (seen != InvalidBlockNumber && block < seen) || block < RelationGetNumberOfBlocks(table);
}

void
spl_reader_begin(PlaceReader *reader, SplTable which, Relation table, Snapshot snapshot, int count)
{
	InsertSet *set = spl_insert_set_of(which, table);

	reader->table = table;
	reader->snapshot = snapshot;
	reader->check = asked_by(table);
	reader->shape = &set->shape;
	reader->page = InvalidBuffer;
	/* It prunes each page that it comes to: once for a batch, but again and again when it is made for every row. */
	reader->fetch = count > 1 ? table_index_fetch_begin(table) : NULL;
	reader->slot = count > 1 ? table_slot_create(table, NULL) : spl_insert_set_slot(set, 0);
}

/* take_apart reads all columns of the row in a slot at once. */
static void
take_apart(const RowShape *shape, TupleTableSlot *slot)
{
	bool	  is_copy;
	HeapTuple row = ExecFetchSlotHeapTuple(slot, false, &is_copy);

	Assert(!is_copy);
	if (spl_row_read(shape, row, slot->tts_values, slot->tts_isnull))
		slot->tts_nvalid = shape->natts;
}

/* let_go forgets the row that was read on its own, and its page. */
static void
let_go(PlaceReader *reader)
{
	ExecClearTuple(reader->slot);
	if (BufferIsValid(reader->page))
		ReleaseBuffer(reader->page);
	reader->page = InvalidBuffer;
}

/* fetch_one reads a row into a slot that was there before: making one costs more than reading the row. */
static bool
fetch_one(PlaceReader *reader, const ItemPointerData *place)
{
	let_go(reader);
	reader->row.t_self = *place;
	if (!heap_fetch(reader->table, reader->snapshot, &reader->row, &reader->page, false))
		return false;
	ExecStoreHeapTuple(&reader->row, reader->slot, false);
	return true;
}

/* fetch_near reads a row whose neighbours are read, too. */
static bool
fetch_near(PlaceReader *reader, const ItemPointerData *place)
{
	ItemPointerData tid = *place;
	bool			call_again = false;

	/* The place of a heap-only version is none to an index fetch. */
	return table_index_fetch_tuple(reader->fetch, &tid, reader->snapshot, reader->slot, &call_again, NULL) ||
		table_tuple_fetch_row_version(reader->table, &tid, reader->snapshot, reader->slot);
}

bool
spl_reader_row(PlaceReader *reader, const ItemPointerData *tid)
{
	if (!spl_table_has_block(reader->table, ItemPointerGetBlockNumber(tid)))
		return false;
	if (!(reader->fetch ? fetch_near(reader, tid) : fetch_one(reader, tid)))
		return false;
	take_apart(reader->shape, reader->slot);
	return is_ours(&reader->check, reader->slot);
}

void
spl_reader_end(PlaceReader *reader)
{
	if (reader->fetch == NULL)
	{
		let_go(reader);
		return;
	}
	ExecDropSingleTupleTableSlot(reader->slot);
	table_index_fetch_end(reader->fetch);
}

TupleTableSlot *
spl_slot_create(Relation table)
{
	return table_slot_create(table, NULL);
}

bool
spl_tuple_is_row(Relation table, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot, int org_column, int32 org,
				 int id_column, const pg_uuid_t *id)
{
	bool	 isnull;
	bool	 same;
	OrgCheck check = asked_by(table);

	if (!table_tuple_fetch_row_version(table, tid, snapshot, slot) || !is_ours(&check, slot))
		return false;
	same = DatumGetInt32(slot_getattr(slot, org_column, &isnull)) == org &&
		memcmp(DatumGetUUIDP(slot_getattr(slot, id_column, &isnull))->data, id->data, UUID_LEN) == 0;
	ExecClearTuple(slot);
	return same;
}

bool
spl_tuple_lock(Relation table, ItemPointer tid, Snapshot snapshot)
{
	TM_FailureData	failure;
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TM_Result		result = table_tuple_lock(table, tid, snapshot, slot, GetCurrentCommandId(true), LockTupleKeyShare,
											  LockWaitBlock, TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS, &failure);

	ExecDropSingleTupleTableSlot(slot);
	if ((result == TM_Updated || result == TM_Deleted) && IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
	return result == TM_Ok;
}

void
spl_changes_done(void)
{
	CommandCounterIncrement();
}

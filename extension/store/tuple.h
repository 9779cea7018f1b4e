/*
 * tuple.h
 *    Direct access to the tables: what runs on every enqueue, claim and completion goes past planner and executor.
 *
 * Nothing here asks for privileges or policies.  In their place every row that is read, changed or made is compared with the
 * organization that is asking, whatever organization the caller has looked for; the background worker sees all.
 */
#ifndef SPL_TUPLE_H
#define SPL_TUPLE_H

#include "access/genam.h"
#include "access/itup.h"
#include "access/skey.h"
#include "base/row_shape.h"
#include "executor/tuptable.h"
#include "store/relations.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#define SPL_MAX_COLUMNS ROW_SHAPE_COLUMNS

/* Fills the columns of row "i"; all are given as not null and may be set to null. */
typedef void (*FillRowFn)(const void *rows, int i, Datum *values, bool *nulls);

/* spl_tuples_insert inserts rows and their index entries, and tells where each is (tids may be NULL). */
extern void spl_tuples_insert(SplTable table, const void *rows, int count, FillRowFn fill, ItemPointer tids);

/* What rows are compared with: the column of the organization (InvalidAttrNumber: every row may be seen), and who is asking. */
typedef struct OrgCheck
{
	AttrNumber column;
	int32	   org;
} OrgCheck;

/* What became of a change. */
typedef enum DeleteResult
{
	DELETE_OK,
	DELETE_BUSY, /* an open transaction is about to change it; only without waiting */
	DELETE_LOST	 /* somebody else changed or deleted it */
} DeleteResult;

/* Tells of an index entry whether its row need not be read; "keys" describes the entry. */
typedef bool (*SkipEntryFn)(IndexTuple entry, TupleDesc keys, void *arg);

/* A scan of an index, from spl_scan_begin to spl_scan_end; it can be restarted with other keys. */
typedef struct TupleScan
{
	SplTable		which;
	Relation		table;
	Relation		index;
	Snapshot		snapshot;
	bool			owns_snapshot;
	OrgCheck		check;
	IndexScanDesc	scan;
	TupleTableSlot *slot;
	int columns; /* of each row, that are taken out at once; 0, and who knows better sets it: as they are asked for */
	SkipEntryFn skip; /* NULL: all rows are read */
	void	   *skip_arg;
} TupleScan;

/* spl_scan_begin opens a scan under "snapshot", or under a fresh one of its own when that is NULL. */
extern void
spl_scan_begin(TupleScan *scan, SplTable table, SplIndex index, LOCKMODE lock, Snapshot snapshot, int key_count);

/* spl_scan_skip leaves out rows by their index entries; before the first keys. */
extern void spl_scan_skip(TupleScan *scan, SkipEntryFn skip, void *arg);
extern void spl_scan_keys(TupleScan *scan, ScanKey keys, int key_count);
extern bool spl_scan_next(TupleScan *scan, ScanDirection direction);
extern void spl_scan_end(TupleScan *scan);

/* spl_scan_update sets one column, which no index contains, of the row that the scan stands on; it waits for nobody. */
extern DeleteResult spl_scan_update(TupleScan *scan, int column, Datum value);

/* spl_snapshot_fresh returns a registered snapshot that sees all that is committed and this transaction's own writes. */
extern Snapshot spl_snapshot_fresh(void);

/* spl_snapshot_latest is the same even under REPEATABLE READ: for what works like a catalog (queues, keys). */
extern Snapshot spl_snapshot_latest(void);

/* spl_tuple_delete deletes a tuple that "snapshot" sees. */
extern DeleteResult spl_tuple_delete(Relation table, ItemPointer tid, Snapshot snapshot, bool wait);

/* spl_tuples_delete does so with many, one after the other; neighbours next to each other cost least. */
extern void spl_tuples_delete(Relation table, const ItemPointerData *tids, int count, Snapshot snapshot, bool wait,
							  DeleteResult *results);

/* spl_tuple_is_ours tells whether who is asking may see the row: for scans that don't go through an index. */
extern bool			   spl_tuple_is_ours(Relation table, TupleTableSlot *slot);
extern TupleTableSlot *spl_slot_create(Relation table);

/*
 * spl_table_has_block tells whether a block is in a table, which the caller has locked: reading behind the end is an error, and
 * vacuum can make a table shorter.
 */
extern bool spl_table_has_block(Relation table, BlockNumber block);

/* Reads rows by their places, from spl_reader_begin to spl_reader_end; of each table at most one at a time. */
typedef struct PlaceReader
{
	Relation		table;
	Snapshot		snapshot;
	OrgCheck		check;
	const RowShape *shape;
	TupleTableSlot *slot;
	/* For many rows: it keeps its page pinned, so that a neighbour costs no look-up; NULL for one. */
	struct IndexFetchTableData *fetch;
	/* For one row: the row, and the page that is pinned for it. */
	HeapTupleData row;
	Buffer		  page;
} PlaceReader;

/* spl_reader_begin opens a reader that will be asked for "count" rows. */
extern void spl_reader_begin(PlaceReader *reader, SplTable which, Relation table, Snapshot snapshot, int count);

/*
 * spl_reader_row reads into the slot what the snapshot sees of the row at "tid".  False is no proof that the row is gone: a
 * later version of it may be elsewhere.
 */
extern bool spl_reader_row(PlaceReader *reader, const ItemPointerData *tid);
extern void spl_reader_end(PlaceReader *reader);

/*
 * spl_tuple_is_row tells whether the tuple that "snapshot" sees at "tid" is the row of this organization and id: after vacuum
 * a place may hold somebody else's row.
 */
extern bool spl_tuple_is_row(Relation table, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot, int org_column,
							 int32 org, int id_column, const pg_uuid_t *id);

/*
 * spl_tuple_lock locks a tuple so that nobody deletes it before this transaction ends; waits for who is about to.  Updates
 * that change no key (a heartbeat) neither wait nor are waited for: their new version is locked as well.
 */
extern bool spl_tuple_lock(Relation table, ItemPointer tid, Snapshot snapshot);

/* spl_changes_done makes this call's writes visible to the next call of the same transaction. */
extern void spl_changes_done(void);

#endif

/*
 * delete_run.c
 *    Deleting neighbours of a table: a page is locked and logged once for all of them.
 *
 * heap_delete looks up, locks and logs a page again for every row, which was a seventh of what a job cost in batches.  Tickets
 * that are taken together were mostly put together.
 *
 * This does to a row what heap_delete does, so it does only what is beyond doubt: a row of a transaction that has committed, which
 * nobody changes or holds any more, on a page that vacuum has not marked.  Under wal_level = logical every row is heap_delete's,
 * whose records say what was deleted.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "store/delete_run.h"
#include "store/page_change.h"

/* From who deletes a row to what is known of him: all that a deletion writes. */
#define MARK_BEGIN offsetof(HeapTupleHeaderData, t_choice.t_heap.t_xmax)
#define MARK_END (offsetof(HeapTupleHeaderData, t_infomask) + sizeof(uint16))

/* Rows of one page. */
typedef struct DeleteRun
{
	Relation		table;
	Buffer			buffer;
	Page			page;
	CommandId		command;
	int				count;
	HeapTupleHeader rows[MaxHeapTuplesPerPage];
	OffsetNumber	places[MaxHeapTuplesPerPage];
	bool			is_in[MaxHeapTuplesPerPage + 1]; /* by place */
} DeleteRun;

/* is_plain tells whether to delete a row is just to mark it. */
static bool
is_plain(const DeleteRun *run, HeapTuple tuple)
{
	HeapTupleHeader row = tuple->t_data;

	return !HeapTupleHasExternal(tuple) && HeapTupleSatisfiesUpdate(tuple, run->command, run->buffer) == TM_Ok &&
		(row->t_infomask & HEAP_XMAX_INVALID) &&
		(HeapTupleHeaderXminCommitted(row) ||
		 !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(row))); /* else both commands are kept */
}

/* add_row adds a row to the run, or returns false when it is not as plain as it can be. */
static bool
add_row(DeleteRun *run, const ItemPointerData *tid)
{
	OffsetNumber  place = ItemPointerGetOffsetNumber(tid);
	ItemId		  pointer;
	HeapTupleData tuple;

	if (place < FirstOffsetNumber || place > Min(PageGetMaxOffsetNumber(run->page), MaxHeapTuplesPerPage) ||
		run->is_in[place])
		return false;
	pointer = PageGetItemId(run->page, place);
	if (!ItemIdIsNormal(pointer))
		return false;
	tuple.t_tableOid = RelationGetRelid(run->table);
	tuple.t_self = *tid;
	tuple.t_data = (HeapTupleHeader) PageGetItem(run->page, pointer);
	tuple.t_len = ItemIdGetLength(pointer);
	if (!is_plain(run, &tuple))
		return false;
	CheckForSerializableConflictIn(run->table, (ItemPointer) tid, BufferGetBlockNumber(run->buffer));
	run->is_in[place] = true;
	run->places[run->count] = place;
	run->rows[run->count++] = tuple.t_data;
	return true;
}

/* mark_deleted is what heap_delete writes into a row that nobody else has locked. */
static void
mark_deleted(const DeleteRun *run, int i, TransactionId xid)
{
	HeapTupleHeader row = run->rows[i];

	row->t_infomask &= ~(HEAP_XMAX_BITS | HEAP_MOVED);
	row->t_infomask2 |= HEAP_KEYS_UPDATED;
	HeapTupleHeaderClearHotUpdated(row);
	HeapTupleHeaderSetXmax(row, xid);
	HeapTupleHeaderSetCmax(row, run->command, false);
	ItemPointerSet(&row->t_ctid, BufferGetBlockNumber(run->buffer), run->places[i]);
}

/* log_run writes all marks of the page as one record. */
static void
log_run(const DeleteRun *run)
{
	PageChange change;
	PageHeader head = (PageHeader) run->page;

	change.size = 0;
	spl_page_change_add(&change, run->page, &head->pd_prune_xid, sizeof(head->pd_prune_xid));
	for (int i = 0; i < run->count; i++)
		spl_page_change_add(&change, run->page, (char *) run->rows[i] + MARK_BEGIN, MARK_END - MARK_BEGIN);
	spl_page_change_log(run->buffer, &change);
}

static void
delete_rows(DeleteRun *run)
{
	TransactionId xid = GetCurrentTransactionIdIfAny();

	MultiXactIdSetOldestMember(); /* who locks the row now may make a member of this transaction */
	START_CRIT_SECTION();
	PageSetPrunable(run->page, xid);
	for (int i = 0; i < run->count; i++)
		mark_deleted(run, i, xid);
	MarkBufferDirty(run->buffer);
	if (RelationNeedsWAL(run->table))
		log_run(run);
	END_CRIT_SECTION();
}

int
spl_delete_run(Relation table, const ItemPointerData *tids, int count, CommandId command)
{
	DeleteRun	run = {.table = table, .command = command};
	BlockNumber block = ItemPointerGetBlockNumber(&tids[0]);

	if (RelationIsLogicallyLogged(table) || !spl_page_change_is_fit())
		return 0;
	(void) GetCurrentTransactionId(); /* not while the page is locked */
	run.buffer = ReadBuffer(table, block);
	LockBuffer(run.buffer, BUFFER_LOCK_EXCLUSIVE);
	run.page = BufferGetPage(run.buffer);
	while (!PageIsAllVisible(run.page) && run.count < count && ItemPointerGetBlockNumber(&tids[run.count]) == block &&
		   add_row(&run, &tids[run.count]))
		;
	if (run.count > 0)
		delete_rows(&run);
	UnlockReleaseBuffer(run.buffer);
	for (int i = 0; i < run.count; i++)
		pgstat_count_heap_delete(table);
	return run.count;
}

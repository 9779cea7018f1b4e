/*
 * index_run.c
 *    Index entries of new rows: into a unique B-tree leaf by leaf.
 *
 * index_insert descends from the root and back for every entry, which was a third of what a job cost in batches.  Keys of a
 * batch are neighbours: the leaf where one belongs is mostly the leaf of the next.  So a leaf is searched for once, and stays
 * locked while entries go into it; those that belong there next to each other go in together, with one log record.  Keys of new
 * jobs are the greatest: where the last leaf is, is remembered.
 *
 * This writes PostgreSQL's own pages and log records, so it does only what is beyond doubt: the key lies between others of
 * the same leaf or at the very end of the index, none is equal, there is room.  Everything else (the ends of a leaf, a full one,
 * a key that is there, waiting for who has it) is index_insert's.  test/t/046 has amcheck look at every index, after crashes and
 * under concurrency, and compares every page with a standby's.
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "access/nbtxlog.h"
#include "access/xloginsert.h"
#include "base/compat.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "store/index_run.h"
#include "store/page_change.h"
#include "utils/uuid.h"

#define LARGE_ENTRY (BLCKSZ / 4) /* a page must hold three; whether it may be larger, PostgreSQL decides */

typedef struct IndexEntry
{
	Datum			values[INDEX_MAX_KEYS];
	bool			nulls[INDEX_MAX_KEYS];
	bool			has_null;
	ItemPointerData tid;
} IndexEntry;

/* A batch on its way into an index: the leaf of the last entry is pinned and locked, or there is none. */
typedef struct IndexRun
{
	Relation		  table;
	Relation		  index;
	IndexMemory		 *memory;
	MemoryContext	  context;	/* where that is */
	BTScanInsert	  key;		/* of the entry that is looked at */
	IndexTuple		  tuple;	/* the one that was formed last, */
	const IndexEntry *formed;	/* of this entry */
	bool			  is_plain; /* all keys have a fixed length, so all tuples the same */
	const IndexEntry *top;		/* the last of the batch when each comes after the one before; else NULL */
	Buffer			  leaf;
	OffsetNumber	  last;		/* the last entry's place in it */
	bool			  is_clear; /* there is nothing between there and where "top" belongs */
} IndexRun;

static void
read_entry(const IndexInfo *info, TupleTableSlot *slot, IndexEntry *entry)
{
	entry->has_null = false;
	for (int k = 0; k < info->ii_NumIndexAttrs; k++)
	{
		entry->values[k] = slot_getattr(slot, info->ii_IndexAttrNumbers[k], &entry->nulls[k]);
		entry->has_null |= entry->nulls[k];
	}
	entry->tid = slot->tts_tid;
}

static void
insert_one(Relation table, Relation index, IndexInfo *info, IndexEntry *entry)
{
	if (info->ii_Predicate != NIL && entry->nulls[0])
		return;
	index_insert(index, entry->values, entry->nulls, &entry->tid, table,
				 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
}

/* write_keys writes an entry's keys over those of a tuple without nulls; all have a fixed length. */
static void
write_keys(TupleDesc desc, IndexTuple tuple, const IndexEntry *entry)
{
	char *data = (char *) tuple + IndexInfoFindDataOffset(tuple->t_info);
	Size  offset = 0;

	for (int k = 0; k < desc->natts; k++)
	{
		Form_pg_attribute key = TupleDescAttr(desc, k);

		offset = att_align_nominal(offset, key->attalign);
		if (key->attbyval)
			store_att_byval(data + offset, entry->values[k], key->attlen);
		else
			memcpy(data + offset, DatumGetPointer(entry->values[k]), key->attlen);
		offset += key->attlen;
	}
}

/* plain_tuple makes an index tuple without its keys. */
static IndexTuple
plain_tuple(TupleDesc desc)
{
	Size	   size = 0;
	IndexTuple tuple;

	for (int k = 0; k < desc->natts; k++)
		size = att_align_nominal(size, TupleDescAttr(desc, k)->attalign) + TupleDescAttr(desc, k)->attlen;
	size = MAXALIGN(MAXALIGN(sizeof(IndexTupleData)) + size);
	tuple = palloc0(size);
	tuple->t_info = size;
	return tuple;
}

/* form_entry makes the tuple of an entry; it is good until the next one. */
static IndexTuple
form_entry(IndexRun *run, const IndexEntry *entry)
{
	if (run->formed == entry)
		return run->tuple;
	run->formed = entry;
	if (run->is_plain)
	{
		if (run->tuple == NULL)
			run->tuple = plain_tuple(RelationGetDescr(run->index));
		write_keys(RelationGetDescr(run->index), run->tuple, entry);
	}
	else
	{
		if (run->tuple)
			pfree(run->tuple);
		run->tuple = index_form_tuple(RelationGetDescr(run->index), (Datum *) entry->values, (bool *) entry->nulls);
	}
	run->tuple->t_tid = entry->tid;
	return run->tuple;
}

/* aim makes the run's key that of an entry. */
static void
aim(IndexRun *run, const IndexEntry *entry)
{
	for (int k = 0; k < run->key->keysz; k++)
		run->key->scankeys[k].sk_argument = entry->values[k];
}

/*
 * is_plainly_before tells whether an entry's key is less than another's, as far as that can be seen at once: only their last
 * columns differ, and are ids in ascending order.
 */
static bool
is_plainly_before(Relation index, const IndexEntry *entry, const IndexEntry *other)
{
	TupleDesc desc = RelationGetDescr(index);
	int		  last = desc->natts - 1;

	for (int k = 0; k < last; k++)
		if (!TupleDescAttr(desc, k)->attbyval || entry->values[k] != other->values[k])
			return false;
	return TupleDescAttr(desc, last)->atttypid == UUIDOID && !(index->rd_indoption[last] & INDOPTION_DESC) &&
		memcmp(DatumGetPointer(entry->values[last]), DatumGetPointer(other->values[last]), UUID_LEN) < 0;
}

static void
leave_leaf(IndexRun *run)
{
	if (BufferIsValid(run->leaf))
		_bt_relbuf(run->index, run->leaf);
	run->leaf = InvalidBuffer;
	run->last = InvalidOffsetNumber;
	run->is_clear = false;
}

/* belongs_at_end tells whether the locked leaf is the last of the index, and the key comes after its first one. */
static bool
belongs_at_end(IndexRun *run)
{
	Page		 page = BufferGetPage(run->leaf);
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber first = P_FIRSTDATAKEY(opaque);
	OffsetNumber end = PageGetMaxOffsetNumber(page);

	if (!P_RIGHTMOST(opaque) || !P_ISLEAF(opaque) || P_IGNORE(opaque) || !run->key->heapkeyspace || end < first)
		return false;
	if (_bt_compare(run->index, run->key, page, end) <= 0)
		return _bt_compare(run->index, run->key, page, first) > 0;
	run->last = end;
	run->is_clear = run->top != NULL;
	return true;
}

/*
 * find_end locks the last leaf where somebody has seen it, if the key belongs there and nobody else has it locked: new ids are
 * the greatest.  PostgreSQL does the same, in indexes that are large.
 */
static bool
find_end(IndexRun *run)
{
	BlockNumber block = RelationGetTargetBlock(run->index);

	if (block == InvalidBlockNumber)
		return false;
	RelationSetTargetBlock(run->index, InvalidBlockNumber); /* not where it seemed to be, or wanted by many */
	run->leaf = run->memory->end;
	if (!BufferIsValid(run->leaf) || !spl_read_recent(run->index, block, run->leaf))
		run->leaf = ReadBuffer(run->index, block);
	if (!_bt_conditionallockbuf(run->index, run->leaf))
	{
		ReleaseBuffer(run->leaf);
		run->leaf = InvalidBuffer;
		return false;
	}
	_bt_checkpage(run->index, run->leaf);
	if (belongs_at_end(run))
		return true;
	leave_leaf(run);
	return false;
}

/* find_leaf locks the leaf where the key belongs. */
static void
find_leaf(IndexRun *run)
{
	if (!find_end(run))
		_bt_freestack(spl_bt_search_leaf(run->index, run->table, run->key, &run->leaf));
	CheckForSerializableConflictIn(run->index, NULL, BufferGetBlockNumber(run->leaf));
	if (!P_RIGHTMOST(BTPageGetOpaque(BufferGetPage(run->leaf))))
		return;
	RelationSetTargetBlock(run->index, BufferGetBlockNumber(run->leaf));
	run->memory->end = run->leaf;
}

/* is_below_end tells whether the key is less than all of the leaves to the right. */
static bool
is_below_end(const IndexRun *run, Page page)
{
	return P_RIGHTMOST(BTPageGetOpaque(page)) || _bt_compare(run->index, run->key, page, P_HIKEY) < 0;
}

/* is_before tells whether the key is less than what is at a place of this leaf and behind it. */
static bool
is_before(const IndexRun *run, Page page, OffsetNumber place)
{
	return place <= PageGetMaxOffsetNumber(page) ? _bt_compare(run->index, run->key, page, place) < 0
												 : is_below_end(run, page);
}

/* place_after_last returns the place after the run's last entry if the key belongs there: between two keys of this leaf. */
static OffsetNumber
place_after_last(const IndexRun *run, Page page)
{
	OffsetNumber next = OffsetNumberNext(run->last);

	if (run->last == InvalidOffsetNumber)
		return InvalidOffsetNumber;
	if (run->is_clear)
		return next;
	if (run->top == NULL && _bt_compare(run->index, run->key, page, run->last) <= 0)
		return InvalidOffsetNumber;
	return is_before(run, page, next) ? next : InvalidOffsetNumber;
}

/* place_anywhere searches the leaf for the place of a key that can be nowhere else, and is not there. */
static OffsetNumber
place_anywhere(const IndexRun *run, Page page)
{
	BTPageOpaque	  opaque = BTPageGetOpaque(page);
	BTInsertStateData state = {.itup_key = run->key, .buf = run->leaf};
	OffsetNumber	  first = P_FIRSTDATAKEY(opaque);
	OffsetNumber	  end = PageGetMaxOffsetNumber(page);
	OffsetNumber	  place;

	if (!run->key->heapkeyspace || P_IGNORE(opaque) || P_INCOMPLETE_SPLIT(opaque) || end < first)
		return InvalidOffsetNumber;
	if (P_RIGHTMOST(opaque) && _bt_compare(run->index, run->key, page, end) > 0)
		return OffsetNumberNext(end);
	if (_bt_compare(run->index, run->key, page, first) <= 0 || !is_below_end(run, page))
		return InvalidOffsetNumber;
	place = _bt_binsrch_insert(run->index, &state);
	if (place <= end && _bt_compare(run->index, run->key, page, place) == 0)
		return InvalidOffsetNumber;
	return place;
}

/* log_entry logs an entry as PostgreSQL does. */
static void
log_entry(const IndexRun *run, Page page, OffsetNumber place)
{
	xl_btree_insert record = {.offnum = place};
	XLogRecPtr		end;

	XLogBeginInsert();
	XLogRegisterData((char *) &record, SizeOfBtreeInsert);
	XLogRegisterBuffer(0, run->leaf, REGBUF_STANDARD);
	XLogRegisterBufData(0, (char *) run->tuple, IndexTupleSize(run->tuple));
	end = XLogInsert(RM_BTREE_ID, XLOG_BTREE_INSERT_LEAF);
	PageSetLSN(page, end);
}

/* log_entries logs what entries from a place on have changed: where the free room is, all places from there on, the entries. */
static void
log_entries(const IndexRun *run, Page page, OffsetNumber place, LocationIndex upper_before)
{
	PageHeader head = (PageHeader) page;
	ItemId	   first = PageGetItemId(page, place);
	PageChange change;

	change.size = 0;
	spl_page_change_add(&change, page, &head->pd_lower, sizeof(head->pd_lower) + sizeof(head->pd_upper));
	spl_page_change_add(&change, page, first, (char *) page + head->pd_lower - (char *) first);
	spl_page_change_add(&change, page, (char *) page + head->pd_upper, upper_before - head->pd_upper);
	spl_page_change_log(run->leaf, &change);
}

/* add_to_page is what _bt_insertonpg does with a leaf that has room, for entries that follow each other. */
static void
add_to_page(IndexRun *run, Page page, const IndexEntry *entries, int count, OffsetNumber place)
{
	LocationIndex upper = ((PageHeader) page)->pd_upper;

	START_CRIT_SECTION();
	for (int i = 0; i < count; i++)
	{
		IndexTuple tuple = form_entry(run, &entries[i]);

		if (PageAddItem(page, (Item) tuple, MAXALIGN(IndexTupleSize(tuple)), place + i, false, false) ==
			InvalidOffsetNumber)
			elog(PANIC, "failed to add an entry to block %u of index \"%s\"", BufferGetBlockNumber(run->leaf),
				 RelationGetRelationName(run->index));
	}
	MarkBufferDirty(run->leaf);
	if (RelationNeedsWAL(run->index) && count == 1)
		log_entry(run, page, place);
	else if (RelationNeedsWAL(run->index))
		log_entries(run, page, place, upper);
	END_CRIT_SECTION();
}

/* count_together returns how many of the entries belong into the leaf next to each other, from "place" on, and have room there. */
static int
count_together(IndexRun *run, Page page, const IndexEntry *entries, int count, OffsetNumber place)
{
	Size size = MAXALIGN(IndexTupleSize(form_entry(run, entries)));

	if (!spl_page_change_is_fit())
		count = 1;
	if (run->top && !run->is_clear && count > 1)
	{
		aim(run, run->top);
		run->is_clear = is_before(run, page, place);
	}
	if (size > LARGE_ENTRY)
		return 0;
	if (!run->is_clear || !run->is_plain)
		count = 1;
	return Min(count, PageGetExactFreeSpace(page) / (size + sizeof(ItemIdData)));
}

/*
 * insert_in_leaf inserts the first ones of the entries into the locked leaf, as far as that is as plain as it can be.  Returns
 * how many.
 */
static int
insert_in_leaf(IndexRun *run, const IndexEntry *entries, int count)
{
	Page		 page = BufferGetPage(run->leaf);
	OffsetNumber place = place_after_last(run, page);
	int			 together;

	if (place == InvalidOffsetNumber)
		place = place_anywhere(run, page);
	if (place == InvalidOffsetNumber)
		return 0;
	together = count_together(run, page, entries, count, place);
	if (together == 0)
		return 0;
	add_to_page(run, page, entries, together, place);
	run->last = place + together - 1;
	return together;
}

/* remembered_key returns the index's key; whose columns it was made of does not matter. */
static BTScanInsert
remembered_key(IndexRun *run, const IndexEntry *entry)
{
	IndexMemory *memory = run->memory;

	if (memory->key == NULL)
	{
		IndexTuple	  tuple = form_entry(run, entry);
		MemoryContext old = MemoryContextSwitchTo(run->context);

		memory->key = _bt_mkscankey(run->index, tuple);
		MemoryContextSwitchTo(old);
		memory->key->scantid = NULL; /* of a unique index: the first place where the key could be */
	}
	return memory->key;
}

/* insert_near inserts the first ones of the entries into the leaf at hand, or into the one that it finds when there is none. */
static int
insert_near(IndexRun *run, const IndexEntry *entries, int count)
{
	if (entries[0].has_null)
		return 0;
	if (run->key == NULL)
		run->key = remembered_key(run, entries);
	if (!run->is_clear)
		aim(run, entries);
	if (!BufferIsValid(run->leaf))
		find_leaf(run);
	return insert_in_leaf(run, entries, count);
}

/* read_entries reads the entries of a batch, and looks what they have in common. */
static IndexEntry *
read_entries(IndexRun *run, const IndexInfo *info, TupleTableSlot *const *slots, int count)
{
	IndexEntry *entries = palloc(sizeof(IndexEntry) * count);
	bool		is_ascending = true;

	for (int i = 0; i < count; i++)
	{
		read_entry(info, slots[i], &entries[i]);
		is_ascending = is_ascending && !entries[i].has_null &&
			(i == 0 || is_plainly_before(run->index, &entries[i - 1], &entries[i]));
	}
	run->top = is_ascending ? &entries[count - 1] : NULL;
	run->is_plain = true;
	for (int k = 0; k < info->ii_NumIndexAttrs; k++)
		run->is_plain = run->is_plain && TupleDescAttr(RelationGetDescr(run->index), k)->attlen > 0;
	return entries;
}

/* insert_run inserts the entries of a batch into a unique B-tree. */
static void
insert_run(IndexRun *run, IndexInfo *info, TupleTableSlot *const *slots, int count)
{
	IndexEntry *entries = read_entries(run, info, slots, count);

	for (int i = 0; i < count;)
	{
		int done = insert_near(run, &entries[i], count - i);

		i += done;
		if (done > 0)
			continue;
		leave_leaf(run);
		insert_one(run->table, run->index, info, &entries[i++]);
	}
	leave_leaf(run);
	pfree(entries);
}

void
spl_index_insert_many(Relation table, Relation index, IndexInfo *info, TupleTableSlot *const *slots, int count,
					  IndexMemory *memory, MemoryContext context)
{
	IndexRun run = {.table = table,
					.index = index,
					.memory = memory,
					.context = context,
					.leaf = InvalidBuffer,
					.last = InvalidOffsetNumber};

	if (info->ii_Unique && info->ii_Predicate == NIL && info->ii_NumIndexKeyAttrs == info->ii_NumIndexAttrs &&
		index->rd_rel->relam == BTREE_AM_OID)
	{
		insert_run(&run, info, slots, count);
		return;
	}
	for (int i = 0; i < count; i++)
	{
		IndexEntry entry;

		read_entry(info, slots[i], &entry);
		insert_one(table, index, info, &entry);
	}
}

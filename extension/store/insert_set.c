/*
 * insert_set.c
 *    What inserting into a table takes: slots, and what there is to know of its indexes.
 *
 * A session keeps it from call to call, since making it for one row costs more than inserting the row.  It is made anew after
 * a relcache message of the table, which every change of its indexes sends; whether an index takes entries yet is the index's
 * own and looked at each time.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/index.h"
#include "store/index_added.h"
#include "store/index_run.h"
#include "store/insert_set.h"
#include "utils/memutils.h"

static InsertSet sets[SPL_TABLES];

/* empty forgets a set and what it was made of. */
static void
empty(InsertSet *set)
{
	set->generation = 0;
	set->index_count = 0;
	memset(set->slots, 0, sizeof(set->slots));
	if (set->context == NULL)
		set->context = AllocSetContextCreate(CacheMemoryContext, "spooled inserts", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(set->context);
}

static void
add_index(InsertSet *set, Relation table, Oid oid)
{
	Relation index = index_open(oid, AccessShareLock);

	if (set->index_count == INSERT_INDEXES)
		elog(ERROR, "table \"%s\" has more than %d indexes", RelationGetRelationName(table), INSERT_INDEXES);
	set->index[set->index_count] = oid;
	set->memory[set->index_count] = (IndexMemory) {0};
	set->info[set->index_count++] = BuildIndexInfo(index);
	index_close(index, NoLock);
}

InsertSet *
spl_insert_set_of(SplTable which, Relation table)
{
	InsertSet	 *set = &sets[which];
	uint64		  generation = spl_table_generation(which);
	List		 *indexes;
	ListCell	 *cell;
	MemoryContext old;

	if (set->generation == generation)
		return set;
	empty(set);
	old = MemoryContextSwitchTo(set->context);
	/* A copy, which is not counted: a slot that outlives the transaction may not hold the relcache's own. */
	spl_row_shape(CreateTupleDescCopy(RelationGetDescr(table)), &set->shape);
	set->given = spl_table_columns(which);
	indexes = RelationGetIndexList(table);
	foreach(cell, indexes)
		add_index(set, table, lfirst_oid(cell));
	MemoryContextSwitchTo(old);
	set->generation = generation;
	return set;
}

TupleTableSlot *
spl_insert_set_slot(InsertSet *set, int number)
{
	if (set->slots[number] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(set->context);

		set->slots[number] = MakeTupleTableSlot(set->shape.desc, &TTSOpsHeapTuple);
		MemoryContextSwitchTo(old);
	}
	return ExecClearTuple(set->slots[number]);
}

/* The row lives where the slot does, so that an error leaves nothing behind that the next call could not free. */
void
spl_insert_set_form(InsertSet *set, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(set->context);
	HeapTuple	  row = spl_row_form(&set->shape, slot->tts_values, slot->tts_isnull);

	MemoryContextSwitchTo(old);
	ExecStoreHeapTuple(row, slot, true);
	slot->tts_nvalid = set->shape.desc->natts; /* who reads keys need not take the row apart again */
}

/* may_have_entry tells whether a row may have an entry in an index; no expression is evaluated. */
static bool
may_have_entry(const IndexInfo *info, TupleTableSlot *slot)
{
	return info->ii_Predicate == NIL || !spl_index_is_plain(info) ||
		!slot_attisnull(slot, info->ii_IndexAttrNumbers[0]);
}

/* An index that no row has an entry in is not even locked. */
void
spl_insert_set_indexes(InsertSet *set, Relation table, TupleTableSlot *const *slots, int count)
{
	for (int i = 0; i < set->index_count; i++)
	{
		Relation index;
		int		 first = 0;

		while (first < count && !may_have_entry(set->info[i], slots[first]))
			first++;
		if (first == count)
			continue;
		index = index_open(set->index[i], RowExclusiveLock);
		if (index->rd_index->indisready && spl_index_is_plain(set->info[i]))
			spl_index_insert_many(table, index, set->info[i], slots, count, &set->memory[i], set->context);
		else if (index->rd_index->indisready)
			spl_index_insert_added(table, index, slots, count);
		index_close(index, NoLock);
	}
}

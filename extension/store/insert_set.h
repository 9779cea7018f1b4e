/*
 * insert_set.h
 *    What inserting into a table takes.
 */
#ifndef SPL_INSERT_SET_H
#define SPL_INSERT_SET_H

#include "base/row_shape.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "store/index_run.h"
#include "store/relations.h"
#include "utils/rel.h"

#define INSERT_CHUNK 64	  /* rows that are inserted together */
#define INSERT_INDEXES 64 /* of which ours are at most five */

typedef struct InsertSet
{
	uint64			generation; /* of the table, when this was made; 0: of none */
	MemoryContext	context;
	int				index_count;
	Oid				index[INSERT_INDEXES];
	IndexInfo	   *info[INSERT_INDEXES];
	IndexMemory		memory[INSERT_INDEXES];
	RowShape		shape;
	int				given;				 /* columns that rows are given for; those behind them have been dropped */
	TupleTableSlot *slots[INSERT_CHUNK]; /* made when first asked for */
} InsertSet;

/* spl_insert_set_of returns the set of a table that is open; it is good until the next call. */
extern InsertSet *spl_insert_set_of(SplTable which, Relation table);

/* spl_insert_set_slot returns an empty slot, for values and for spl_insert_set_form. */
extern TupleTableSlot *spl_insert_set_slot(InsertSet *set, int number);

/* spl_insert_set_form makes the row of a slot's values, which stay.  Clear the slot afterwards: the set outlives the call. */
extern void spl_insert_set_form(InsertSet *set, TupleTableSlot *slot);

/* spl_insert_set_indexes adds the index entries of rows that are in the table. */
extern void spl_insert_set_indexes(InsertSet *set, Relation table, TupleTableSlot *const *slots, int count);

#endif

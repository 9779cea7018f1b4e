/*
 * index_added.h
 *    Entries of indexes that somebody has added to one of our tables.
 */
#ifndef SPL_INDEX_ADDED_H
#define SPL_INDEX_ADDED_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

/* spl_index_is_plain tells whether an index is of the kind that ours are: a B-tree of columns, of all rows or where the first is not null. */
extern bool spl_index_is_plain(const IndexInfo *info);

/* spl_index_insert_added inserts the entries of rows that are in the table already into an index of any other kind. */
extern void spl_index_insert_added(Relation table, Relation index, TupleTableSlot *const *slots, int count);

#endif

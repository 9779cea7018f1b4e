/*
 * index_run.h
 *    Index entries of a batch of rows.
 */
#ifndef SPL_INDEX_RUN_H
#define SPL_INDEX_RUN_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "storage/buf.h"
#include "utils/rel.h"

/*
 * spl_index_insert_many inserts the entries of rows that are in the table already; their slots know where.  "end" is where this
 * session has last seen the index's last leaf, for its next call.
 */
extern void spl_index_insert_many(Relation table, Relation index, IndexInfo *info, TupleTableSlot *const *slots,
								  int count, Buffer *end);

#endif

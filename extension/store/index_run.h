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
 * What a session keeps of a unique B-tree from one call to the next; zeroed when nothing is known.  The place is compared with
 * what is there; how keys are compared stays the same for as long as it is this index.
 */
typedef struct IndexMemory
{
	Buffer					 end; /* where its last leaf was */
	struct BTScanInsertData *key; /* how its keys are compared; what with, is set anew for each entry */
} IndexMemory;

/*
 * spl_index_insert_many inserts the entries of rows that are in the table already; their slots know where.  What it keeps in
 * "memory" is allocated in "context".
 */
extern void spl_index_insert_many(Relation table, Relation index, IndexInfo *info, TupleTableSlot *const *slots,
								  int count, IndexMemory *memory, MemoryContext context);

#endif

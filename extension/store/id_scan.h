/*
 * id_scan.h
 *    Reading the rows of many ids through an index on (org, id).
 */
#ifndef SPL_ID_SCAN_H
#define SPL_ID_SCAN_H

#include "store/tuple.h"

/* Called for the row of ids[i]; at most once for each i. */
typedef void (*IdRowFn)(TupleTableSlot *slot, int i, void *arg);

/*
 * spl_scan_ids hands the rows of "ids" to "found".  Ids that ascend and lie close together, as those of one claim do, cost
 * one descent of the index instead of one each; "id_column" is the table's column of the id; a NULL snapshot
 * is a fresh one.
 */
extern void spl_scan_ids(SplTable table, SplIndex index, LOCKMODE lock, Snapshot snapshot, int32 org,
						 const pg_uuid_t *ids, int count, int id_column, IdRowFn found, void *arg);

#endif

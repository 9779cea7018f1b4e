/*
 * id_scan.h
 *    Reading the rows of many ids, by their places where these are known, through an index on (org, id) where not.
 */
#ifndef SPL_ID_SCAN_H
#define SPL_ID_SCAN_H

#include "store/tuple.h"

/* Called for the row of ids[i]; at most once for each i. */
typedef void (*IdRowFn)(TupleTableSlot *slot, int i, void *arg);

/* A table with an index on (org, id), and the lock that its readers take. */
typedef struct IdTable
{
	SplTable table;
	SplIndex index;
	LOCKMODE lock;
	int		 org_column;
	int		 id_column;
} IdTable;

/*
 * spl_rows_by_id hands the rows of "ids" to "found".  "places" (may be NULL) says where rows probably are, an invalid one
 * where that is not known: a row that is there costs no look into the index.  Through the index, ids that ascend and lie
 * close together, as those of one claim do, cost one descent instead of one each.  A NULL snapshot is a fresh one.
 */
extern void spl_rows_by_id(const IdTable *from, Snapshot snapshot, int32 org, const pg_uuid_t *ids,
						   const ItemPointerData *places, int count, IdRowFn found, void *arg);

#endif

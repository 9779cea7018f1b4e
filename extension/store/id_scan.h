/*
 * id_scan.h
 *    Reading the rows of many ids, by their places where these are known, through an index on (org, id, ...) where not.
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
	int		 columns; /* as in TupleScan */
} IdTable;

/*
 * spl_rows_by_id hands the rows of "ids" to "found".  "places" (may be NULL) says where rows probably are, an invalid one
 * where that is not known: a row that is there costs no look into the index.  Through the index, ids that ascend and lie
 * close together, as those of one claim do, cost one descent instead of one each.  A NULL snapshot: rows that are committed when
 * they are read, or this transaction's own; for the index a fresh one.
 */
extern void spl_rows_by_id(const IdTable *from, Snapshot snapshot, int32 org, const pg_uuid_t *ids,
						   const ItemPointerData *places, int count, IdRowFn found, void *arg);

/*
 * A way along an index whose first columns are (org, id), from spl_walk_begin to spl_walk_end: ids that ascend and lie close
 * together cost one descent.
 */
typedef struct IdWalk
{
	TupleScan		 scan;
	int32			 org;
	int				 id_column;
	const pg_uuid_t *last; /* no id is above this one */
	pg_uuid_t		 id;   /* the one that is looked for */
	pg_uuid_t		 from; /* the one from which the scan was begun, and behind which third column */
	pg_uuid_t		 after;
	bool			 goes_on; /* rows of higher ids come behind the row on which the scan stands */
	bool			 at_end;
} IdWalk;

/* spl_walk_begin begins a walk to ids of which "last" is the highest. */
extern void spl_walk_begin(IdWalk *walk, const IdTable *from, Snapshot snapshot, int32 org, const pg_uuid_t *last);

/* spl_walk_to goes to the first row of an id; false: there is none. */
extern bool spl_walk_to(IdWalk *walk, const pg_uuid_t *id);

/* spl_walk_behind goes to the id's first row that has more than "after" in the index's third column. */
extern bool spl_walk_behind(IdWalk *walk, const pg_uuid_t *id, const pg_uuid_t *after);

/* spl_walk_next goes on to the next row of the same id. */
extern bool spl_walk_next(IdWalk *walk);
extern void spl_walk_end(IdWalk *walk);

#endif

/*
 * delete_run.h
 *    Deleting neighbours of a table.
 */
#ifndef SPL_DELETE_RUN_H
#define SPL_DELETE_RUN_H

#include "storage/itemptr.h"
#include "utils/rel.h"

/*
 * spl_delete_run deletes the first ones of some rows, as far as they are on one page and nothing stands in the way; waits for
 * nobody.  Returns how many; the one behind them is heap_delete's to decide on.
 */
extern int spl_delete_run(Relation table, const ItemPointerData *tids, int count, CommandId command);

#endif

/*
 * edge_row.h
 *    Between rows of dependency and struct Edge; for the files of the store that read edges.
 */
#ifndef SPL_EDGE_ROW_H
#define SPL_EDGE_ROW_H

#include "executor/tuptable.h"
#include "store/dependency_store.h"

enum EdgeColumn
{
	EDGE_ORG = 1,
	EDGE_PARENT,
	EDGE_CHILD,
	EDGE_MODE,
	EDGE_STATE
};

/* spl_edge_read returns an edge as it is stored. */
static inline Edge
spl_edge_read(TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	return (Edge) {
		.org = DatumGetInt32(slot->tts_values[EDGE_ORG - 1]),
		.parent = *DatumGetUUIDP(slot->tts_values[EDGE_PARENT - 1]),
		.child = *DatumGetUUIDP(slot->tts_values[EDGE_CHILD - 1]),
		.mode = (FanInMode) DatumGetChar(slot->tts_values[EDGE_MODE - 1]),
		.state = DatumGetChar(slot->tts_values[EDGE_STATE - 1]),
	};
}

#endif

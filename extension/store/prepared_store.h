/*
 * prepared_store.h
 *    Rows of prepared_delta: what transactions that were prepared for a two-phase commit noted.
 *
 * They become visible with the rest of what the transaction did.
 */
#ifndef SPL_PREPARED_STORE_H
#define SPL_PREPARED_STORE_H

#include "c.h"

#define PREPARED_RESERVED 0 /* in the place of a queue: what is reserved; minute is the day */

/* Opaque numbers. */
typedef struct PreparedDelta
{
	TransactionId xid; /* when it is read */
	int32		  org;
	int32		  queue; /* or PREPARED_RESERVED */
	int32		  minute;
	int			  number_count;
	int64		 *numbers;
} PreparedDelta;

typedef void (*PreparedDeltaFn)(const PreparedDelta *delta, void *arg);

extern void spl_prepared_delta_put(const PreparedDelta *delta);

/* spl_prepared_delta_list lists those that are committed, under the active snapshot; _take also deletes them. */
extern void spl_prepared_delta_list(PreparedDeltaFn read, void *arg);
extern int	spl_prepared_delta_take(PreparedDeltaFn take, void *arg);

/*
 * spl_prepared_reserved_look lists what is reserved, as far as whoever asks may see it: also of transactions that are not over,
 * which "is_open" tells.
 */
typedef void (*PreparedLookFn)(const PreparedDelta *delta, bool is_open, void *arg);
extern void spl_prepared_reserved_look(PreparedLookFn look, void *arg);

#endif

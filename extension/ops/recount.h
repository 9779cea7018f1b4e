/*
 * recount.h
 *    Keeping the counters in step with the tables: counting after a start, and two-phase commit.
 */
#ifndef SPL_RECOUNT_H
#define SPL_RECOUNT_H

#include "shmem/counters.h"
#include "store/counters_store.h"

/* spl_counter_of returns the counter that a ticket is counted in. */
extern CounterSlot spl_counter_of(TicketKind kind, char reason);

/* spl_count_windows returns the windows that end now, with the edges that the counters' rings have. */
extern CountWindows spl_count_windows(TimestampTz now);

/* spl_count_finished returns what a count says about the windows: all zeros for what is not finished. */
extern WindowSum spl_count_finished(const TicketCount *tickets);

/*
 * spl_counters_tick is the background worker's share: adds what prepared transactions noted, once they are committed,
 * and counts the tables when the counters are not known.  Outside a transaction; false: there was nothing to do.
 */
extern bool spl_counters_tick(void);

extern void spl_recount_init(void);

#endif

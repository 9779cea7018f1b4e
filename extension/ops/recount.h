/*
 * recount.h
 *    Keeping the counters in step with the tables: counting after a start, and two-phase commit.
 */
#ifndef SPL_RECOUNT_H
#define SPL_RECOUNT_H

#include "shmem/counters.h"
#include "store/ticket.h"

/* spl_counter_of returns the counter that a ticket is counted in. */
extern CounterSlot spl_counter_of(TicketKind kind, char reason);

/*
 * spl_counters_tick is the background worker's share: adds what prepared transactions noted, once they are committed,
 * and counts the tables when the counters are not known.  Outside a transaction; false: there was nothing to do.
 */
extern bool spl_counters_tick(void);

extern void spl_recount_init(void);

#endif

/*
 * recount.h
 *    Keeping the counters in step with the tables: counting after a start, and two-phase commit.
 */
#ifndef SPL_RECOUNT_H
#define SPL_RECOUNT_H

#include "shmem/counters.h"
#include "shmem/org_usage.h"
#include "store/counters_store.h"

/* spl_counter_of returns the counter that a ticket is counted in. */
extern CounterSlot spl_counter_of(TicketKind kind, char reason);

/* spl_count_windows returns the windows that end now, with the edges that the counters' rings have. */
extern CountWindows spl_count_windows(TimestampTz now);

/* spl_count_finished returns what a count says about the windows: all zeros for what is not finished. */
extern WindowSum spl_count_finished(const TicketCount *tickets);

/*
 * spl_counters_tick is the background worker's share: adds what prepared transactions noted, once they are committed, and
 * comes back when the tables are to be counted.  Outside a transaction; false: there was nothing to add.
 */
extern bool spl_counters_tick(void);

/* spl_counters_recount counts the tables and makes the counters known; false: there is no room for this database's. */
extern bool spl_counters_recount(void);

/* spl_counters_come_back_at makes the background worker look again at a time. */
extern void spl_counters_come_back_at(TimestampTz due);

/* spl_prepared_reserved reads from the tables what prepared transactions have reserved that are not over. */
extern UsageCount spl_prepared_reserved(int32 org, int32 day);

extern void spl_recount_init(void);

#endif

/*
 * lease_clock.h
 *    For each block of the lease table: not before when one of its leases can be over.
 *
 * It stands in for an index on the leases' end, which would cost every claim an entry that almost no lease needs.  A time
 * may be too early (the lease was renewed, or its job is done): then the block is looked at for nothing, once.  It must
 * never be too late.
 */
#ifndef SPL_LEASE_CLOCK_H
#define SPL_LEASE_CLOCK_H

#include "datatype/timestamp.h"
#include "storage/block.h"

/* spl_lease_clock_lower tells of a lease in a block; called right after its row was written. */
extern void spl_lease_clock_lower(BlockNumber block, TimestampTz lease_expires_at);

/* spl_lease_clock_unknown makes every block be looked at, so that what was written behind our back is found. */
extern void spl_lease_clock_unknown(void);

/*
 * spl_lease_clock_take returns the first block from "from" on, below "blocks", that has to be looked at now, and forgets its
 * time: the caller tells the clock of every lease that it finds there, committed or not.  InvalidBlockNumber: none.
 */
extern BlockNumber spl_lease_clock_take(BlockNumber from, BlockNumber blocks, TimestampTz now);

/* spl_lease_clock_next returns the earliest time of the blocks below "blocks"; DT_NOEND: none. */
extern TimestampTz spl_lease_clock_next(BlockNumber blocks);

extern Size spl_lease_clock_shmem_size(void);
extern void spl_lease_clock_shmem_startup(void);

#endif

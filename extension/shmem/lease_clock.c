/*
 * lease_clock.c
 *    The earliest possible end of a lease, by block of the lease table.
 *
 * A cell is lowered after the row is in its page, and taken before the page is read; the reader sees rows of open
 * transactions too.  So a row that the reader misses was written after it read the page, and lowers the cell that the reader
 * has just emptied.  Blocks that share a cell (the table is larger than the clock) are looked at together.  A database's
 * cells start at the beginning of time: after a crash, or for another database in the same slot, every block is looked at.
 */
#include "postgres.h"

#include "base/guc.h"
#include "port/atomics.h"
#include "shmem/database.h"
#include "shmem/lease_clock.h"
#include "storage/shmem.h"

#define UNKNOWN DT_NOBEGIN

typedef struct LeaseClock
{
	uint32			 incarnation; /* of the slot; another one's times are worthless */
	pg_atomic_uint64 cell[FLEXIBLE_ARRAY_MEMBER];
} LeaseClock;

static char *clocks = NULL;

static Size
clock_size(void)
{
	return MAXALIGN(
		add_size(offsetof(LeaseClock, cell), mul_size(spooled_lease_clock_blocks, sizeof(pg_atomic_uint64))));
}

Size
spl_lease_clock_shmem_size(void)
{
	return mul_size(clock_size(), spooled_max_databases);
}

static void
forget(LeaseClock *clock)
{
	for (int i = 0; i < spooled_lease_clock_blocks; i++)
		pg_atomic_write_u64(&clock->cell[i], (uint64) UNKNOWN);
}

void
spl_lease_clock_shmem_startup(void)
{
	bool found;

	clocks = ShmemInitStruct("spooled lease clocks", spl_lease_clock_shmem_size(), &found);
	for (int i = 0; !found && i < spooled_max_databases; i++)
	{
		LeaseClock *clock = (LeaseClock *) (clocks + i * clock_size());

		clock->incarnation = 0;
		for (int c = 0; c < spooled_lease_clock_blocks; c++)
			pg_atomic_init_u64(&clock->cell[c], (uint64) UNKNOWN);
	}
}

/* own_clock returns the clock of this database, or NULL: then it has no background worker either. */
static LeaseClock *
own_clock(void)
{
	int slot = clocks ? spl_database_slot() : SPL_NO_SLOT;

	return slot == SPL_NO_SLOT ? NULL : (LeaseClock *) (clocks + slot * clock_size());
}

static inline pg_atomic_uint64 *
cell_of(LeaseClock *clock, BlockNumber block)
{
	return &clock->cell[Min(block, (BlockNumber) spooled_lease_clock_blocks - 1)];
}

static void
lower(pg_atomic_uint64 *cell, TimestampTz time)
{
	uint64 now = pg_atomic_read_u64(cell);

	while ((TimestampTz) now > time && !pg_atomic_compare_exchange_u64(cell, &now, (uint64) time))
		;
}

void
spl_lease_clock_lower(BlockNumber block, TimestampTz lease_expires_at)
{
	LeaseClock *clock = own_clock();

	if (clock)
		lower(cell_of(clock, block), lease_expires_at);
}

void
spl_lease_clock_unknown(void)
{
	LeaseClock *clock = own_clock();

	if (clock)
		forget(clock);
}

BlockNumber
spl_lease_clock_take(BlockNumber from, BlockNumber blocks, TimestampTz now)
{
	LeaseClock *clock = own_clock();
	BlockNumber shared = spooled_lease_clock_blocks - 1;

	if (clock == NULL)
		return InvalidBlockNumber;
	if (clock->incarnation != spl_database_incarnation(spl_database_slot()))
	{
		clock->incarnation = spl_database_incarnation(spl_database_slot());
		forget(clock);
	}
	for (BlockNumber block = from; block < blocks; block++)
	{
		/* Behind the first of the blocks that share a cell, the cell is empty already: look at all of them. */
		if (block > shared && from > shared)
			return block;
		if ((TimestampTz) pg_atomic_read_u64(cell_of(clock, block)) > now)
		{
			if (block >= shared)
				break;
			continue;
		}
		pg_atomic_write_u64(cell_of(clock, block), (uint64) DT_NOEND);
		return block;
	}
	return InvalidBlockNumber;
}

TimestampTz
spl_lease_clock_next(BlockNumber blocks)
{
	LeaseClock *clock = own_clock();
	TimestampTz next = DT_NOEND;

	for (BlockNumber block = 0; clock && block < Min(blocks, (BlockNumber) spooled_lease_clock_blocks); block++)
		next = Min(next, (TimestampTz) pg_atomic_read_u64(&clock->cell[block]));
	return next;
}

/*
 * lease_sweep.c
 *    Finding the leases that are over.
 *
 * The clock in shared memory says which blocks of the lease table can hold one; only those are read.  Reading a block renews
 * its time from the rows that are in it, those of open transactions among them, so each block is looked at about once in the
 * length of a lease.  Now and then all of them are, for rows that came past the clock (a restored dump, VACUUM FULL).
 */
#include "postgres.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "base/clock.h"
#include "base/compat.h"
#include "shmem/lease_clock.h"
#include "storage/bufmgr.h"
#include "store/lease_sweep.h"
#include "store/ticket_row.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define LOOK_AT_ALL_MS 60000
#define LOOK_AT_ALL_SHARE 100 /* at most one part of the time in so many */

static TimestampTz all_looked_at = DT_NOBEGIN;
static uint64	   known_storage = 0;

/* read_block tells the clock of every lease in a block that is not over, and lists the others; returns how many. */
static int
read_block(Relation table, BlockNumber block, TimestampTz now, int room, Ticket *leases)
{
	SnapshotData	dirty;
	ItemPointerData first, last;
	TupleTableSlot *slot = spl_slot_create(table);
	TableScanDesc	scan;
	int				count = 0;

	InitDirtySnapshot(dirty);
	ItemPointerSet(&first, block, FirstOffsetNumber);
	ItemPointerSet(&last, block, MaxOffsetNumber);
	scan = table_beginscan_tidrange(table, &dirty, &first, &last);
	while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot))
	{
		Ticket lease;

		spl_ticket_read(TICKET_LEASE, slot, &lease);
		if (lease.lease_expires_at <= now && count < room)
			leases[count++] = lease;
		spl_lease_clock_lower(block, Max(lease.lease_expires_at, now));
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return count;
}

/* look_at_all_sometimes makes every block unknown when that is due, or when the table is in another file. */
static void
look_at_all_sometimes(Relation table, TimestampTz now)
{
	if (spl_storage_of(table) == known_storage && now < all_looked_at)
		return;
	known_storage = spl_storage_of(table);
	all_looked_at = now + LOOK_AT_ALL_MS * INT64CONST(1000);
	spl_lease_clock_unknown();
}

int
spl_lease_list_due(TimestampTz now, int limit, Ticket *leases)
{
	Relation	table = table_open(spl_table_oid(TABLE_LEASE), RowExclusiveLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(table);
	BlockNumber block = 0;
	int			count = 0;

	look_at_all_sometimes(table, now);
	while (count < limit && (block = spl_lease_clock_take(block, blocks, now)) != InvalidBlockNumber)
	{
		count += read_block(table, block, now, limit - count, &leases[count]);
		block++;
	}
	if (count == limit)
		spl_lease_clock_lower(block, now); /* blocks that share a cell may be left */
	all_looked_at = Max(all_looked_at, now + (spl_clock_now() - now) * LOOK_AT_ALL_SHARE);
	table_close(table, NoLock);
	return count;
}

TimestampTz
spl_lease_next_sweep(void)
{
	Relation	table = table_open(spl_table_oid(TABLE_LEASE), AccessShareLock);
	TimestampTz next = spl_lease_clock_next(RelationGetNumberOfBlocks(table));

	table_close(table, NoLock);
	if (next == DT_NOEND)
		return all_looked_at;
	return Min(next, all_looked_at);
}

/*
 * ready_store.c
 *    Ready tickets: claimed in the order of the index (queue, priority desc, job id).
 *
 * A claim deletes what it can without waiting: a ticket that another transaction is just taking is passed over, and if that
 * transaction rolls back, the ticket is there for the next claim.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "base/clock.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

static void
queue_key(ScanKey keys, int32 queue)
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(queue));
}

/* is_claimable tells whether the scan's ticket may be handed to a worker of this organization. */
static bool
is_claimable(TupleTableSlot *slot, int32 org, TimestampTz now)
{
	bool		isnull;
	Datum		expires_at = slot_getattr(slot, TICKET_EXPIRES_AT, &isnull);

	if (!isnull && DatumGetTimestampTz(expires_at) <= now)
		return false;
	return DatumGetInt32(slot_getattr(slot, TICKET_ORG, &isnull)) == org;
}

int
spl_ready_take(int32 org, int32 queue, TimestampTz now, int limit, Ticket *tickets)
{
	TupleScan	scan;
	ScanKeyData keys[1];
	int			count = 0;

	queue_key(keys, queue);
	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, NULL, 1);
	spl_scan_keys(&scan, keys, 1);
	while (count < limit && spl_scan_next(&scan, ForwardScanDirection))
	{
		if (!is_claimable(scan.slot, org, now))
			continue;
		if (spl_tuple_delete(scan.table, &scan.slot->tts_tid, scan.snapshot, false) == DELETE_OK)
			spl_ticket_read(TICKET_READY, scan.slot, &tickets[count++]);
	}
	spl_scan_end(&scan);
	return count;
}

bool
spl_ready_exists(int32 org, int32 queue, TimestampTz now)
{
	TupleScan	scan;
	ScanKeyData keys[1];
	bool		found = false;

	queue_key(keys, queue);
	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, 1);
	spl_scan_keys(&scan, keys, 1);
	while (!found && spl_scan_next(&scan, ForwardScanDirection))
		found = is_claimable(scan.slot, org, now);
	spl_scan_end(&scan);
	return found;
}

/* next_priority moves the scan to the first ticket of the queue below "priority"; false: there is none. */
static bool
next_priority(TupleScan *scan, int32 queue, int priority)
{
	ScanKeyData keys[2];

	queue_key(keys, queue);
	/* The column is descending in the index; the strategy names the order of values, so "less" is "further on". */
	ScanKeyInit(&keys[1], 2, BTLessStrategyNumber, F_INT2LT, Int16GetDatum(priority));
	spl_scan_keys(scan, keys, 2);
	return spl_scan_next(scan, ForwardScanDirection);
}

TimestampTz
spl_ready_oldest(int32 org, int32 queue)
{
	TupleScan	scan;
	TimestampTz oldest = NO_TIME;
	int			priority = PG_INT16_MAX;

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, 2);
	while (next_priority(&scan, queue, priority))
	{
		Ticket		ticket;

		spl_ticket_read(TICKET_READY, scan.slot, &ticket);
		if (ticket.org == org && (oldest == NO_TIME || ticket.since < oldest))
			oldest = ticket.since;
		priority = ticket.priority;
	}
	spl_scan_end(&scan);
	return oldest;
}

/* find_at reads the ticket of a job in a queue at one priority. */
static bool
find_at(TupleScan *scan, int32 org, const pg_uuid_t *job_id, int32 queue, int16 priority, Ticket *ticket)
{
	ScanKeyData keys[3];

	queue_key(keys, queue);
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(priority));
	ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(job_id));
	spl_scan_keys(scan, keys, 3);
	if (!spl_scan_next(scan, ForwardScanDirection))
		return false;
	spl_ticket_read(TICKET_READY, scan->slot, ticket);
	return ticket->org == org;
}

bool
spl_ready_find(int32 org, const pg_uuid_t *job_id, int32 queue, int16 likely, Snapshot snapshot, Ticket *ticket)
{
	TupleScan	scan;
	int			priority = PG_INT16_MAX;
	bool		found;

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, snapshot, 3);
	found = find_at(&scan, org, job_id, queue, likely, ticket);
	spl_scan_end(&scan);
	if (found)
		return true;

	/* The priority was changed: at most 201 probes, one for each priority that the queue has now. */
	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, snapshot, 2);
	while (!found && next_priority(&scan, queue, priority))
	{
		bool		isnull;
		TupleScan	probe;

		priority = DatumGetInt16(slot_getattr(scan.slot, TICKET_PRIORITY, &isnull));
		spl_scan_begin(&probe, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, snapshot, 3);
		found = find_at(&probe, org, job_id, queue, priority, ticket);
		spl_scan_end(&probe);
	}
	spl_scan_end(&scan);
	return found;
}

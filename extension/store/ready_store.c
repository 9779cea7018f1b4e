/*
 * ready_store.c
 *    Ready tickets: claimed in the order of the index (queue, priority desc, job id).
 *
 * A claim deletes what it can without waiting: a ticket that another transaction is just taking is passed over, and if that
 * transaction rolls back, the ticket is there for the next claim.  Which tickets to try comes from the list in shared
 * memory; its entries are hints, so each row is fetched as it is now and compared before it is deleted: since vacuum, its
 * place may hold somebody else's ticket.  Between the two it stays there, since the statement's own snapshot is older than
 * whoever deletes it now.
 *
 * Who only looks begins where that list does, or he would pass over all that was taken since the oldest snapshot.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/uuid7.h"
#include "shmem/claim_list.h"
#include "shmem/claim_notes.h"
#include "storage/procarray.h"
#include "store/ready_refill.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define POP_MOST 128   /* entries of one pop */
#define MAX_REFILLS 64 /* of one claim: enough for its jobs, and an end to a race that goes on and on */

static void
queue_key(ScanKey keys, int32 queue)
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(queue));
}

/* is_claimable tells whether the scan's ticket may be handed to a worker of this organization. */
static bool
is_claimable(TupleTableSlot *slot, int32 org, TimestampTz now)
{
	bool  isnull;
	Datum expires_at = slot_getattr(slot, TICKET_EXPIRES_AT, &isnull);

	if (!isnull && DatumGetTimestampTz(expires_at) <= now)
		return false;
	return DatumGetInt32(slot_getattr(slot, TICKET_ORG, &isnull)) == org;
}

/*
 * take_by_scan takes tickets from the start of the index: without a list, under a snapshot that is not fresh, and when this
 * transaction has made tickets itself.
 */
static int
take_by_scan(int32 org, int32 queue, TimestampTz now, int limit, Ticket *tickets)
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
		if (spl_tuple_delete(scan.table, &scan.slot->tts_tid, scan.snapshot, false) != DELETE_OK)
			continue;
		spl_ticket_read(TICKET_READY, scan.slot, &tickets[count]);
		spl_ready_note_taken(queue, tickets[count].priority, &tickets[count].job_id);
		count++;
	}
	spl_scan_end(&scan);
	return count;
}

/* read_entries reads what was popped off a list, as far as it is still there; returns how many. */
static int
read_entries(Relation table, int32 org, TimestampTz now, const ClaimEntry *entries, int popped, Ticket *tickets)
{
	PlaceReader reader;
	int			count = 0;

	Assert(ActiveSnapshotSet());
	spl_reader_begin(&reader, TABLE_READY, table, SnapshotSelf, popped);
	for (int i = 0; i < popped; i++)
		if (spl_reader_row(&reader, &entries[i].tid))
		{
			spl_ticket_read(TICKET_READY, reader.slot, &tickets[count]);
			if (spl_uuid_equal(&tickets[count].job_id, &entries[i].job_id) && is_claimable(reader.slot, org, now))
				count++;
		}
	spl_reader_end(&reader);
	return count;
}

/* take_entries takes what was popped off a list; returns how many. */
static int
take_entries(Relation table, int32 org, TimestampTz now, const ClaimEntry *entries, int popped, Ticket *tickets)
{
	int				read = read_entries(table, org, now, entries, popped, tickets);
	ItemPointerData tids[POP_MOST];
	DeleteResult	results[POP_MOST];
	int				count = 0;

	for (int i = 0; i < read; i++)
		tids[i] = tickets[i].tid;
	spl_tuples_delete(table, tids, read, SnapshotSelf, false, results);
	for (int i = 0; i < read; i++)
		if (results[i] == DELETE_OK)
			tickets[count++] = tickets[i];
	spl_claim_list_missed(popped - count);
	return count;
}

/* lists_count tells whether the lists know what this transaction can see. */
static bool
lists_count(int32 queue)
{
	return !IsolationUsesXactSnapshot() && !spl_ready_is_noted(queue);
}

int
spl_ready_take(int32 org, int32 queue, TimestampTz now, int limit, Ticket *tickets)
{
	ClaimList *list = lists_count(queue) ? spl_claim_list_of(queue) : NULL;
	ClaimEntry entries[POP_MOST];
	Relation   table;
	PopAnswer  answer = POP_SOME;
	int		   count = 0;
	int		   refills = 0;

	if (list == NULL)
		return take_by_scan(org, queue, now, limit, tickets);
	table = table_open(spl_table_oid(TABLE_READY), RowExclusiveLock);
	while (count < limit && answer != POP_NONE && answer != POP_NO_LIST && refills < MAX_REFILLS)
	{
		int popped;

		answer = spl_claim_list_pop(list, queue, spl_storage_of(table), Min(limit - count, POP_MOST), entries, &popped);
		if (answer == POP_SOME)
			count += take_entries(table, org, now, entries, popped, &tickets[count]);
		else if (answer == POP_REFILL)
		{
			spl_ready_refill(list, queue, limit - count);
			refills++;
		}
	}
	table_close(table, NoLock);
	if (count == 0 && answer != POP_NONE)
		return take_by_scan(org, queue, now, limit, tickets);
	return count;
}

/* is_being_taken tells whether an open transaction is about to take (or to keep) the scan's ticket. */
static bool
is_being_taken(TupleTableSlot *slot)
{
	bool		  isnull;
	TransactionId by = DatumGetTransactionId(slot_getsysattr(slot, MaxTransactionIdAttributeNumber, &isnull));

	return TransactionIdIsNormal(by) && TransactionIdIsInProgress(by);
}

/* finds_claimable goes on with a scan until it stands on a ticket that could be claimed now. */
static bool
finds_claimable(TupleScan *scan, int32 org, TimestampTz now)
{
	while (spl_scan_next(scan, ForwardScanDirection))
		if (is_claimable(scan->slot, org, now) && !is_being_taken(scan->slot))
			return true;
	return false;
}

/* What somebody is just taking does not count; if he rolls back, who waits is told (spl_ready_note_taken). */
bool
spl_ready_exists(int32 org, int32 queue, TimestampTz now)
{
	ClaimLevel	starts[CLAIM_LIST_LEVELS];
	int			count = 0;
	bool		has_starts = lists_count(queue) && spl_claim_list_starts(queue, starts, &count);
	TupleScan	scan;
	ScanKeyData keys[3];
	bool		found = false;

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, has_starts ? 3 : 1);
	for (int i = 0; i < count && !found; i++)
	{
		spl_ready_level_keys(keys, queue, &starts[i]);
		spl_scan_keys(&scan, keys, 3);
		found = finds_claimable(&scan, org, now);
	}
	if (!has_starts)
	{
		queue_key(keys, queue);
		spl_scan_keys(&scan, keys, 1);
		found = finds_claimable(&scan, org, now);
	}
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

/* read_oldest lowers "oldest" to the time of the scan's ticket, and returns the ticket's priority. */
static int16
read_oldest(TupleScan *scan, int32 org, TimestampTz *oldest)
{
	Ticket ticket;

	spl_ticket_read(TICKET_READY, scan->slot, &ticket);
	if (ticket.org == org && (*oldest == NO_TIME || ticket.since < *oldest))
		*oldest = ticket.since;
	return ticket.priority;
}

TimestampTz
spl_ready_oldest(int32 org, int32 queue)
{
	ClaimLevel	starts[CLAIM_LIST_LEVELS];
	int			count = 0;
	bool		has_starts = lists_count(queue) && spl_claim_list_starts(queue, starts, &count);
	TupleScan	scan;
	TimestampTz oldest = NO_TIME;
	int			priority = PG_INT16_MAX;

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, has_starts ? 3 : 2);
	for (int i = 0; i < count; i++)
	{
		ScanKeyData keys[3];

		spl_ready_level_keys(keys, queue, &starts[i]);
		spl_scan_keys(&scan, keys, 3);
		if (spl_scan_next(&scan, ForwardScanDirection))
			read_oldest(&scan, org, &oldest);
	}
	while (!has_starts && next_priority(&scan, queue, priority))
		priority = read_oldest(&scan, org, &oldest);
	spl_scan_end(&scan);
	return oldest;
}

/* count_until goes on with a scan until it stands on the ticket, and counts up to "limit" at most. */
static int
count_until(TupleScan *scan, const Ticket *ticket, int count, int limit)
{
	while (count < limit && spl_scan_next(scan, ForwardScanDirection))
	{
		bool  isnull;
		int16 priority = DatumGetInt16(slot_getattr(scan->slot, TICKET_PRIORITY, &isnull));
		Datum id = slot_getattr(scan->slot, TICKET_JOB_ID, &isnull);

		if (priority < ticket->priority ||
			(priority == ticket->priority && memcmp(DatumGetUUIDP(id)->data, ticket->job_id.data, UUID_LEN) >= 0))
			break;
		count++;
	}
	return count;
}

int
spl_ready_count_ahead(const Ticket *ticket, int limit)
{
	ClaimLevel	starts[CLAIM_LIST_LEVELS];
	int			levels = 0;
	bool		has_starts = lists_count(ticket->queue) && spl_claim_list_starts(ticket->queue, starts, &levels);
	TupleScan	scan;
	ScanKeyData keys[3];
	int			count = 0;

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, has_starts ? 3 : 1);
	for (int i = 0; i < levels && starts[i].priority >= ticket->priority; i++)
	{
		spl_ready_level_keys(keys, ticket->queue, &starts[i]);
		spl_scan_keys(&scan, keys, 3);
		count = count_until(&scan, ticket, count, limit);
	}
	if (!has_starts)
	{
		queue_key(keys, ticket->queue);
		spl_scan_keys(&scan, keys, 1);
		count = count_until(&scan, ticket, 0, limit);
	}
	spl_scan_end(&scan);
	return count;
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
	TupleScan scan;
	int		  priority = PG_INT16_MAX;
	bool	  found;

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, snapshot, 3);
	found = find_at(&scan, org, job_id, queue, likely, ticket);
	spl_scan_end(&scan);
	if (found)
		return true;

	/* The priority was changed: at most 201 probes, one for each priority that the queue has now. */
	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, snapshot, 2);
	while (!found && next_priority(&scan, queue, priority))
	{
		bool	  isnull;
		TupleScan probe;

		priority = DatumGetInt16(slot_getattr(scan.slot, TICKET_PRIORITY, &isnull));
		spl_scan_begin(&probe, TABLE_READY, INDEX_READY_CLAIM, RowExclusiveLock, snapshot, 3);
		found = find_at(&probe, org, job_id, queue, priority, ticket);
		spl_scan_end(&probe);
	}
	spl_scan_end(&scan);
	return found;
}

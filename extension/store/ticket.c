/*
 * ticket.c
 *    Finding, taking and putting tickets.
 *
 * A ticket is looked for in all six tables under one snapshot, since between two snapshots a job can move from a table that
 * was not yet read to one that was.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "shmem/claim_notes.h"
#include "storage/lmgr.h"
#include "store/due_scan.h"
#include "store/ticket_row.h"
#include "utils/snapmgr.h"

static const SplIndex job_index[TICKET_KINDS] = {
	[TICKET_READY] = INDEX_READY_CLAIM,			  [TICKET_DELAYED] = INDEX_DELAYED_JOB,
	[TICKET_BLOCKED] = INDEX_BLOCKED_JOB,		  [TICKET_LEASE] = INDEX_LEASE_JOB,
	[TICKET_DEAD_LETTER] = INDEX_DEAD_LETTER_JOB, [TICKET_OUTCOME] = INDEX_OUTCOME_JOB,
};

/* find_in reads the ticket of a job in one table that has a key (org, job id). */
static bool
find_in(TicketKind kind, int32 org, const pg_uuid_t *job_id, Snapshot snapshot, Ticket *ticket)
{
	TupleScan	scan;
	ScanKeyData keys[2];
	bool		found;

	spl_ticket_keys(keys, org, job_id);
	spl_scan_begin(&scan, spl_ticket_table(kind), job_index[kind], RowExclusiveLock, snapshot, 2);
	spl_scan_keys(&scan, keys, 2);
	found = spl_scan_next(&scan, ForwardScanDirection);
	if (found)
		spl_ticket_read(kind, scan.slot, ticket);
	spl_scan_end(&scan);
	return found;
}

static bool
find_under(Snapshot snapshot, int32 org, const pg_uuid_t *job_id, int32 queue, int16 priority, Ticket *ticket)
{
	static const TicketKind order[] = {TICKET_LEASE, TICKET_OUTCOME, TICKET_DELAYED, TICKET_DEAD_LETTER,
									   TICKET_BLOCKED};

	for (int i = 0; i < lengthof(order); i++)
		if (find_in(order[i], org, job_id, snapshot, ticket))
			return true;
	return spl_ready_find(org, job_id, queue, priority, snapshot, ticket);
}

/* refuse_outdated raises 40001 when the job has moved since this transaction's snapshot: no answer would be right. */
static void
refuse_outdated(int32 org, const pg_uuid_t *job_id, int32 queue, int16 priority, Ticket *seen)
{
	Snapshot latest = spl_snapshot_latest();
	Ticket	 now;
	bool	 found = find_under(latest, org, job_id, queue, priority, &now);

	UnregisterSnapshot(latest);
	if (found != (seen != NULL) || (found && (now.kind != seen->kind || !ItemPointerEquals(&now.tid, &seen->tid))))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
}

bool
spl_ticket_find(int32 org, const pg_uuid_t *job_id, int32 queue, int16 priority, Ticket *ticket)
{
	Snapshot snapshot = spl_snapshot_fresh();
	bool	 found = find_under(snapshot, org, job_id, queue, priority, ticket);

	UnregisterSnapshot(snapshot);
	if (IsolationUsesXactSnapshot())
		refuse_outdated(org, job_id, queue, priority, found ? ticket : NULL);
	return found;
}

/* note_taken translates what became of a ticket's row. */
static TakeResult
note_taken(const Ticket *ticket, DeleteResult deleted)
{
	if (deleted != DELETE_OK)
		return TAKE_LOST;
	if (ticket->kind == TICKET_READY)
		spl_ready_note_taken(ticket->queue, ticket->priority, &ticket->job_id);
	return TAKE_OK;
}

/* take deletes tickets, of those that may be gone the ones that are "there" (NULL: all). */
static void
take(Relation table, const Ticket *tickets, const bool *there, int count, Snapshot snapshot, bool wait,
	 TakeResult *results)
{
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) * count);
	DeleteResult	*deleted = palloc(sizeof(DeleteResult) * count);
	int				 found = 0;

	for (int i = 0; i < count; i++)
		if (there == NULL || there[i])
			tids[found++] = tickets[i].tid;
	spl_tuples_delete(table, tids, found, snapshot, wait, deleted);
	found = 0;
	for (int i = 0; i < count; i++)
		results[i] = there == NULL || there[i] ? note_taken(&tickets[i], deleted[found++]) : TAKE_LOST;
	pfree(tids);
	pfree(deleted);
}

void
spl_ticket_take_many(const Ticket *tickets, int count, bool wait, TakeResult *results)
{
	Snapshot		snapshot;
	Relation		table;
	TupleTableSlot *slot;
	bool		   *there;

	if (count == 0)
		return;
	snapshot = spl_snapshot_fresh();
	table = table_open(spl_table_oid(spl_ticket_table(tickets[0].kind)), RowExclusiveLock);
	slot = table_slot_create(table, NULL);
	there = palloc(sizeof(bool) * count);
	for (int i = 0; i < count; i++)
	{
		ItemPointerData tid = tickets[i].tid;

		Assert(tickets[i].kind == tickets[0].kind);
		there[i] = spl_tuple_is_row(table, &tid, snapshot, slot, TICKET_ORG, tickets[i].org, TICKET_JOB_ID,
									&tickets[i].job_id);
	}
	take(table, tickets, there, count, snapshot, wait, results);
	pfree(there);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	UnregisterSnapshot(snapshot);
}

void
spl_ticket_take_seen(const Ticket *tickets, int count, Snapshot seen, bool wait, TakeResult *results)
{
	Relation table;

	if (count == 0)
		return;
	Assert(seen || ActiveSnapshotSet());
	table = table_open(spl_table_oid(spl_ticket_table(tickets[0].kind)), NoLock); /* who saw them has locked it */
	Assert(CheckRelationLockedByMe(table, RowExclusiveLock, true));
	take(table, tickets, NULL, count, seen ? seen : SnapshotSelf, wait, results);
	table_close(table, NoLock);
}

TakeResult
spl_ticket_take(const Ticket *ticket)
{
	TakeResult result;

	spl_ticket_take_many(ticket, 1, true, &result);
	return result;
}

TakeResult
spl_ticket_hold(const Ticket *ticket)
{
	Snapshot		snapshot = spl_snapshot_fresh();
	Relation		table = table_open(spl_table_oid(spl_ticket_table(ticket->kind)), RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	ItemPointerData tid = ticket->tid;
	bool			held;

	held = spl_tuple_is_row(table, &tid, snapshot, slot, TICKET_ORG, ticket->org, TICKET_JOB_ID, &ticket->job_id) &&
		spl_tuple_lock(table, &tid, snapshot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	UnregisterSnapshot(snapshot);
	if (held && ticket->kind == TICKET_READY)
		spl_ready_note_held(ticket->queue, ticket->priority, &ticket->job_id);
	return held ? TAKE_OK : TAKE_LOST;
}

void
spl_ticket_put(const Ticket *tickets, int count)
{
	ItemPointer tids;

	if (count == 0)
		return;
	tids = palloc(sizeof(ItemPointerData) * count);
	spl_tuples_insert(spl_ticket_table(tickets[0].kind), tickets, count, spl_ticket_fill, tids);
	if (tickets[0].kind == TICKET_LEASE)
		spl_lease_placed(tickets, tids, count);
	spl_due_placed(tickets, count);
	pfree(tids);
}

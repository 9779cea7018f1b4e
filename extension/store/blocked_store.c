/*
 * blocked_store.c
 *    Tickets of jobs that wait for parents.
 */
#include "postgres.h"

#include "store/blocked_store.h"
#include "store/id_scan.h"
#include "store/ticket_row.h"

static const IdTable blocked = {TABLE_BLOCKED, INDEX_BLOCKED_JOB, RowExclusiveLock,
								TICKET_ORG,	   TICKET_JOB_ID,	  TICKET_OWN_COLUMNS + 1};

/* The answer of spl_blocked_find_many under construction. */
typedef struct BlockedRows
{
	Ticket *tickets;
	bool   *found;
} BlockedRows;

static void
see_blocked(TupleTableSlot *slot, int i, void *arg)
{
	BlockedRows *rows = arg;

	spl_ticket_read(TICKET_BLOCKED, slot, &rows->tickets[i]);
	rows->found[i] = true;
}

void
spl_blocked_find_many(int32 org, const pg_uuid_t *job_ids, int count, Snapshot snapshot, Ticket *tickets, bool *found)
{
	BlockedRows rows = {tickets, found};

	memset(found, 0, sizeof(bool) * count);
	if (count > 0)
		spl_rows_by_id(&blocked, snapshot, org, job_ids, NULL, count, see_blocked, &rows);
}

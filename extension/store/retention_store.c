/*
 * retention_store.c
 *    Finding and deleting what is kept long enough.
 */
#include "postgres.h"

#include "store/retention_store.h"
#include "store/row_list.h"

static SpiPlan next_org = {
	.sql = "SELECT id FROM spooled.org WHERE id > $1 ORDER BY id LIMIT 1",
	.nargs = 1,
	.argtypes = {INT4OID},
};

static void
read_int(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int32 *) arg = spl_row_int32(row, desc, 1);
}

int32
spl_org_after(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};
	int32 next = 0;

	spl_spi_run(&next_org, values, NULL, read_int, &next);
	return next;
}

static SpiPlan list_dead_letters = {
	.sql = "SELECT ctid, job_id, queue, since, ' '::\"char\" FROM spooled.dead_letter"
		   " WHERE org = $1 AND job_id > $2 AND job_id < $3 ORDER BY job_id LIMIT $4",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, UUIDOID, INT4OID},
};

static SpiPlan list_outcomes = {
	.sql = "SELECT ctid, job_id, queue, since, kind FROM spooled.outcome"
		   " WHERE org = $1 AND job_id > $2 AND job_id < $3 ORDER BY job_id LIMIT $4",
	.nargs = 4,
	.argtypes = {INT4OID, UUIDOID, UUIDOID, INT4OID},
};

typedef struct TicketList
{
	TicketKind kind;
	int32	   org;
	Ticket	  *tickets;
	int		   count;
} TicketList;

static void
add_ticket(HeapTuple row, TupleDesc desc, void *arg)
{
	TicketList *list = arg;
	Ticket	   *ticket = &list->tickets[list->count++];

	memset(ticket, 0, sizeof(*ticket));
	ticket->kind = list->kind;
	ticket->org = list->org;
	ticket->tid = *(ItemPointer) DatumGetPointer(spl_row_datum(row, desc, 1, NULL));
	spl_row_uuid(row, desc, 2, &ticket->job_id);
	ticket->queue = spl_row_int32(row, desc, 3);
	ticket->since = spl_row_time(row, desc, 4);
	ticket->reason = DatumGetChar(spl_row_datum(row, desc, 5, NULL));
}

int
spl_retention_list(TicketKind kind, int32 org, const pg_uuid_t *after, const pg_uuid_t *before, int limit,
				   Ticket *tickets)
{
	TicketList list = {kind, org, tickets, 0};
	Datum	   values[] = {Int32GetDatum(org), UUIDPGetDatum(after), UUIDPGetDatum(before), Int32GetDatum(limit)};

	spl_spi_run(kind == TICKET_OUTCOME ? &list_outcomes : &list_dead_letters, values, NULL, add_ticket, &list);
	return list.count;
}

static SpiPlan delete_attempts = {
	.sql =
		"WITH page AS (SELECT a.job_id, a.run FROM spooled.attempt a"
		"   WHERE a.org = $1 AND (a.job_id, a.run) > ($2, $3) AND a.job_id < $4 ORDER BY a.job_id, a.run LIMIT $5),"
		" gone AS (DELETE FROM spooled.attempt a USING page p WHERE a.org = $1 AND a.job_id = p.job_id AND a.run = p.run"
		"   AND a.ended_at < $6 AND EXISTS (SELECT FROM spooled.outcome o WHERE o.org = $1 AND o.job_id = a.job_id))"
		" SELECT job_id, run FROM page ORDER BY job_id, run",
	.nargs = 6,
	.argtypes = {INT4OID, UUIDOID, INT4OID, UUIDOID, INT4OID, TIMESTAMPTZOID},
};

static void
read_place(HeapTuple row, TupleDesc desc, void *arg)
{
	AttemptPlace *place = arg;

	spl_row_uuid(row, desc, 1, &place->job_id);
	place->run = spl_row_int32(row, desc, 2);
}

int
spl_retention_delete_attempts(int32 org, AttemptPlace *place, const pg_uuid_t *before, TimestampTz cutoff, int limit)
{
	AttemptPlace from = *place;
	Datum		 values[] = {Int32GetDatum(org),	UUIDPGetDatum(&from.job_id), Int32GetDatum(from.run),
							 UUIDPGetDatum(before), Int32GetDatum(limit),		 TimestampTzGetDatum(cutoff)};

	return spl_spi_run(&delete_attempts, values, NULL, read_place, place);
}

static SpiPlan delete_events = {
	.sql = "WITH page AS (SELECT e.id FROM spooled.event_log e WHERE e.id > $1 AND e.at < $2 ORDER BY e.id LIMIT $3),"
		   " gone AS (DELETE FROM spooled.event_log e USING page p WHERE e.id = p.id)"
		   " SELECT id FROM page ORDER BY id",
	.nargs = 3,
	.argtypes = {INT8OID, TIMESTAMPTZOID, INT4OID},
};

static SpiPlan oldest_event = {
	.sql = "SELECT at FROM spooled.event_log WHERE id > $1 ORDER BY id LIMIT 1",
	.nargs = 1,
	.argtypes = {INT8OID},
};

static void
read_id(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int64 *) arg = spl_row_int64(row, desc, 1);
}

static void
read_time(HeapTuple row, TupleDesc desc, void *arg)
{
	*(TimestampTz *) arg = spl_row_time(row, desc, 1);
}

int
spl_retention_delete_events(int64 *id, TimestampTz cutoff, int limit)
{
	TimestampTz oldest = DT_NOEND;
	Datum		values[] = {Int64GetDatum(*id), TimestampTzGetDatum(cutoff), Int32GetDatum(limit)};

	/* Without this, a log in which nothing is old enough would be read to its end. */
	spl_spi_run(&oldest_event, values, NULL, read_time, &oldest);
	if (oldest >= cutoff)
		return 0;
	return spl_spi_run(&delete_events, values, NULL, read_id, id);
}

static SpiPlan delete_keys = {
	.sql = "DELETE FROM spooled.idempotency i USING (SELECT k.org, k.key FROM spooled.idempotency k"
		   "   WHERE k.expires_at <= $1 ORDER BY k.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) old"
		   " WHERE i.org = old.org AND i.key = old.key AND i.expires_at <= $1",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
};

int
spl_retention_delete_keys(TimestampTz now, int limit)
{
	Datum values[] = {TimestampTzGetDatum(now), Int32GetDatum(limit)};

	return spl_spi_run(&delete_keys, values, NULL, NULL, NULL);
}

static SpiPlan delete_schedule_runs = {
	.sql =
		"DELETE FROM spooled.schedule_run r USING (SELECT o.id FROM spooled.schedule_run o WHERE o.id < $1 ORDER BY o.id LIMIT $2) old"
		" WHERE r.id = old.id",
	.nargs = 2,
	.argtypes = {UUIDOID, INT4OID},
};

int
spl_retention_delete_schedule_runs(const pg_uuid_t *before, int limit)
{
	Datum values[] = {UUIDPGetDatum(before), Int32GetDatum(limit)};

	return spl_spi_run(&delete_schedule_runs, values, NULL, NULL, NULL);
}

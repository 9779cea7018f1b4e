/*
 * retention_store.c
 *    Finding and deleting what is kept long enough.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "store/planner_settings.h"
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
spl_retention_delete_attempts(int32 org, AttemptPlace *place, TimestampTz cutoff, int limit)
{
	AttemptPlace from = *place;
	pg_uuid_t	 before = spl_uuid7_first(cutoff);
	Datum		 values[] = {Int32GetDatum(org),	 UUIDPGetDatum(&from.job_id), Int32GetDatum(from.run),
							 UUIDPGetDatum(&before), Int32GetDatum(limit),		  TimestampTzGetDatum(cutoff)};

	return spl_spi_run(&delete_attempts, values, NULL, read_place, place);
}

/* Looks at the oldest ones alone: the rest is not read when few of them are old enough. */
static SpiPlan delete_events = {
	.sql = "DELETE FROM spooled.event_log e USING (SELECT o.id, o.at FROM spooled.event_log o WHERE o.org = $1"
		   "   ORDER BY o.id LIMIT $3) old WHERE e.org = $1 AND e.id = old.id AND old.at < $2",
	.nargs = 3,
	.argtypes = {INT4OID, TIMESTAMPTZOID, INT4OID},
};

int
spl_retention_delete_events(int32 org, TimestampTz cutoff, int limit)
{
	Datum values[] = {Int32GetDatum(org), TimestampTzGetDatum(cutoff), Int32GetDatum(limit)};

	return spl_spi_run(&delete_events, values, NULL, NULL, NULL);
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
		"DELETE FROM spooled.schedule_run r USING (SELECT o.id FROM spooled.schedule_run o WHERE o.org = $1 AND o.id < $2"
		"   ORDER BY o.id LIMIT $3) old WHERE r.org = $1 AND r.id = old.id",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, INT4OID},
};

int
spl_retention_delete_schedule_runs(int32 org, TimestampTz cutoff, int limit)
{
	pg_uuid_t before = spl_uuid7_first(cutoff);
	Datum	  values[] = {Int32GetDatum(org), UUIDPGetDatum(&before), Int32GetDatum(limit)};

	return spl_spi_run(&delete_schedule_runs, values, NULL, NULL, NULL);
}

/* $2, $3, $4: the lowest id of a job that is kept, of a dead letter, of a history; $5 and $6 the times of the last and the first. */
static SpiPlan look = {
	.sql = "SELECT EXISTS (SELECT FROM spooled.outcome WHERE org = $1 AND job_id < $2),"
		   " EXISTS (SELECT FROM spooled.dead_letter WHERE org = $1 AND job_id < $3),"
		   " EXISTS (SELECT FROM spooled.attempt WHERE org = $1 AND job_id < $4),"
		   " coalesce((SELECT at FROM spooled.event_log WHERE org = $1 ORDER BY id LIMIT 1) < $5, false),"
		   " EXISTS (SELECT FROM spooled.schedule_run WHERE org = $1 AND id < $4),"
		   " EXISTS (SELECT FROM spooled.workflow WHERE org = $1 AND finished_at < $6)",
	.nargs = 6,
	.argtypes = {INT4OID, UUIDOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
};

static void
read_look(HeapTuple row, TupleDesc desc, void *arg)
{
	for (int kind = 0; kind < RETENTION_KINDS; kind++)
		((bool *) arg)[kind] = spl_row_bool(row, desc, kind + 1);
}

void
spl_retention_look(int32 org, const RetentionTime *kept, bool *old)
{
	const TimestampTz times[] = {kept->jobs, kept->dead_letters, kept->history, kept->history, kept->jobs};
	pg_uuid_t		  ids[3];
	bool			  nulls[6] = {false};
	Datum			  values[6] = {Int32GetDatum(org)};
	int				  level;

	for (int i = 0; i < lengthof(times); i++)
	{
		nulls[i + 1] = times[i] == NO_TIME;
		if (i < lengthof(ids) && !nulls[i + 1])
		{
			ids[i] = spl_uuid7_first(times[i]);
			values[i + 1] = UUIDPGetDatum(&ids[i]);
		}
		else if (i >= lengthof(ids))
			values[i + 1] = TimestampTzGetDatum(times[i]);
	}
	level = spl_planner_begin_indexes();
	spl_spi_run(&look, values, nulls, read_look, old);
	spl_planner_end(level);
}

/*
 * ticket_row.c
 *    Columns of the ticket tables.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "store/ticket_row.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

enum ReadyColumn
{
	READY_JOB_TID = TICKET_OWN_COLUMNS
};

enum DelayedColumn
{
	DELAYED_DUE = TICKET_OWN_COLUMNS,
	DELAYED_REASON
};

enum BlockedColumn
{
	BLOCKED_DUE = TICKET_OWN_COLUMNS,
	BLOCKED_JOB_TID
};

enum LeaseColumn
{
	LEASE_EXPIRES_AT = TICKET_OWN_COLUMNS,
	LEASE_ID,
	LEASE_CANCEL_REQUESTED,
	LEASE_WORKER
};

enum DeadLetterColumn
{
	DEAD_STARTED_AT = TICKET_OWN_COLUMNS,
	DEAD_LEASE_ID,
	DEAD_WORKER,
	DEAD_ERROR
};

enum OutcomeColumn
{
	OUTCOME_KIND = TICKET_OWN_COLUMNS,
	OUTCOME_STARTED_AT,
	OUTCOME_LEASE_ID,
	OUTCOME_WORKER,
	OUTCOME_ERROR,
	OUTCOME_RESULT
};

static inline Datum
column(TupleTableSlot *slot, int number, bool *isnull)
{
	return slot_getattr(slot, number, isnull);
}

static TimestampTz
time_column(TupleTableSlot *slot, int number)
{
	bool  isnull;
	Datum value = column(slot, number, &isnull);

	return isnull ? NO_TIME : DatumGetTimestampTz(value);
}

static char *
text_column(TupleTableSlot *slot, int number)
{
	bool  isnull;
	Datum value = column(slot, number, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* read_place reads where the job's row was put. */
static void
read_place(TupleTableSlot *slot, int number, Ticket *ticket)
{
	bool  isnull;
	Datum place = column(slot, number, &isnull);

	if (!isnull)
		ticket->job_tid = *(ItemPointer) DatumGetPointer(place);
}

/* read_run reads the last run of a finished job; one that never ran has none. */
static void
read_run(TupleTableSlot *slot, int started_at, int lease_id, int worker, Ticket *ticket)
{
	bool  isnull;
	Datum id = column(slot, lease_id, &isnull);

	ticket->has_run = !isnull;
	if (isnull)
		return;
	ticket->lease_id = *DatumGetUUIDP(id);
	ticket->started_at = time_column(slot, started_at);
	ticket->worker = text_column(slot, worker);
}

/* read_own reads the columns of one table. */
static void
read_own(TicketKind kind, TupleTableSlot *slot, Ticket *ticket)
{
	bool  isnull;
	Datum result;

	switch (kind)
	{
		case TICKET_READY: read_place(slot, READY_JOB_TID, ticket); break;
		case TICKET_DELAYED:
			ticket->due = time_column(slot, DELAYED_DUE);
			ticket->reason = DatumGetChar(column(slot, DELAYED_REASON, &isnull));
			break;
		case TICKET_BLOCKED:
			ticket->due = time_column(slot, BLOCKED_DUE);
			read_place(slot, BLOCKED_JOB_TID, ticket);
			break;
		case TICKET_LEASE:
			ticket->has_run = true;
			ticket->started_at = ticket->since;
			ticket->lease_expires_at = time_column(slot, LEASE_EXPIRES_AT);
			ticket->lease_id = *DatumGetUUIDP(column(slot, LEASE_ID, &isnull));
			ticket->cancel_requested = DatumGetBool(column(slot, LEASE_CANCEL_REQUESTED, &isnull));
			ticket->worker = text_column(slot, LEASE_WORKER);
			break;
		case TICKET_DEAD_LETTER:
			read_run(slot, DEAD_STARTED_AT, DEAD_LEASE_ID, DEAD_WORKER, ticket);
			ticket->error = text_column(slot, DEAD_ERROR);
			break;
		case TICKET_OUTCOME:
			ticket->reason = DatumGetChar(column(slot, OUTCOME_KIND, &isnull));
			read_run(slot, OUTCOME_STARTED_AT, OUTCOME_LEASE_ID, OUTCOME_WORKER, ticket);
			ticket->error = text_column(slot, OUTCOME_ERROR);
			result = column(slot, OUTCOME_RESULT, &isnull);
			ticket->result = isnull ? NULL : PG_DETOAST_DATUM_COPY(result);
			break;
		case TICKET_KINDS: pg_unreachable();
	}
}

void
spl_ticket_read(TicketKind kind, TupleTableSlot *slot, Ticket *ticket)
{
	bool isnull;

	memset(ticket, 0, sizeof(*ticket));
	slot_getallattrs(slot);
	ticket->kind = kind;
	ticket->tid = slot->tts_tid;
	ticket->since = time_column(slot, TICKET_SINCE);
	ticket->org = DatumGetInt32(column(slot, TICKET_ORG, &isnull));
	ticket->queue = DatumGetInt32(column(slot, TICKET_QUEUE, &isnull));
	ticket->run = DatumGetInt32(column(slot, TICKET_RUN, &isnull));
	ticket->priority = DatumGetInt16(column(slot, TICKET_PRIORITY, &isnull));
	ticket->retry_count = DatumGetInt16(column(slot, TICKET_RETRY_COUNT, &isnull));
	ticket->releases = DatumGetInt16(column(slot, TICKET_RELEASES, &isnull));
	ticket->job_id = *DatumGetUUIDP(column(slot, TICKET_JOB_ID, &isnull));
	ticket->expires_at = time_column(slot, TICKET_EXPIRES_AT);
	ticket->due = NO_TIME;
	read_own(kind, slot, ticket);
}

OutcomeBrief
spl_outcome_brief(TupleTableSlot *slot)
{
	bool isnull;

	return (OutcomeBrief) {
		.reason = DatumGetChar(column(slot, OUTCOME_KIND, &isnull)),
		.run = DatumGetInt32(column(slot, TICKET_RUN, &isnull)),
		.started_at = time_column(slot, OUTCOME_STARTED_AT),
	};
}

/* A row under construction; column numbers start at 1. */
typedef struct RowFill
{
	Datum *values;
	bool  *nulls;
} RowFill;

static inline void
set(RowFill *row, int number, Datum value)
{
	row->values[number - 1] = value;
}

static inline void
set_time(RowFill *row, int number, TimestampTz time)
{
	if (time == NO_TIME)
		row->nulls[number - 1] = true;
	else
		row->values[number - 1] = TimestampTzGetDatum(time);
}

static inline void
set_text(RowFill *row, int number, const char *text)
{
	if (text == NULL)
		row->nulls[number - 1] = true;
	else
		row->values[number - 1] = CStringGetTextDatum(text);
}

/* set_place sets where the job's row was put. */
static void
set_place(RowFill *row, int number, const Ticket *ticket)
{
	if (ItemPointerIsValid(&ticket->job_tid))
		row->values[number - 1] = PointerGetDatum(&ticket->job_tid);
	else
		row->nulls[number - 1] = true;
}

static void
set_run(RowFill *row, int started_at, int lease_id, int worker, const Ticket *ticket)
{
	if (ticket->has_run)
	{
		set_time(row, started_at, ticket->started_at);
		set(row, lease_id, UUIDPGetDatum(&ticket->lease_id));
		set_text(row, worker, ticket->worker);
	}
	else
		row->nulls[started_at - 1] = row->nulls[lease_id - 1] = row->nulls[worker - 1] = true;
}

/* fill_own sets the columns of one table. */
static void
fill_own(RowFill *row, const Ticket *ticket)
{
	switch (ticket->kind)
	{
		case TICKET_READY: set_place(row, READY_JOB_TID, ticket); break;
		case TICKET_DELAYED:
			set_time(row, DELAYED_DUE, ticket->due);
			set(row, DELAYED_REASON, CharGetDatum(ticket->reason));
			break;
		case TICKET_BLOCKED:
			set_time(row, BLOCKED_DUE, ticket->due);
			set_place(row, BLOCKED_JOB_TID, ticket);
			break;
		case TICKET_LEASE:
			set_time(row, LEASE_EXPIRES_AT, ticket->lease_expires_at);
			set(row, LEASE_ID, UUIDPGetDatum(&ticket->lease_id));
			set(row, LEASE_CANCEL_REQUESTED, BoolGetDatum(ticket->cancel_requested));
			set_text(row, LEASE_WORKER, ticket->worker);
			break;
		case TICKET_DEAD_LETTER:
			set_run(row, DEAD_STARTED_AT, DEAD_LEASE_ID, DEAD_WORKER, ticket);
			set_text(row, DEAD_ERROR, ticket->error);
			break;
		case TICKET_OUTCOME:
			set(row, OUTCOME_KIND, CharGetDatum(ticket->reason));
			set_run(row, OUTCOME_STARTED_AT, OUTCOME_LEASE_ID, OUTCOME_WORKER, ticket);
			set_text(row, OUTCOME_ERROR, ticket->error);
			if (ticket->result)
				set(row, OUTCOME_RESULT, PointerGetDatum(ticket->result));
			else
				row->nulls[OUTCOME_RESULT - 1] = true;
			break;
		case TICKET_KINDS: pg_unreachable();
	}
}

void
spl_ticket_fill(const void *tickets, int i, Datum *values, bool *nulls)
{
	const Ticket *ticket = (const Ticket *) tickets + i;
	RowFill		  row = {values, nulls};

	set_time(&row, TICKET_SINCE, ticket->since);
	set(&row, TICKET_ORG, Int32GetDatum(ticket->org));
	set(&row, TICKET_QUEUE, Int32GetDatum(ticket->queue));
	set(&row, TICKET_RUN, Int32GetDatum(ticket->run));
	set(&row, TICKET_PRIORITY, Int16GetDatum(ticket->priority));
	set(&row, TICKET_RETRY_COUNT, Int16GetDatum(ticket->retry_count));
	set(&row, TICKET_RELEASES, Int16GetDatum(ticket->releases));
	set(&row, TICKET_JOB_ID, UUIDPGetDatum(&ticket->job_id));
	set_time(&row, TICKET_EXPIRES_AT, ticket->expires_at);
	fill_own(&row, ticket);
}

void
spl_ticket_keys(ScanKey keys, int32 org, const pg_uuid_t *job_id)
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(org));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(job_id));
}

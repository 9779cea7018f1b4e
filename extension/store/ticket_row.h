/*
 * ticket_row.h
 *    Between rows of the ticket tables and struct Ticket; for the files of the store that read tickets.
 */
#ifndef SPL_TICKET_ROW_H
#define SPL_TICKET_ROW_H

#include "store/ticket.h"
#include "store/tuple.h"

/* The columns that all ticket tables begin with. */
enum TicketColumn
{
	TICKET_SINCE = 1,
	TICKET_ORG,
	TICKET_QUEUE,
	TICKET_RUN,
	TICKET_PRIORITY,
	TICKET_RETRY_COUNT,
	TICKET_RELEASES,
	TICKET_JOB_ID,
	TICKET_EXPIRES_AT,
	TICKET_OWN_COLUMNS /* the first column of the table's own */
};

/* spl_ticket_table returns the table that makes a job's state. */
static inline SplTable
spl_ticket_table(TicketKind kind)
{
	return (SplTable) kind;
}

/* spl_ticket_read fills a ticket from a row; texts are copied into the current memory context. */
extern void spl_ticket_read(TicketKind kind, TupleTableSlot *slot, Ticket *ticket);

/* What an outcome says in few words, in its first columns. */
#define OUTCOME_BRIEF_COLUMNS (TICKET_OWN_COLUMNS + 1)

typedef struct OutcomeBrief
{
	char		reason; /* OUTCOME_* */
	int32		run;
	TimestampTz started_at; /* NO_TIME: it never ran */
} OutcomeBrief;

/* spl_outcome_brief reads it. */
extern OutcomeBrief spl_outcome_brief(TupleTableSlot *slot);

/* spl_ticket_fill is a FillRowFn over an array of Ticket. */
extern void spl_ticket_fill(const void *tickets, int i, Datum *values, bool *nulls);

/* spl_ticket_keys sets the keys (org, job id) of a primary key. */
extern void spl_ticket_keys(ScanKey keys, int32 org, const pg_uuid_t *job_id);

#endif

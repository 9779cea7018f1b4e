/*
 * job_move.c
 *    Moving a job from a ticket to the next.
 *
 * Taking the old ticket and putting the new one happen in the caller's transaction, and so does everything that is a row;
 * counters, wake-ups and due times are noted here and told at commit.
 */
#include "postgres.h"

#include "ops/job_move.h"
#include "ops/recount.h"
#include "rules/ticket_steps.h"
#include "shmem/claim_notes.h"
#include "shmem/counters.h"
#include "shmem/wake.h"

/* run_of returns how many tickets, from the first on, are counted in the same place: those of a batch mostly are. */
static int
run_of(const Ticket *tickets, int count)
{
	int length = 1;

	while (length < count && tickets[length].queue == tickets->queue && tickets[length].org == tickets->org &&
		   tickets[length].kind == tickets->kind && tickets[length].reason == tickets->reason)
		length++;
	return length;
}

/* note_counts notes that tickets are put (each 1) or taken (each -1). */
static void
note_counts(const Ticket *tickets, int count, int each)
{
	for (int i = 0, length; i < count; i += length)
	{
		const Ticket *ticket = &tickets[i];

		length = run_of(ticket, count - i);
		spl_count_note(ticket->org, ticket->queue, spl_counter_of(ticket->kind, ticket->reason), length * each);
	}
}

/* note_finished feeds the windows of finished runs. */
static void
note_finished(const Ticket *ticket)
{
	if (ticket->kind == TICKET_OUTCOME && ticket->reason == OUTCOME_COMPLETED)
		spl_count_finished_note(ticket->org, ticket->queue, true, ticket->since,
								(ticket->since - ticket->started_at) / 1000);
	else if (ticket->kind == TICKET_DEAD_LETTER)
		spl_count_finished_note(ticket->org, ticket->queue, false, ticket->since, 0);
}

/* note_due tells the background worker when it has to look at a ticket. */
static void
note_due(const Ticket *ticket)
{
	if (ticket->kind == TICKET_LEASE)
		spl_due_note(ticket->lease_expires_at);
	else if (ticket->kind == TICKET_DELAYED)
		spl_due_note(ticket->due);
	if (ticket->expires_at != NO_TIME && ticket->kind <= TICKET_BLOCKED)
		spl_due_note(ticket->expires_at);
}

/* put inserts tickets and notes what follows from them. */
static void
put(const Ticket *tickets, int count)
{
	spl_ticket_put(tickets, count);
	note_counts(tickets, count, 1);
	for (int i = 0; i < count; i++)
	{
		const Ticket *ticket = &tickets[i];

		if (ticket->kind == TICKET_READY)
			spl_ready_note(ticket->queue, ticket->priority, &ticket->job_id);
		note_due(ticket);
		note_finished(ticket);
	}
}

void
spl_job_put_first(const Ticket *first, int count)
{
	put(first, count);
	for (int i = 0, length; i < count; i += length)
	{
		length = run_of(&first[i], count - i);
		spl_count_total_note(first[i].org, first[i].queue, TOTAL_ENQUEUED, length);
	}
}

void
spl_job_put_next(const Ticket *from, const Ticket *next, int count)
{
	for (int i = 0; i < count; i++)
		if (!spl_step_exists(from[i].kind, next[i].kind))
			elog(ERROR, "a job cannot go from ticket %d to ticket %d", from[i].kind, next[i].kind);
	note_counts(from, count, -1);
	put(next, count);
}

void
spl_job_forget(const Ticket *taken, int count)
{
	note_counts(taken, count, -1);
}

TakeResult
spl_job_move(const Ticket *from, const Ticket *next)
{
	if (spl_ticket_take(from) == TAKE_LOST)
		return TAKE_LOST;
	spl_job_put_next(from, next, 1);
	return TAKE_OK;
}

Ticket
spl_job_next_ticket(const Ticket *from, TicketKind kind, TimestampTz now)
{
	Ticket next = *from;

	next.kind = kind;
	next.since = now;
	next.due = NO_TIME;
	next.reason = 0;
	next.error = NULL;
	next.result = NULL;
	if (kind != TICKET_DEAD_LETTER && kind != TICKET_OUTCOME)
		next.has_run = false;
	return next;
}

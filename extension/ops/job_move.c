/*
 * job_move.c
 *    Moving a job from a ticket to the next.
 *
 * Taking the old ticket and putting the new one happen in the caller's transaction, and so does everything that is a row;
 * counters, wake-ups and due times are noted here and told at commit.
 */
#include "postgres.h"

#include "ops/job_move.h"
#include "rules/ticket_steps.h"
#include "shmem/claim_list.h"
#include "shmem/counters.h"
#include "shmem/wake.h"

/* counter_of returns the counter that a ticket is counted in. */
static CounterSlot
counter_of(const Ticket *ticket)
{
	switch (ticket->kind)
	{
		case TICKET_READY:
			return COUNT_READY;
		case TICKET_DELAYED:
			return ticket->reason == DELAY_ASKED ? COUNT_DELAYED : COUNT_BACKOFF;
		case TICKET_BLOCKED:
			return COUNT_BLOCKED;
		case TICKET_LEASE:
			return COUNT_LEASE;
		case TICKET_DEAD_LETTER:
			return COUNT_DEAD_LETTER;
		case TICKET_OUTCOME:
			return ticket->reason == OUTCOME_COMPLETED ? COUNT_COMPLETED : COUNT_CANCELLED;
		case TICKET_KINDS:
			break;
	}
	pg_unreachable();
}

/* note_finished feeds the windows of finished runs. */
static void
note_finished(const Ticket *ticket)
{
	if (ticket->kind == TICKET_OUTCOME && ticket->reason == OUTCOME_COMPLETED)
		spl_count_finished_note(ticket->org, ticket->queue, true, (ticket->since - ticket->started_at) / 1000);
	else if (ticket->kind == TICKET_DEAD_LETTER)
		spl_count_finished_note(ticket->org, ticket->queue, false, 0);
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

void
spl_job_put_first(const Ticket *first, int count)
{
	spl_ticket_put(first, count);
	for (int i = 0; i < count; i++)
	{
		const Ticket *ticket = &first[i];

		spl_count_note(ticket->org, ticket->queue, counter_of(ticket), 1);
		if (ticket->kind == TICKET_READY)
		{
			spl_ready_note(ticket->queue, ticket->priority, &ticket->job_id);
			spl_wake_note(ticket->queue);
		}
		note_due(ticket);
		note_finished(ticket);
	}
}

void
spl_job_put_next(const Ticket *from, const Ticket *next, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (!spl_step_exists(from[i].kind, next[i].kind))
			elog(ERROR, "a job cannot go from ticket %d to ticket %d", from[i].kind, next[i].kind);
		spl_count_note(from[i].org, from[i].queue, counter_of(&from[i]), -1);
	}
	spl_job_put_first(next, count);
}

void
spl_job_forget(const Ticket *taken, int count)
{
	for (int i = 0; i < count; i++)
		spl_count_note(taken[i].org, taken[i].queue, counter_of(&taken[i]), -1);
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
	Ticket		next = *from;

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

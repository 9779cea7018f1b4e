/*
 * ticket_steps.c
 *    The job's state machine: a table.
 *
 * A ticket that goes to its own kind has a new priority or a new time.  A step that is missing here is a bug, not an answer.
 */
#include "postgres.h"

#include "rules/ticket_steps.h"

#define TO(kind) (1u << TICKET_##kind)

static const uint32 next_tickets[TICKET_KINDS] = {
	[TICKET_READY] =
		TO(LEASE) | TO(READY) | TO(BLOCKED) | TO(OUTCOME), /* claim; priority; new parent; cancel, expiry */
	[TICKET_DELAYED] = TO(READY) | TO(DELAYED) | TO(BLOCKED) | TO(OUTCOME),
	[TICKET_BLOCKED] = TO(READY) | TO(DELAYED) | TO(BLOCKED) | TO(OUTCOME),
	[TICKET_LEASE] = TO(OUTCOME) | TO(DELAYED) | TO(READY) | TO(DEAD_LETTER), /* ready: released, or no backoff */
	[TICKET_DEAD_LETTER] = TO(READY) | TO(BLOCKED),							  /* replay; retry of a workflow */
	[TICKET_OUTCOME] = TO(READY) | TO(BLOCKED),								  /* retry of a workflow */
};

bool
spl_step_exists(TicketKind from, TicketKind to)
{
	return (next_tickets[from] & (1u << to)) != 0;
}

/*
 * ticket_kind.h
 *    The states of a job: which table holds its ticket.
 */
#ifndef SPL_TICKET_KIND_H
#define SPL_TICKET_KIND_H

typedef enum TicketKind
{
	TICKET_READY,		/* claimable now */
	TICKET_DELAYED,		/* claimable at "due" */
	TICKET_BLOCKED,		/* waits for parents */
	TICKET_LEASE,		/* a worker owns it until lease_expires_at */
	TICKET_DEAD_LETTER, /* retries used up */
	TICKET_OUTCOME,		/* over */
	TICKET_KINDS
} TicketKind;

#endif

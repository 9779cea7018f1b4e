/*
 * ticket_steps_test.c
 *    The whole state machine: each of the 36 steps is asked for.
 *
 * links: extension/rules/ticket_steps.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "rules/ticket_steps.h"

/* Rows: from; columns: to; both in the order ready, delayed, blocked, lease, dead_letter, outcome. */
static const char *const steps[TICKET_KINDS] = {
	[TICKET_READY] = "x.xx.x", [TICKET_DELAYED] = "xxx..x",		[TICKET_BLOCKED] = "xxx..x",
	[TICKET_LEASE] = "xx..xx", [TICKET_DEAD_LETTER] = "x.x...", [TICKET_OUTCOME] = "x.x...",
};

int
main(void)
{
	for (TicketKind from = 0; from < TICKET_KINDS; from++)
		for (TicketKind to = 0; to < TICKET_KINDS; to++)
			CHECK_INT(spl_step_exists(from, to), steps[from][to] == 'x');
	return unit_end();
}

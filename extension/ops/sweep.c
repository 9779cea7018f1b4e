/*
 * sweep.c
 *    Leases that ran out, delays that are over, jobs that expired.
 *
 * No recovery pass after a crash: what it leaves is a lease that is found expired.  A sweep passes over what somebody else
 * is just taking; if that transaction rolls back, the next sweep finds the ticket again.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/run_end.h"
#include "ops/sweep.h"
#include "store/due_scan.h"
#include "store/lease_sweep.h"
#include "store/ready_refill.h"
#include "store/tuple.h"

static const RunEnd lease_lost = {
	.kind = ATTEMPT_LEASE_LOST,
	.error = "Lease expired (worker timeout)",
	.error_when_dead = "Max retries exceeded after lease expiration",
};

/* take_nowait keeps of "tickets" those that could be taken; returns how many. */
static int
take_nowait(Ticket *tickets, int count)
{
	TakeResult *results = palloc(sizeof(TakeResult) * Max(count, 1));
	int			taken = 0;

	spl_ticket_take_many(tickets, count, false, results);
	for (int i = 0; i < count; i++)
		if (results[i] == TAKE_OK)
			tickets[taken++] = tickets[i];
	return taken;
}

/* end_lost ends runs whose leases are taken, one organization after the other. */
static void
end_lost(Ticket *leases, int count, TimestampTz now)
{
	RunEnd *ends = palloc(sizeof(RunEnd) * Max(count, 1));
	int		start = 0;

	for (int i = 0; i < count; i++)
		ends[i] = lease_lost;
	while (start < count)
	{
		int end = start + 1;

		while (end < count && leases[end].org == leases[start].org)
			end++;
		spl_org_set_background(leases[start].org);
		spl_run_end_many(leases[start].org, &leases[start], &ends[start], end - start, now, NULL);
		start = end;
	}
}

int
spl_lease_expire_due(TimestampTz now, int limit)
{
	Ticket *leases = palloc(sizeof(Ticket) * limit);
	int		count = take_nowait(leases, spl_lease_list_due(now, limit, leases));

	end_lost(leases, count, now);
	spl_changes_done();
	return count;
}

int
spl_delayed_promote_due(TimestampTz now, int limit)
{
	Ticket *delayed = palloc(sizeof(Ticket) * limit);
	Ticket *ready = palloc(sizeof(Ticket) * limit);
	int		count = take_nowait(delayed, spl_due_list(DUE_DELAYED, now, limit, delayed));

	for (int i = 0; i < count; i++)
		ready[i] = spl_job_next_ticket(&delayed[i], TICKET_READY, now);
	spl_job_put_next(delayed, ready, count);
	spl_changes_done();
	return count;
}

/* expire ends tickets of one kind whose expires_at is over. */
static int
expire(TicketKind kind, TimestampTz now, int limit)
{
	Ticket *tickets = palloc(sizeof(Ticket) * limit);
	Ticket *next = palloc(sizeof(Ticket) * limit);
	int		count = take_nowait(tickets, spl_due_list(DUE_READY_EXPIRY + kind, now, limit, tickets));

	for (int i = 0; i < count; i++)
	{
		next[i] = spl_job_next_ticket(&tickets[i], TICKET_OUTCOME, now);
		next[i].reason = OUTCOME_EXPIRED;
		next[i].error = "Expired before execution";
	}
	spl_job_put_next(tickets, next, count);
	for (int i = 0; i < count; i++)
		spl_dependency_parents_ended(tickets[i].org, &next[i], 1);
	spl_changes_done();
	return count;
}

int
spl_job_expire_due(TimestampTz now, int limit)
{
	return expire(TICKET_READY, now, limit) + expire(TICKET_DELAYED, now, limit) + expire(TICKET_BLOCKED, now, limit);
}

static TimestampTz
earlier(TimestampTz a, TimestampTz b)
{
	if (a == NO_TIME || b == NO_TIME)
		return a == NO_TIME ? b : a;
	return Min(a, b);
}

TimestampTz
spl_sweep_next_due(void)
{
	TimestampTz now = spl_clock_now();
	TimestampTz next = earlier(spl_lease_next_sweep(), spl_dependency_next_due());

	for (DueKind kind = 0; kind < DUE_KINDS; kind++)
		next = earlier(next, spl_due_look(kind, now));
	return next;
}

int
spl_claim_lists_audit(TimestampTz now, int limit)
{
	spl_ready_audit();
	return 0;
}

/*
 * dependency_child.c
 *    Releasing and cancelling children.
 *
 * Several parents of a child may come to a verdict about it, and somebody else may just be moving it (a cancellation, another
 * priority): nobody is waited for, the worker looks again.  What is cancelled here is over, and has children of its own.
 */
#include "postgres.h"

#include "ops/dependency_work.h"
#include "ops/job_move.h"
#include "store/blocked_store.h"
#include "store/tuple.h"
#include "utils/snapmgr.h"

static int
compare_fates(const void *a, const void *b)
{
	return memcmp(((const Fate *) a)->child.data, ((const Fate *) b)->child.data, UUID_LEN);
}

/* distinct_fates sorts the fates by child and keeps one of each: several parents of a child come to the same verdict. */
static void
distinct_fates(DependencyWork *work)
{
	int kept = 0;

	qsort(work->fates, work->fate_count, sizeof(Fate), compare_fates);
	for (int i = 0; i < work->fate_count; i++)
		if (kept == 0 || compare_fates(&work->fates[i], &work->fates[kept - 1]) != 0)
			work->fates[kept++] = work->fates[i];
	work->fate_count = kept;
}

/* next_of returns the ticket that follows a blocked one. */
static Ticket
next_of(const Ticket *blocked, const char *error, TimestampTz now)
{
	bool   waits = blocked->due != NO_TIME && blocked->due > now;
	Ticket next = spl_job_next_ticket(blocked, error ? TICKET_OUTCOME : waits ? TICKET_DELAYED : TICKET_READY, now);

	if (error)
	{
		next.reason = OUTCOME_CANCELLED;
		next.error = (char *) error;
	}
	else if (waits)
	{
		next.due = blocked->due;
		next.reason = DELAY_ASKED;
	}
	return next;
}

/* put_next puts the next tickets, table by table. */
static void
put_next(const Ticket *from, const Ticket *next, int count)
{
	static const TicketKind kinds[] = {TICKET_READY, TICKET_DELAYED, TICKET_OUTCOME};
	Ticket				   *of_kind = palloc(sizeof(Ticket) * Max(count, 1) * 2);

	for (int k = 0; k < lengthof(kinds); k++)
	{
		int n = 0;

		for (int i = 0; i < count; i++)
			if (next[i].kind == kinds[k])
			{
				of_kind[n] = from[i];
				of_kind[count + n++] = next[i];
			}
		if (n > 0)
			spl_job_put_next(of_kind, of_kind + count, n);
	}
	pfree(of_kind);
}

/*
 * take_fated takes the blocked tickets of the children, without waiting.  Who does not wait any more has met his fate
 * otherwise; who is just being moved is left to the worker.  Returns how many are taken, with their errors.
 */
static int
take_fated(DependencyWork *work, Ticket *tickets, const char **errors)
{
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * work->fate_count);
	bool	   *found = palloc(sizeof(bool) * work->fate_count);
	TakeResult *results = palloc(sizeof(TakeResult) * work->fate_count);
	Snapshot	snapshot = spl_snapshot_fresh();
	int			waiting = 0;
	int			taken = 0;

	for (int i = 0; i < work->fate_count; i++)
		ids[i] = work->fates[i].child;
	spl_blocked_find_many(work->org, ids, work->fate_count, snapshot, tickets, found);
	for (int i = 0; i < work->fate_count; i++)
		if (found[i])
		{
			tickets[waiting] = tickets[i];
			errors[waiting++] = work->fates[i].error;
		}
	spl_ticket_take_seen(tickets, waiting, snapshot, false, results);
	UnregisterSnapshot(snapshot);
	for (int i = 0; i < waiting; i++)
		if (results[i] == TAKE_OK)
		{
			tickets[taken] = tickets[i];
			errors[taken++] = errors[i];
		}
		else
			spl_work_leave(&work->children, &tickets[i].job_id);
	pfree(ids);
	pfree(found);
	pfree(results);
	return taken;
}

void
spl_work_move_children(DependencyWork *work)
{
	Ticket		*tickets;
	Ticket		*next;
	const char **errors;
	int			 count;

	if (work->fate_count == 0)
		return;
	distinct_fates(work);
	tickets = palloc(sizeof(Ticket) * work->fate_count);
	next = palloc(sizeof(Ticket) * work->fate_count);
	errors = palloc(sizeof(char *) * work->fate_count);
	spl_changes_done();
	count = take_fated(work, tickets, errors);
	for (int i = 0; i < count; i++)
	{
		next[i] = next_of(&tickets[i], errors[i], work->now);
		if (next[i].kind == TICKET_OUTCOME)
			spl_work_add_over(work, &(EndedParent) {.id = next[i].job_id, .state = EDGE_CANCELLED});
	}
	put_next(tickets, next, count);
	work->fate_count = 0;
	pfree(tickets);
	pfree(next);
	pfree(errors);
}

/*
 * dependency.c
 *    Parents and what waits for them.
 *
 * A job that ends writes its end into its own edges, looks at what waits, and releases or cancels it, in the transaction
 * that ends the job.  In all this it waits for nobody: what another open transaction is just changing, and what is too much
 * for one transaction, it leaves to the background worker as a mark, a row that commits with it.  So a child with thousands
 * of parents is nobody's lock, there is no order of locks to get wrong, and a crash loses nothing.
 *
 * That no child is left waiting rests on three rules.
 *   - An edge is changed before its child is looked at, and the look sees what open transactions have changed.  Of all the
 *     parents of a child the one that looks last sees every other's change, be it committed or not.
 *   - An open edge that nobody is changing has an end to come that will look again, so there is nothing to do or to leave.
 *   - Who makes a job wait on edges that were there before (or takes ends back) leaves a mark, since a parent that ends at
 *     the same moment does not see that the job waits.
 * The worker keeps a mark for as long as the answer depends on transactions that are open, prepared ones among them.
 *
 * A child that is added and its parent's end must not miss each other either: who adds a child to a job locks that job's
 * ticket first.  Under REPEATABLE READ a transaction cannot see all of this, so it leaves everything to the worker.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/job_move.h"
#include "ops/workflow_end.h"
#include "rules/fan_in.h"
#include "store/blocked_store.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/tuple.h"

#define MAX_LOOKS 20
#define AT_ONCE 1000 /* edges that one transaction works off */

/* state_of says what the edges of a job with this ticket are to say. */
static char
state_of(const Ticket *ticket)
{
	if (ticket->kind == TICKET_OUTCOME)
		return ticket->reason == OUTCOME_COMPLETED ? EDGE_COMPLETED : EDGE_CANCELLED;
	return ticket->kind == TICKET_DEAD_LETTER ? EDGE_FAILED : EDGE_OPEN;
}

SplCode
spl_dependency_hold_parent(int32 org, const pg_uuid_t *parent, int32 queue, int16 priority, char *state,
						   SplFault *fault)
{
	Ticket ticket;

	for (int look = 0; look < MAX_LOOKS; look++)
	{
		if (!spl_ticket_find(org, parent, queue, priority, &ticket))
			return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(parent));
		*state = state_of(&ticket);
		if (*state != EDGE_OPEN || spl_ticket_hold(&ticket) == TAKE_OK)
			return SPL_OK;
	}
	return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.",
					 "the parent job is changing too fast to wait for it");
}

SplCode
spl_dependency_check_parent(int32 org, const char *parent, int32 queue, pg_uuid_t *parent_id, char *state,
							SplFault *fault)
{
	SplCode code;
	Job		job;

	if (!spl_uuid_parse(parent, parent_id) || !spl_job_find(org, parent_id, false, &job) || job.queue != queue)
		return spl_fault(fault, SPL_INVALID, "parent_job_id", "unknown_parent", NULL,
						 "parent_job_id must name a job of the same queue");
	code = spl_dependency_hold_parent(org, parent_id, job.queue, job.priority, state, fault);
	if (code == SPL_NOT_FOUND)
		return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.", "the parent job is being deleted");
	return code;
}

typedef struct IdList
{
	pg_uuid_t *ids;
	int		   count;
	int		   room;
} IdList;

/* A job that is over, and what its edges are to say. */
typedef struct Over
{
	pg_uuid_t id;
	char	  state;
} Over;

/* What is decided about a child. */
typedef struct Fate
{
	pg_uuid_t	child;
	const char *error; /* NULL: it may run */
} Fate;

/* All that one end brings about. */
typedef struct Work
{
	int32		org;
	TimestampTz now;
	int			left; /* edges that may still be worked off */
	Over	   *over;
	int			over_count;
	int			over_room;
	Fate	   *fates;
	int			fate_count;
	int			fate_room;
	IdList		finished; /* workflows whose members are all over */
	IdList		parents;  /* what is left to the background worker */
	IdList		children;
	IdList		workflows;
} Work;

static void *
grown(void *rows, int *room, Size size)
{
	*room = Max(*room * 2, 16);
	return rows ? repalloc(rows, *room * size) : palloc(*room * size);
}

static void
add_id(IdList *list, const pg_uuid_t *id)
{
	if (list->count == list->room)
		list->ids = grown(list->ids, &list->room, sizeof(pg_uuid_t));
	list->ids[list->count++] = *id;
}

static void
add_over(Work *work, const pg_uuid_t *id, char state)
{
	if (work->over_count == work->over_room)
		work->over = grown(work->over, &work->over_room, sizeof(Over));
	work->over[work->over_count++] = (Over) {*id, state};
}

static void
add_fate(Work *work, const pg_uuid_t *child, const char *error)
{
	if (work->fate_count == work->fate_room)
		work->fates = grown(work->fates, &work->fate_room, sizeof(Fate));
	work->fates[work->fate_count++] = (Fate) {*child, error};
}

/* heed does, or notes, what a verdict says. */
static void
heed(Work *work, FanInMode mode, const pg_uuid_t *child, FanInVerdict verdict, bool parent_gone)
{
	if (verdict == FAN_IN_WAITS)
		return;
	if (verdict == FAN_IN_UNCLEAR)
		add_id(mode == FAN_IN_MEMBER ? &work->workflows : &work->children, child);
	else if (mode == FAN_IN_MEMBER)
		add_id(&work->finished, child);
	else
		add_fate(work, child, verdict == FAN_IN_MET ? NULL : parent_gone ? PARENT_PURGED_ERROR : PARENT_FAILED_ERROR);
}

/* judge decides about the child of an edge that was just closed; it looks at the other parents only when it has to. */
static void
judge(Work *work, const Edge *edge)
{
	FanInFacts	 facts = {.is_open = true,
						  .completed = edge->state == EDGE_COMPLETED,
						  .failed = edge->state != EDGE_COMPLETED};
	bool		 parent_gone = edge->state == EDGE_GONE;
	FanInVerdict verdict = spl_fan_in_verdict(edge->mode, &facts);

	if (verdict == FAN_IN_WAITS)
	{
		facts.is_open = false;
		spl_edges_look(work->org, &edge->child, &edge->parent, edge->mode, &facts, &parent_gone);
		verdict = spl_fan_in_verdict(edge->mode, &facts);
	}
	heed(work, edge->mode, &edge->child, verdict, parent_gone);
}

/* judge_again decides about a child, or a workflow, from all its edges. */
static void
judge_again(Work *work, FanInMode mode, const pg_uuid_t *child)
{
	FanInFacts facts = {0};
	bool	   parent_gone = false;

	mode = spl_edges_look(work->org, child, NULL, mode, &facts, &parent_gone);
	heed(work, mode, child, spl_fan_in_verdict(mode, &facts), parent_gone);
}

static int
compare_fates(const void *a, const void *b)
{
	return memcmp(((const Fate *) a)->child.data, ((const Fate *) b)->child.data, UUID_LEN);
}

/* distinct_fates sorts the fates by child and keeps one of each: several parents of a child come to the same verdict. */
static void
distinct_fates(Work *work)
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
take_fated(Work *work, Ticket *tickets, const char **errors)
{
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * work->fate_count);
	bool	   *found = palloc(sizeof(bool) * work->fate_count);
	TakeResult *results = palloc(sizeof(TakeResult) * work->fate_count);
	int			waiting = 0;
	int			taken = 0;

	for (int i = 0; i < work->fate_count; i++)
		ids[i] = work->fates[i].child;
	spl_blocked_find_many(work->org, ids, work->fate_count, tickets, found);
	for (int i = 0; i < work->fate_count; i++)
		if (found[i])
		{
			tickets[waiting] = tickets[i];
			errors[waiting++] = work->fates[i].error;
		}
	spl_ticket_take_many(tickets, waiting, false, results);
	for (int i = 0; i < waiting; i++)
		if (results[i] == TAKE_OK)
		{
			tickets[taken] = tickets[i];
			errors[taken++] = errors[i];
		}
		else
			add_id(&work->children, &tickets[i].job_id);
	pfree(ids);
	pfree(found);
	pfree(results);
	return taken;
}

/* move_fated releases or cancels the children about whom there is a verdict. */
static void
move_fated(Work *work)
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
			add_over(work, &next[i].job_id, EDGE_CANCELLED);
	}
	put_next(tickets, next, count);
	work->fate_count = 0;
	pfree(tickets);
	pfree(next);
	pfree(errors);
}

/* finish_workflows ends the workflows whose members are all over. */
static void
finish_workflows(Work *work)
{
	if (work->finished.count > 0)
		spl_changes_done();
	for (int i = 0; i < work->finished.count; i++)
		if (!spl_workflow_finish(work->org, &work->finished.ids[i], work->now))
			add_id(&work->workflows, &work->finished.ids[i]);
	work->finished.count = 0;
}

/* leave_rest leaves the parents from "first" on to the worker, as far as they have children. */
static void
leave_rest(Work *work, int first)
{
	int		   count = work->over_count - first;
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	bool	  *exists = palloc(sizeof(bool) * Max(count, 1));

	for (int i = 0; i < count; i++)
		ids[i] = work->over[first + i].id;
	spl_edge_exists_many(work->org, ids, count, exists);
	for (int i = 0; i < count; i++)
		if (exists[i])
			add_id(&work->parents, &ids[i]);
	pfree(ids);
	pfree(exists);
}

/* close_edges writes a parent's end into its edges and decides about its children. */
static void
close_edges(Work *work, const Over *over)
{
	Edge *edges = palloc(sizeof(Edge) * Max(work->left, 1));
	bool  left;
	int	  count = spl_edges_close(work->org, &over->id, over->state, work->left, edges, &left);

	work->left -= count;
	if (left)
		add_id(&work->parents, &over->id);
	for (int i = 0; i < count; i++)
		judge(work, &edges[i]);
	pfree(edges);
}

/* work_off tells the children of all that is over, and theirs. */
static void
work_off(Work *work)
{
	int at = 0;

	do
	{
		int end = work->over_count;

		for (; at < end && work->left > 0; at++)
		{
			Over over = work->over[at];

			close_edges(work, &over);
		}
		move_fated(work);
	} while (at < work->over_count && work->left > 0);
	if (at < work->over_count)
	{
		spl_changes_done();
		leave_rest(work, at);
	}
	finish_workflows(work);
}

/* leave_marks leaves to the worker what was put aside. */
static void
leave_marks(const Work *work)
{
	spl_marks_put(work->org, MARK_PARENT, work->parents.ids, work->parents.count, work->now);
	spl_marks_put(work->org, MARK_CHILD, work->children.ids, work->children.count, work->now);
	spl_marks_put(work->org, MARK_WORKFLOW, work->workflows.ids, work->workflows.count, work->now);
}

/* tell_children works off jobs that are over and have children. */
static void
tell_children(int32 org, const Over *over, int count)
{
	Work work = {.org = org, .now = spl_clock_now(), .left = AT_ONCE};

	for (int i = 0; i < count; i++)
		add_over(&work, &over[i].id, over[i].state);
	if (IsolationUsesXactSnapshot())
		for (int i = 0; i < count; i++)
			add_id(&work.parents, &over[i].id);
	else
		work_off(&work);
	leave_marks(&work);
}

/* keep_parents keeps those that have children; returns how many. */
static int
keep_parents(int32 org, Over *over, int count)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	bool	  *has_children = palloc(sizeof(bool) * Max(count, 1));
	int		   kept = 0;

	for (int i = 0; i < count; i++)
		ids[i] = over[i].id;
	spl_edge_exists_many(org, ids, count, has_children);
	for (int i = 0; i < count; i++)
		if (has_children[i])
			over[kept++] = over[i];
	pfree(ids);
	pfree(has_children);
	return kept;
}

void
spl_dependency_parents_ended(int32 org, const Ticket *tickets, int count)
{
	Over *over = palloc(sizeof(Over) * Max(count, 1));

	for (int i = 0; i < count; i++)
		over[i] = (Over) {tickets[i].job_id, state_of(&tickets[i])};
	spl_changes_done();
	count = keep_parents(org, over, count);
	if (count > 0)
		tell_children(org, over, count);
	pfree(over);
}

void
spl_dependency_parent_purged(int32 org, const pg_uuid_t *parents, int count)
{
	Over *over = palloc(sizeof(Over) * Max(count, 1));

	for (int i = 0; i < count; i++)
		over[i] = (Over) {parents[i], EDGE_GONE};
	count = keep_parents(org, over, count);
	if (count > 0)
		tell_children(org, over, count);
	pfree(over);
}

void
spl_dependency_parent_back(int32 org, const pg_uuid_t *parent)
{
	spl_edges_reopen(org, parent);
}

bool
spl_dependency_must_wait(int32 org, const pg_uuid_t *child)
{
	FanInFacts facts = {0};
	bool	   parent_gone = false;
	bool	   has_parents;
	FanInMode  mode = spl_edges_look(org, child, NULL, FAN_IN_ALL, &facts, &parent_gone);

	has_parents = facts.is_open || facts.is_busy || facts.completed || facts.failed;
	return has_parents && spl_fan_in_verdict(mode, &facts) != FAN_IN_MET;
}

void
spl_dependency_look_again(int32 org, char kind, const pg_uuid_t *ids, int count)
{
	Work work = {.org = org, .now = spl_clock_now(), .left = AT_ONCE};

	spl_changes_done();
	if (!IsolationUsesXactSnapshot())
	{
		for (int i = 0; i < count && i < AT_ONCE; i++)
			judge_again(&work, kind == MARK_WORKFLOW ? FAN_IN_MEMBER : FAN_IN_ALL, &ids[i]);
		work_off(&work);
	}
	work.children.count = work.workflows.count = 0;
	leave_marks(&work);
	spl_marks_put(org, kind, ids, count, work.now);
}

/* over_state says what the edges of a marked parent are to say; EDGE_OPEN: it is to run again. */
static char
over_state(int32 org, const pg_uuid_t *parent)
{
	Job	   job;
	Ticket ticket;

	if (!spl_job_find(org, parent, false, &job) || !spl_ticket_find(org, parent, job.queue, job.priority, &ticket))
		return EDGE_GONE;
	return state_of(&ticket);
}

/* forget_own takes the mark's own id out of what is left: true, the mark itself is to stay. */
static bool
forget_own(IdList *list, const pg_uuid_t *id)
{
	int kept = 0;

	for (int i = 0; i < list->count; i++)
		if (!spl_uuid_equal(&list->ids[i], id))
			list->ids[kept++] = list->ids[i];
	if (kept == list->count)
		return false;
	list->count = kept;
	return true;
}

/* work_off_mark does what a mark asks for; false: it has to stay.  *is_more: there was more than one transaction should do. */
static bool
work_off_mark(const Mark *mark, TimestampTz now, int limit, bool *is_more)
{
	Work work = {.org = mark->org, .now = now, .left = limit};
	char state;
	bool stays = false;

	spl_org_set_background(mark->org);
	switch (mark->kind)
	{
		case MARK_PARENT:
			if ((state = over_state(mark->org, &mark->id)) != EDGE_OPEN)
				add_over(&work, &mark->id, state);
			break;
		case MARK_CHILD: judge_again(&work, FAN_IN_ALL, &mark->id); break;
		case MARK_WORKFLOW: judge_again(&work, FAN_IN_MEMBER, &mark->id); break;
		case MARK_CANCEL: stays = !spl_workflow_cancel_rest(mark->org, &mark->id, now, limit, is_more); break;
	}
	work_off(&work);
	*is_more |= work.left == 0;
	if (mark->kind == MARK_PARENT)
		stays = forget_own(&work.parents, &mark->id);
	else if (mark->kind == MARK_CHILD)
		stays = forget_own(&work.children, &mark->id);
	else if (mark->kind == MARK_WORKFLOW)
		stays = forget_own(&work.workflows, &mark->id);
	leave_marks(&work);
	spl_changes_done();
	return !stays;
}

int
spl_dependency_work_off(TimestampTz now, int limit)
{
	static ItemPointerData after; /* marks that stay must not keep those behind them from being looked at */
	Mark				  *marks = palloc(sizeof(Mark) * limit);
	int					   count = spl_marks_list(&after, limit, marks);
	bool				   is_more = false;

	for (int i = 0; i < count; i++)
		if (work_off_mark(&marks[i], now, limit, &is_more))
			spl_mark_delete(&marks[i]);
	if (count < limit)
		ItemPointerSet(&after, 0, 0);
	else
		after = marks[count - 1].tid;
	pfree(marks);
	return is_more ? limit : count;
}

TimestampTz
spl_dependency_next_due(void)
{
	return spl_marks_oldest();
}

/*
 * dependency_work.c
 *    Closing edges and deciding about children.
 *
 * All edges of one step are closed before the first child is looked at, so a child is looked at once however many of its
 * parents end together, and no look can miss one of them.
 */
#include "postgres.h"

#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/dependency_work.h"
#include "ops/workflow_end.h"
#include "rules/fan_in.h"
#include "store/edge_look.h"
#include "store/tuple.h"

/* So many children at once are looked at along the index first: most have no other parent. */
#define MANY_CHILDREN 3

char
spl_edge_state(const Ticket *ticket)
{
	if (ticket->kind == TICKET_OUTCOME)
		return ticket->reason == OUTCOME_COMPLETED ? EDGE_COMPLETED : EDGE_CANCELLED;
	return ticket->kind == TICKET_DEAD_LETTER ? EDGE_FAILED : EDGE_OPEN;
}

static void *
grown(void *rows, int *room, Size size)
{
	*room = Max(*room * 2, 16);
	return rows ? repalloc(rows, *room * size) : palloc(*room * size);
}

void
spl_work_leave(IdList *list, const pg_uuid_t *id)
{
	if (list->count == list->room)
		list->ids = grown(list->ids, &list->room, sizeof(pg_uuid_t));
	list->ids[list->count++] = *id;
}

void
spl_work_add_over(DependencyWork *work, const EndedParent *parent)
{
	if (work->over_count == work->over_room)
		work->over = grown(work->over, &work->over_room, sizeof(EndedParent));
	work->over[work->over_count++] = *parent;
}

/* leave_parent leaves a parent with children that are not told yet. */
static void
leave_parent(DependencyWork *work, const EndedParent *parent)
{
	if (work->parent_count == work->parent_room)
		work->parents = grown(work->parents, &work->parent_room, sizeof(EndedParent));
	work->parents[work->parent_count++] = *parent;
}

void
spl_work_add_fate(DependencyWork *work, const pg_uuid_t *child, const char *error)
{
	if (work->fate_count == work->fate_room)
		work->fates = grown(work->fates, &work->fate_room, sizeof(Fate));
	work->fates[work->fate_count++] = (Fate) {*child, error};
}

/* note_finished notes a workflow that may be over. */
static void
note_finished(DependencyWork *work, const pg_uuid_t *workflow)
{
	for (int i = 0; i < work->finished.count; i++)
		if (spl_uuid_equal(&work->finished.ids[i], workflow))
			return;
	spl_work_leave(&work->finished, workflow);
}

/* heed does, or notes, what a verdict says.  Of a workflow without an open member nearby all members are read in the end. */
static void
heed(DependencyWork *work, FanInMode mode, const pg_uuid_t *child, FanInVerdict verdict, bool parent_gone)
{
	if (verdict == FAN_IN_WAITS)
		return;
	if (mode == FAN_IN_MEMBER)
		note_finished(work, child);
	else if (verdict == FAN_IN_UNCLEAR)
		spl_work_leave(&work->children, child);
	else
		spl_work_add_fate(work, child,
						  verdict == FAN_IN_MET ? NULL
							  : parent_gone		? PARENT_PURGED_ERROR
												: PARENT_FAILED_ERROR);
}

/* compare_closed sorts edges by child, those of one child by parent. */
static int
compare_closed(const void *a, const void *b)
{
	const Edge *x = *(const Edge *const *) a;
	const Edge *y = *(const Edge *const *) b;
	int			order = memcmp(x->child.data, y->child.data, UUID_LEN);

	return order ? order : memcmp(x->parent.data, y->parent.data, UUID_LEN);
}

/* judge decides about the child of edges that were just closed; it looks at the other parents only when it has to. */
static void
judge(DependencyWork *work, EdgeLook *look, const Edge *const *edges, int count, bool are_all)
{
	const Edge	*last = edges[count - 1];
	FanInFacts	 facts = {.is_open = true};
	bool		 parent_gone = false;
	FanInVerdict verdict;

	for (int i = 0; i < count; i++)
	{
		facts.completed |= edges[i]->state == EDGE_COMPLETED;
		facts.failed |= edges[i]->state != EDGE_COMPLETED;
		parent_gone |= edges[i]->state == EDGE_GONE;
	}
	verdict = spl_fan_in_verdict(last->mode, &facts);
	if (verdict == FAN_IN_WAITS)
	{
		facts.is_open = false;
		if (!are_all)
			spl_edges_look(look, &last->child, &last->parent, last->mode, &facts, &parent_gone);
		verdict = spl_fan_in_verdict(last->mode, &facts);
	}
	heed(work, last->mode, &last->child, verdict, parent_gone);
}

/* judge_closed decides about the children of edges that were just closed. */
static void
judge_closed(DependencyWork *work, const EdgeList *closed)
{
	int			 count = closed->count;
	const Edge **edges = palloc(sizeof(Edge *) * Max(count, 1));
	bool		*are_all = palloc0(sizeof(bool) * Max(count, 1));
	int			 children = 0;
	EdgeLook	 look;

	for (int i = 0; i < count; i++)
		edges[i] = &closed->edges[i];
	qsort(edges, count, sizeof(Edge *), compare_closed);
	for (int i = 0; i < count; i++)
		children += i == 0 || !spl_uuid_equal(&edges[i]->child, &edges[i - 1]->child);
	if (children >= MANY_CHILDREN)
		spl_edges_are_all(work->org, edges, count, are_all);
	spl_look_begin(&look, work->org);
	for (int first = 0, end; first < count; first = end)
	{
		for (end = first + 1; end < count && spl_uuid_equal(&edges[end]->child, &edges[first]->child);)
			end++;
		judge(work, &look, &edges[first], end - first, are_all[first]);
	}
	spl_look_end(&look);
	pfree(edges);
	pfree(are_all);
}

void
spl_work_judge_again(DependencyWork *work, const pg_uuid_t *child)
{
	FanInFacts facts = {0};
	bool	   parent_gone = false;
	FanInMode  mode;
	EdgeLook   look;

	spl_look_begin(&look, work->org);
	mode = spl_edges_look(&look, child, NULL, FAN_IN_ALL, &facts, &parent_gone);
	spl_look_end(&look);
	/* A parent that is just completing may believe that the child waits for all: nobody but this look would release it. */
	if (mode == FAN_IN_ANY && facts.is_busy)
		facts.is_open = false;
	heed(work, mode, child, spl_fan_in_verdict(mode, &facts), parent_gone);
}

/* finish_workflows ends the noted workflows whose members are all over. */
static void
finish_workflows(DependencyWork *work)
{
	if (work->finished.count > 0)
		spl_changes_done();
	for (int i = 0; i < work->finished.count; i++)
		if (!spl_workflow_finish(work->org, &work->finished.ids[i], work->now))
			spl_work_leave(&work->workflows, &work->finished.ids[i]);
	work->finished.count = 0;
}

/* close_edges writes the ends of some that are over into their edges, as far as it may, and decides about their children. */
static void
close_edges(DependencyWork *work, EndedParent *over, int count)
{
	EdgeList closed = {0};

	spl_edges_close(work->org, over, count, work->left, &closed);
	work->left -= closed.count;
	for (int i = 0; i < count; i++)
		if (over[i].left)
			leave_parent(work, &over[i]);
	if (closed.count == 0)
		return;
	judge_closed(work, &closed);
	pfree(closed.edges);
}

void
spl_work_off(DependencyWork *work)
{
	spl_work_move_children(work);
	for (int at = 0, end; at < work->over_count; at = end)
	{
		end = work->over_count;
		close_edges(work, work->over + at, end - at);
		spl_work_move_children(work);
	}
	finish_workflows(work);
}

void
spl_work_leave_marks(const DependencyWork *work)
{
	spl_marks_put_parents(work->org, work->parents, work->parent_count, work->now);
	spl_marks_put(work->org, MARK_CHILD, work->children.ids, work->children.count, work->now);
	spl_marks_put(work->org, MARK_WORKFLOW, work->workflows.ids, work->workflows.count, work->now);
}

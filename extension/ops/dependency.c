/*
 * dependency.c
 *    Parents and what waits for them.
 *
 * A job that ends looks at what waits for it, and releases or cancels it, in the transaction that ends the job.  That it has
 * completed its outcome says; any other end, and the deletion of a job, is written into its edges.  In all this it waits for
 * nobody: what another open transaction is just changing, and what is too much for one transaction, it leaves to the
 * background worker as a mark, a row that commits with it.  So a child with thousands of parents is nobody's lock, there is no
 * order of locks to get wrong, and a crash loses nothing.
 *
 * That no child is left waiting rests on three rules.
 *   - An outcome is put, or an edge changed, before the child is looked at, and the look sees what open transactions have
 *     done.  Of all the parents of a child the one that looks last sees every other's end, be it committed or not.
 *   - An edge is open when it says so after its parent was seen without an outcome of a completion, and nobody is changing
 *     either.  It has an end to come that will look again, so there is nothing to do or to leave.
 *   - Who makes a job wait on edges that were there before (or takes ends back) leaves a mark, since a parent that ends at
 *     the same moment does not see that the job waits.
 * Under REPEATABLE READ a transaction cannot see all of this, so it leaves everything to the worker.  How edges are closed
 * and children judged is in dependency_work.c, what the worker does with the marks in dependency_mark.c.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "ops/dependency.h"
#include "ops/dependency_work.h"
#include "rules/fan_in.h"
#include "store/edge_look.h"
#include "store/tuple.h"

/* tell_children works off what "work" lists as over, or leaves what has children to the worker. */
static void
tell_children(DependencyWork *work)
{
	work->left = IsolationUsesXactSnapshot() ? 0 : DEPENDENCY_AT_ONCE;
	spl_work_off(work);
	spl_work_leave_marks(work);
}

void
spl_dependency_parents_ended(int32 org, const Ticket *tickets, int count)
{
	DependencyWork work = {.org = org, .now = spl_clock_now()};

	spl_changes_done();
	if (!spl_edges_exist())
		return;
	for (int i = 0; i < count; i++)
		spl_work_add_over(&work, &(EndedParent) {.id = tickets[i].job_id, .state = spl_edge_state(&tickets[i])});
	tell_children(&work);
}

/* state_of_deleted says what the edges of a job are to say when it is deleted, unless they say something already. */
static char
state_of_deleted(const Ticket *ticket)
{
	return spl_edge_state(ticket) == EDGE_COMPLETED ? EDGE_COMPLETED : EDGE_GONE;
}

void
spl_dependency_parents_deleted(int32 org, const Ticket *taken, int count)
{
	DependencyWork work = {.org = org, .now = spl_clock_now()};

	if (!spl_edges_exist())
		return;
	for (int i = 0; i < count; i++)
		spl_work_add_over(
			&work, &(EndedParent) {.id = taken[i].job_id, .state = state_of_deleted(&taken[i]), .is_deleted = true});
	tell_children(&work);
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
	FanInMode  mode;
	EdgeLook   look;

	spl_look_begin(&look, org);
	mode = spl_edges_look(&look, child, NULL, FAN_IN_ALL, &facts, &parent_gone);
	spl_look_end(&look);
	has_parents = facts.is_open || facts.is_busy || facts.completed || facts.failed;
	return has_parents && spl_fan_in_verdict(mode, &facts) != FAN_IN_MET;
}

void
spl_dependency_look_again(int32 org, const pg_uuid_t *children, int count)
{
	DependencyWork work = {.org = org, .now = spl_clock_now(), .left = DEPENDENCY_AT_ONCE};

	spl_changes_done();
	if (!IsolationUsesXactSnapshot())
	{
		for (int i = 0; i < count && i < DEPENDENCY_AT_ONCE; i++)
			spl_work_judge_again(&work, &children[i]);
		spl_work_off(&work);
	}
	spl_work_leave_marks(&work);
	spl_marks_put(org, MARK_CHILD, children, count, work.now);
}

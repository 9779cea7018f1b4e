/*
 * dependency_add.c
 *    Dependencies between jobs that exist: adding and listing them.
 *
 * Adding takes the lock of the organization's edges first, then the tickets of the job and its parents, by their ids, as all
 * do who wait for several: so the calls never deadlock.  The job is blocked in any case and then looked at like any other that
 * waits, so that parents which are over, in whatever way, mean the same as if they ended now.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/dependency_add.h"
#include "ops/job_move.h"
#include "ops/settle_refused.h"
#include "store/attempt_store.h"
#include "store/job_store.h"
#include "store/tuple.h"

#define MAX_LOOKS 20
#define MOST_PARENTS 1000 /* of one call */

SplCode
spl_fan_in_mode_parse(const char *field, const char *name, FanInMode *mode, SplFault *fault)
{
	if (name == NULL || strcmp(name, "all") == 0)
		*mode = FAN_IN_ALL;
	else if (strcmp(name, "any") == 0)
		*mode = FAN_IN_ANY;
	else
		return spl_fault(fault, SPL_INVALID, field, "invalid_value", NULL, "%s must be all or any", field);
	return SPL_OK;
}

const char *
spl_fan_in_mode_name(FanInMode mode)
{
	return mode == FAN_IN_ANY ? "any" : "all";
}

/* find_job reads a job that this credential may see. */
static SplCode
find_job(int32 org, const pg_uuid_t *id, Job *job, SplFault *fault)
{
	if (!spl_job_find(org, id, false, job) || !spl_settle_in_scope(job->queue))
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(id));
	return SPL_OK;
}

/* block makes the job wait, whatever it waited for before; nobody can claim it from here on. */
static SplCode
block(const Job *job, SplFault *fault)
{
	for (int look = 0; look < MAX_LOOKS; look++)
	{
		Ticket ticket, next;

		if (!spl_ticket_find(job->org, &job->id, job->queue, job->priority, &ticket))
			return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(&job->id));
		if (ticket.kind > TICKET_BLOCKED)
			return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL,
							 "only a job that is pending or scheduled can be given dependencies");
		next = spl_job_next_ticket(&ticket, TICKET_BLOCKED, spl_clock_now());
		next.due = ticket.due;
		if (spl_job_move(&ticket, &next) == TAKE_OK)
			return SPL_OK;
		spl_changes_done();
	}
	return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.", "the job is changing too fast");
}

static void
skip(AddedDependencies *answer, const pg_uuid_t *id, const char *reason)
{
	answer->skipped[answer->skipped_count++] = (SkippedDependency) {*id, reason};
}

static bool
is_among(const pg_uuid_t *ids, int count, const pg_uuid_t *id)
{
	for (int i = 0; i < count; i++)
		if (spl_uuid_equal(&ids[i], id))
			return true;
	return false;
}

/* sort_out decides which of the parents get an edge: answer->added. */
static void
sort_out(const Job *job, const pg_uuid_t *parents, int count, AddedDependencies *answer)
{
	bool *reached = palloc(sizeof(bool) * Max(count, 1));
	bool *known = palloc(sizeof(bool) * Max(count, 1));

	spl_edges_known(job->org, &job->id, parents, count, known);
	spl_edges_reach(job->org, &job->id, parents, count, reached);
	for (int i = 0; i < count; i++)
	{
		if (spl_uuid_equal(&parents[i], &job->id))
			skip(answer, &parents[i], "self");
		else if (is_among(answer->added, answer->added_count, &parents[i]))
			skip(answer, &parents[i], "duplicate");
		else if (known[i])
			skip(answer, &parents[i], "exists");
		else if (reached[i])
			skip(answer, &parents[i], "cycle");
		else
			answer->added[answer->added_count++] = parents[i];
	}
	pfree(known);
	pfree(reached);
}

/* add_edges blocks the job and holds the parents, in the order of all ids, and writes the edges. */
static SplCode
add_edges(const Job *job, FanInMode mode, const AddedDependencies *answer, SplFault *fault)
{
	Edge	  *edges = palloc(sizeof(Edge) * Max(answer->added_count, 1));
	pg_uuid_t *sorted = palloc(sizeof(pg_uuid_t) * Max(answer->added_count, 1));
	bool	   is_blocked = false;

	memcpy(sorted, answer->added, sizeof(pg_uuid_t) * answer->added_count);
	qsort(sorted, answer->added_count, sizeof(pg_uuid_t), spl_uuid_compare);
	for (int i = 0; i < answer->added_count; i++)
	{
		const pg_uuid_t *id = &sorted[i];
		Job				 parent;

		if (!is_blocked && spl_uuid_compare(id, &job->id) > 0)
		{
			if (block(job, fault) != SPL_OK)
				return fault->code;
			is_blocked = true;
		}
		edges[i] = (Edge) {.org = job->org, .parent = *id, .child = job->id, .mode = mode};
		if (find_job(job->org, id, &parent, fault) != SPL_OK ||
			spl_dependency_hold_parent(job->org, id, parent.queue, parent.priority, &edges[i].state, fault) != SPL_OK)
			return fault->code;
	}
	if (!is_blocked && block(job, fault) != SPL_OK)
		return fault->code;
	spl_edges_set_mode(job->org, &job->id, mode);
	spl_edges_put(edges, answer->added_count);
	pfree(sorted);
	pfree(edges);
	return SPL_OK;
}

/* is_met tells whether the job has stopped waiting. */
static bool
is_met(const Job *job)
{
	Ticket ticket;

	return spl_ticket_find(job->org, &job->id, job->queue, job->priority, &ticket) &&
		(ticket.kind == TICKET_READY || ticket.kind == TICKET_DELAYED);
}

SplCode
spl_dependency_add(const pg_uuid_t *job_id, const pg_uuid_t *parents, int count, FanInMode mode,
				   AddedDependencies *answer, SplFault *fault)
{
	int32	org = spl_org();
	SplCode code;
	Job		job, parent;

	*fault = (SplFault) {SPL_OK};
	*answer = (AddedDependencies) {.added = palloc(sizeof(pg_uuid_t) * Max(count, 1)),
								   .skipped = palloc(sizeof(SkippedDependency) * Max(count, 1))};
	if (count < 1 || count > MOST_PARENTS)
		return spl_fault(fault, SPL_INVALID, "depends_on", "out_of_range", NULL,
						 "depends_on must name between 1 and %d jobs", MOST_PARENTS);
	spl_edges_lock(org);
	if ((code = find_job(org, job_id, &job, fault)) != SPL_OK)
		return code;
	for (int i = 0; i < count; i++)
		if ((code = find_job(org, &parents[i], &parent, fault)) != SPL_OK)
			return code;
	sort_out(&job, parents, count, answer);
	if ((code = add_edges(&job, mode, answer, fault)) != SPL_OK)
		return code;
	spl_event_log_put(org, job_id, spl_clock_now(), "dependencies_added", spl_actor(),
					  psprintf("{\"added\":%d,\"mode\":\"%s\"}", answer->added_count, spl_fan_in_mode_name(mode)));
	spl_dependency_look_again(org, job_id, 1);
	spl_changes_done();
	answer->met = is_met(&job);
	return SPL_OK;
}

/* view_edges pairs edges with the jobs on their other side; what this credential may not see is left out. */
static int
view_edges(const Edge *edges, int count, bool are_parents, DependencyView *views)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * Max(count, 1));
	JobView	  *jobs = palloc(sizeof(JobView) * Max(count, 1));
	int		   found;
	int		   shown = 0;

	for (int i = 0; i < count; i++)
		ids[i] = are_parents ? edges[i].parent : edges[i].child;
	found = spl_job_get_many(ids, count, jobs); /* in the order of the ids */
	for (int i = 0; i < count && shown < found; i++)
		if (spl_uuid_equal(&jobs[shown].job.id, &ids[i]))
		{
			views[shown] = (DependencyView) {jobs[shown], edges[i].mode, edges[i].state};
			shown++;
		}
	pfree(ids);
	return shown;
}

SplCode
spl_dependency_list(const pg_uuid_t *job_id, int limit, DependencyList *list, SplFault *fault)
{
	int32 org = spl_org();
	Edge *edges = palloc(sizeof(Edge) * limit);
	int	  count;

	*list = (DependencyList) {.mode = FAN_IN_ALL};
	if (spl_job_get_many(job_id, 1, &list->job) == 0)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(job_id));
	count = spl_edges_of_child(org, job_id, limit, edges);
	if (count > 0)
		list->mode = edges[0].mode;
	list->parents = palloc(sizeof(DependencyView) * Max(count, 1));
	list->parent_count = view_edges(edges, count, true, list->parents);
	count = spl_edges_of_parent(org, job_id, limit, edges);
	list->children = palloc(sizeof(DependencyView) * Max(count, 1));
	list->child_count = view_edges(edges, count, false, list->children);
	return SPL_OK;
}

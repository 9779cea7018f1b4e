/*
 * workflow_end.c
 *    How workflows end, by themselves and by order, and how a failed one begins again.
 *
 * The row of a workflow is locked by whoever changes it by order.  A member that ends does not wait for that lock: it leaves
 * the workflow to the background worker.  Once a workflow is over only a retry takes that back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/audit.h"
#include "ops/dependency.h"
#include "ops/dependency_work.h"
#include "ops/job_move.h"
#include "ops/limit.h"
#include "ops/workflow.h"
#include "ops/workflow_end.h"
#include "ops/workflow_list.h"
#include "shmem/counters.h"
#include "store/attempt_store.h"
#include "store/dependency_store.h"
#include "store/job_store.h"
#include "store/tuple.h"
#include "store/workflow_store.h"

#define AT_ONCE 1000 /* members that one transaction cancels */

bool
spl_workflow_finish(int32 org, const pg_uuid_t *id, TimestampTz now)
{
	int		  jobs = spl_workflow_live_jobs(org, id);
	MemberSum sum;

	if (jobs == 0)
		return true;
	if (jobs > DEPENDENCY_AT_ONCE && !spl_org_is_background())
		return false;
	sum = spl_members_sum(org, id);
	if (sum.facts.is_open)
		return true;
	return !sum.facts.is_busy && spl_workflow_end(org, id, &sum, now);
}

/* lock finds a workflow for a change; one with a queue outside the credential's is unknown to it. */
static SplCode
lock(int32 org, const pg_uuid_t *id, WorkflowRow *row, SplFault *fault)
{
	bool is_known = spl_workflow_lock(org, id, row);

	for (int i = 0; is_known && i < row->queue_count; i++)
		is_known = spl_queue_in_scope(row->queues[i]);
	if (!is_known)
		return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Workflow %s not found", spl_uuid_text(id));
	return SPL_OK;
}

/* find_ticket reads the ticket of a member; false: the job is deleted. */
static bool
find_ticket(int32 org, const pg_uuid_t *job_id, Ticket *ticket)
{
	Job job;

	return spl_job_find(org, job_id, false, &job) && spl_ticket_find(org, job_id, job.queue, job.priority, ticket);
}

/* ask_to_stop lets a run that fails be the last one of its job; false: the lease is just being changed. */
static bool
ask_to_stop(const Ticket *lease, TimestampTz now)
{
	if (lease->cancel_requested)
		return true;
	if (spl_lease_ask_cancel(lease, false) == TAKE_LOST)
		return false;
	spl_event_log_put(lease->org, &lease->job_id, now, "cancel_requested", spl_actor(), NULL);
	return true;
}

/*
 * cancel_members cancels those of the members that wait, and asks those that run to stop: a run that fails afterwards must not
 * leave a job that waits for its next one.  False: some are just being moved by others.
 */
static bool
cancel_members(int32 org, const pg_uuid_t *members, int count, TimestampTz now)
{
	Ticket *ended = palloc(sizeof(Ticket) * Max(count, 1));
	int		done = 0;
	bool	all = true;

	for (int i = 0; i < count; i++)
	{
		Ticket	   ticket;
		TakeResult result;

		if (!find_ticket(org, &members[i], &ticket))
			continue;
		if (ticket.kind == TICKET_LEASE)
			all &= ask_to_stop(&ticket, now);
		if (ticket.kind > TICKET_BLOCKED)
			continue;
		spl_ticket_take_many(&ticket, 1, false, &result);
		if (result == TAKE_LOST)
		{
			all = false;
			continue;
		}
		ended[done] = spl_job_next_ticket(&ticket, TICKET_OUTCOME, now);
		ended[done].reason = OUTCOME_CANCELLED;
		spl_job_put_next(&ticket, &ended[done], 1);
		done++;
	}
	spl_dependency_parents_ended(org, ended, done);
	spl_changes_done();
	pfree(ended);
	return all;
}

bool
spl_workflow_cancel_rest(int32 org, const pg_uuid_t *id, TimestampTz now, int limit, bool *is_more)
{
	pg_uuid_t *members = palloc(sizeof(pg_uuid_t) * limit);
	int		   count = spl_workflow_to_cancel(org, id, limit, members);
	bool	   all = cancel_members(org, members, count, now);

	pfree(members);
	if (count == limit)
		*is_more = true;
	return all && count < limit;
}

SplCode
spl_workflow_cancel(const pg_uuid_t *id, SplFault *fault)
{
	int32		org = spl_org();
	TimestampTz now = spl_clock_now();
	WorkflowRow row;
	bool		is_more;

	if (lock(org, id, &row, fault) != SPL_OK)
		return fault->code;
	if (row.status != WORKFLOW_LIVE)
		return SPL_OK;
	spl_workflow_set_cancelled(org, id, now);
	spl_changes_done();
	if (IsolationUsesXactSnapshot() || !spl_workflow_cancel_rest(org, id, now, AT_ONCE, &is_more))
		spl_marks_put(org, MARK_CANCEL, id, 1, now);
	spl_audit("workflow.cancel", "workflow", spl_uuid_text(id), NULL);
	spl_changes_done();
	return SPL_OK;
}

/*
 * Members of a failed workflow that did not complete when it ended, with the tickets of those that are to run again.  Others
 * have been replayed one by one meanwhile: they run again, or have completed.  How these stand, and parents elsewhere, decides
 * anew about what waits for them, so their ends are taken back as well, and given again by the background worker.
 */
typedef struct Revival
{
	int32		org;
	TimestampTz now;
	pg_uuid_t  *ids;
	Ticket	   *tickets;
	int			count;
	pg_uuid_t  *others;
	int			other_count;
} Revival;

/*
 * stand_of says how a job stands, as the state of its edges.  One that is open is kept so until this transaction ends: its end
 * comes before, which is seen here, or finds the edges that are taken back.  SPL_NOT_FOUND: it is deleted.
 */
static SplCode
stand_of(int32 org, const pg_uuid_t *id, char *state, SplFault *fault)
{
	Job	   job;
	Ticket ticket;

	if (!spl_job_find(org, id, false, &job) || !spl_ticket_find(org, id, job.queue, job.priority, &ticket))
		return SPL_NOT_FOUND;
	*state = spl_edge_state(&ticket);
	return *state == EDGE_OPEN ? spl_dependency_hold_parent(org, id, job.queue, job.priority, state, fault) : SPL_OK;
}

/* is_good tells whether a job may still complete, or has. */
static bool
is_good(char state)
{
	return state == EDGE_OPEN || state == EDGE_COMPLETED;
}

/*
 * hold_in_order holds the members and the parents elsewhere that are found by them, by their ids, as everybody does who waits
 * for several tickets: what is done below waits for nobody then.
 */
static SplCode
hold_in_order(const Revival *revival, int listed, SplFault *fault)
{
	pg_uuid_t *ids = palloc(sizeof(pg_uuid_t) * (listed + WORKFLOW_MOST_JOBS));
	int		   count = listed;

	memcpy(ids, revival->ids, sizeof(pg_uuid_t) * listed);
	count += spl_workflow_other_parents(revival->org, revival->ids, listed, WORKFLOW_MOST_JOBS, ids + listed);
	qsort(ids, count, sizeof(pg_uuid_t), spl_uuid_compare);
	for (int i = 0; i < count; i++)
	{
		Job		job;
		char	state;
		SplCode code;

		if (!spl_job_find(revival->org, &ids[i], false, &job))
			continue;
		code = spl_dependency_hold_parent(revival->org, &ids[i], job.queue, job.priority, &state, fault);
		if (code != SPL_OK && code != SPL_NOT_FOUND)
			return code;
	}
	pfree(ids);
	return SPL_OK;
}

/* take_failed takes the tickets of the members that are dead or cancelled. */
static SplCode
take_failed(Revival *revival, int listed, SplFault *fault)
{
	for (int i = 0; i < listed; i++)
	{
		pg_uuid_t id = revival->ids[i];
		Ticket	 *ticket = &revival->tickets[revival->count];
		char	  state;
		SplCode	  code = stand_of(revival->org, &id, &state, fault);

		if (code == SPL_NOT_FOUND)
			return spl_fault(fault, SPL_CONFLICT, NULL, NULL, NULL, "the workflow cannot be retried: job %s is deleted",
							 spl_uuid_text(&id));
		if (code != SPL_OK)
			return code;
		if (is_good(state))
		{
			revival->others[revival->other_count++] = id;
			continue;
		}
		if (!find_ticket(revival->org, &id, ticket) || spl_edge_state(ticket) != state ||
			spl_ticket_take(ticket) == TAKE_LOST)
			return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.",
							 "a job of the workflow is just changing");
		revival->ids[revival->count++] = id;
	}
	return SPL_OK;
}

/* add_parents adds those of the parents because of which members were cancelled that are good as they stand now. */
static SplCode
add_parents(Revival *revival, SplFault *fault)
{
	pg_uuid_t *parents = palloc(sizeof(pg_uuid_t) * WORKFLOW_MOST_JOBS);
	int count = spl_workflow_other_parents(revival->org, revival->ids, revival->count, WORKFLOW_MOST_JOBS, parents);

	for (int i = 0; i < count; i++)
	{
		char	state;
		SplCode code = stand_of(revival->org, &parents[i], &state, fault);

		if (code != SPL_OK && code != SPL_NOT_FOUND)
			return code;
		if (code == SPL_OK && is_good(state))
			revival->others[revival->other_count++] = parents[i];
	}
	pfree(parents);
	return SPL_OK;
}

/*
 * reopen takes back the ends of all, for the workflow, for each other and for what waits for them elsewhere.  Of the members'
 * parents only those that are held or have completed: another may have ended since it was looked for.
 */
static void
reopen(const Revival *revival)
{
	for (int i = 0; i < revival->count; i++)
		spl_dependency_parent_back(revival->org, &revival->ids[i]);
	for (int i = 0; i < revival->other_count; i++)
		spl_dependency_parent_back(revival->org, &revival->others[i]);
	spl_workflow_reopen(revival->org, revival->ids, revival->count, revival->ids, revival->count);
	spl_workflow_reopen(revival->org, revival->ids, revival->count, revival->others, revival->other_count);
	spl_changes_done();
}

/* revived_ticket returns the first ticket of a member's second life. */
static Ticket
revived_ticket(const Ticket *ended, bool waits, TimestampTz now)
{
	Ticket next = spl_job_next_ticket(ended, waits ? TICKET_BLOCKED : TICKET_READY, now);

	next.retry_count = 0;
	next.releases = 0;
	next.expires_at = NO_TIME;
	return next;
}

/* put_revived puts the members back: claimable when no parent is open, else blocked and marked to be looked at again. */
static void
put_revived(Revival *revival)
{
	pg_uuid_t *waiting = palloc(sizeof(pg_uuid_t) * Max(revival->count, 1));
	int		   waiting_count = 0;

	for (int i = 0; i < revival->count; i++)
	{
		const Ticket *ended = &revival->tickets[i];
		bool		  waits = spl_dependency_must_wait(revival->org, &ended->job_id);
		Ticket		  next = revived_ticket(ended, waits, revival->now);

		spl_job_put_next(ended, &next, 1);
		spl_count_total_note(ended->org, ended->queue, TOTAL_RETRIED, 1);
		spl_event_log_put(ended->org, &ended->job_id, revival->now, "workflow_retried", spl_actor(), NULL);
		if (waits)
			waiting[waiting_count++] = ended->job_id;
	}
	spl_marks_put(revival->org, MARK_CHILD, waiting, waiting_count, revival->now);
	pfree(waiting);
}

/* check_retry tells whether the workflow, which is locked, and the plan allow it to begin again. */
static SplCode
check_retry(const WorkflowRow *row, SplFault *fault)
{
	WorkflowSummary workflow;

	if (row->status == WORKFLOW_FAILED)
		return spl_limit_resource(fault, LIMIT_WORKFLOWS);
	if (spl_workflow_get(&row->id, &workflow, fault) != SPL_OK)
		return fault->code;
	return spl_fault(fault, SPL_BAD_REQUEST, NULL, NULL, NULL, "Only a failed workflow can be retried; this one is %s",
					 workflow.status);
}

SplCode
spl_workflow_retry(const pg_uuid_t *id, int *revived, SplFault *fault)
{
	Revival		revival = {.org = spl_org(), .now = spl_clock_now()};
	WorkflowRow row;
	int			listed;

	if (lock(revival.org, id, &row, fault) != SPL_OK || check_retry(&row, fault) != SPL_OK)
		return fault->code;
	revival.ids = palloc(sizeof(pg_uuid_t) * row.total_jobs);
	revival.tickets = palloc(sizeof(Ticket) * row.total_jobs);
	revival.others = palloc(sizeof(pg_uuid_t) * (row.total_jobs + WORKFLOW_MOST_JOBS));
	listed = spl_workflow_failed(revival.org, id, row.total_jobs, revival.ids);
	if (hold_in_order(&revival, listed, fault) != SPL_OK || take_failed(&revival, listed, fault) != SPL_OK ||
		add_parents(&revival, fault) != SPL_OK || spl_limit_active(fault, revival.count) != SPL_OK)
		return fault->code;
	spl_workflow_set_live(revival.org, id);
	spl_changes_done();
	reopen(&revival);
	put_revived(&revival);
	spl_marks_put(revival.org, MARK_PARENT, revival.others, revival.other_count, revival.now);
	spl_marks_put(revival.org, MARK_WORKFLOW, id, 1, revival.now);
	spl_audit("workflow.retry", "workflow", spl_uuid_text(id), NULL);
	spl_changes_done();
	*revived = revival.count;
	return SPL_OK;
}

SplCode
spl_workflow_remove(const pg_uuid_t *id, SplFault *fault)
{
	int32		org = spl_org();
	WorkflowRow row;

	if (lock(org, id, &row, fault) != SPL_OK)
		return fault->code;
	if (row.status == WORKFLOW_LIVE)
		return spl_fault(fault, SPL_CONFLICT, NULL, NULL, "Cancel it first.", "the workflow is not over");
	spl_workflow_delete(org, id);
	spl_audit("workflow.delete", "workflow", spl_uuid_text(id), NULL);
	spl_changes_done();
	return SPL_OK;
}

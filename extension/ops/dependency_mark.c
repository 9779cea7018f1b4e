/*
 * dependency_mark.c
 *    What transactions have left to the background worker.
 *
 * A mark stays for as long as the answer depends on transactions that are open, prepared ones among them.  Marks that stay
 * must not keep those behind them from being looked at, so each batch goes on behind the last one.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/dependency_work.h"
#include "ops/workflow_end.h"
#include "store/job_store.h"
#include "store/tuple.h"

/*
 * add_parent adds the parent that a mark is about, unless it is to run again.  When its job is gone, who deleted that has told
 * the children or left a mark of his own.
 */
static void
add_parent(DependencyWork *work, const Mark *mark)
{
	EndedParent parent = {.id = mark->id, .after = mark->after, .is_deleted = mark->kind != MARK_PARENT};
	Job			job;
	Ticket		ticket;

	if (parent.is_deleted)
		parent.state = mark->kind == MARK_COMPLETED ? EDGE_COMPLETED : EDGE_GONE;
	else if (spl_job_find(mark->org, &mark->id, false, &job) &&
			 spl_ticket_find(mark->org, &mark->id, job.queue, job.priority, &ticket))
		parent.state = spl_edge_state(&ticket);
	else
		return;
	if (parent.state != EDGE_OPEN)
		spl_work_add_over(work, &parent);
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

/* forget_parent is the same for a mark about a parent, which is replaced when some of the children were told. */
static bool
forget_parent(DependencyWork *work, const Mark *mark)
{
	for (int i = 0; i < work->parent_count; i++)
		if (spl_uuid_equal(&work->parents[i].id, &mark->id) && spl_uuid_equal(&work->parents[i].after, &mark->after))
		{
			work->parents[i] = work->parents[--work->parent_count];
			return true;
		}
	return false;
}

/*
 * work_off_mark does what a mark asks for, with at most *left edges; false: it has to stay.  *is_more: there was more than
 * one transaction should do.
 */
static bool
work_off_mark(const Mark *mark, TimestampTz now, int *left, bool *is_more)
{
	DependencyWork work = {.org = mark->org, .now = now, .left = *left};
	bool		   stays = false;

	spl_org_set_background(mark->org);
	switch (mark->kind)
	{
		case MARK_PARENT:
		case MARK_COMPLETED:
		case MARK_GONE: add_parent(&work, mark); break;
		case MARK_CHILD: spl_work_judge_again(&work, &mark->id); break;
		case MARK_WORKFLOW: spl_work_leave(&work.finished, &mark->id); break;
		case MARK_CANCEL:
			stays = !spl_workflow_cancel_rest(mark->org, &mark->id, now, work.left, is_more);
			if (*is_more)
				work.left = 0;
			break;
	}
	spl_work_off(&work);
	*left = work.left;
	*is_more |= work.left == 0;
	if (mark->kind == MARK_CHILD)
		stays = forget_own(&work.children, &mark->id);
	else if (mark->kind == MARK_WORKFLOW)
		stays = forget_own(&work.workflows, &mark->id);
	else if (mark->kind != MARK_CANCEL)
		stays = forget_parent(&work, mark);
	spl_work_leave_marks(&work);
	spl_changes_done();
	return !stays;
}

/* list_from lists marks behind a place, or from the start when there is none behind it. */
static int
list_from(ItemPointer after, int limit, Mark *marks)
{
	int count = spl_marks_list(after, limit, marks);

	if (count > 0 || !ItemPointerIsValid(after))
		return count;
	ItemPointerSet(after, 0, 0);
	return spl_marks_list(after, limit, marks);
}

int
spl_dependency_work_off(TimestampTz now, int limit)
{
	static ItemPointerData after;
	Mark				  *marks = palloc(sizeof(Mark) * limit);
	int					   count = list_from(&after, limit, marks);
	int					   done = 0;
	int					   left = limit;
	bool				   is_more = false;

	for (; done < count && left > 0; done++)
		if (work_off_mark(&marks[done], now, &left, &is_more))
			spl_mark_delete(&marks[done]);
	if (done < count || count == limit)
		after = marks[done - 1].tid;
	else
		ItemPointerSet(&after, 0, 0);
	pfree(marks);
	return is_more || done < count ? limit : count;
}

TimestampTz
spl_dependency_next_due(void)
{
	return spl_marks_oldest();
}

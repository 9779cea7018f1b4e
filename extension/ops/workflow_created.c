/*
 * workflow_created.c
 *    A workflow that was just created, as reading it would show it.
 *
 * Nobody else sees it before the transaction commits, so what was written is what would be read; reading it back takes
 * twice as long as creating it.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/org_context.h"
#include "ops/workflow_created.h"
#include "store/list_store.h"
#include "store/org_uid.h"

/* first_ticket returns what is shown of a new job's ticket. */
static Ticket
first_ticket(const EnqueueItem *item)
{
	TicketKind kind = item->waits ? TICKET_BLOCKED : item->state == 's' ? TICKET_DELAYED : TICKET_READY;

	return (Ticket) {.kind = kind,
					 .priority = item->job->priority,
					 .reason = kind == TICKET_DELAYED ? DELAY_ASKED : 0,
					 .due = kind == TICKET_READY ? NO_TIME : item->job->scheduled_at};
}

/* view_step shows the job of a step; of one answer, payloads are shown until they are too many bytes. */
static JobView
view_step(const WorkflowStep *step, pg_uuid_t org_uid, int64 *bytes)
{
	ListRow row = {.job = *step->item.job,
				   .ticket = first_ticket(&step->item),
				   .org_uid = org_uid,
				   .queue_name = (char *) step->item.queue,
				   .last_started_at = NO_TIME};

	if (*bytes > PAYLOADS_MAX)
		row.job.payload = NULL;
	else
		*bytes += VARSIZE(row.job.payload);
	return spl_job_view(&row);
}

/* add_parents fills in what the members depend on. */
static void
add_parents(const NewWorkflow *workflow, MemberView *members)
{
	for (int i = 0; i < workflow->step_count; i++)
	{
		members[i].depends_on = palloc(sizeof(char *) * Max(workflow->steps[i].depends_count, 1));
		members[i].parents = palloc(sizeof(pg_uuid_t) * Max(workflow->steps[i].depends_count, 1));
	}
	for (int i = 0; i < workflow->edge_count; i++)
	{
		MemberView		   *child = &members[workflow->edges[i].child];
		const WorkflowStep *parent = &workflow->steps[workflow->edges[i].parent];

		child->mode = workflow->steps[workflow->edges[i].child].mode;
		child->depends_on[child->depends_count] = parent->key;
		child->parents[child->depends_count++] = parent->item.job_id;
	}
}

int
spl_workflow_created(const NewWorkflow *workflow, WorkflowSummary *summary, MemberView **members)
{
	pg_uuid_t org_uid = spl_org_uid(spl_org());
	int64	  bytes = 0;

	*summary = (WorkflowSummary) {.id = workflow->id,
								  .org_uid = org_uid,
								  .name = (char *) workflow->name,
								  .description = (char *) workflow->description,
								  .status = "pending",
								  .total_jobs = workflow->step_count,
								  .created_at = workflow->created_at,
								  .started_at = NO_TIME,
								  .finished_at = NO_TIME,
								  .metadata = workflow->metadata};
	*members = palloc0(sizeof(MemberView) * workflow->step_count);
	for (int i = 0; i < workflow->step_count; i++)
	{
		MemberView *member = &(*members)[i];

		member->key = workflow->steps[i].key;
		member->job_id = workflow->steps[i].item.job_id;
		member->has_job = true;
		member->job = view_step(&workflow->steps[i], org_uid, &bytes);
		member->status = member->job.status;
		member->mode = FAN_IN_ALL;
	}
	add_parents(workflow, *members);
	return workflow->step_count;
}

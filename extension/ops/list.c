/*
 * list.c
 *    Reading jobs: one, some, a page.
 *
 * What the wire calls a job's status follows from its ticket, here and nowhere else.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/list.h"
#include "ops/queue.h"
#include "rules/names.h"
#include "store/dependency_store.h"
#include "store/list_store.h"

#define DEFAULT_LIMIT 50

static const char *const statuses[] = {"pending", "scheduled",	"processing", "completed",
									   "failed",  "deadletter", "cancelled"};

static const char *const order_names[] = {
	[ORDER_CREATED_AT] = "created_at",	   [ORDER_UPDATED_AT] = "updated_at",	[ORDER_SCHEDULED_AT] = "scheduled_at",
	[ORDER_COMPLETED_AT] = "completed_at", [ORDER_PRIORITY] = "priority",		[ORDER_STATUS] = "status",
	[ORDER_QUEUE_NAME] = "queue_name",	   [ORDER_RETRY_COUNT] = "retry_count",
};

static const ListKey order_keys[] = {
	[ORDER_CREATED_AT] = KEY_JOB_ID,		 [ORDER_UPDATED_AT] = KEY_SINCE,
	[ORDER_SCHEDULED_AT] = KEY_SCHEDULED_AT, [ORDER_COMPLETED_AT] = KEY_FINISHED_AT,
	[ORDER_PRIORITY] = KEY_PRIORITY,		 [ORDER_STATUS] = KEY_STATUS,
	[ORDER_QUEUE_NAME] = KEY_QUEUE_NAME,	 [ORDER_RETRY_COUNT] = KEY_RETRY_COUNT,
};

const char *
spl_ticket_status(const Ticket *ticket)
{
	switch (ticket->kind)
	{
		case TICKET_READY:
		case TICKET_BLOCKED: return "pending";
		case TICKET_DELAYED: return ticket->reason == DELAY_ASKED ? "scheduled" : "pending";
		case TICKET_LEASE: return "processing";
		case TICKET_DEAD_LETTER: return "deadletter";
		case TICKET_OUTCOME: return ticket->reason == OUTCOME_COMPLETED ? "completed" : "cancelled";
		case TICKET_KINDS: break;
	}
	pg_unreachable();
}

JobView
spl_job_view(const ListRow *row)
{
	const Ticket *ticket = &row->ticket;
	bool		  is_over = ticket->kind == TICKET_DEAD_LETTER || ticket->kind == TICKET_OUTCOME;
	bool		  is_completed = ticket->kind == TICKET_OUTCOME && ticket->reason == OUTCOME_COMPLETED;
	JobView		  view = {.job = row->job, .ticket = *ticket, .org_uid = row->org_uid};

	view.queue_name = row->queue_name;
	view.status = spl_ticket_status(ticket);
	view.job_type = row->job_type;
	view.last_error = is_over ? ticket->error : row->last_error;
	view.attempts = ticket->run > 0 ? ticket->retry_count + 1 : 0;
	view.scheduled_at = ticket->due != NO_TIME ? ticket->due : row->job.scheduled_at;
	view.started_at = ticket->has_run ? ticket->started_at : row->last_started_at;
	view.completed_at = is_over ? ticket->since : NO_TIME;
	view.leased = ticket->kind == TICKET_LEASE;
	view.worker = view.leased || is_completed ? ticket->worker : NULL;
	view.blocked = ticket->kind == TICKET_BLOCKED;
	return view;
}

/* read_page runs a query and returns views. */
static int
read_page(const ListQuery *query, JobView *views)
{
	ListRow *rows;
	int		 count = spl_list_jobs(query, &rows);

	for (int i = 0; i < count; i++)
		views[i] = spl_job_view(&rows[i]);
	return count;
}

/* spl_job_filter returns the default filter. */
JobFilter
spl_job_filter(void)
{
	return (JobFilter) {.limit = DEFAULT_LIMIT};
}

/* spl_job_order_parse reads the wire's name of an order. */
JobOrder
spl_job_order_parse(const char *name)
{
	for (int i = 0; name && i < lengthof(order_names); i++)
		if (strcmp(name, order_names[i]) == 0)
			return i;
	return ORDER_CREATED_AT;
}

/* spl_job_status_parse returns the canonical status of a filter, or NULL. */
const char *
spl_job_status_parse(const char *name)
{
	if (name && strcmp(name, "dead_letter") == 0)
		return "deadletter";
	for (int i = 0; name && i < lengthof(statuses); i++)
		if (strcmp(name, statuses[i]) == 0)
			return statuses[i];
	return NULL;
}

/* source_of chooses the table or index that holds the filter's matches newest first. */
static ListSource
source_of(const JobFilter *filter)
{
	const char *status = filter->status;

	if (filter->tag)
		return SOURCE_TAG;
	if (status == NULL)
		return SOURCE_ALL;
	if (strcmp(status, "pending") == 0)
		return SOURCE_PENDING;
	if (strcmp(status, "scheduled") == 0)
		return SOURCE_SCHEDULED;
	if (strcmp(status, "processing") == 0)
		return SOURCE_PROCESSING;
	if (strcmp(status, "completed") == 0)
		return SOURCE_COMPLETED;
	if (strcmp(status, "cancelled") == 0)
		return SOURCE_CANCELLED;
	return filter->queue ? SOURCE_DEAD_LETTER_QUEUE : SOURCE_DEAD_LETTER;
}

/* spl_job_list reads a page. */
SplCode
spl_job_list(const JobFilter *filter, JobView **jobs, int *count, SplFault *fault)
{
	int32	 *queues;
	int		  queue_count;
	ListQuery query;

	*count = 0;
	*jobs = palloc(sizeof(JobView) * Max(filter->limit, 1));
	if (filter->queue && !spl_queue_in_scope(filter->queue))
		return spl_fault(fault, SPL_ACCESS_DENIED, NULL, NULL, NULL, "No access to queue \"%s\"", filter->queue);
	queue_count = spl_queue_ids(filter->queue, &queues);
	if (queue_count == 0 || filter->limit <= 0 || (filter->status && strcmp(filter->status, "failed") == 0))
		return SPL_OK;
	query = (ListQuery) {
		.org = spl_org(),
		.source = source_of(filter),
		.key = order_keys[filter->order],
		.ascending = filter->ascending,
		.queues = queue_count == QUEUES_ALL ? NULL : queues,
		.queue_count = queue_count,
		.after = filter->has_after ? &filter->after : NULL,
		.tag = filter->tag,
		.status = filter->status,
		.limit = filter->limit,
		.offset = filter->offset,
		.with_payload = filter->with_payload,
		.max_bytes = filter->max_bytes,
	};
	*count = read_page(&query, *jobs);
	return SPL_OK;
}

/* read_ids reads jobs by id, in no order; what is outside the credential's queues is left out. */
static int
read_ids(const pg_uuid_t *ids, int count, bool with_payload, int64 max_bytes, JobView *views)
{
	ListQuery query = {
		.org = spl_org(),
		.source = SOURCE_IDS,
		.key = KEY_JOB_ID,
		.ids = ids,
		.id_count = count,
		.limit = count,
		.with_payload = with_payload,
		.max_bytes = max_bytes,
	};
	int found = read_page(&query, views);
	int visible = 0;

	for (int i = 0; i < found; i++)
		if (!spl_scope_is_restricted() || spl_queue_in_scope(views[i].queue_name))
			views[visible++] = views[i];
	return visible;
}

/* read_ties reads how a job depends on others, and which workflow it belongs to. */
static void
read_ties(JobView *view)
{
	Edge edge;

	view->has_dependencies = spl_edges_of_child(view->job.org, &view->job.id, 1, &edge) == 1;
	if (view->has_dependencies)
		view->dependency_mode = edge.mode;
	view->has_workflow = spl_edge_to_workflow(view->job.org, &view->job.id, &view->workflow_id);
}

/* spl_job_get reads one job with payload and result. */
SplCode
spl_job_get(const pg_uuid_t *id, JobView *job, SplFault *fault)
{
	if (read_ids(id, 1, true, 0, job) == 1)
	{
		read_ties(job);
		return SPL_OK;
	}
	return spl_fault(fault, SPL_NOT_FOUND, NULL, NULL, NULL, "Job %s not found", spl_uuid_text(id));
}

/* spl_job_get_many reads those that exist, in the order asked for; an id given twice is answered once. */
int
spl_job_get_many(const pg_uuid_t *ids, int count, JobView *jobs)
{
	JobView *found = palloc(sizeof(JobView) * Max(count, 1));
	bool	*taken = palloc0(sizeof(bool) * Max(count, 1));
	int		 found_count = count > 0 ? read_ids(ids, count, false, 0, found) : 0;
	int		 ordered = 0;

	for (int i = 0; i < count; i++)
		for (int k = 0; k < found_count; k++)
			if (!taken[k] && spl_uuid_equal(&ids[i], &found[k].job.id))
			{
				jobs[ordered++] = found[k];
				taken[k] = true;
				break;
			}
	return ordered;
}

/* place_views puts views at the places of their ids, where none stands yet. */
static void
place_views(const JobView *views, int view_count, const pg_uuid_t *ids, int count, JobView *jobs, bool *found)
{
	for (int v = 0; v < view_count; v++)
		for (int i = 0; i < count; i++)
			if (!found[i] && spl_uuid_equal(&ids[i], &views[v].job.id))
			{
				jobs[i] = views[v];
				found[i] = true;
				break;
			}
}

void
spl_job_get_whole(const pg_uuid_t *ids, int count, int64 max_bytes, JobView *jobs, bool *found)
{
	JobView *views = palloc(sizeof(JobView) * Max(count, 1));
	int		 whole;

	memset(found, 0, sizeof(bool) * count);
	if (count == 0)
		return;
	whole = read_ids(ids, count, true, max_bytes, views);
	place_views(views, whole, ids, count, jobs, found);
	if (whole < count)
		place_views(views, read_ids(ids, count, false, 0, views), ids, count, jobs, found);
	pfree(views);
}

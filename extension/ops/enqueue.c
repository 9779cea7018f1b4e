/*
 * enqueue.c
 *    Adding jobs.
 *
 * All items of a call are checked before the first row is written; then keys are taken, then jobs, then tickets, each as
 * one set.  Keys are taken in sorted order, so that two calls with the same keys wait for each other but never deadlock.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/job_bounds.h"
#include "base/org_context.h"
#include "base/uuid7.h"
#include "ops/dependency.h"
#include "ops/enqueue.h"
#include "ops/job_move.h"
#include "ops/limit.h"
#include "ops/queue.h"
#include "rules/json_text.h"
#include "rules/limits.h"
#include "rules/names.h"
#include "store/dependency_store.h"
#include "store/idempotency_store.h"
#include "store/job_store.h"
#include "store/queue_store.h"
#include "store/tuple.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_KEY_LENGTH 255

/* What becomes of an item, beside the item itself. */
typedef struct Draft
{
	EnqueueItem	   *item;
	Job				job;
	TicketKind		kind;
	ItemPointerData place;		  /* of the job's row */
	char			parent_state; /* with a parent: EDGE_* */
	bool			is_new_queue; /* its plan is to be asked for the queue */
} Draft;

EnqueueItem
spl_enqueue_item(const char *queue, struct varlena *payload)
{
	return (EnqueueItem) {.queue = queue,
						  .payload = payload,
						  .priority = NOT_GIVEN,
						  .max_retries = NOT_GIVEN,
						  .timeout_seconds = NOT_GIVEN,
						  .scheduled_at = NO_TIME,
						  .delay_ms = DELAY_NOT_GIVEN,
						  .expires_at = NO_TIME};
}

static SplCode
check_json(const char *field, struct varlena *json, bool allow_escaped_null, int max_bytes, SplFault *fault)
{
	return spl_check_json(field, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json), allow_escaped_null, max_bytes, fault);
}

static SplCode
check_given_int(const char *field, int value, int min, int max, SplFault *fault)
{
	return value == NOT_GIVEN ? SPL_OK : spl_check_int(field, value, min, max, fault);
}

SplCode
spl_enqueue_check(const EnqueueItem *item, SplFault *fault)
{
	SplCode code;

	if (item->queue == NULL)
		return spl_fault(fault, SPL_INVALID, "queue_name", "missing_field", NULL, "queue_name is required");
	if (item->payload == NULL)
		return spl_fault(fault, SPL_INVALID, "payload", "missing_field", NULL, "payload is required");
	if ((code = spl_check_queue_name(item->queue, fault)) != SPL_OK ||
		(code = check_json("payload", item->payload, false, spooled_max_payload_bytes, fault)) != SPL_OK ||
		(code = spl_limit_payload(fault, VARSIZE_ANY_EXHDR(item->payload))) != SPL_OK ||
		(code = check_given_int("priority", item->priority, PRIORITY_LOWEST, PRIORITY_HIGHEST, fault)) != SPL_OK ||
		(code = check_given_int("max_retries", item->max_retries, 0, RETRIES_MOST, fault)) != SPL_OK ||
		(code = check_given_int("timeout_seconds", item->timeout_seconds, 1, TIMEOUT_MOST, fault)) != SPL_OK)
		return code;
	if (item->delay_ms < 0 && item->delay_ms != DELAY_NOT_GIVEN)
		return spl_fault(fault, SPL_INVALID, "delay_seconds", "out_of_range", NULL, "a delay must not be negative");
	if ((code = spl_check_time("scheduled_at", item->scheduled_at, fault)) != SPL_OK ||
		(code = spl_check_time("expires_at", item->expires_at, fault)) != SPL_OK)
		return code;
	if (item->tags && (code = check_json("tags", item->tags, false, SPL_JSON_SMALL_BYTES, fault)) != SPL_OK)
		return code;
	if (item->idempotency_key &&
		(code = spl_check_length("idempotency_key", item->idempotency_key, 1, MAX_KEY_LENGTH, fault)) != SPL_OK)
		return code;
	if (item->completion_webhook)
		return spl_check_url("completion_webhook", item->completion_webhook, fault);
	return SPL_OK;
}

/* resolve_queue returns the item's queue, which is made when this is its first job. */
static SplCode
resolve_queue(int32 org, EnqueueItem *item, Draft *draft)
{
	const Queue *queue;
	int32		 id = 0;

	if (!spl_queue_in_scope(item->queue))
		return spl_fault(&item->fault, SPL_ACCESS_DENIED, NULL, NULL, "Use a key whose queues include it.",
						 "this credential may not use queue \"%s\"", item->queue);
	draft->is_new_queue = spl_limit_applies(LIMIT_QUEUES) && !spl_queue_exists(item->queue);
	queue = spl_queue_by_name(org, item->queue);
	if (queue == NULL)
		id = spl_queue_make(org, item->queue);
	draft->job.queue = queue ? queue->id : id;
	draft->job.max_retries = item->max_retries != NOT_GIVEN ? item->max_retries
		: queue && queue->max_retries >= 0					? queue->max_retries
															: spooled_max_retries;
	draft->job.timeout_seconds = item->timeout_seconds != NOT_GIVEN ? item->timeout_seconds
		: queue && queue->default_timeout > 0						? queue->default_timeout
																	: spooled_timeout_seconds;
	return SPL_OK;
}

static struct varlena *
text_or_null(const char *text)
{
	return text ? (struct varlena *) cstring_to_text(text) : NULL;
}

/* draft_item fills the job's row and decides its first ticket. */
static SplCode
draft_item(int32 org, EnqueueItem *item, TimestampTz now, Draft *draft)
{
	Job	   *job = &draft->job;
	SplCode code;

	memset(draft, 0, sizeof(*draft));
	draft->item = item;
	if ((code = spl_enqueue_check(item, &item->fault)) != SPL_OK || (code = resolve_queue(org, item, draft)) != SPL_OK)
		return code;
	job->created_at = now;
	job->org = org;
	job->priority = item->priority == NOT_GIVEN ? 0 : item->priority;
	job->id = spl_uuid7(now);
	job->scheduled_at = item->scheduled_at;
	if (job->scheduled_at == NO_TIME && item->delay_ms > 0)
		job->scheduled_at = now + item->delay_ms * 1000;
	job->expires_at = item->expires_at;
	job->idempotency_key = text_or_null(item->idempotency_key);
	job->completion_webhook = text_or_null(item->completion_webhook);
	job->tags = item->tags;
	job->payload = item->payload;
	draft->kind = job->scheduled_at != NO_TIME && job->scheduled_at > now ? TICKET_DELAYED : TICKET_READY;
	if (item->waits)
		draft->kind = TICKET_BLOCKED;
	if (item->parent_job_id)
	{
		char *state = &draft->parent_state;

		code =
			spl_dependency_check_parent(org, item->parent_job_id, job->queue, &job->parent_job_id, state, &item->fault);
		if (code != SPL_OK)
			return code;
		job->has_parent = true;
		if (*state != EDGE_COMPLETED)
			draft->kind = *state == EDGE_OPEN ? TICKET_BLOCKED : TICKET_OUTCOME;
	}
	return SPL_OK;
}

static int
compare_keys(const void *a, const void *b)
{
	const Draft *x = *(Draft *const *) a;
	const Draft *y = *(Draft *const *) b;
	int			 order = strcmp(x->item->idempotency_key, y->item->idempotency_key);

	return order ? order : (x->item > y->item) - (x->item < y->item);
}

/* use_claims tells each item which job has its key; of equal keys in one call the first item's job may have it. */
static void
use_claims(Draft **keyed, int count, const KeyClaim *claims)
{
	int c = -1;

	for (int i = 0; i < count; i++)
	{
		EnqueueItem *item = keyed[i]->item;
		bool		 first = i == 0 || strcmp(item->idempotency_key, keyed[i - 1]->item->idempotency_key) != 0;

		if (first)
			c++;
		item->job_id = claims[c].job_id;
		item->created = first && !claims[c].taken;
	}
}

/* take_keys decides for the items with an idempotency key whether they are new. */
static void
take_keys(int32 org, Draft *drafts, int count, TimestampTz now)
{
	Draft	  **keyed = palloc(sizeof(Draft *) * count);
	KeyClaim   *claims = palloc(sizeof(KeyClaim) * count);
	int			keyed_count = 0, claim_count = 0;
	TimestampTz expires_at =
		spooled_idempotency_ttl > 0 ? now + (int64) spooled_idempotency_ttl * USECS_PER_SEC : NO_TIME;

	for (int i = 0; i < count; i++)
		if (drafts[i].item->idempotency_key)
			keyed[keyed_count++] = &drafts[i];
	if (keyed_count == 0)
		return;
	qsort(keyed, keyed_count, sizeof(Draft *), compare_keys);
	for (int i = 0; i < keyed_count; i++)
	{
		const char *key = keyed[i]->item->idempotency_key;

		if (claim_count == 0 || strcmp(claims[claim_count - 1].key, key) != 0)
			claims[claim_count++] = (KeyClaim) {.key = key, .job_id = keyed[i]->job.id};
	}
	if (!spl_idempotency_take(org, claims, claim_count, now, expires_at))
	{
		for (int i = 0; i < keyed_count; i++)
			spl_fault(&keyed[i]->item->fault, SPL_UNAVAILABLE, NULL, NULL, "Try again.",
					  "the idempotency key is changing hands too fast");
		return;
	}
	use_claims(keyed, keyed_count, claims);
}

static Ticket
first_ticket(const Draft *draft, TimestampTz now)
{
	const Job *job = &draft->job;
	Ticket	   ticket = {.kind = draft->kind,
						 .since = now,
						 .org = job->org,
						 .queue = job->queue,
						 .priority = job->priority,
						 .job_id = job->id,
						 .expires_at = job->expires_at,
						 .job_tid = draft->place,
						 .due = NO_TIME};

	if (draft->kind == TICKET_DELAYED || draft->kind == TICKET_BLOCKED)
		ticket.due = job->scheduled_at;
	if (draft->kind == TICKET_DELAYED)
		ticket.reason = DELAY_ASKED;
	if (draft->kind == TICKET_OUTCOME)
	{
		ticket.reason = OUTCOME_CANCELLED;
		ticket.error = PARENT_FAILED_ERROR;
	}
	return ticket;
}

/* put_tickets inserts the first tickets, table by table. */
static void
put_tickets(Draft **created, int count, TimestampTz now)
{
	Ticket *tickets = palloc(sizeof(Ticket) * count);

	for (TicketKind kind = 0; kind < TICKET_KINDS; kind++)
	{
		int n = 0;

		for (int i = 0; i < count; i++)
			if (created[i]->kind == kind)
				tickets[n++] = first_ticket(created[i], now);
		if (n > 0)
			spl_job_put_first(tickets, n);
	}
}

/* put_edges keeps who depends on which parent, also of parents that are over. */
static void
put_edges(Draft **created, int count)
{
	Edge *edges = palloc(sizeof(Edge) * count);
	int	  n = 0;

	for (int i = 0; i < count; i++)
		if (created[i]->job.has_parent)
			edges[n++] = (Edge) {.org = created[i]->job.org,
								 .parent = created[i]->job.parent_job_id,
								 .child = created[i]->job.id,
								 .mode = FAN_IN_ALL,
								 .state = created[i]->parent_state};
	spl_edges_put(edges, n);
}

/* put_jobs writes what is new. */
static void
put_jobs(Draft **created, int count, TimestampTz now)
{
	Job				*jobs = palloc(sizeof(Job) * count);
	ItemPointerData *places = palloc(sizeof(ItemPointerData) * count);

	for (int i = 0; i < count; i++)
	{
		EnqueueItem *item = created[i]->item;

		jobs[i] = created[i]->job;
		item->state = created[i]->kind == TICKET_DELAYED ? 's' : created[i]->kind == TICKET_OUTCOME ? 'x' : 'p';
		item->created_at = now;
		item->job = &created[i]->job;
	}
	spl_job_put(jobs, count, places);
	for (int i = 0; i < count; i++)
		created[i]->place = places[i];
	spl_job_put_tags(jobs, count);
	put_tickets(created, count, now);
	put_edges(created, count);
}

/* check_new_queues asks the plan for each queue that this call makes. */
static void
check_new_queues(Draft **created, int count)
{
	int made = 0;

	for (int i = 0; i < count; i++)
	{
		bool is_first = created[i]->is_new_queue;

		for (int j = 0; is_first && j < i; j++)
			if (created[j]->is_new_queue && created[j]->job.queue == created[i]->job.queue)
			{
				is_first = false;
				created[i]->item->fault = created[j]->item->fault;
			}
		if (is_first && spl_limit_queue(&created[i]->item->fault, made) == SPL_OK)
			made++;
	}
}

static bool
is_active(const Draft *draft)
{
	return draft->kind != TICKET_OUTCOME;
}

/* reserve_together asks the plan for all jobs; when there is no room for all there is none for any. */
static void
reserve_together(Draft **created, int count)
{
	SplFault fault;
	int		 jobs = 0, active = 0;

	for (int i = 0; i < count; i++)
		if (created[i]->item->fault.code == SPL_OK)
		{
			jobs++;
			active += is_active(created[i]);
		}
	if (jobs == 0 || spl_limit_jobs(&fault, jobs, active) == SPL_OK)
		return;
	for (int i = 0; i < count; i++)
		if (created[i]->item->fault.code == SPL_OK)
			created[i]->item->fault = fault;
}

static void
reserve_each(Draft **created, int count)
{
	for (int i = 0; i < count; i++)
		if (created[i]->item->fault.code == SPL_OK)
			spl_limit_jobs(&created[i]->item->fault, 1, is_active(created[i]));
}

/* keep_admitted leaves out what was refused, and frees the keys that it had just taken; returns how many are left. */
static int
keep_admitted(int32 org, Draft **created, int count)
{
	pg_uuid_t	*refused = palloc(sizeof(pg_uuid_t) * count);
	const char **keys = palloc(sizeof(char *) * count);
	int			 kept = 0, refused_count = 0;

	for (int i = 0; i < count; i++)
		if (created[i]->item->fault.code == SPL_OK)
			created[kept++] = created[i];
		else if (created[i]->item->idempotency_key)
		{
			keys[refused_count] = created[i]->item->idempotency_key;
			refused[refused_count++] = created[i]->job.id;
		}
	if (refused_count > 0)
		spl_idempotency_leave(org, keys, refused, refused_count);
	return kept;
}

/* admit asks the plan for what is new: what a key has found is neither refused nor counted. */
static int
admit(int32 org, Draft **created, int count, bool together)
{
	check_new_queues(created, count);
	if (together)
		reserve_together(created, count);
	else
		reserve_each(created, count);
	return keep_admitted(org, created, count);
}

static void
enqueue(EnqueueItem *items, int count, bool together)
{
	int32		org = spl_org();
	TimestampTz now = spl_clock_now();
	Draft	   *drafts = palloc(sizeof(Draft) * Max(count, 1));
	Draft	  **created = palloc(sizeof(Draft *) * Max(count, 1));
	int			drafted = 0, created_count = 0;

	for (int i = 0; i < count; i++)
	{
		Draft *draft = &drafts[drafted];

		if (items[i].fault.code != SPL_OK || draft_item(org, &items[i], now, draft) != SPL_OK)
			continue;
		items[i].job_id = draft->job.id;
		items[i].created = true;
		drafted++;
	}
	take_keys(org, drafts, drafted, now);
	for (int i = 0; i < drafted; i++)
		if (drafts[i].item->created && drafts[i].item->fault.code == SPL_OK)
			created[created_count++] = &drafts[i];
	if (created_count > 0)
		created_count = admit(org, created, created_count, together);
	if (created_count > 0)
		put_jobs(created, created_count, now);
	spl_changes_done();
}

void
spl_enqueue(EnqueueItem *items, int count)
{
	enqueue(items, count, true);
}

void
spl_enqueue_each(EnqueueItem *items, int count)
{
	enqueue(items, count, false);
}

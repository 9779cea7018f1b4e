/*
 * enqueue_wire.c
 *    Adding jobs, for the gateway.
 *
 * One job, many jobs of one request (one body tells of all), and jobs of many requests that arrived together (a reply
 * each): the same items, told in three ways.
 */
#include "postgres.h"

#include <limits.h>

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "ops/enqueue.h"
#include "ops/request.h"
#include "json/json_write.h"

/* The arguments, in the order of the SQL signatures. */
enum
{
	ARG_QUEUE,
	ARG_PAYLOAD,
	ARG_PRIORITY,
	ARG_MAX_RETRIES,
	ARG_TIMEOUT,
	ARG_SCHEDULED_AT,
	ARG_DELAY,
	ARG_EXPIRES_AT,
	ARG_TAGS,
	ARG_PARENT,
	ARG_WEBHOOK,
	ARG_KEY
};

/* delay_ms: none and zero are the same; what is negative stays so and is refused as such. */
static int64
delay_ms(int seconds)
{
	return seconds == NOT_GIVEN || seconds == 0 ? DELAY_NOT_GIVEN : (int64) seconds * 1000;
}

static const char *
state_name(char state)
{
	return state == 's' ? "scheduled" : state == 'x' ? "cancelled" : "pending";
}

/* write_created writes the body of one job: what exists under its key, or what is new. */
static void
write_created(StringInfo out, const EnqueueItem *item)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "id", &item->job_id);
	spl_json_bool(out, "created", item->created);
	if (item->created)
	{
		spl_json_text(out, "queue", item->queue);
		spl_json_text(out, "queue_name", item->queue);
		spl_json_text(out, "status", state_name(item->state));
		spl_json_time(out, "created_at", item->created_at);
	}
	spl_json_close(out, '}');
}

/* spooled._job_create(queue_name text, payload text, priority int, max_retries int, timeout_seconds int,
 * scheduled_at timestamptz, delay_seconds int, expires_at timestamptz, tags text, parent_job_id text,
 * completion_webhook text, idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_create, JOBS_WRITE)
{
	EnqueueItem	   item = spl_enqueue_item(text_arg(fcinfo, ARG_QUEUE), bytes_arg(fcinfo, ARG_PAYLOAD));
	StringInfoData body;

	item.priority = int_arg(fcinfo, ARG_PRIORITY, NOT_GIVEN);
	item.max_retries = int_arg(fcinfo, ARG_MAX_RETRIES, NOT_GIVEN);
	item.timeout_seconds = int_arg(fcinfo, ARG_TIMEOUT, NOT_GIVEN);
	item.scheduled_at = time_arg(fcinfo, ARG_SCHEDULED_AT);
	item.delay_ms = delay_ms(int_arg(fcinfo, ARG_DELAY, NOT_GIVEN));
	item.expires_at = time_arg(fcinfo, ARG_EXPIRES_AT);
	item.tags = bytes_arg(fcinfo, ARG_TAGS);
	item.parent_job_id = text_arg(fcinfo, ARG_PARENT);
	item.completion_webhook = text_arg(fcinfo, ARG_WEBHOOK);
	item.idempotency_key = text_arg(fcinfo, ARG_KEY);
	spl_enqueue(&item, 1);
	raise_unless_ok(item.fault.code, &item.fault);

	initStringInfo(&body);
	write_created(&body, &item);
	return spl_reply(fcinfo, item.created ? REPLY_CREATED : REPLY_OK, &body, 0);
}

/* The arrays of many jobs; NULL where one is not given. */
typedef struct Columns
{
	char		   **queue;
	struct varlena **payload;
	int				*priority;
	int				*max_retries;
	int				*timeout;
	TimestampTz		*scheduled_at;
	int				*delay;
	TimestampTz		*expires_at;
	struct varlena **tags;
	char		   **parent;
	char		   **webhook;
	char		   **key;
} Columns;

/* check_count: an array that is given has an element for every job. */
static void
check_count(const char *field, int count, int jobs)
{
	SplFault fault;

	if (count != jobs && count != ARRAY_NOT_GIVEN)
		raise_unless_ok(spl_fault(&fault, SPL_BAD_REQUEST, field, "invalid_length", NULL,
								  "%s must have an element for each job", field),
						&fault);
}

/* read_columns returns how many jobs there are: as many as payloads. */
static int
read_columns(FunctionCallInfo fcinfo, Columns *c)
{
	int n = Max(spl_bytes_array_arg(fcinfo, ARG_PAYLOAD, "payload", &c->payload), 0);

	check_count("queue_name", spl_text_array_arg(fcinfo, ARG_QUEUE, "queue_name", &c->queue), n);
	check_count("priority", spl_int_array_arg(fcinfo, ARG_PRIORITY, "priority", &c->priority), n);
	check_count("max_retries", spl_int_array_arg(fcinfo, ARG_MAX_RETRIES, "max_retries", &c->max_retries), n);
	check_count("timeout_seconds", spl_int_array_arg(fcinfo, ARG_TIMEOUT, "timeout_seconds", &c->timeout), n);
	check_count("scheduled_at", spl_time_array_arg(fcinfo, ARG_SCHEDULED_AT, "scheduled_at", &c->scheduled_at), n);
	check_count("delay_seconds", spl_int_array_arg(fcinfo, ARG_DELAY, "delay_seconds", &c->delay), n);
	check_count("expires_at", spl_time_array_arg(fcinfo, ARG_EXPIRES_AT, "expires_at", &c->expires_at), n);
	check_count("tags", spl_bytes_array_arg(fcinfo, ARG_TAGS, "tags", &c->tags), n);
	check_count("parent_job_id", spl_text_array_arg(fcinfo, ARG_PARENT, "parent_job_id", &c->parent), n);
	check_count("completion_webhook", spl_text_array_arg(fcinfo, ARG_WEBHOOK, "completion_webhook", &c->webhook), n);
	check_count("idempotency_key", spl_text_array_arg(fcinfo, ARG_KEY, "idempotency_key", &c->key), n);
	return n;
}

/* read_items makes an item of each position of the arrays. */
static EnqueueItem *
read_items(FunctionCallInfo fcinfo, int *count)
{
	Columns		 c;
	int			 n = read_columns(fcinfo, &c);
	EnqueueItem *items = palloc(sizeof(EnqueueItem) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		EnqueueItem *item = &items[i];

		*item = spl_enqueue_item(c.queue ? c.queue[i] : NULL, c.payload[i]);
		item->priority = c.priority ? c.priority[i] : NOT_GIVEN;
		item->max_retries = c.max_retries ? c.max_retries[i] : NOT_GIVEN;
		item->timeout_seconds = c.timeout ? c.timeout[i] : NOT_GIVEN;
		item->scheduled_at = c.scheduled_at ? c.scheduled_at[i] : DT_NOBEGIN;
		item->delay_ms = delay_ms(c.delay ? c.delay[i] : NOT_GIVEN);
		item->expires_at = c.expires_at ? c.expires_at[i] : DT_NOBEGIN;
		item->tags = c.tags ? c.tags[i] : NULL;
		item->parent_job_id = c.parent ? c.parent[i] : NULL;
		item->completion_webhook = c.webhook ? c.webhook[i] : NULL;
		item->idempotency_key = c.key ? c.key[i] : NULL;
	}
	*count = n;
	return items;
}

static void
write_bulk(StringInfo out, const EnqueueItem *items, int count)
{
	int refused = 0;

	spl_json_open(out, NULL, '{');
	spl_json_open(out, "succeeded", '[');
	for (int i = 0; i < count; i++)
	{
		if (items[i].fault.code != SPL_OK)
			continue;
		spl_json_open(out, NULL, '{');
		spl_json_int(out, "index", i);
		spl_json_uuid(out, "job_id", &items[i].job_id);
		spl_json_bool(out, "created", items[i].created);
		spl_json_close(out, '}');
	}
	spl_json_close(out, ']');
	spl_json_open(out, "failed", '[');
	for (int i = 0; i < count; i++)
	{
		if (items[i].fault.code == SPL_OK)
			continue;
		spl_json_open(out, NULL, '{');
		spl_json_int(out, "index", i);
		spl_json_text(out, "error", items[i].fault.message);
		spl_json_close(out, '}');
		refused++;
	}
	spl_json_close(out, ']');
	spl_json_int(out, "total", count);
	spl_json_int(out, "success_count", count - refused);
	spl_json_int(out, "failure_count", refused);
	spl_json_close(out, '}');
}

/* spooled._job_create_bulk(queue_name text[], payload text[], ... as _job_create) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_create_bulk, JOBS_WRITE)
{
	int			   count;
	EnqueueItem	  *items = read_items(fcinfo, &count);
	StringInfoData body;
	SplFault	   fault;

	if (count < 1 || count > REQUEST_MAX_JOBS)
		raise_unless_ok(spl_fault(&fault, SPL_BAD_REQUEST, "jobs", "out_of_range", NULL,
								  "jobs must have 1 to %d elements, not %d", REQUEST_MAX_JOBS, count),
						&fault);
	spl_enqueue(items, count);
	for (int i = 0; i < count; i++)
		if (items[i].fault.code == SPL_QUOTA_EXCEEDED || items[i].fault.code == SPL_FEATURE_DISABLED)
			spl_fault_raise(&items[i].fault);
	initStringInfo(&body);
	write_bulk(&body, items, count);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._job_create_batch(queue_name text[], payload text[], ... as _job_create) returns setof spooled._item_reply */
SPL_FUNCTION(spooled_wire_job_create_batch, JOBS_WRITE)
{
	int			   count;
	EnqueueItem	  *items = read_items(fcinfo, &count);
	StringInfoData body;

	spl_rows_begin(fcinfo);
	spl_enqueue_each(items, count);
	initStringInfo(&body);
	for (int i = 0; i < count; i++)
	{
		if (items[i].fault.code != SPL_OK)
		{
			spl_item_refuse(fcinfo, i + 1, &items[i].fault);
			continue;
		}
		resetStringInfo(&body);
		write_created(&body, &items[i]);
		spl_item_reply(fcinfo, i + 1, items[i].created ? REPLY_CREATED : REPLY_OK, &body);
	}
	return (Datum) 0;
}

/*
 * queue_wire.c
 *    Queues, for the gateway.
 */
#include "postgres.h"

#include <limits.h>

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "ops/queue.h"
#include "ops/request.h"
#include "json/json_write.h"
#include "json/queue_json.h"

#define LIST_MAX 100

/* spooled._queue_list() returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_list, QUEUES_READ)
{
	QueueView	  *queues;
	int			   count = spl_queue_list(LIST_MAX, &queues);
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_queue(&body, &queues[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

static Datum
reply_queue(FunctionCallInfo fcinfo, ReplyCode code, const QueueView *view)
{
	StringInfoData body;

	initStringInfo(&body);
	spl_json_queue(&body, view);
	return spl_reply(fcinfo, code, &body, 0);
}

/* spooled._queue_get(queue_name text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_get, QUEUES_READ)
{
	QueueView view;
	SplFault  fault;

	raise_unless_ok(spl_queue_get(spl_queue_path_arg(fcinfo, 0), &view, &fault), &fault);
	return reply_queue(fcinfo, REPLY_OK, &view);
}

/* spooled._queue_configure(queue_name text, max_retries int, default_timeout int, rate_limit int, enabled boolean,
 * settings text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_configure, QUEUES_WRITE)
{
	QueuePatch patch = spl_queue_patch();
	QueueView  view;
	bool	   created;
	SplFault   fault;

	patch.max_retries = int_arg(fcinfo, 1, NOT_GIVEN);
	patch.default_timeout = int_arg(fcinfo, 2, NOT_GIVEN);
	patch.rate_limit = int_arg(fcinfo, 3, NOT_GIVEN);
	if (!PG_ARGISNULL(4))
		patch.enabled = PG_GETARG_BOOL(4);
	patch.settings = text_arg(fcinfo, 5);
	raise_unless_ok(spl_queue_configure(spl_queue_path_arg(fcinfo, 0), &patch, true, &created, &view, &fault), &fault);
	return reply_queue(fcinfo, REPLY_OK, &view);
}

/* spooled._queue_create(name text, max_retries int, timeout_seconds int, retry_delay_seconds int, idempotency_key text)
 * returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_create, QUEUES_WRITE)
{
	QueuePatch	   patch = spl_queue_patch();
	QueueView	   view;
	StringInfoData body;
	Datum		   repeated;
	bool		   created;
	SplFault	   fault;

	if (spl_reply_repeated(fcinfo, "queue.create", 4, &repeated))
		return repeated;
	patch.max_retries = int_arg(fcinfo, 1, NOT_GIVEN);
	patch.default_timeout = int_arg(fcinfo, 2, NOT_GIVEN);
	if (!PG_ARGISNULL(3))
	{
		raise_unless_ok(spl_request_check("retry_delay_seconds", PG_GETARG_INT32(3), 0, SECS_PER_DAY, &fault), &fault);
		patch.backoff_base_ms = (int64) PG_GETARG_INT32(3) * 1000;
	}
	spl_need_arg(fcinfo, 0, "name");
	raise_unless_ok(spl_queue_configure(text_arg(fcinfo, 0), &patch, true, &created, &view, &fault), &fault);
	initStringInfo(&body);
	spl_json_queue(&body, &view);
	return spl_reply_kept(fcinfo, "queue.create", 4, created ? REPLY_CREATED : REPLY_OK, &body, NULL);
}

/* open_about begins a body about a queue, with both of its name's names. */
static void
open_about(StringInfo body, const char *name)
{
	initStringInfo(body);
	spl_json_open(body, NULL, '{');
	spl_json_text(body, "queue_name", name);
	spl_json_text(body, "name", name);
}

static Datum
reply_about(FunctionCallInfo fcinfo, StringInfo body)
{
	spl_json_close(body, '}');
	return spl_reply(fcinfo, REPLY_OK, body, 0);
}

/* spooled._queue_pause(queue_name text, reason text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_pause, QUEUES_WRITE)
{
	char		  *name = spl_queue_path_arg(fcinfo, 0);
	char		  *reason = text_arg(fcinfo, 1);
	TimestampTz	   paused_at;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_queue_pause(name, reason, &paused_at, &fault), &fault);
	open_about(&body, name);
	spl_json_bool(&body, "paused", true);
	spl_json_time(&body, "paused_at", paused_at);
	spl_json_text(&body, "reason", reason);
	return reply_about(fcinfo, &body);
}

/* spooled._queue_resume(queue_name text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_resume, QUEUES_WRITE)
{
	char		  *name = spl_queue_path_arg(fcinfo, 0);
	int64		   paused_ms;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_queue_resume(name, &paused_ms, &fault), &fault);
	open_about(&body, name);
	spl_json_bool(&body, "resumed", true);
	spl_json_bool(&body, "paused", false);
	spl_json_int(&body, "paused_duration_secs", paused_ms / 1000);
	return reply_about(fcinfo, &body);
}

/* spooled._queue_delete(queue_name text, delete_jobs boolean) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_delete, QUEUES_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_queue_delete(spl_queue_path_arg(fcinfo, 0), bool_arg(fcinfo, 1, false), &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

/* spooled._queue_purge(queue_name text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_purge, QUEUES_WRITE)
{
	char		  *name = spl_queue_path_arg(fcinfo, 0);
	int64		   purged;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_queue_purge(name, &purged, &fault), &fault);
	open_about(&body, name);
	spl_json_bool(&body, "success", true);
	spl_json_int(&body, "purged_count", purged);
	return reply_about(fcinfo, &body);
}

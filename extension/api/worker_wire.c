/*
 * worker_wire.c
 *    The registry of workers, for the gateway.
 */
#include "postgres.h"

#include <limits.h>

#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/guc.h"
#include "ops/worker.h"
#include "json/json_write.h"
#include "json/worker_json.h"

#define LIST_MAX 100

/* spooled._worker_list() returns spooled._reply */
SPL_FUNCTION(spooled_wire_worker_list, WORKERS_READ)
{
	WorkerView	  *workers;
	int			   count = spl_worker_list(LIST_MAX, &workers);
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_worker(&body, &workers[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._worker_register(worker_id text, queue_name text, hostname text, worker_type text, max_concurrency int,
 * metadata text, version text, idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_worker_register, WORKERS_WRITE)
{
	char			  *queue = text_arg(fcinfo, 1);
	WorkerRegistration registration = {
		.worker_id = text_arg(fcinfo, 0),
		.queues = &queue,
		.queue_count = 1,
		.hostname = text_arg(fcinfo, 2),
		.worker_type = text_arg(fcinfo, 3),
		.max_concurrency = int_arg(fcinfo, 4, NOT_GIVEN),
		.metadata = text_arg(fcinfo, 5),
		.version = text_arg(fcinfo, 6),
	};
	const char	  *id;
	StringInfoData body;
	Datum		   repeated;
	SplFault	   fault;

	if (spl_reply_repeated(fcinfo, "worker.register", 7, &repeated))
		return repeated;
	spl_need_arg(fcinfo, 1, "queue_name");
	spl_need_arg(fcinfo, 2, "hostname");
	raise_unless_ok(spl_worker_register(&registration, &id, &fault), &fault);

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "id", id);
	spl_json_text(&body, "queue_name", queue);
	spl_json_int(&body, "lease_duration_secs", Max(spooled_lease_default / 1000, 1));
	spl_json_int(&body, "heartbeat_interval_secs", spooled_worker_heartbeat_interval);
	spl_json_close(&body, '}');
	return spl_reply_kept(fcinfo, "worker.register", 7, REPLY_CREATED, &body, NULL);
}

static char *
id_arg(FunctionCallInfo fcinfo)
{
	spl_need_arg(fcinfo, 0, "id");
	return text_arg(fcinfo, 0);
}

/* spooled._worker_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_worker_get, WORKERS_READ)
{
	WorkerView	   view;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_worker_get(id_arg(fcinfo), &view, &fault), &fault);
	initStringInfo(&body);
	spl_json_worker(&body, &view);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._worker_heartbeat(id text, current_jobs int, status text, metadata text) returns spooled._reply
 * without a body */
SPL_FUNCTION(spooled_wire_worker_heartbeat, WORKERS_WRITE)
{
	char	   *status = text_arg(fcinfo, 2);
	const char *now_status;
	SplFault	fault;

	if (status && !spl_worker_is_status(status))
		status = NULL;
	raise_unless_ok(spl_worker_heartbeat(id_arg(fcinfo), int_arg(fcinfo, 1, 0), status, text_arg(fcinfo, 3),
										 &now_status, &fault),
					&fault);
	return spl_reply(fcinfo, REPLY_OK, NULL, 0);
}

/* spooled._worker_deregister(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_worker_deregister, WORKERS_WRITE)
{
	int		 released;
	SplFault fault;

	raise_unless_ok(spl_worker_deregister(id_arg(fcinfo), &released, &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

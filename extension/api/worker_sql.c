/*
 * worker_sql.c
 *    SQL functions of workers.
 */
#include "postgres.h"

#include <limits.h>

#include "api/args.h"
#include "api/function.h"
#include "ops/worker.h"

/*
 * spooled.register_worker(queue text, hostname text, worker_id text, worker_type text, max_concurrency int, version text,
 * metadata json) returns text
 */
SPL_FUNCTION(spooled_register_worker, WORKERS_WRITE)
{
	char			  *queue = text_arg(fcinfo, 0);
	WorkerRegistration registration = {
		.queues = &queue,
		.queue_count = 1,
		.hostname = text_arg(fcinfo, 1),
		.worker_id = text_arg(fcinfo, 2),
		.worker_type = text_arg(fcinfo, 3),
		.max_concurrency = int_arg(fcinfo, 4, NOT_GIVEN),
		.version = text_arg(fcinfo, 5),
		.metadata = text_arg(fcinfo, 6),
	};
	const char *id;
	SplFault	fault;

	raise_unless_ok(spl_worker_register(&registration, &id, &fault), &fault);
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

/* spooled.worker_heartbeat(worker_id text, current_jobs int = 0, status text = NULL, metadata json = NULL) returns text */
SPL_FUNCTION(spooled_worker_heartbeat, WORKERS_WRITE)
{
	const char *now_status;
	SplFault	fault;

	raise_unless_ok(spl_worker_heartbeat(text_arg(fcinfo, 0), int_arg(fcinfo, 1, 0), text_arg(fcinfo, 2),
										 text_arg(fcinfo, 3), &now_status, &fault),
					&fault);
	PG_RETURN_TEXT_P(cstring_to_text(now_status));
}

/* spooled.deregister_worker(worker_id text) returns int */
SPL_FUNCTION(spooled_deregister_worker, WORKERS_WRITE)
{
	int		 released;
	SplFault fault;

	raise_unless_ok(spl_worker_deregister(text_arg(fcinfo, 0), &released, &fault), &fault);
	PG_RETURN_INT32(released);
}

/*
 * worker_sql.c
 *    SQL functions of workers.
 */
#include "postgres.h"

#include <limits.h>

#include "api/args.h"
#include "ops/worker.h"

PG_FUNCTION_INFO_V1(spooled_register_worker);
PG_FUNCTION_INFO_V1(spooled_worker_heartbeat);
PG_FUNCTION_INFO_V1(spooled_deregister_worker);

/*
 * spooled.register_worker(queue text, hostname text, worker_id text, worker_type text, max_concurrency int, version text,
 * metadata json) returns text
 */
Datum
spooled_register_worker(PG_FUNCTION_ARGS)
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
Datum
spooled_worker_heartbeat(PG_FUNCTION_ARGS)
{
	const char *now_status;
	SplFault	fault;

	raise_unless_ok(spl_worker_heartbeat(text_arg(fcinfo, 0), int_arg(fcinfo, 1, 0), text_arg(fcinfo, 2),
										 text_arg(fcinfo, 3), &now_status, &fault),
					&fault);
	PG_RETURN_TEXT_P(cstring_to_text(now_status));
}

/* spooled.deregister_worker(worker_id text) returns int */
Datum
spooled_deregister_worker(PG_FUNCTION_ARGS)
{
	int		 released;
	SplFault fault;

	raise_unless_ok(spl_worker_deregister(text_arg(fcinfo, 0), &released, &fault), &fault);
	PG_RETURN_INT32(released);
}

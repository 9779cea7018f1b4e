/*
 * stats_wire.c
 *    How many jobs there are, for the gateway.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/reply.h"
#include "api/wire_args.h"
#include "base/clock.h"
#include "ops/request.h"
#include "ops/scoped_stats.h"
#include "json/stats_json.h"

/* spooled._stats_of_jobs(queue_name text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_job_stats, JOBS_READ)
{
	JobStats	   stats;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_scoped_job_stats(spl_queue_filter(text_arg(fcinfo, 0)), &stats, &fault), &fault);
	initStringInfo(&body);
	spl_json_job_stats(&body, &stats);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._stats_of_queue(queue_name text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_queue_stats, QUEUES_READ)
{
	char		  *name = spl_queue_path_arg(fcinfo, 0);
	QueueStats	   stats;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_scoped_queue_stats(name, &stats, &fault), &fault);
	initStringInfo(&body);
	spl_json_queue_stats(&body, name, &stats, spl_clock_now());
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

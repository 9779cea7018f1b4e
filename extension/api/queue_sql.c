/*
 * queue_sql.c
 *    SQL functions of queues.
 */
#include "postgres.h"

#include <limits.h>

#include "api/args.h"
#include "api/function.h"
#include "ops/queue.h"

/* span_arg refuses a negative interval, which would read as "not given". */
static int64
span_arg(FunctionCallInfo fcinfo, int n, const char *field)
{
	int64	 ms = spl_interval_ms_arg(fcinfo, n, -1);
	SplFault fault;

	if (!PG_ARGISNULL(n) && ms < 0)
		raise_unless_ok(spl_fault(&fault, SPL_INVALID, field, "out_of_range", NULL, "%s must not be negative", field),
						&fault);
	return ms;
}

/* patch_args reads what create_queue and configure_queue have in common. */
static QueuePatch
patch_args(FunctionCallInfo fcinfo)
{
	QueuePatch patch = spl_queue_patch();

	patch.max_retries = int_arg(fcinfo, 1, NOT_GIVEN);
	patch.default_timeout = int_arg(fcinfo, 2, NOT_GIVEN);
	patch.lease_ms = span_arg(fcinfo, 3, "lease");
	patch.rate_limit = int_arg(fcinfo, 4, NOT_GIVEN);
	patch.backoff = text_arg(fcinfo, 5);
	patch.backoff_base_ms = span_arg(fcinfo, 6, "backoff_base");
	patch.backoff_factor = float_arg(fcinfo, 7, -1);
	patch.backoff_cap_ms = span_arg(fcinfo, 8, "backoff_cap");
	patch.backoff_jitter = float_arg(fcinfo, 9, -1);
	patch.enforce_timeout = PG_ARGISNULL(10) ? NOT_GIVEN : PG_GETARG_BOOL(10);
	patch.settings = spl_jsonb_text_arg(fcinfo, 11);
	return patch;
}

/*
 * spooled.create_queue(name text, max_retries int, default_timeout int, lease interval, rate_limit int, backoff text,
 * backoff_base interval, backoff_factor float8, backoff_cap interval, backoff_jitter float8, enforce_timeout boolean,
 * settings jsonb) returns boolean
 */
SPL_FUNCTION(spooled_create_queue, QUEUES_WRITE)
{
	QueuePatch patch = patch_args(fcinfo);
	bool	   created;
	SplFault   fault;

	raise_unless_ok(spl_queue_configure(text_arg(fcinfo, 0), &patch, true, &created, NULL, &fault), &fault);
	PG_RETURN_BOOL(created);
}

/* spooled.configure_queue(the same) returns void */
SPL_FUNCTION(spooled_configure_queue, QUEUES_WRITE)
{
	QueuePatch patch = patch_args(fcinfo);
	bool	   created;
	SplFault   fault;

	raise_unless_ok(spl_queue_configure(text_arg(fcinfo, 0), &patch, false, &created, NULL, &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.pause_queue(name text, reason text = NULL) returns timestamptz */
SPL_FUNCTION(spooled_pause_queue, QUEUES_WRITE)
{
	TimestampTz paused_at;
	SplFault	fault;

	raise_unless_ok(spl_queue_pause(text_arg(fcinfo, 0), text_arg(fcinfo, 1), &paused_at, &fault), &fault);
	PG_RETURN_TIMESTAMPTZ(paused_at);
}

/* spooled.resume_queue(name text) returns interval */
SPL_FUNCTION(spooled_resume_queue, QUEUES_WRITE)
{
	int64	 paused_ms;
	SplFault fault;

	raise_unless_ok(spl_queue_resume(text_arg(fcinfo, 0), &paused_ms, &fault), &fault);
	return spl_interval_of_ms(paused_ms);
}

/* spooled.delete_queue(name text, delete_jobs boolean = false) returns void */
SPL_FUNCTION(spooled_delete_queue, QUEUES_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_queue_delete(text_arg(fcinfo, 0), bool_arg(fcinfo, 1, false), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.purge_queue(name text) returns bigint */
SPL_FUNCTION(spooled_purge_queue, QUEUES_WRITE)
{
	int64	 purged;
	SplFault fault;

	raise_unless_ok(spl_queue_purge(text_arg(fcinfo, 0), &purged, &fault), &fault);
	PG_RETURN_INT64(purged);
}

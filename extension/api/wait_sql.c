/*
 * wait_sql.c
 *    Waiting for jobs, as SQL procedures; subscribing to wake-ups.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/args.h"
#include "api/function.h"
#include "nodes/parsenodes.h"
#include "ops/wait.h"

/* require_no_block raises an error unless this call may end the transaction. */
static void
require_no_block(FunctionCallInfo fcinfo)
{
	CallContext *call = (CallContext *) fcinfo->context;

	if (call == NULL || !IsA(call, CallContext) || call->atomic || IsSubTransaction())
		ereport(
			ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg(
				 "spooled.wait_for_jobs cannot run inside a transaction block, a function or a block with EXCEPTION"),
			 errhint(
				 "It ends the transaction, so that nothing is held back while it waits. CALL it outside BEGIN, or from a procedure or DO block that itself runs outside BEGIN.")));
}

static void
wait_for_jobs(FunctionCallInfo fcinfo, const char **queues, int count)
{
	SplFault fault;

	require_no_block(fcinfo);
	raise_unless_ok(spl_wait_for_jobs(queues, count, spl_interval_ms_arg(fcinfo, 1, WAIT_DEFAULT_MS), &fault), &fault);
}

/* CALL spooled.wait_for_jobs(queue text, timeout interval = '20 s') */
SPL_FUNCTION(spooled_wait_for_jobs, JOBS_WRITE)
{
	const char *queue = text_arg(fcinfo, 0);

	wait_for_jobs(fcinfo, &queue, 1);
	PG_RETURN_VOID();
}

/* CALL spooled.wait_for_jobs(queues text[], timeout interval = '20 s') */
SPL_FUNCTION(spooled_wait_for_jobs_queues, JOBS_WRITE)
{
	char **queues = NULL;
	int	   count = spl_text_array_arg(fcinfo, 0, "queues", &queues);

	wait_for_jobs(fcinfo, (const char **) queues, Max(count, 0));
	PG_RETURN_VOID();
}

/* spooled.subscribe() returns void */
SPL_FUNCTION(spooled_subscribe, PERMISSION_NONE)
{
	SplFault fault;

	raise_unless_ok(spl_subscribe(&fault), &fault);
	PG_RETURN_VOID();
}

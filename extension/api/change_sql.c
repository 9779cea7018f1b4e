/*
 * change_sql.c
 *    spooled.cancel, retry and set_priority.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/change.h"

/* spooled.cancel(job_id uuid) returns text */
SPL_FUNCTION(spooled_cancel, JOBS_WRITE)
{
	CancelAnswer answer;
	SplFault	 fault;

	raise_unless_ok(spl_job_cancel(uuid_arg(fcinfo, 0), &answer, &fault), &fault);
	PG_RETURN_TEXT_P(cstring_to_text(answer == CANCEL_DONE ? "cancelled" : "processing"));
}

/* spooled.retry(job_id uuid) returns void */
SPL_FUNCTION(spooled_retry, JOBS_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_job_replay(uuid_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.set_priority(job_id uuid, priority int) returns int */
SPL_FUNCTION(spooled_set_priority, JOBS_WRITE)
{
	int		 old_priority;
	SplFault fault;

	raise_unless_ok(spl_job_set_priority(uuid_arg(fcinfo, 0), PG_GETARG_INT32(1), &old_priority, &fault), &fault);
	PG_RETURN_INT32(old_priority);
}

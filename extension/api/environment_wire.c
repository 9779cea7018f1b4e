/*
 * environment_wire.c
 *    What a gateway asks before it serves anybody.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/environment.h"

/* spooled._check_environment(environment jsonb) returns void */
SPL_FUNCTION(spooled_wire_check_environment, PERMISSION_NONE)
{
	SplFault fault;

	spl_need_arg(fcinfo, 0, "environment");
	raise_unless_ok(spl_environment_check(PG_GETARG_JSONB_P(0), &fault), &fault);
	PG_RETURN_VOID();
}

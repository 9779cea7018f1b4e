/*
 * plan_sql.c
 *    Plans: the trigger that tells every session of a change.
 */
#include "postgres.h"

#include "api/function.h"
#include "commands/trigger.h"
#include "ops/plan.h"

/* spooled._plans_changed() returns trigger */
SPL_FUNCTION(spooled_plans_changed, PERMISSION_NONE)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("spooled._plans_changed() can only be called by a trigger")));
	spl_plans_changed();
	return PointerGetDatum(NULL);
}

/*
 * dashboard_wire.c
 *    The dashboard, for the gateway.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/reply.h"
#include "utils/guc.h"
#include "json/dashboard_json.h"

/* spooled._dashboard() returns spooled._reply */
SPL_FUNCTION(spooled_wire_dashboard, JOBS_READ)
{
	Dashboard	   dashboard;
	StringInfoData body;

	spl_dashboard(&dashboard);
	initStringInfo(&body);
	spl_json_dashboard(&body, &dashboard, GetConfigOption("spooled.environment", false, false));
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

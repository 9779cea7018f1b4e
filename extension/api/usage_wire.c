/*
 * usage_wire.c
 *    Usage, in SQL and for the gateway.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/organization_args.h"
#include "api/reply.h"
#include "ops/api_key.h"
#include "ops/organization.h"
#include "json/json_write.h"
#include "json/plan_json.h"

/* spooled.usage() returns table (resource text, used bigint, allowed bigint) */
SPL_FUNCTION(spooled_usage, ORGANIZATIONS_READ)
{
	OrgUsage usage;
	SplFault fault;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	spl_usage_of(&usage);
	spl_rows_begin(fcinfo);
	for (PlanField field = 0; field < PLAN_COUNTS; field++)
	{
		int64 limit = usage.plan.limit[field];
		Datum values[3] = {CStringGetTextDatum(spl_plan_resource(field)), Int64GetDatum(usage.used[field]),
						   Int64GetDatum(limit)};
		bool  nulls[3] = {false, false, limit == PLAN_UNLIMITED};

		spl_row_out(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* spooled._usage(id text) returns spooled._reply; id null: the caller's organization */
SPL_FUNCTION(spooled_wire_usage, ORGANIZATIONS_READ)
{
	StringInfoData body;
	OrgUsage	   usage;
	SplFault	   fault;
	OrgRow		   org;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	spl_usage_of(&usage);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_usage_fields(&body, &usage);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

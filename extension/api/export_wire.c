/*
 * export_wire.c
 *    An organization's rows, a page at a time, for the gateway.
 *
 * A page ends after so many rows or so many bytes, whichever comes first, so that the largest payloads make small pages.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/organization_args.h"
#include "api/reply.h"
#include "ops/admin.h"
#include "ops/export.h"
#include "json/json_write.h"

#define PAGE_ROWS 1000
#define PAGE_BYTES (4 * 1024 * 1024)

static void
write_row(const char *table, struct varlena *row, const char *place, void *arg)
{
	StringInfo body = arg;

	spl_json_open(body, NULL, '{');
	spl_json_text(body, "table", table);
	spl_json_varlena_raw(body, "data", row);
	spl_json_close(body, '}');
}

/* reply_page answers with the page behind the place in argument "after_arg", of as many rows as the next argument says. */
static Datum
reply_page(FunctionCallInfo fcinfo, const OrgRow *org, int after_arg)
{
	int			   max_rows = int_arg(fcinfo, after_arg + 1, PAGE_ROWS);
	StringInfoData body;
	char		  *next;
	SplFault	   fault;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_open(&body, "rows", '[');
	raise_unless_ok(spl_export(org, text_arg(fcinfo, after_arg), Min(Max(max_rows, 1), PAGE_ROWS), PAGE_BYTES,
							   write_row, &body, &next, &fault),
					&fault);
	spl_json_close(&body, ']');
	spl_json_text(&body, "next", next);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._organization_export(after text, max_rows int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_export, PERMISSION_ALL)
{
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_organization_get(NULL, &org, &fault), &fault);
	return reply_page(fcinfo, &org, 0);
}

/* spooled._admin_organization_export(id text, after text, max_rows int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_admin_organization_export, PERMISSION_NONE)
{
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_need_admin(&fault), &fault);
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	return reply_page(fcinfo, &org, 1);
}

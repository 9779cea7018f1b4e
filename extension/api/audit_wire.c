/*
 * audit_wire.c
 *    The audit log, for the gateway: an organization's own, and for the admin everybody's.
 */
#include "postgres.h"

#include "api/function.h"
#include "api/organization_args.h"
#include "api/reply.h"
#include "base/org_context.h"
#include "ops/admin.h"
#include "ops/request.h"
#include "json/audit_json.h"

/* after_arg reads where a page goes on: the "next" of the page before. */
static int64
after_arg(FunctionCallInfo fcinfo, int n)
{
	const char *text = text_arg(fcinfo, n);
	char	   *end;
	int64		id;
	SplFault	fault;

	if (text == NULL)
		return AUDIT_NEWEST;
	errno = 0;
	id = strtoi64(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		raise_unless_ok(spl_fault(&fault, SPL_INVALID, "after", "invalid_value", "It is the next of the page before.",
								  "after is not the id of an entry"),
						&fault);
	return id;
}

/* reply_page answers with a page; its filters stand from argument "first" on: action, target_kind, target_id, after, max_rows. */
static Datum
reply_page(FunctionCallInfo fcinfo, int32 org, int first)
{
	AuditFilter filter = {
		.action = text_arg(fcinfo, first),
		.target_kind = text_arg(fcinfo, first + 1),
		.target_id = text_arg(fcinfo, first + 2),
		.before = after_arg(fcinfo, first + 3),
		.limit = spl_page_limit(int_arg(fcinfo, first + 4, PAGE_DEFAULT)),
	};
	AuditEntry	  *entries;
	int			   count;
	int64		   next;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_audit_read(&filter, org, &entries, &count, &next, &fault), &fault);
	initStringInfo(&body);
	spl_json_audit_page(&body, entries, count, next);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._audit_list(action text, target_kind text, target_id text, after text, max_rows int) returns spooled._reply */
SPL_FUNCTION(spooled_wire_audit_list, ORGANIZATIONS_READ)
{
	return reply_page(fcinfo, SPL_ORG_NONE, 0);
}

/* spooled._admin_audit_list(organization_id text, action text, target_kind text, target_id text, after text, max_rows int)
 * returns spooled._reply; organization_id null: of all of them, and of the installation */
SPL_FUNCTION(spooled_wire_admin_audit_list, PERMISSION_NONE)
{
	const pg_uuid_t *uid;
	OrgRow			 org = {.id = SPL_ORG_NONE};
	SplFault		 fault;

	raise_unless_ok(spl_need_admin(&fault), &fault);
	uid = spl_org_id_arg(fcinfo, 0);
	if (uid)
		raise_unless_ok(spl_organization_get(uid, &org, &fault), &fault);
	return reply_page(fcinfo, org.id, 1);
}

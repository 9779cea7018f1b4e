/*
 * identity_sql.c
 *    Who is asking: spooled.enter, current_org, API keys and role bindings.
 */
#include "postgres.h"

#include "api/args.h"
#include "base/org_context.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "ops/identity.h"
#include "ops/organization.h"
#include "utils/array.h"

/* spooled.current_org() returns int4 */
PG_FUNCTION_INFO_V1(spooled_current_org);
Datum
spooled_current_org(PG_FUNCTION_ARGS)
{
	int32 org = spl_org_or_none();

	if (org == SPL_ORG_NONE)
		PG_RETURN_NULL();
	PG_RETURN_INT32(org);
}

/* spooled.enter(credential text) returns void */
PG_FUNCTION_INFO_V1(spooled_enter);
Datum
spooled_enter(PG_FUNCTION_ARGS)
{
	SplFault fault;

	raise_unless_ok(spl_enter(text_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}

/* need_superuser refuses everybody else what decides over organizations. */
static void
need_superuser(const char *what)
{
	if (!superuser())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be superuser to %s", what)));
}

/* spooled.enter_admin(key text, client text = NULL) returns void */
PG_FUNCTION_INFO_V1(spooled_enter_admin);
Datum
spooled_enter_admin(PG_FUNCTION_ARGS)
{
	SplFault fault;

	raise_unless_ok(spl_enter_admin(text_arg(fcinfo, 0), text_arg(fcinfo, 1), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.enter_organization(organization text) returns void */
PG_FUNCTION_INFO_V1(spooled_enter_organization);
Datum
spooled_enter_organization(PG_FUNCTION_ARGS)
{
	SplFault fault;

	need_superuser("choose an organization");
	raise_unless_ok(spl_enter_organization(text_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.create_organization(name text, slug text, plan_tier text = 'enterprise', billing_email text = NULL) returns uuid */
PG_FUNCTION_INFO_V1(spooled_create_organization);
Datum
spooled_create_organization(PG_FUNCTION_ARGS)
{
	NewOrganization wanted = {
		.name = text_arg(fcinfo, 0),
		.slug = text_arg(fcinfo, 1),
		.plan_tier = text_arg(fcinfo, 2),
		.billing_email = text_arg(fcinfo, 3),
	};
	OrgRow	   made;
	SplFault   fault;
	pg_uuid_t *uid = palloc(sizeof(*uid));

	if (!spl_is_admin())
		need_superuser("make an organization");
	raise_unless_ok(spl_organization_create(&wanted, &made, &fault), &fault);
	*uid = made.uid;
	PG_RETURN_UUID_P(uid);
}

/* spooled.create_api_key(name text, queues text[] = '{*}', expires_at timestamptz = NULL) returns text */
PG_FUNCTION_INFO_V1(spooled_create_api_key);
Datum
spooled_create_api_key(PG_FUNCTION_ARGS)
{
	Datum	 any = CStringGetTextDatum("*");
	Datum	 queues = PG_ARGISNULL(1) ? PointerGetDatum(construct_array(&any, 1, TEXTOID, -1, false, TYPALIGN_INT))
									  : PG_GETARG_DATUM(1);
	char	*key;
	SplFault fault;

	spl_need_arg(fcinfo, 0, "name");
	raise_unless_ok(spl_api_key_create(text_arg(fcinfo, 0), queues, time_arg(fcinfo, 2), &key, &fault), &fault);
	PG_RETURN_TEXT_P(cstring_to_text(key));
}

/* spooled.revoke_api_key(id uuid) returns void */
PG_FUNCTION_INFO_V1(spooled_revoke_api_key);
Datum
spooled_revoke_api_key(PG_FUNCTION_ARGS)
{
	SplFault fault;

	raise_unless_ok(spl_api_key_end(uuid_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.bind_role(role regrole, organization text) returns void */
PG_FUNCTION_INFO_V1(spooled_bind_role);
Datum
spooled_bind_role(PG_FUNCTION_ARGS)
{
	SplFault fault;

	need_superuser("bind a role to an organization");
	raise_unless_ok(spl_role_bind_org(PG_GETARG_OID(0), text_arg(fcinfo, 1), &fault), &fault);
	PG_RETURN_VOID();
}

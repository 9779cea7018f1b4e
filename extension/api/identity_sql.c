/*
 * identity_sql.c
 *    Who is asking: spooled.enter, current_org, API keys and role bindings.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "base/org_context.h"
#include "miscadmin.h"
#include "ops/identity.h"
#include "ops/organization.h"

/* spooled.current_org() returns int4 */
SPL_FUNCTION(spooled_current_org, PERMISSION_NONE)
{
	int32 org = spl_org_or_none();

	if (org == SPL_ORG_NONE)
		PG_RETURN_NULL();
	PG_RETURN_INT32(org);
}

/* spooled._in_scope(queue_name text) returns boolean */
SPL_FUNCTION(spooled_in_scope, PERMISSION_NONE)
{
	uint32 denied = spl_principal()->denied;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(!spl_scope_is_restricted() && denied == 0);
	if ((denied & (JOBS_READ | QUEUES_READ)) != 0)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(!spl_scope_is_restricted() || spl_queue_in_scope(text_arg(fcinfo, 0)));
}

/* rate_out returns what is left of the request rate; null: it is not limited. */
static Datum
rate_out(FunctionCallInfo fcinfo, const RateAnswer *rate)
{
	Datum values[3] = {Int32GetDatum(rate->limit), Int32GetDatum(rate->remaining), Int64GetDatum(rate->reset_at)};
	bool  nulls[3] = {false};

	if (rate->limit == 0)
		PG_RETURN_NULL();
	return spl_record_out(fcinfo, values, nulls);
}

/* spooled.enter(credential text, client text = NULL, requests int = 1) returns spooled.request_rate */
SPL_FUNCTION(spooled_enter, PERMISSION_NONE)
{
	const char *credential = text_arg(fcinfo, 0);
	RateAnswer	rate;
	SplFault	fault;

	raise_unless_ok(spl_enter(credential ? credential : "", text_arg(fcinfo, 1), int_arg(fcinfo, 2, 1), &rate, &fault),
					&fault);
	return rate_out(fcinfo, &rate);
}

/* spooled._enter_public(client text, requests int = 1) returns spooled.request_rate */
SPL_FUNCTION(spooled_enter_public, PERMISSION_NONE)
{
	RateAnswer rate;
	SplFault   fault;

	raise_unless_ok(spl_enter_public(text_arg(fcinfo, 0), int_arg(fcinfo, 1, 1), &rate, &fault), &fault);
	return rate_out(fcinfo, &rate);
}

/* need_superuser refuses everybody else what decides over organizations. */
static void
need_superuser(const char *what)
{
	if (!superuser())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be superuser to %s", what)));
}

/* spooled.enter_admin(key text, client text = NULL, requests int = 1) returns void */
SPL_FUNCTION(spooled_enter_admin, PERMISSION_NONE)
{
	SplFault fault;

	raise_unless_ok(spl_enter_admin(text_arg(fcinfo, 0), text_arg(fcinfo, 1), int_arg(fcinfo, 2, 1), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.enter_organization(organization text) returns void */
SPL_FUNCTION(spooled_enter_organization, PERMISSION_NONE)
{
	SplFault fault;

	need_superuser("choose an organization");
	raise_unless_ok(spl_enter_organization(text_arg(fcinfo, 0), &fault), &fault);
	PG_RETURN_VOID();
}

/* spooled.create_organization(name text, slug text, plan_tier text = 'enterprise', billing_email text = NULL) returns uuid */
SPL_FUNCTION(spooled_create_organization, PERMISSION_NONE)
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

/* spooled.bind_role(role regrole, organization text) returns void */
SPL_FUNCTION(spooled_bind_role, PERMISSION_NONE)
{
	SplFault fault;

	need_superuser("bind a role to an organization");
	spl_need_arg(fcinfo, 0, "role");
	raise_unless_ok(spl_role_bind_org(PG_GETARG_OID(0), text_arg(fcinfo, 1), &fault), &fault);
	PG_RETURN_VOID();
}

/*
 * organization_wire.c
 *    Organizations, for the gateway.
 */
#include "postgres.h"

#include "api/api_key_args.h"
#include "api/function.h"
#include "api/organization_args.h"
#include "api/reply.h"
#include "json/api_key_json.h"
#include "json/json_write.h"
#include "json/organization_json.h"

const pg_uuid_t *
spl_org_id_arg(FunctionCallInfo fcinfo, int n)
{
	pg_uuid_t *id;

	if (PG_ARGISNULL(n))
		return NULL;
	id = palloc(sizeof(*id));
	*id = spl_id_arg(fcinfo, n);
	return id;
}

const char *
spl_shown_token(const OrgRow *org)
{
	bool is_limited = spl_scope_is_restricted() || (spl_principal()->denied & ORGANIZATIONS_WRITE) != 0;

	return is_limited ? NULL : spl_webhook_token(org);
}

Datum
spl_reply_new_organization(FunctionCallInfo fcinfo, RequestKey *request, const OrgRow *made, const ApiKeyRow *first,
						   const char *key)
{
	const char	  *token = spl_webhook_token(made);
	const char	  *secrets[] = {key, token, NULL};
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_organization(&body, "organization", made, token);
	spl_json_api_key(&body, "api_key", first, key);
	spl_json_organization_fields(&body, made, token);
	spl_json_close(&body, '}');
	request->org = made->id;
	return spl_reply_kept_of(fcinfo, request, REPLY_CREATED, &body, secrets);
}

/* spooled._organization_create(name text, slug text, billing_email text, admin_key text, idempotency_key text)
 * returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_create, PERMISSION_NONE)
{
	NewOrganization wanted = {
		.name = text_arg(fcinfo, 0),
		.slug = text_arg(fcinfo, 1),
		.billing_email = text_arg(fcinfo, 2),
	};
	RequestKey	request = spl_request_key_of_new(&wanted, text_arg(fcinfo, 4));
	OrgRow		made;
	ApiKeyRow	first;
	const char *key;
	Datum		repeated;
	SplFault	fault;

	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_organization_register(&wanted, text_arg(fcinfo, 3), &made, &first, &key, &fault), &fault);
	return spl_reply_new_organization(fcinfo, &request, &made, &first, key);
}

static Datum
reply_organization(FunctionCallInfo fcinfo, const OrgRow *org)
{
	StringInfoData body;

	initStringInfo(&body);
	spl_json_organization(&body, NULL, org, spl_shown_token(org));
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._organization_list() returns spooled._reply: the one of whoever asks */
SPL_FUNCTION(spooled_wire_organization_list, ORGANIZATIONS_READ)
{
	OrgRow		   org;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_organization_get(NULL, &org, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	spl_json_organization(&body, NULL, &org, spl_shown_token(&org));
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._organization_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_get, ORGANIZATIONS_READ)
{
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	return reply_organization(fcinfo, &org);
}

/* spooled._organization_update(id text, name text, billing_email text, settings text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_update, ORGANIZATIONS_WRITE)
{
	OrganizationPatch patch = {
		.name = text_arg(fcinfo, 1),
		.billing_email = text_arg(fcinfo, 2),
		.settings = text_arg(fcinfo, 3),
	};
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_organization_change(spl_org_id_arg(fcinfo, 0), &patch, &org, &fault), &fault);
	return reply_organization(fcinfo, &org);
}

/* spooled._organization_delete(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_delete, ORGANIZATIONS_WRITE)
{
	SplFault fault;

	raise_unless_ok(spl_organization_delete(spl_org_id_arg(fcinfo, 0), &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

/* spooled._organization_members(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_members, ORGANIZATIONS_READ)
{
	OrgRow		   org;
	ApiKeyRow	  *keys;
	int			   count;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_organization_members(spl_org_id_arg(fcinfo, 0), &org, &keys, &count, &fault), &fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '[');
	for (int i = 0; i < count; i++)
		spl_json_org_member(&body, &org, &keys[i]);
	spl_json_close(&body, ']');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._organization_api_key_create(id text, name text, queues text[], rate_limit int, expires_at timestamptz,
 * permissions text[], idempotency_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_organization_api_key_create, API_KEYS_WRITE)
{
	ApiKeyWish	wish = spl_api_key_wish_args(fcinfo, 1);
	RequestKey	request = spl_request_key(API_KEY_CREATE, text_arg(fcinfo, 6));
	OrgRow		org;
	ApiKeyRow	made;
	const char *key;
	Datum		repeated;
	SplFault	fault;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	if (spl_reply_repeated_of(fcinfo, &request, &repeated))
		return repeated;
	raise_unless_ok(spl_api_key_create(org.id, &wish, &made, &key, &fault), &fault);
	return spl_reply_new_api_key(fcinfo, &request, &made, key);
}

static Datum
reply_token(FunctionCallInfo fcinfo, const OrgRow *org)
{
	const char	  *token = spl_webhook_token(org);
	StringInfoData body;

	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_text(&body, "webhook_token", token);
	spl_json_text(&body, "token", token);
	spl_json_text(&body, "webhook_url", spl_webhook_url(org));
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._webhook_token_get(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_webhook_token_get, ORGANIZATIONS_WRITE)
{
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	return reply_token(fcinfo, &org);
}

/* spooled._webhook_token_renew(id text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_webhook_token_renew, ORGANIZATIONS_WRITE)
{
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_webhook_token_renew(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	return reply_token(fcinfo, &org);
}

/* spooled._webhook_token_clear(id text) returns spooled._reply: refused, nobody may send jobs without one */
SPL_FUNCTION(spooled_wire_webhook_token_clear, ORGANIZATIONS_WRITE)
{
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_need_unrestricted(&fault), &fault);
	raise_unless_ok(spl_organization_get(spl_org_id_arg(fcinfo, 0), &org, &fault), &fault);
	raise_unless_ok(spl_fault(&fault, SPL_BAD_REQUEST, NULL, NULL, "Regenerate it instead.",
							  "The webhook token can't be cleared: anybody could send jobs"),
					&fault);
	pg_unreachable();
}

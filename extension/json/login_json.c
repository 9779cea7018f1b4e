/*
 * login_json.c
 *    Tokens and who they stand for, as JSON, with the names of all clients.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "json/json_write.h"
#include "json/login_json.h"

void
spl_json_tokens(StringInfo out, const LoginTokens *tokens)
{
	spl_json_text(out, "access_token", tokens->access);
	spl_json_text(out, "refresh_token", tokens->refresh);
	spl_json_text(out, "token_type", "Bearer");
	spl_json_int(out, "expires_in", tokens->expires_in);
	spl_json_int(out, "refresh_expires_in", tokens->refresh_expires_in);
}

static void
write_queues(StringInfo out, const SplPrincipal *principal)
{
	spl_json_open(out, "queues", '[');
	if (principal->queues == NULL)
		spl_json_text(out, NULL, "*");
	for (int i = 0; i < principal->queue_count; i++)
		spl_json_text(out, NULL, principal->queues[i]);
	spl_json_close(out, ']');
}

void
spl_json_me(StringInfo out, const SplPrincipal *principal, const OrgRow *org)
{
	spl_json_open(out, NULL, '{');
	spl_json_uuid(out, "organization_id", &org->uid);
	spl_json_uuid(out, "api_key_id", &principal->api_key); /* all zero: an e-mail login */
	write_queues(out, principal);
	spl_json_time(out, "issued_at", time_t_to_timestamptz(principal->issued_at));
	spl_json_time(out, "expires_at", time_t_to_timestamptz(principal->expires_at));
	spl_json_open(out, "organization", '{');
	spl_json_uuid(out, "id", &org->uid);
	spl_json_text(out, "name", org->name);
	spl_json_text(out, "slug", org->slug);
	spl_json_text(out, "plan_tier", org->plan_tier);
	spl_json_text(out, "billing_email", org->billing_email);
	spl_json_close(out, '}');
	spl_json_close(out, '}');
}

static void
write_claims(StringInfo out, const TokenClaims *claims)
{
	StringInfoData members;

	initStringInfo(&members);
	spl_token_claims_json(&members, claims);
	spl_json_open(out, "claims", '{');
	appendBinaryStringInfo(out, members.data, members.len);
	spl_json_uuid(out, "organization_id", &claims->org);
	if (claims->queues == NULL)
		spl_json_raw(out, "queues", "[]", 2);
	spl_json_close(out, '}');
}

void
spl_json_validity(StringInfo out, const TokenClaims *claims, const char *error)
{
	spl_json_open(out, NULL, '{');
	spl_json_bool(out, "valid", claims != NULL);
	if (claims == NULL)
	{
		spl_json_text(out, "error", error);
		spl_json_text(out, "message", error);
	}
	else
	{
		spl_json_uuid(out, "organization_id", &claims->org);
		spl_json_uuid(out, "api_key_id", &claims->api_key);
		spl_json_time(out, "expires_at", time_t_to_timestamptz(claims->expires_at));
		write_claims(out, claims);
	}
	spl_json_close(out, '}');
}

/*
 * auth_wire.c
 *    Login, refresh, validation and logout, for the gateway.
 *
 * A refusal of login and refresh is not raised: what it changed has to be committed.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "api/reply.h"
#include "ops/login.h"
#include "json/json_write.h"
#include "json/login_json.h"

static Datum
tokens_reply(FunctionCallInfo fcinfo, SplCode code, const LoginTokens *tokens, const SplFault *fault)
{
	StringInfoData body;

	if (code != SPL_OK)
		return spl_reply_refuse(fcinfo, fault);
	initStringInfo(&body);
	spl_json_open(&body, NULL, '{');
	spl_json_tokens(&body, tokens);
	spl_json_close(&body, '}');
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._auth_login(api_key text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_auth_login, PERMISSION_NONE)
{
	LoginTokens tokens;
	SplFault	fault;

	spl_need_arg(fcinfo, 0, "api_key");
	return tokens_reply(fcinfo, spl_login_by_key(text_arg(fcinfo, 0), &tokens, &fault), &tokens, &fault);
}

/* spooled._auth_refresh(refresh_token text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_auth_refresh, PERMISSION_NONE)
{
	LoginTokens tokens;
	SplFault	fault;

	spl_need_arg(fcinfo, 0, "refresh_token");
	return tokens_reply(fcinfo, spl_login_refresh(text_arg(fcinfo, 0), &tokens, &fault), &tokens, &fault);
}

/* spooled._auth_validate(token text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_auth_validate, PERMISSION_NONE)
{
	TokenClaims	   claims;
	StringInfoData body;
	SplFault	   fault;
	SplCode		   code;

	spl_need_arg(fcinfo, 0, "token");
	code = spl_login_check(text_arg(fcinfo, 0), &claims, &fault);
	if (code != SPL_OK && code != SPL_UNAUTHORIZED)
		spl_fault_raise(&fault);
	initStringInfo(&body);
	spl_json_validity(&body, code == SPL_OK ? &claims : NULL, code == SPL_OK ? NULL : fault.message);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._auth_me() returns spooled._reply */
SPL_FUNCTION(spooled_wire_auth_me, PERMISSION_NONE)
{
	OrgRow		   org;
	StringInfoData body;
	SplFault	   fault;

	raise_unless_ok(spl_login_whose(&org, &fault), &fault);
	initStringInfo(&body);
	spl_json_me(&body, spl_principal(), &org);
	return spl_reply(fcinfo, REPLY_OK, &body, 0);
}

/* spooled._auth_logout(refresh_token text) returns spooled._reply */
SPL_FUNCTION(spooled_wire_auth_logout, PERMISSION_NONE)
{
	SplFault fault;

	raise_unless_ok(spl_login_end(text_arg(fcinfo, 0), &fault), &fault);
	return spl_reply(fcinfo, REPLY_NO_CONTENT, NULL, 0);
}

/*
 * login.c
 *    Logins: sessions of access and refresh tokens.
 *
 * What is stored is one row for each session: which refresh token is in use (by its jti), and which one it was exchanged
 * for.  Two exchanges of the same token give the same successor, so there is never more than one to come, and a token that
 * is neither of the two was used up.  An access token is not stored: it is good while its session is, and while its key is.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/secret.h"
#include "base/uuid7.h"
#include "ops/audit.h"
#include "ops/identity.h"
#include "ops/login.h"
#include "ops/rate.h"
#include "rules/limits.h"
#include "rules/token_text.h"
#include "store/login_store.h"
#include "store/org_store.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#define MIN_CREDENTIAL 10
#define ANY_LOGIN_TOKEN TOKEN_TYPES
#define REVOKED "Token has been revoked"

static int64
seconds_of(TimestampTz time)
{
	return timestamptz_to_time_t(time);
}

/* life_of returns for how many seconds a token is good. */
static int
life_of(TokenType type)
{
	int life = spooled_jwt_expiration_hours * SECS_PER_HOUR;

	return type == TOKEN_REFRESH ? life * TOKEN_REFRESH_TIMES : life;
}

static TimestampTz
end_of_refresh(TimestampTz now)
{
	return now + (int64) life_of(TOKEN_REFRESH) * USECS_PER_SEC;
}

static SplCode
unauthorized(SplFault *fault, const char *message)
{
	return spl_fault(fault, SPL_UNAUTHORIZED, NULL, NULL, NULL, "%s", message);
}

SplCode
spl_need_token_secret(SplFault *fault)
{
	if (*spooled_jwt_secret != '\0')
		return SPL_OK;
	return spl_fault(fault, SPL_UNAVAILABLE, NULL, NULL, "Set spooled.jwt_secret and restart the server.",
					 "tokens are not configured");
}

/* owner_of_address: an e-mail login stands for the organization for as long as that has the address. */
static SplCode
owner_of_address(int32 org, const char *email, SplPrincipal *principal, SplFault *fault)
{
	if (spl_org_by_email(email) != org)
		return unauthorized(fault, "Organization is not available");
	principal->org = org;
	principal->name = email;
	return SPL_OK;
}

/* owner_of tells for whom a session stands now. */
static SplCode
owner_of(const LoginRow *login, SplPrincipal *principal, SplFault *fault)
{
	ApiKey key;

	principal->kind = PRINCIPAL_TOKEN;
	principal->session = login->id;
	if (login->email)
		return owner_of_address(login->org, login->email, principal, fault);
	if (!login->has_api_key || !spl_api_key_find_id(&login->api_key, &key) || key.org != login->org)
		return unauthorized(fault, "API key not found");
	return spl_principal_of_key(&key, principal, fault);
}

/* open_session reads a token of a type (or ANY_LOGIN_TOKEN) and the session that it belongs to, which has to stand. */
static SplCode
open_session(const char *token, TokenType type, TokenClaims *claims, LoginRow *login, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	SplCode		code = spl_need_token_secret(fault);

	if (code != SPL_OK)
		return code;
	if (!spl_token_open(token, spooled_jwt_secret, seconds_of(now), claims))
		return unauthorized(fault, "Invalid token");
	if (claims->type != type && (type != ANY_LOGIN_TOKEN || claims->type == TOKEN_SIGNUP))
		return unauthorized(fault, "Invalid token type");
	if (!spl_login_find(&claims->session, login) || login->revoked_at != NO_TIME)
		return unauthorized(fault, REVOKED);
	return SPL_OK;
}

SplCode
spl_principal_of_token(const char *token, SplPrincipal *principal, SplFault *fault)
{
	TokenClaims claims;
	LoginRow	login;
	SplCode		code = open_session(token, TOKEN_ACCESS, &claims, &login, fault);

	if (code != SPL_OK || (code = owner_of(&login, principal, fault)) != SPL_OK)
		return code;
	principal->issued_at = claims.issued_at;
	principal->expires_at = claims.expires_at;
	return SPL_OK;
}

static SplCode
need_token(SplFault *fault)
{
	return spl_principal()->kind == PRINCIPAL_TOKEN ? SPL_OK : unauthorized(fault, "Invalid token type");
}

SplCode
spl_login_whose(OrgRow *org, SplFault *fault)
{
	SplCode code = need_token(fault);

	if (code == SPL_OK && !spl_org_read(spl_org(), org))
		code = unauthorized(fault, "Organization is not available");
	return code;
}

/* queues_json returns the principal's queue scope. */
static char *
queues_json(const SplPrincipal *principal)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	if (principal->queues == NULL)
		appendStringInfoString(&json, "\"*\"");
	for (int i = 0; i < principal->queue_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(&json, ',');
		escape_json(&json, principal->queues[i]);
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

/* seal_tokens makes an access token and the refresh token with this id for the organization that has entered. */
static void
seal_tokens(const LoginRow *login, const OrgRow *org, const pg_uuid_t *refresh_id, TimestampTz now, LoginTokens *tokens)
{
	TokenClaims claims = {.session = login->id, .org = org->uid, .issued_at = seconds_of(now), .email = login->email};

	if (login->has_api_key)
		claims.api_key = login->api_key;
	claims.queues = queues_json(spl_principal());
	claims.id = spl_uuid_random();
	claims.type = TOKEN_ACCESS;
	tokens->expires_in = life_of(TOKEN_ACCESS);
	claims.expires_at = claims.issued_at + tokens->expires_in;
	tokens->access = spl_token_seal(&claims, spooled_jwt_secret);
	claims.id = *refresh_id;
	claims.type = TOKEN_REFRESH;
	tokens->refresh_expires_in = life_of(TOKEN_REFRESH);
	claims.expires_at = claims.issued_at + tokens->refresh_expires_in;
	tokens->refresh = spl_token_seal(&claims, spooled_jwt_secret);
}

/* begin_session stores a session of who has entered and makes its first tokens. */
static SplCode
begin_session(LoginRow *login, LoginTokens *tokens, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	OrgRow		org;

	login->org = spl_org();
	if (!spl_org_read(login->org, &org))
		return unauthorized(fault, "Invalid credentials");
	login->id = spl_uuid_random();
	login->refresh_id = spl_uuid_random();
	login->created_at = now;
	login->expires_at = end_of_refresh(now);
	spl_login_put(login);
	seal_tokens(login, &org, &login->refresh_id, now, tokens);
	spl_audit("login.start", "session", spl_uuid_text(&login->id), NULL);
	spl_changes_done();
	return SPL_OK;
}

SplCode
spl_login_by_key(const char *api_key, LoginTokens *tokens, SplFault *fault)
{
	const char	*client = spl_client();
	SplPrincipal principal = {.client = client};
	LoginRow	 login = {.has_api_key = true};
	uint8		 hash[SPL_HASH_BYTES];
	SplCode		 code;

	if ((code = spl_need_token_secret(fault)) != SPL_OK ||
		(code = spl_check_length("api_key", api_key, MIN_CREDENTIAL, TOKEN_MAX_CHARACTERS, fault)) != SPL_OK)
		return code;
	spl_secret_hash(api_key, hash);
	if ((code = spl_rate_login(hash, client, fault)) != SPL_OK)
		return code;
	if (spl_principal_of_secret(api_key, &principal, fault) != SPL_OK)
	{
		spl_rate_login_failed(hash, client);
		return unauthorized(fault, "Invalid credentials");
	}
	spl_org_enter(&principal);
	login.api_key = principal.api_key;
	return begin_session(&login, tokens, fault);
}

SplCode
spl_login_by_email(int32 org_id, const char *email, OrgRow *org, LoginTokens *tokens, SplFault *fault)
{
	SplPrincipal principal = {.kind = PRINCIPAL_TOKEN, .client = spl_client()};
	LoginRow	 login = {.email = pstrdup(email)};
	SplCode		 code = owner_of_address(org_id, email, &principal, fault);

	if (code != SPL_OK)
		return code;
	spl_org_enter(&principal);
	code = begin_session(&login, tokens, fault);
	if (code == SPL_OK && !spl_org_read(org_id, org))
		code = unauthorized(fault, "Organization is not available");
	return code;
}

/* use_token finds what a refresh token is of its session, and makes its successor if there is none; false: it was used up. */
static bool
use_token(LoginRow *login, const pg_uuid_t *token)
{
	if (login->has_successor && spl_uuid_equal(token, &login->successor_id))
	{
		login->refresh_id = login->successor_id; /* the one before it has had its day */
		login->has_successor = false;
	}
	else if (!spl_uuid_equal(token, &login->refresh_id))
		return false;
	if (!login->has_successor)
		login->successor_id = spl_uuid_random();
	login->has_successor = true;
	return true;
}

/* rotate goes on with a locked session by one of its refresh tokens, or ends it when that one was used up. */
static SplCode
rotate(LoginRow *login, const pg_uuid_t *token, LoginTokens *tokens, SplFault *fault)
{
	TimestampTz now = spl_clock_now();
	OrgRow		org;

	if (login->revoked_at != NO_TIME || !spl_org_read(login->org, &org))
		return unauthorized(fault, "Invalid credentials");
	if (!use_token(login, token))
	{
		(void) spl_login_revoke(&login->id, now);
		spl_audit("login.reuse", "session", spl_uuid_text(&login->id), NULL);
		return unauthorized(fault, "Invalid credentials");
	}
	login->expires_at = end_of_refresh(now);
	spl_login_rotate(login);
	seal_tokens(login, &org, &login->successor_id, now, tokens);
	return SPL_OK;
}

SplCode
spl_login_refresh(const char *refresh_token, LoginTokens *tokens, SplFault *fault)
{
	SplPrincipal principal = {.client = spl_client()};
	TokenClaims	 claims;
	LoginRow	 login;
	SplCode		 code;

	if ((code = spl_need_token_secret(fault)) != SPL_OK ||
		(code = spl_check_length("refresh_token", refresh_token, MIN_CREDENTIAL, TOKEN_MAX_CHARACTERS, fault)) !=
			SPL_OK)
		return code;
	if (open_session(refresh_token, TOKEN_REFRESH, &claims, &login, fault) != SPL_OK ||
		owner_of(&login, &principal, fault) != SPL_OK)
		return unauthorized(fault, "Invalid credentials");
	spl_org_enter(&principal);
	if (!spl_login_lock(&claims.session, &login))
		return unauthorized(fault, "Invalid credentials");
	code = rotate(&login, &claims.id, tokens, fault);
	spl_changes_done();
	return code;
}

/* end_session ends a session of the organization that is asking. */
static void
end_session(const pg_uuid_t *id)
{
	if (spl_login_revoke(id, spl_clock_now()))
		spl_audit("login.end", "session", spl_uuid_text(id), NULL);
}

SplCode
spl_login_end(const char *refresh_token, SplFault *fault)
{
	TokenClaims claims;
	SplCode		code = need_token(fault);

	if (code != SPL_OK)
		return code;
	end_session(&spl_principal()->session);
	if (refresh_token && spl_token_open(refresh_token, spooled_jwt_secret, seconds_of(spl_clock_now()), &claims) &&
		claims.type == TOKEN_REFRESH)
		end_session(&claims.session);
	spl_changes_done();
	return SPL_OK;
}

SplCode
spl_login_check(const char *token, TokenClaims *claims, SplFault *fault)
{
	SplPrincipal principal = {0};
	LoginRow	 login;
	SplCode		 code = open_session(token, ANY_LOGIN_TOKEN, claims, &login, fault);

	if (code != SPL_OK)
		return code;
	if (claims->type == TOKEN_REFRESH && !use_token(&login, &claims->id))
		return unauthorized(fault, REVOKED);
	return owner_of(&login, &principal, fault);
}

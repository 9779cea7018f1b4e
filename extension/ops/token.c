/*
 * token.c
 *    Access, refresh and sign-up tokens: JWT, signed with HS256.
 *
 * Nothing of a token is looked at before its signature was found right, but its length and the three parts that the
 * signature is about.  There is one algorithm; a header that names another, or none, is no header of ours.
 */
#include "postgres.h"

#include "base/hmac.h"
#include "base/secret.h"
#include "base/uuid7.h"
#include "ops/token.h"
#include "rules/token_text.h"

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define HEADER_MAX 64
#define QUEUES_MAX 1500 /* characters; what is longer is left out, for the database decides anyway */

static const char *const type_names[TOKEN_TYPES] = {
	[TOKEN_ACCESS] = "access",
	[TOKEN_REFRESH] = "refresh",
	[TOKEN_SIGNUP] = "signup",
};

enum Claim
{
	CLAIM_SUB,
	CLAIM_ORG,
	CLAIM_API_KEY,
	CLAIM_SESSION,
	CLAIM_ID,
	CLAIM_TYPE,
	CLAIM_IAT,
	CLAIM_NBF,
	CLAIM_EXP,
	CLAIM_QUEUES,
	CLAIM_EMAIL,
	CLAIMS
};

static void
add_uuid(StringInfo out, const char *name, const pg_uuid_t *id)
{
	char *text = spl_uuid_text(id);

	appendStringInfo(out, "\"%s\":\"%s\",", name, text);
	pfree(text);
}

void
spl_token_claims_json(StringInfo out, const TokenClaims *claims)
{
	if (claims->type != TOKEN_SIGNUP)
	{
		add_uuid(out, "sub", &claims->org);
		add_uuid(out, "org_id", &claims->org);
		add_uuid(out, "api_key_id", &claims->api_key);
		add_uuid(out, "sid", &claims->session);
	}
	add_uuid(out, "jti", &claims->id);
	appendStringInfo(out, "\"token_type\":\"%s\",", type_names[claims->type]);
	appendStringInfo(out, "\"iat\":" INT64_FORMAT ",\"nbf\":" INT64_FORMAT ",\"exp\":" INT64_FORMAT, claims->issued_at,
					 claims->issued_at, claims->expires_at);
	if (claims->queues && strlen(claims->queues) <= QUEUES_MAX)
		appendStringInfo(out, ",\"queues\":%s", claims->queues);
	if (claims->email)
		appendStringInfo(out, ",\"email\":\"%s\"", claims->email); /* has nothing to escape */
}

/* add_part appends a part in base64url. */
static void
add_part(StringInfo token, const void *bytes, int length)
{
	char *text = spl_base64url(bytes, length);

	appendStringInfoString(token, text);
	pfree(text);
}

char *
spl_token_seal(const TokenClaims *claims, const char *secret)
{
	StringInfoData payload;
	StringInfoData token;
	uint8		   code[SPL_HMAC_BYTES];

	initStringInfo(&payload);
	appendStringInfoChar(&payload, '{');
	spl_token_claims_json(&payload, claims);
	appendStringInfoChar(&payload, '}');

	initStringInfo(&token);
	add_part(&token, HEADER, strlen(HEADER));
	appendStringInfoChar(&token, '.');
	add_part(&token, payload.data, payload.len);
	spl_hmac(secret, strlen(secret), token.data, token.len, code);
	appendStringInfoChar(&token, '.');
	add_part(&token, code, sizeof(code));
	pfree(payload.data);
	return token.data;
}

static bool
is_text(const TokenField *field, const char *text)
{
	return field->found && field->value.length == strlen(text) &&
		memcmp(field->value.text, text, field->value.length) == 0;
}

/* is_signed compares the signature with the one that it should be, in a time that tells nothing of it. */
static bool
is_signed(const char *token, const TokenText *parts, const char *secret)
{
	uint8 expected[SPL_HMAC_BYTES];
	uint8 given[SPL_HMAC_BYTES];

	if (spl_base64url_decode(parts->signature.text, parts->signature.length, given, sizeof(given)) != sizeof(given))
		return false;
	spl_hmac(secret, strlen(secret), token, parts->signed_length, expected);
	return spl_secret_equal(given, expected, sizeof(expected));
}

static bool
is_our_header(const TokenPart *header)
{
	TokenField fields[] = {{"alg", FIELD_TEXT}, {"typ", FIELD_TEXT}};
	uint8	   json[HEADER_MAX];
	int		   length = spl_base64url_decode(header->text, header->length, json, sizeof(json));

	return length > 0 && spl_token_fields((char *) json, length, fields, lengthof(fields)) &&
		is_text(&fields[0], "HS256") && (!fields[1].found || is_text(&fields[1], "JWT"));
}

static bool
read_uuid(const TokenField *field, pg_uuid_t *id)
{
	char text[UUID_LEN * 2 + 4 + 1];

	if (!field->found || field->value.length != sizeof(text) - 1)
		return false;
	memcpy(text, field->value.text, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return spl_uuid_parse(text, id);
}

static bool
read_type(const TokenField *field, TokenType *type)
{
	for (int i = 0; i < TOKEN_TYPES; i++)
		if (is_text(field, type_names[i]))
		{
			*type = i;
			return true;
		}
	return false;
}

/* read_owner reads the claims that say for whom a token is; a sign-up token has none of them. */
static bool
read_owner(const TokenField *fields, TokenClaims *claims)
{
	pg_uuid_t subject;

	if (claims->type == TOKEN_SIGNUP)
		return claims->email && !fields[CLAIM_SUB].found && !fields[CLAIM_ORG].found && !fields[CLAIM_API_KEY].found &&
			!fields[CLAIM_SESSION].found;
	return read_uuid(&fields[CLAIM_SUB], &subject) && read_uuid(&fields[CLAIM_ORG], &claims->org) &&
		spl_uuid_equal(&subject, &claims->org) && read_uuid(&fields[CLAIM_API_KEY], &claims->api_key) &&
		read_uuid(&fields[CLAIM_SESSION], &claims->session);
}

/* copy_value returns a field's text, or NULL. */
static char *
copy_value(const TokenField *field)
{
	return field->found ? pnstrdup(field->value.text, field->value.length) : NULL;
}

static bool
read_claims(const char *json, int length, TokenClaims *claims, int64 *not_before)
{
	TokenField fields[CLAIMS] = {
		[CLAIM_SUB] = {"sub", FIELD_TEXT},
		[CLAIM_ORG] = {"org_id", FIELD_TEXT},
		[CLAIM_API_KEY] = {"api_key_id", FIELD_TEXT},
		[CLAIM_SESSION] = {"sid", FIELD_TEXT},
		[CLAIM_ID] = {"jti", FIELD_TEXT},
		[CLAIM_TYPE] = {"token_type", FIELD_TEXT},
		[CLAIM_IAT] = {"iat", FIELD_NUMBER},
		[CLAIM_NBF] = {"nbf", FIELD_NUMBER},
		[CLAIM_EXP] = {"exp", FIELD_NUMBER},
		[CLAIM_QUEUES] = {"queues", FIELD_TEXTS},
		[CLAIM_EMAIL] = {"email", FIELD_TEXT},
	};

	if (!spl_token_fields(json, length, fields, CLAIMS) || !read_type(&fields[CLAIM_TYPE], &claims->type) ||
		!read_uuid(&fields[CLAIM_ID], &claims->id) || !fields[CLAIM_IAT].found || !fields[CLAIM_NBF].found ||
		!fields[CLAIM_EXP].found)
		return false;
	claims->issued_at = fields[CLAIM_IAT].number;
	claims->expires_at = fields[CLAIM_EXP].number;
	*not_before = fields[CLAIM_NBF].number;
	claims->queues = copy_value(&fields[CLAIM_QUEUES]);
	claims->email = copy_value(&fields[CLAIM_EMAIL]);
	return read_owner(fields, claims);
}

bool
spl_token_open(const char *token, const char *secret, int64 now, TokenClaims *claims)
{
	TokenText parts;
	uint8	  json[TOKEN_MAX_CHARACTERS];
	int		  length;
	int64	  not_before;

	memset(claims, 0, sizeof(*claims));
	if (*secret == '\0' || !spl_token_split(token, &parts) || !is_signed(token, &parts, secret) ||
		!is_our_header(&parts.header))
		return false;
	length = spl_base64url_decode(parts.payload.text, parts.payload.length, json, sizeof(json));
	return length > 0 && read_claims((char *) json, length, claims, &not_before) &&
		claims->issued_at <= now + TOKEN_LEEWAY && not_before <= now + TOKEN_LEEWAY &&
		claims->expires_at > now - TOKEN_LEEWAY;
}

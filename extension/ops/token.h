/*
 * token.h
 *    Access, refresh and sign-up tokens: JWT, signed with HS256.
 *
 * A token says who was told what; whether that still holds is for the tables to say, at every use.
 */
#ifndef SPL_TOKEN_H
#define SPL_TOKEN_H

#include "lib/stringinfo.h"
#include "utils/uuid.h"

#define TOKEN_LEEWAY 60		   /* seconds by which clocks may differ */
#define TOKEN_REFRESH_TIMES 24 /* a refresh token lives so many times as long as an access token */
#define TOKEN_PREFIX "eyJ"	   /* what every token begins with, and no API key */

typedef enum TokenType
{
	TOKEN_ACCESS,
	TOKEN_REFRESH,
	TOKEN_SIGNUP,
	TOKEN_TYPES
} TokenType;

typedef struct TokenClaims
{
	TokenType	type;
	pg_uuid_t	id;			/* jti */
	pg_uuid_t	session;	/* sid; not of a sign-up */
	pg_uuid_t	org;		/* sub and org_id; not of a sign-up */
	pg_uuid_t	api_key;	/* all zero: an e-mail login */
	int64		issued_at;	/* iat and nbf, seconds since 1970 */
	int64		expires_at; /* exp */
	const char *email;		/* NULL: none */
	const char *queues;		/* a JSON array; NULL: none */
} TokenClaims;

/* spl_token_seal returns the token of these claims. */
extern char *spl_token_seal(const TokenClaims *claims, const char *secret);

/*
 * spl_token_open checks form, signature, algorithm, claims and times of a token, and reads it.  False: it is not one of
 * ours, or not now.
 */
extern bool spl_token_open(const char *token, const char *secret, int64 now, TokenClaims *claims);

/* spl_token_claims_json appends the claims' members, without braces, to "out". */
extern void spl_token_claims_json(StringInfo out, const TokenClaims *claims);

#endif

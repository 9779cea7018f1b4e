/*
 * login_json.h
 *    Tokens and who they stand for, as JSON.
 */
#ifndef SPL_LOGIN_JSON_H
#define SPL_LOGIN_JSON_H

#include "lib/stringinfo.h"
#include "ops/login.h"

/* spl_json_tokens appends the members of a login's answer. */
extern void spl_json_tokens(StringInfo out, const LoginTokens *tokens);

/* spl_json_me writes who has entered with an access token. */
extern void spl_json_me(StringInfo out, const SplPrincipal *principal, const OrgRow *org);

/* spl_json_validity writes what a token says, or (claims NULL) why it is not good. */
extern void spl_json_validity(StringInfo out, const TokenClaims *claims, const char *error);

#endif

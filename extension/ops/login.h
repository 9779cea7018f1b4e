/*
 * login.h
 *    Logins: sessions of access and refresh tokens.
 *
 * A refresh token is exchanged for a successor.  It stays good until that successor is first used, so an answer that got
 * lost costs nothing; whoever comes with it after that has a copy of somebody else's, and the whole session ends.
 */
#ifndef SPL_LOGIN_H
#define SPL_LOGIN_H

#include "base/codes.h"
#include "base/org_context.h"
#include "ops/token.h"
#include "store/org_store.h"

typedef struct LoginTokens
{
	char *access;
	char *refresh;
	int	  expires_in; /* seconds */
	int	  refresh_expires_in;
} LoginTokens;

/* spl_need_token_secret refuses everything while there is no secret: tokens and codes could be computed by anybody. */
extern SplCode spl_need_token_secret(SplFault *fault);

/* spl_principal_of_token tells for whom an access token stands, as the tables are now. */
extern SplCode spl_principal_of_token(const char *token, SplPrincipal *principal, SplFault *fault);

/* spl_login_by_key begins a session for an API key, and enters its organization. */
extern SplCode spl_login_by_key(const char *api_key, LoginTokens *tokens, SplFault *fault);

/* spl_login_by_email begins one for whoever has proven to have the organization's billing address, and enters it. */
extern SplCode spl_login_by_email(int32 org_id, const char *email, OrgRow *org, LoginTokens *tokens, SplFault *fault);

/*
 * spl_login_refresh exchanges a refresh token.  A refusal may come with a change that has to be committed: the end of a
 * session whose token was used twice.
 */
extern SplCode spl_login_refresh(const char *refresh_token, LoginTokens *tokens, SplFault *fault);

/* spl_login_end ends the session of the access token that has entered, and that of a refresh token (NULL: none). */
extern SplCode spl_login_end(const char *refresh_token, SplFault *fault);

/* spl_login_check reads an access or refresh token that could be used now. */
extern SplCode spl_login_check(const char *token, TokenClaims *claims, SplFault *fault);

/* spl_login_whose reads the organization of the access token that has entered, and refuses any other credential. */
extern SplCode spl_login_whose(OrgRow *org, SplFault *fault);

#endif

/*
 * identity.h
 *    Entering with a credential.
 */
#ifndef SPL_IDENTITY_H
#define SPL_IDENTITY_H

#include "base/codes.h"
#include "base/org_context.h"
#include "ops/rate.h"
#include "store/identity_store.h"

/*
 * spl_enter works for the organization of this API key or access token until the transaction ends.  "client" is the
 * caller's address (NULL: unknown); "requests" is for how many requests the transaction stands, 0 when they have been
 * charged before.  SPL_RATE_LIMITED: there were too many; "rate" tells how many more may come.
 */
extern SplCode spl_enter(const char *credential, const char *client, int requests, RateAnswer *rate, SplFault *fault);

/* spl_enter_public is for calls that anybody may make: it only notes and charges the address. */
extern SplCode spl_enter_public(const char *client, int requests, RateAnswer *rate, SplFault *fault);

/* spl_enter_admin works as the installation's admin until the transaction ends; "client" is the address that asks, or NULL. */
extern SplCode spl_enter_admin(const char *key, const char *client, int requests, SplFault *fault);

/* spl_enter_organization works for the organization with this slug; for superusers, who are asked for nothing. */
extern SplCode spl_enter_organization(const char *slug, SplFault *fault);

/* spl_principal_of_secret tells for whom an API key stands; spl_principal_of_key does when the key was found already. */
extern SplCode spl_principal_of_secret(const char *key, SplPrincipal *principal, SplFault *fault);
extern SplCode spl_principal_of_key(const ApiKey *key, SplPrincipal *principal, SplFault *fault);

/* spl_role_bind_org makes sessions of a database role work for the organization with this slug; NULL: for none. */
extern SplCode spl_role_bind_org(Oid role, const char *slug, SplFault *fault);

#endif

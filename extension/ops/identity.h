/*
 * identity.h
 *    Entering with a credential.
 */
#ifndef SPL_IDENTITY_H
#define SPL_IDENTITY_H

#include "base/codes.h"

/* spl_enter works for the organization of this API key until the transaction ends. */
extern SplCode spl_enter(const char *credential, SplFault *fault);

/* spl_enter_admin works as the installation's admin until the transaction ends; "client" is the address that asks, or NULL. */
extern SplCode spl_enter_admin(const char *key, const char *client, SplFault *fault);

/* spl_enter_organization works for the organization with this slug; for superusers, who are asked for nothing. */
extern SplCode spl_enter_organization(const char *slug, SplFault *fault);

/* spl_role_bind_org makes sessions of a database role work for the organization with this slug. */
extern SplCode spl_role_bind_org(Oid role, const char *slug, SplFault *fault);

#endif

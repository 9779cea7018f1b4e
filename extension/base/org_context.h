/*
 * org_context.h
 *    Who is asking, for one transaction.
 */
#ifndef SPL_ORG_CONTEXT_H
#define SPL_ORG_CONTEXT_H

#include "utils/uuid.h"

#define SPL_ORG_NONE 0

typedef enum PrincipalKind
{
	PRINCIPAL_ROLE, /* nobody has entered: the session's database role */
	PRINCIPAL_API_KEY,
	PRINCIPAL_TOKEN,  /* an access token; api_key is the key that it stands for */
	PRINCIPAL_ADMIN,  /* the operator of the installation: no organization of its own */
	PRINCIPAL_PUBLIC, /* anybody, over the gateway: no organization but one just made */
	PRINCIPAL_BACKGROUND
} PrincipalKind;

typedef struct SplPrincipal
{
	PrincipalKind kind;
	int32		  org;	/* SPL_ORG_NONE: an admin, the public, or nobody has entered */
	const char	 *name; /* of the credential, for histories */
	bool		  has_api_key;
	pg_uuid_t	  api_key;
	char		**queues; /* NULL: every queue */
	int			  queue_count;
	uint32		  denied;	  /* bits of the permissions that the credential lacks (rules/permissions.h) */
	int			  rate_limit; /* of the credential, in requests a minute; 0: none */
	const char	 *client;	  /* the address that asks, as the gateway saw it; NULL: unknown */

	/* PRINCIPAL_TOKEN */
	pg_uuid_t session;
	int64	  issued_at; /* seconds since 1970 */
	int64	  expires_at;
} SplPrincipal;

extern void spl_org_context_init(void);

/* The store looks up which organization a database role is bound to (SPL_ORG_NONE: none); it sets this at load. */
extern int32 (*spl_org_of_role)(Oid role);

/* spl_org returns the organization of this transaction and raises SP007 when there is none. */
extern int32 spl_org(void);

/* spl_org_or_none is the same for callers to whom "nobody" is an answer. */
extern int32 spl_org_or_none(void);

/* spl_org_as_known is the same for checks behind one of these: it does not hear again what other sessions have changed. */
extern int32 spl_org_as_known(void);

/* spl_org_enter works for a principal until the transaction ends; all that it points to is copied. */
extern void spl_org_enter(const SplPrincipal *principal);

/* spl_principal returns who has entered; of kind PRINCIPAL_ROLE, and otherwise empty, when nobody has. */
extern const SplPrincipal *spl_principal(void);

/* spl_is_admin tells whether spooled.enter_admin() has accepted a key in this transaction. */
extern bool spl_is_admin(void);

/* spl_org_set_background lets the background worker act for the organization of the row it works on. */
extern void spl_org_set_background(int32 org);

/* spl_org_is_background tells whether this process is the background worker, which sees every organization. */
extern bool spl_org_is_background(void);
extern void spl_org_become_background(void);

extern bool spl_scope_is_restricted(void);
extern bool spl_queue_in_scope(const char *queue_name);

/* spl_actor returns who is asking, for histories: a credential's or a database role's name. */
extern const char *spl_actor(void);

/* spl_client returns the address that asks, or NULL. */
extern const char *spl_client(void);

#endif

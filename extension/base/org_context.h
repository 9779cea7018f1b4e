/*
 * org_context.h
 *    Which organization is asking, for one transaction.
 */
#ifndef SPL_ORG_CONTEXT_H
#define SPL_ORG_CONTEXT_H

#define SPL_ORG_NONE 0

extern void spl_org_context_init(void);

/* The store looks up which organization a database role is bound to (SPL_ORG_NONE: none); it sets this at load. */
extern int32 (*spl_org_of_role)(Oid role);

/* spl_org returns the organization of this transaction and raises SP007 when there is none. */
extern int32 spl_org(void);

/* spl_org_or_none is the same for callers to whom "nobody" is an answer. */
extern int32 spl_org_or_none(void);

/*
 * spl_org_enter works for an organization until the transaction ends.  "queues" are the credential's queue scope, NULL for
 * no restriction; "actor" names the credential in histories.  Both are copied.
 */
extern void spl_org_enter(int32 org, char **queues, int queue_count, const char *actor);

/* spl_org_set_background lets the background worker act for the organization of the row it works on. */
extern void spl_org_set_background(int32 org);

/* spl_org_is_background tells whether this process is the background worker, which sees every organization. */
extern bool spl_org_is_background(void);
extern void spl_org_become_background(void);

extern bool spl_scope_is_restricted(void);
extern bool spl_queue_in_scope(const char *queue_name);

/* spl_actor returns who is asking, for histories: a credential's or a database role's name. */
extern const char *spl_actor(void);

#endif

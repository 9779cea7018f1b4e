/*
 * audit.h
 *    The audit log: who changed what, from where.
 */
#ifndef SPL_AUDIT_H
#define SPL_AUDIT_H

#include "base/codes.h"
#include "store/audit_store.h"

/*
 * spl_audit adds an entry in the caller's transaction, for the organization that is asking.  "action" is thing.verb
 * ("api_key.create"), "target_id" what users know the thing by (or NULL), "details" a JSON object (or NULL); no payload and
 * no secret in any of them.
 */
extern void spl_audit(const char *action, const char *target_kind, const char *target_id, const char *details);

/* spl_audit_of adds one to the log of another organization (SPL_ORG_NONE: the installation's): for what an admin does. */
extern void
spl_audit_of(int32 org, const char *action, const char *target_kind, const char *target_id, const char *details);

/* spl_audit_jobs returns the details of an action that was done to so many jobs. */
extern const char *spl_audit_jobs(int64 count);

/*
 * spl_audit_read reads a page for whoever may see the log: a credential for every queue that of its organization, an admin
 * that of "org", or with SPL_ORG_NONE everybody's.
 */
extern SplCode
spl_audit_read(AuditFilter *filter, int32 org, AuditEntry **entries, int *count, int64 *next, SplFault *fault);

#endif

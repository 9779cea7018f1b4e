/*
 * audit_store.h
 *    Rows of audit_entry: added, read, and never changed.
 */
#ifndef SPL_AUDIT_STORE_H
#define SPL_AUDIT_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct AuditRow
{
	int32			 org; /* 0: the installation's */
	TimestampTz		 at;
	const char		*action;
	const char		*target_kind;
	const char		*target_id; /* or NULL */
	const char		*actor_kind;
	const char		*actor;
	const pg_uuid_t *actor_id; /* or NULL */
	const char		*client;   /* or NULL */
	const char		*details;  /* JSON object, or NULL: {} */
} AuditRow;

extern void spl_audit_put(const AuditRow *row);

/* Which entries, newest first.  NULL: any. */
typedef struct AuditFilter
{
	int32		org; /* 0: of all organizations and of the installation; for an admin */
	const char *action;
	const char *target_kind;
	const char *target_id;
	int64		before; /* entries with lower ids; AUDIT_NEWEST: from the newest on */
	int			limit;
} AuditFilter;

#define AUDIT_NEWEST PG_INT64_MAX

typedef struct AuditEntry
{
	int64	  id;
	AuditRow  row;
	bool	  has_org_uid; /* not the installation's, nor of an organization that was erased */
	pg_uuid_t org_uid;
	bool	  has_actor_id; /* row.actor_id is not set */
	pg_uuid_t actor_id;
} AuditEntry;

/*
 * spl_audit_list reads a page.  With a filter it looks at no more than AUDIT_LOOK_AT_MOST entries.  *next is what the page
 * behind it begins before, 0: there is none.
 */
extern int spl_audit_list(const AuditFilter *filter, AuditEntry **entries, int64 *next);

#define AUDIT_LOOK_AT_MOST 10000

/* spl_audit_delete_old deletes those of the "limit" oldest entries that are from before "cutoff"; returns how many. */
extern int spl_audit_delete_old(TimestampTz cutoff, int limit);

#endif

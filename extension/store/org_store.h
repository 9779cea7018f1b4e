/*
 * org_store.h
 *    Rows of org.
 */
#ifndef SPL_ORG_STORE_H
#define SPL_ORG_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct OrgRow
{
	int32		id;
	pg_uuid_t	uid;
	char	   *name;
	char	   *slug;
	char	   *plan_tier;
	char	   *billing_email; /* or NULL */
	TimestampTz created_at;
} OrgRow;

/*
 * spl_org_put adds an organization (name, slug, plan tier, e-mail given) and fills in the rest; false: its slug or its
 * e-mail address is taken.  Waits for a transaction that is about to take one of them.
 */
extern bool spl_org_put(OrgRow *row);

/* spl_org_slug_is_taken tells it of deleted organizations, too. */
extern bool spl_org_slug_is_taken(const char *slug);

/* spl_org_lock locks the row of a live organization against other such locks; false: it is gone. */
extern bool spl_org_lock(int32 org);

/* spl_org_by_slug returns a live organization's number, or SPL_ORG_NONE. */
extern int32 spl_org_by_slug(const char *slug);

#endif

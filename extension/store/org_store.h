/*
 * org_store.h
 *    Rows of org.
 */
#ifndef SPL_ORG_STORE_H
#define SPL_ORG_STORE_H

#include "base/secret.h"
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
	char	   *settings;	   /* a JSON object */
	char	   *custom_limits; /* a JSON object, or NULL */
	char	   *stripe_customer_id;
	char	   *stripe_subscription_id;
	TimestampTz created_at;
	TimestampTz updated_at;
	TimestampTz deleted_at; /* NO_TIME: it lives */
	bool		has_webhook_token;
	uint8		webhook_token_hash[SPL_HASH_BYTES];
	int32		webhook_token_number; /* how many tokens there were */
} OrgRow;

/*
 * spl_org_put adds an organization (name, slug, plan tier, e-mail given) and fills in the rest; false: its slug or its
 * e-mail address is taken.  Waits for a transaction that is about to take one of them.
 */
extern bool spl_org_put(OrgRow *row);

/* spl_org_read reads one by its number; spl_org_find by the id that users know, as far as whoever asks may see it. */
extern bool spl_org_read(int32 org, OrgRow *row);
extern bool spl_org_find(const pg_uuid_t *uid, OrgRow *row);

/* spl_org_write stores all that can change; false: its e-mail address belongs to another one. */
extern bool spl_org_write(const OrgRow *row);

/* spl_org_slug_is_taken tells it of deleted organizations, too. */
extern bool spl_org_slug_is_taken(const char *slug);

/* spl_org_lock locks the row of a live organization against other such locks; false: it is gone. */
extern bool spl_org_lock(int32 org);

/* spl_org_is_deleted asks without row-level security: the one who asks could not enter. */
extern bool spl_org_is_deleted(int32 org);

/* spl_org_by_slug returns a live organization's number, or SPL_ORG_NONE. */
extern int32 spl_org_by_slug(const char *slug);

/* spl_org_by_email returns the live organization with this billing address, or SPL_ORG_NONE. */
extern int32 spl_org_by_email(const char *email);

/*
 * spl_org_is_in_use tells whether an organization has jobs that are not over, workers that are not offline, or active
 * schedules.
 */
extern bool spl_org_is_in_use(int32 org);

/* spl_org_erase_from lets the background worker delete all rows of an organization. */
extern void spl_org_erase_from(int32 org, TimestampTz now);

/* spl_org_close ends all keys and role bindings of an organization and marks it deleted. */
extern void spl_org_close(int32 org, TimestampTz now);

#endif

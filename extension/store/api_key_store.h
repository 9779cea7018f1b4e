/*
 * api_key_store.h
 *    Managing the rows of api_key: for the organization that owns them, or for an admin.
 */
#ifndef SPL_API_KEY_STORE_H
#define SPL_API_KEY_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#define NO_RATE_LIMIT 0

typedef struct ApiKeyRow
{
	pg_uuid_t	id;
	int32		org;
	pg_uuid_t	org_uid;
	char	   *name;
	char	   *prefix;
	char	  **queues;
	int			queue_count;
	char	  **permissions;
	int			permission_count;
	int			rate_limit; /* requests per minute, or NO_RATE_LIMIT */
	bool		is_active;
	TimestampTz created_at;
	TimestampTz last_used;	/* NO_TIME: never */
	TimestampTz expires_at; /* NO_TIME: never */
} ApiKeyRow;

/* spl_api_key_put stores a new key and fills in id, organization's id and creation. */
extern void spl_api_key_put(ApiKeyRow *key, const uint8 *hash);

extern bool spl_api_key_read(int32 org, const pg_uuid_t *id, ApiKeyRow *key);

/* spl_api_key_write stores everything but the hash; false: there is no such key. */
extern bool spl_api_key_write(const ApiKeyRow *key);

/* spl_api_key_list_rows reads an organization's keys, newest first, or only the usable ones, oldest first. */
extern int spl_api_key_list_rows(int32 org, int limit, bool usable_only, ApiKeyRow **keys);

/* spl_api_key_count_usable counts keys that are active and not expired at "now". */
extern int64 spl_api_key_count_usable(int32 org, TimestampTz now);

/* spl_api_key_used notes when keys were used; a key whose row is locked is left out.  Background worker only. */
extern void spl_api_key_used(const pg_uuid_t *ids, const TimestampTz *times, int count);

#endif

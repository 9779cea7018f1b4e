/*
 * identity_store.h
 *    API keys and role bindings: what decides who is asking.
 */
#ifndef SPL_IDENTITY_STORE_H
#define SPL_IDENTITY_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct ApiKey
{
	pg_uuid_t	id;
	int32		org;
	char	   *name;
	char	  **queues; /* NULL: every queue */
	int			queue_count;
	bool		is_active;
	TimestampTz expires_at; /* NO_TIME: never */
} ApiKey;

/* spl_api_key_find reads the key with this SHA-256 hash, of whatever organization. */
extern bool spl_api_key_find(const uint8 *hash, ApiKey *key);

/* spl_api_key_put stores a new key of the organization; spl_api_key_revoke returns false when it has no such key. */
extern void spl_api_key_put(int32 org, const char *name, const uint8 *hash, const char *prefix, Datum queues,
							TimestampTz expires_at);
extern bool spl_api_key_revoke(int32 org, const pg_uuid_t *id);

/* spl_role_bind makes sessions of the role work for the organization with this slug; false: there is none. */
extern bool spl_role_bind(Oid role, const char *slug);

extern void spl_identity_store_init(void);

#endif

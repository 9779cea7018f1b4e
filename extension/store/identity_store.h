/*
 * identity_store.h
 *    Finding API keys and role bindings: what decides who is asking.
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
	int			rate_limit; /* requests per minute; 0: no limit of its own */
	uint32		denied;		/* bits of the permissions that it lacks */
	bool		is_active;
	TimestampTz last_used;	/* NO_TIME: never; up to a minute old */
	TimestampTz expires_at; /* NO_TIME: never */
} ApiKey;

/* spl_api_key_find reads the key with this SHA-256 hash, of whatever organization. */
extern bool spl_api_key_find(const uint8 *hash, ApiKey *key);

/* spl_hash_datum returns a hash as a bytea value. */
extern Datum spl_hash_datum(const uint8 *hash);

/* spl_api_key_find_id reads the key with this id, for a login session that says whose it is. */
extern bool spl_api_key_find_id(const pg_uuid_t *id, ApiKey *key);

/* spl_role_bind makes sessions of the role work for the organization with this slug; false: there is none. */
extern bool spl_role_bind(Oid role, const char *slug);
extern void spl_role_unbind(Oid role);

extern void spl_identity_store_init(void);

#endif

/*
 * api_key.h
 *    API keys: making, changing, replacing and ending them.
 *
 * A key that is limited to queues may do none of it, and no key can give what it does not have.
 */
#ifndef SPL_API_KEY_H
#define SPL_API_KEY_H

#include "base/codes.h"
#include "ops/enqueue.h" /* NOT_GIVEN */
#include "store/api_key_store.h"

#define ROTATE_OVERLAP_MS (INT64CONST(86400) * 1000) /* when nothing else is asked for */
#define TEXTS_NOT_GIVEN (-1)						 /* the count of a list that was left out */

/* What a key should be; what is left out stays as it is, or takes its default. */
typedef struct ApiKeyWish
{
	const char *name;
	char	  **queues; /* empty, or with "*": every queue */
	int			queue_count;
	char	  **permissions;
	int			permission_count;
	int			rate_limit; /* requests per minute; NOT_GIVEN */
	int			is_active;	/* NOT_GIVEN */
	TimestampTz expires_at; /* NO_TIME: not given */
} ApiKeyWish;

/* spl_api_key_wish returns a wish for nothing. */
extern ApiKeyWish spl_api_key_wish(void);

/* spl_api_key_create makes a key of an organization; *key is the only copy of it. */
extern SplCode
spl_api_key_create(int32 org, const ApiKeyWish *wish, ApiKeyRow *made, const char **key, SplFault *fault);

extern SplCode spl_api_key_get(const pg_uuid_t *id, ApiKeyRow *row, SplFault *fault);

/* spl_api_key_list lists keys newest first, ended ones too. */
extern SplCode spl_api_key_list(int limit, ApiKeyRow **rows, int *count, SplFault *fault);

/* spl_api_key_change and spl_api_key_revoke refuse to end the last key that can still be used (SPL_CONFLICT). */
extern SplCode spl_api_key_change(const pg_uuid_t *id, const ApiKeyWish *wish, ApiKeyRow *row, SplFault *fault);
extern SplCode spl_api_key_revoke(const pg_uuid_t *id, SplFault *fault);

/* spl_api_key_rotate makes a successor with the same rights; the old key ends after "overlap_ms". */
extern SplCode
spl_api_key_rotate(const pg_uuid_t *id, int64 overlap_ms, ApiKeyRow *made, const char **key, SplFault *fault);

/* spl_need_unrestricted refuses a credential that is limited to queues. */
extern SplCode spl_need_unrestricted(SplFault *fault);

#endif

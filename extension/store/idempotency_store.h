/*
 * idempotency_store.h
 *    Which job has taken an idempotency key.
 */
#ifndef SPL_IDEMPOTENCY_STORE_H
#define SPL_IDEMPOTENCY_STORE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct KeyClaim
{
	const char *key;
	pg_uuid_t	job_id; /* in: the job that wants it; out: the job that has it */
	bool		taken;	/* out: job_id had it before */
} KeyClaim;

/*
 * spl_idempotency_take gives each key to its job unless another job has it.  Keys are sorted and differ.  It waits for a
 * transaction that is just taking one of them.  False: keys kept changing hands; try again later.
 */
extern bool spl_idempotency_take(int32 org, KeyClaim *claims, int count, TimestampTz now, TimestampTz expires_at);

/* spl_idempotency_leave frees the keys that this transaction has taken for jobs which will not be made. */
extern void spl_idempotency_leave(int32 org, const char *const *keys, const pg_uuid_t *job_ids, int count);

#endif

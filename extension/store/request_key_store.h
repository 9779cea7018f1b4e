/*
 * request_key_store.h
 *    Rows of request_key: what a request that made something was answered, for when the client asks again.
 */
#ifndef SPL_REQUEST_KEY_STORE_H
#define SPL_REQUEST_KEY_STORE_H

#include "datatype/timestamp.h"

/*
 * spl_request_key_answer returns what the request with this key was answered, or NULL.  Who asks at the same time with the same
 * key waits here until this transaction is over.
 */
extern char *spl_request_key_answer(int32 org, const char *operation, const char *key, TimestampTz now);

/* spl_request_key_answer_of_new is the same for a request that makes the organization with a slug. */
extern char *spl_request_key_answer_of_new(const char *slug, const char *operation, const char *key, TimestampTz now);

extern void
spl_request_key_put(int32 org, const char *operation, const char *key, const char *answer, TimestampTz expires_at);

/* spl_request_key_delete_expired deletes keys whose time is over; returns how many. */
extern int spl_request_key_delete_expired(TimestampTz now, int limit);

#endif

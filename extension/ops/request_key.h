/*
 * request_key.h
 *    A request that makes something, sent again under the same key (the header Idempotency-Key), makes nothing new.
 *
 * Jobs have idempotency keys of their own, which are part of the job; this is for everything else.
 */
#ifndef SPL_REQUEST_KEY_H
#define SPL_REQUEST_KEY_H

#include "base/codes.h"

/* spl_request_answered finds what the request was answered before: *answer, or NULL.  key NULL: it has none. */
extern SplCode spl_request_answered(const char *operation, const char *key, char **answer, SplFault *fault);

/*
 * spl_request_keep keeps the answer for as long as spooled.request_key_ttl says.  A secret (NULL: none) is replaced by null: it
 * is shown once.
 */
extern void spl_request_keep(const char *operation, const char *key, const char *answer, const char *secret);

#endif

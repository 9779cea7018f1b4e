/*
 * request_key.h
 *    A request that makes something, sent again under the same key (the header Idempotency-Key), makes nothing new.
 *
 * Jobs have idempotency keys of their own, which are part of the job; this is for everything else.
 */
#ifndef SPL_REQUEST_KEY_H
#define SPL_REQUEST_KEY_H

#include "ops/organization.h"

/* A request under its key. */
typedef struct RequestKey
{
	int32		org;  /* whose key it is */
	const char *slug; /* of one that makes an organization: the organization's; NULL: of another one */
	const char *operation;
	const char *key; /* NULL: it has none, and none of this happens */
} RequestKey;

/* spl_request_key is for a request of the current organization. */
extern RequestKey spl_request_key(const char *operation, const char *key);

/*
 * spl_request_key_of_new is for one that makes an organization, by somebody who belongs to none.  It goes by all that is asked
 * for, so that only who asks for the same is answered.  When it is made, "org" has to be set.
 */
extern RequestKey spl_request_key_of_new(const NewOrganization *wanted, const char *key);

/* spl_request_answered finds what the request was answered before: *answer, or NULL. */
extern SplCode spl_request_answered(const RequestKey *request, char **answer, SplFault *fault);

/*
 * spl_request_keep keeps the answer for as long as spooled.request_key_ttl says.  Secrets (ending with NULL) are replaced by null:
 * they are shown once.
 */
extern void spl_request_keep(const RequestKey *request, const char *answer, const char *const *secrets);

#endif

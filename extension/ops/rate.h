/*
 * rate.h
 *    How many requests may come: per organization, API key and address.
 *
 * What is taken here stays taken when the transaction is rolled back: a request that failed was a request.
 */
#ifndef SPL_RATE_H
#define SPL_RATE_H

#include "base/codes.h"
#include "utils/uuid.h"

/* What the gateway tells in X-RateLimit-*; limit 0: not limited. */
typedef struct RateAnswer
{
	int	  limit;	 /* most requests at once */
	int	  remaining; /* how many may come now */
	int64 reset_at;	 /* unix seconds: when "remaining" is "limit" again */
} RateAnswer;

/*
 * Each charges "requests" (0: only asks) and tells what is left; SPL_RATE_LIMITED: there is no room for them.
 *
 * spl_rate_organization charges the organization by its plan, and the API key ("key" may be NULL) when it has a limit of its
 * own, in requests a minute; spl_rate_public and spl_rate_admin charge an address (NULL: all that are unknown share one).
 */
extern SplCode
spl_rate_organization(int32 org, const pg_uuid_t *key, int per_minute, int requests, RateAnswer *rate, SplFault *fault);
extern SplCode spl_rate_public(const char *client, int requests, RateAnswer *rate, SplFault *fault);
extern SplCode spl_rate_admin(const char *client, int requests, SplFault *fault);

/*
 * Logins: after five failures of one credential from one address within a minute, further attempts are refused without
 * looking at the credential.  "hash" is the credential's SHA-256.  A success costs nothing.
 */
extern SplCode spl_rate_login(const uint8 *hash, const char *client, SplFault *fault);
extern void	   spl_rate_login_failed(const uint8 *hash, const char *client);

/* Questions that anybody may ask, so that nobody tries all names: each kind has a limit for an address, a minute and an hour. */
typedef enum RateQuestion
{
	ASKED_EMAIL,
	ASKED_SLUG,
	RATE_QUESTIONS
} RateQuestion;

extern SplCode spl_rate_question(RateQuestion question, const char *client, SplFault *fault);

#endif

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

#endif

/*
 * backoff.h
 *    How long a failed job waits before it runs again.
 */
#ifndef SPL_BACKOFF_H
#define SPL_BACKOFF_H

typedef struct BackoffPolicy
{
	double unit;   /* seconds of the first wait */
	double factor; /* how much each further wait grows */
	double cap;	   /* longest wait, in units */
	double jitter; /* share of the wait that is random, 0 .. 1 */
} BackoffPolicy;

#define BACKOFF_GIVE_UP (-1)

/*
 * spl_backoff_ms returns the milliseconds before retry number "attempt" (from 1): unit * factor^(attempt - 1), at most
 * unit * cap, stretched by up to "jitter" of itself ("spread" from 0 to 1 says how far) so that a failed batch does not return
 * as one herd; or BACKOFF_GIVE_UP when "max_retries" are used up.
 */
extern int64 spl_backoff_ms(const BackoffPolicy *policy, int attempt, int max_retries, double spread);

#endif

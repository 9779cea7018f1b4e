/*
 * run_end.h
 *    What follows a run that did not complete: backoff, dead letter, cancellation, or a free redelivery.
 */
#ifndef SPL_RUN_END_H
#define SPL_RUN_END_H

#include "store/attempt_store.h"
#include "store/ticket.h"

/* A penalty-free redelivery is free this often; then it counts as a retry, or a job that kills its worker would loop. */
#define MAX_FREE_RELEASES 100

/* How a run ended. */
typedef struct RunEnd
{
	char		kind; /* ATTEMPT_* */
	const char *error;
	const char *error_when_dead; /* instead of error when the retries are used up; NULL: the same */
	bool		no_retry;
	bool		free;		/* released: no penalty while MAX_FREE_RELEASES lasts */
	bool		taken_away; /* not by the worker itself */
} RunEnd;

/*
 * spl_run_end_many ends runs whose leases the caller has taken: puts the next tickets, the attempts or events, and tells the
 * children of what is over.  next[i] is what leases[i]'s job holds now; "next" may be NULL.
 */
extern void
spl_run_end_many(int32 org, const Ticket *leases, const RunEnd *ends, int count, TimestampTz now, Ticket *next);

#endif

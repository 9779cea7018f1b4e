/*
 * settle.h
 *    How a run ends, as told by its worker: complete, fail, release; and renewing its lease meanwhile.
 *
 * The first answer that fits: the lease is alive and what was presented matches; the same worker says the same thing again
 * under the same lease id; the run ended another way (SP005); the lease is over or another's (SP002); unknown (SP004).
 */
#ifndef SPL_SETTLE_H
#define SPL_SETTLE_H

#include "base/codes.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef enum SettleVerb
{
	SETTLE_COMPLETE,
	SETTLE_FAIL,
	SETTLE_RELEASE,
	SETTLE_RENEW,
	SETTLE_LOOK, /* nothing: only whether the caller owns the lease */
	SETTLE_HOLD	 /* the same, and the lease stays until this transaction ends */
} SettleVerb;

typedef struct SettleItem
{
	/* in */
	pg_uuid_t		job_id;
	const char	   *worker;			  /* NULL: not presented */
	const char	   *lease_id;		  /* NULL: not presented; opaque text */
	struct varlena *result;			  /* complete: json text, or NULL */
	const char	   *error;			  /* fail: NULL or empty: "Unknown error" */
	int				error_limit;	  /* fail: the most characters; 0: 2048 */
	bool			no_retry;		  /* fail: become a dead letter at once */
	int64			lease_ms;		  /* renew: LEASE_NOT_GIVEN: the queue's, else default_lease_ms */
	int64			default_lease_ms; /* LEASE_NOT_GIVEN: spooled.lease_default */

	/* out */
	SplFault	fault;
	const char *status;			  /* the wire state after the call */
	int			retry_count;	  /* fail, release */
	bool		will_retry;		  /* fail */
	TimestampTz next_run_at;	  /* fail that retries */
	TimestampTz lease_expires_at; /* renew */
	bool		cancel_requested; /* renew */
	int32		queue;			  /* of the job, where it was found */
} SettleItem;

extern SettleItem spl_settle_item(const pg_uuid_t *job_id);

/* spl_settle applies one verb to many jobs, in key order, a code per item; one refused item harms no neighbour. */
extern void spl_settle(SettleVerb verb, SettleItem *items, int count);

/*
 * spl_worker_release_leases ends the runs of a worker that is gone: "lost" counts them as failed runs ("Worker went offline"),
 * else they are released without penalty.  Returns how many.
 */
extern int spl_worker_release_leases(int32 org, const char *worker, bool lost);

#endif

/*
 * sweep.h
 *    What becomes due without anybody asking.  Each call is one bounded batch inside the caller's transaction; it returns
 *    how many rows it handled, so that the caller repeats it while it finds work.  Background worker only.
 */
#ifndef SPL_SWEEP_H
#define SPL_SWEEP_H

#include "datatype/timestamp.h"

typedef int (*SweepFn)(TimestampTz now, int limit);

extern int spl_lease_expire_due(TimestampTz now, int limit);	/* lease -> delayed | dead_letter */
extern int spl_delayed_promote_due(TimestampTz now, int limit); /* delayed -> ready */
extern int spl_job_expire_due(TimestampTz now, int limit);		/* ready, delayed, blocked -> outcome */

/* spl_sweep_next_due returns when one of these, or a schedule, has something to do, or NO_TIME. */
extern TimestampTz spl_sweep_next_due(void);

/* spl_claim_lists_audit shows the claim lists the first claimable job of their queues, in case they have lost sight of it. */
extern int spl_claim_lists_audit(TimestampTz now, int limit);

/* spl_api_key_note_uses writes down which keys were used. */
extern int spl_api_key_note_uses(TimestampTz now, int limit);

/* spl_org_erase_due deletes rows of an organization that shall be erased. */
extern int spl_org_erase_due(TimestampTz now, int limit);

/* ops/retention.c, ops/worker.c */
extern int spl_worker_mark_offline(TimestampTz now, int limit);
extern int spl_retention_delete_due(TimestampTz now, int limit);

#endif

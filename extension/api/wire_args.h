/*
 * wire_args.h
 *    Arguments that several of the gateway's functions have.
 *
 * A page's bounds and an unusable filter are put right instead of refused; ids are text, and one that can't be an id
 * is one that nothing has.
 */
#ifndef SPL_WIRE_ARGS_H
#define SPL_WIRE_ARGS_H

#include "api/args.h"
#include "ops/claim.h"
#include "ops/list.h"

/* spl_id_arg reads the id of whatever the caller looks for: SP004 for a text that is no id, SP001 for null. */
extern pg_uuid_t spl_id_arg(FunctionCallInfo fcinfo, int n);

/* spl_no_such_thing fills the fault of what nobody has: the same for a job and for any other thing. */
extern SplCode spl_no_such_thing(SplFault *fault);

/* spl_queue_path_arg returns the queue that a path names; SP009 for a text that is no queue's name. */
extern char *spl_queue_path_arg(FunctionCallInfo fcinfo, int n);

/* spl_lease_secs_arg returns milliseconds, or LEASE_NOT_GIVEN. */
extern int64 spl_lease_secs_arg(FunctionCallInfo fcinfo, int n);

/* spl_dequeue_lease_ms returns how long a job is leased that was dequeued, over REST or gRPC, when nobody says: 300 s, within the bounds. */
extern int64 spl_dequeue_lease_ms(void);

/*
 * spl_claim_wait_key returns what an empty claim may wait for.  A queue without a number yet gets a negative one of its own,
 * which no wake-up names: who waits for it has to look from time to time until its first job gives it its number.
 */
extern int32 spl_claim_wait_key(const ClaimResult *result, const char *queue_name);

/* spl_check_max_jobs refuses a number of jobs outside 1 .. REQUEST_MAX_JOBS. */
extern void spl_check_max_jobs(int max_jobs);

/* The six arguments of a list from "first" on: tag, max_jobs, skip, order_by, order_dir, after. */
extern void spl_page_args(FunctionCallInfo fcinfo, int first, JobFilter *filter);

#endif

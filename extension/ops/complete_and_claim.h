/*
 * complete_and_claim.h
 *    Ending a run and leasing the next jobs of the same queue, in one transaction.
 */
#ifndef SPL_COMPLETE_AND_CLAIM_H
#define SPL_COMPLETE_AND_CLAIM_H

#include "ops/claim.h"
#include "ops/settle.h"

/*
 * spl_complete_and_claim completes the job and claims up to max_jobs for the same worker.  Any refusal, of either
 * half, is the answer; the caller raises it, so that nothing has happened.
 */
extern SplCode
spl_complete_and_claim(SettleItem *item, int max_jobs, int64 lease_ms, ClaimResult *next, SplFault *fault);

#endif

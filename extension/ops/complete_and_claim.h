/*
 * complete_and_claim.h
 *    Ending a run and leasing the next jobs of the same queue, in one transaction.
 */
#ifndef SPL_COMPLETE_AND_CLAIM_H
#define SPL_COMPLETE_AND_CLAIM_H

#include "ops/claim.h"
#include "ops/settle.h"

/*
 * spl_complete_and_claim completes the job and claims from its queue for the same worker, as "wanted" says otherwise.  Any
 * refusal, of either half, is the answer; the caller must raise it, so that nothing has happened.
 */
extern SplCode spl_complete_and_claim(SettleItem *item, const ClaimRequest *wanted, ClaimResult *next, SplFault *fault);

#endif

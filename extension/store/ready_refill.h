/*
 * ready_refill.h
 *    Reading the index of ready tickets into a claim list.
 */
#ifndef SPL_READY_REFILL_H
#define SPL_READY_REFILL_H

#include "access/skey.h"
#include "shmem/claim_list.h"

/* spl_ready_level_keys sets the three keys that find a priority's tickets in the index, from a position on. */
extern void spl_ready_level_keys(ScanKey keys, int32 queue, const ClaimLevel *level);

/* spl_ready_refill reads the next tickets of a queue, at least "wanted", unless another session has just done it. */
extern void spl_ready_refill(ClaimList *list, int32 queue, int wanted);

/*
 * spl_ready_audit shows the lists of this database the first claimable ticket of each priority of their queues, read from the
 * start of the index; for the background worker.  At least one hundred times as long as it took passes before it reads again.
 */
extern void spl_ready_audit(void);

#endif

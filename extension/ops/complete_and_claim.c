/*
 * complete_and_claim.c
 *    Ending a run and leasing the next jobs of the same queue, in one transaction.
 */
#include "postgres.h"

#include "ops/complete_and_claim.h"
#include "store/queue_store.h"

SplCode
spl_complete_and_claim(SettleItem *item, const ClaimRequest *wanted, ClaimResult *next, SplFault *fault)
{
	const Queue *queue;
	const char	*queue_name;
	ClaimRequest request = *wanted;

	request.queues = &queue_name;
	request.queue_count = 1;
	request.worker = item->worker;
	if (item->worker == NULL)
		return spl_fault(fault, SPL_INVALID, "worker_id", "missing_field", NULL, "worker_id is required to claim");
	spl_settle(SETTLE_COMPLETE, item, 1);
	if (item->fault.code != SPL_OK)
	{
		*fault = item->fault;
		return fault->code;
	}
	queue = spl_queue_by_id(item->queue);
	if (queue == NULL)
		elog(ERROR, "completed a job of queue %d, which does not exist", item->queue);
	queue_name = pstrdup(queue->name);
	return spl_claim(&request, next, fault);
}

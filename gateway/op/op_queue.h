/*
 * op_queue.h
 *    Only for op/: calls that wait to be sent, in order; a call can leave from the middle.
 */
#ifndef GATEWAY_OP_QUEUE_H
#define GATEWAY_OP_QUEUE_H

#include "op/op_run.h"

static inline void
op_queue_put(OpQueue *queue, OpCall *call)
{
	call->next = NULL;
	call->place = queue->last;
	call->queue = queue;
	*queue->last = call;
	queue->last = &call->next;
	queue->count++;
}

static inline void
op_queue_remove(OpCall *call)
{
	OpQueue *queue = call->queue;

	*call->place = call->next;
	if (call->next != NULL)
		call->next->place = call->place;
	else
		queue->last = call->place;
	queue->count--;
	call->place = NULL;
	call->queue = NULL;
}

#endif

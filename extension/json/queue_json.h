/*
 * queue_json.h
 *    Queues as JSON.
 */
#ifndef SPL_QUEUE_JSON_H
#define SPL_QUEUE_JSON_H

#include "lib/stringinfo.h"
#include "ops/queue.h"

extern void spl_json_queue(StringInfo out, const QueueView *view);

#endif

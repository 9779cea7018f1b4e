/*
 * subscription.h
 *    Who wants to hear of wake-ups on channel spooled_ready, and which queues are to be announced there.
 */
#ifndef SPL_SUBSCRIPTION_H
#define SPL_SUBSCRIPTION_H

#include "datatype/timestamp.h"

#define SPL_READY_CHANNEL "spooled_ready"
#define SPL_PENDING_MAX 256 /* queues of one announcement; more is "any queue" */

/* spl_subscription_begin counts this session as a subscriber of its database until it ends; false: no slot is free. */
extern bool spl_subscription_begin(void);

/* spl_subscription_exists tells whether anybody listens in the database of this slot. */
extern bool spl_subscription_exists(int slot);

/* Writers, at commit: neither raises nor allocates nor waits. */
extern void spl_subscription_pend(int slot, int32 queue);
extern void spl_subscription_pend_any(int slot);

/*
 * spl_subscription_take is for the worker: moves the queues to be announced now into "queues" (SPL_PENDING_MAX) and returns
 * how many; *any: a subscriber of whatever queue has to look.  *look_at is when the worker has to come again unasked;
 * DT_NOEND: somebody will wake it.
 */
extern int spl_subscription_take(int slot, TimestampTz now, int32 *queues, bool *any, TimestampTz *look_at);

extern void spl_subscription_reset(int slot);
extern Size spl_subscription_shmem_size(void);
extern void spl_subscription_shmem_startup(void);
extern void spl_subscription_init(void);

#endif

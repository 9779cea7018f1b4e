/*
 * settle_refused.h
 *    Why a worker does not own the lease it acts on.
 */
#ifndef SPL_SETTLE_REFUSED_H
#define SPL_SETTLE_REFUSED_H

#include "ops/settle.h"
#include "store/ticket.h"

/*
 * spl_settle_refuse answers an item that does not own a lease: with the success of the first time when it says the same
 * thing again, else with the fault that explains it.  It leaves the item open when the job changed while it was looked at.
 */
extern void spl_settle_refuse(int32 org, SettleVerb verb, SettleItem *item, TimestampTz now);

/* spl_settle_in_scope tells whether the credential may touch jobs of the queue. */
extern bool spl_settle_in_scope(int32 queue);

/* spl_settle_cap_renewal shortens a renewal to the job's timeout; false: it is over, and the item has its fault. */
extern bool spl_settle_cap_renewal(int32 org, SettleItem *item, Ticket *lease, TimestampTz now);

#endif

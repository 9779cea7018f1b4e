/*
 * lease_sweep.h
 *    Finding the leases that are over, of all organizations; for the background worker.
 */
#ifndef SPL_LEASE_SWEEP_H
#define SPL_LEASE_SWEEP_H

#include "store/ticket.h"

/* spl_lease_list_due lists up to "limit" leases that are over; some may be somebody else's just now. */
extern int spl_lease_list_due(TimestampTz now, int limit, Ticket *leases);

/* spl_lease_next_sweep returns when there can be one. */
extern TimestampTz spl_lease_next_sweep(void);

#endif

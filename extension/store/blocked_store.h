/*
 * blocked_store.h
 *    Tickets of jobs that wait for parents.
 */
#ifndef SPL_BLOCKED_STORE_H
#define SPL_BLOCKED_STORE_H

#include "store/ticket.h"

/* spl_blocked_find_many reads the blocked tickets of jobs under a snapshot; found[i] tells. */
extern void
spl_blocked_find_many(int32 org, const pg_uuid_t *job_ids, int count, Snapshot snapshot, Ticket *tickets, bool *found);

#endif

/*
 * system_store.h
 *    Facts about the whole database, of all organizations: sums for its operator, never rows of a tenant.
 */
#ifndef SPL_SYSTEM_STORE_H
#define SPL_SYSTEM_STORE_H

typedef struct QueueKey
{
	int32 org;
	int32 id;
} QueueKey;

/* spl_system_queues lists every queue; returns how many. */
extern int spl_system_queues(QueueKey **queues);

/* spl_system_workers counts the workers that are not offline, and of these the healthy ones. */
extern void spl_system_workers(int64 *active, int64 *healthy);

#endif

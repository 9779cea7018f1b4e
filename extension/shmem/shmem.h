/*
 * shmem.h
 *    What sessions share: hints, sums and wake-ups, never the only copy of a fact about a job.
 */
#ifndef SPL_SHMEM_H
#define SPL_SHMEM_H

#include "storage/lwlock.h"

/* The locks of this room are one tranche, but for the many of counters.c. */
typedef enum SplLock
{
	LOCK_DATABASES, /* database.c */
	LOCK_KEY_USES,	/* which API keys were used */
	LOCK_PREPARED_USAGE,
	SPL_LOCKS
} SplLock;

extern LWLock *spl_lock(SplLock lock);

/* spl_shmem_is_there tells whether the library was preloaded, so that there is anything to share. */
extern bool spl_shmem_is_there(void);

/* spl_preload_require raises an error with the line to add to postgresql.conf when it was not. */
extern void spl_preload_require(void);

/* spl_shmem_part tells name and size of part i; false: there are not so many. */
extern bool spl_shmem_part(int i, const char **name, Size *size);

extern void spl_shmem_init(void);

#endif

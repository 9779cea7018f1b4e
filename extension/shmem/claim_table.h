/*
 * claim_table.h
 *    Only for shmem/: a claim list in shared memory, and how to find it.
 *
 * Locks: "refill" is held by the one session that reads the index.  "lock" guards everything else of a list and is held for
 * the copying of some entries.  The order is refill, then lock; commit steps take only lock.
 */
#ifndef SPL_CLAIM_TABLE_H
#define SPL_CLAIM_TABLE_H

#include "miscadmin.h"
#include "shmem/claim_list.h"
#include "storage/lwlock.h"

/* What a list knows of one priority. */
typedef struct Level
{
	ClaimLevel open; /* where the next reading starts */
	bool	   has_late;
	pg_uuid_t  late; /* lowest id told while a refill reads */
} Level;

struct ClaimList
{
	LWLock	   lock;
	LWLock	   refill;
	Oid		   database; /* InvalidOid: free */
	int32	   queue;
	uint64	   storage;
	uint64	   changes;		 /* grows with every note */
	uint64	   seen_changes; /* when the refill that reads began */
	uint64	   resets;
	uint64	   seen_resets;
	uint64	   last_used; /* tick of the whole array, for replacing */
	bool	   is_reading;
	bool	   knows_levels;
	bool	   too_many_levels;
	int		   refusals;	/* claims that could not use it since, because there are too many levels */
	bool	   reached_end; /* nothing claimable behind the last entry */
	bool	   has_stale;
	int16	   stale_priority; /* entries from this position on wait for a refill */
	pg_uuid_t  stale_id;
	int		   next_limit; /* entries that the next refill reads */
	int		   level_count;
	Level	   levels[CLAIM_LIST_LEVELS];
	int		   first; /* entries[first .. end) are left */
	int		   end;
	ClaimEntry entries[CLAIM_LIST_ENTRIES];
};

/* spl_claim_table_find returns the queue's list, locked; NULL: it has none. */
extern ClaimList *spl_claim_table_find(int32 queue);

/* spl_claim_table_reset forgets what a list knows; its lock is held. */
extern void spl_claim_table_reset(ClaimList *list, uint64 storage);

/* spl_claim_table_count_refill counts for the figures. */
extern void spl_claim_table_count_refill(void);

static inline bool
spl_is_list_of(const ClaimList *list, int32 queue)
{
	return list->queue == queue && list->database == MyDatabaseId;
}

#endif

/*
 * counter_table.h
 *    Where the counters lie in shared memory; for the files of this room that read and write them.
 *
 * Locks: a bucket's lock guards the entries on its chain; the database slots are read under the lock of any bucket and
 * written under all of them ("overflowed" and "orgs_overflowed" under any: who must see it holds the same lock).
 */
#ifndef SPL_COUNTER_TABLE_H
#define SPL_COUNTER_TABLE_H

#include "access/transam.h"
#include "port/atomics.h"
#include "shmem/counters.h"
#include "shmem/entry_pool.h"
#include "storage/lwlock.h"

#define COUNTER_PARTITIONS 32 /* bucket b has lock b % COUNTER_PARTITIONS */

typedef struct QueueEntry
{
	EntryLink link;
	Oid		  database; /* InvalidOid: free */
	int32	  queue;
	int64	  count[COUNTER_SLOTS];
} QueueEntry;

typedef struct DatabaseSlot
{
	Oid				  database;		   /* InvalidOid: free */
	bool			  counted;		   /* false: cut, but the tables are still being counted */
	bool			  asked;		   /* somebody changed the tables behind our back after the cut */
	bool			  overflowed;	   /* some queues have no entry */
	bool			  orgs_overflowed; /* some organizations have none (org_usage.c) */
	TimestampTz		  cut_at;
	TimestampTz		  counted_at;
	FullTransactionId cut_xmax;			 /* the snapshot of the cut: the first id it does not see, */
	int				  cut_running_count; /* and the ids before it that were running (spl_counter_cut_running) */
	pg_atomic_uint64  total[TOTAL_SLOTS];
} DatabaseSlot;

/* spl_counter_table_is_there tells whether the library was preloaded; nothing else here may be called when not. */
extern bool spl_counter_table_is_there(void);

extern int	   spl_counter_bucket(Oid database, int32 queue);
extern LWLock *spl_counter_lock(int bucket);
extern void	   spl_counter_lock_all(void);
extern void	   spl_counter_unlock_all(void);

/* spl_counter_database returns a database's slot, or NULL; with InvalidOid a free one. */
extern DatabaseSlot *spl_counter_database(Oid database);

/* The ids of spl_counter_max_running() transactions have room here. */
extern TransactionId *spl_counter_cut_running(const DatabaseSlot *slot);
extern int			  spl_counter_max_running(void);

extern QueueEntry *spl_counter_entry(int bucket, Oid database, int32 queue);

/* spl_counter_entry_make finds or makes; when there is no room it marks the database as overflowed and returns NULL. */
extern QueueEntry *spl_counter_entry_make(DatabaseSlot *slot, int bucket, int32 queue);
extern void		   spl_counter_entry_drop(int bucket, QueueEntry *entry);
extern bool		   spl_counter_has_free_entry(void);

/* spl_counter_entries_drop frees all entries of a database; under all locks. */
extern void spl_counter_entries_drop(Oid database);

/* spl_counter_partition_sum adds up the counts of a database's entries of one partition; under its lock. */
extern void spl_counter_partition_sum(int partition, Oid database, int64 *count);

extern TimeWindows *spl_counter_windows(const QueueEntry *entry);

/* spl_counters_known tells whether what is counted of a database (NULL: it has no slot) is right; under any lock. */
extern bool spl_counters_known(const DatabaseSlot *slot);

/* spl_counters_in_cut tells whether the snapshot of the recount sees the transaction that is just ending. */
extern bool spl_counters_in_cut(DatabaseSlot *slot);

#endif

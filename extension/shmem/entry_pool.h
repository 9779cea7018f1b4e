/*
 * entry_pool.h
 *    A fixed number of entries in shared memory, each in the chain of a bucket: for tables that a commit callback adds to,
 *    where taking an entry may neither fail nor allocate.
 *
 * Whoever looks at a chain or changes it holds the lock of the bucket, which is the caller's affair.  What was never taken is
 * not touched, and costs address space only.
 */
#ifndef SPL_ENTRY_POOL_H
#define SPL_ENTRY_POOL_H

#include "storage/spin.h"

#define END_OF_CHAIN (-1)

/* An entry begins with this. */
typedef struct EntryLink
{
	int32 next; /* in its bucket, or among the free ones */
} EntryLink;

typedef struct EntryPoolShared
{
	slock_t free_lock;
	int32	first_free; /* entries that were used before */
	int32	touched;	/* entries from here on never were */
	int		entry_count;
	int		bucket_count; /* a power of two */
} EntryPoolShared;

/* Where a pool lies, for this process. */
typedef struct EntryPool
{
	EntryPoolShared *shared;
	int32			*buckets; /* the first entry of each */
	char			*entries;
	Size			 entry_size;
} EntryPool;

/* spl_entry_pool_size returns what a pool takes; buckets are at least as many as min_buckets, a power of two. */
extern Size spl_entry_pool_size(int entry_count, Size entry_size, int min_buckets);

/* spl_entry_pool_place attaches to the pool at "base"; is_new: it makes it. */
extern void
spl_entry_pool_place(EntryPool *pool, char *base, int entry_count, Size entry_size, int min_buckets, bool is_new);

/* spl_entry_pool_take puts an unused entry, all zero, into a bucket and returns its number; END_OF_CHAIN: there is none. */
extern int32 spl_entry_pool_take(EntryPool *pool, int bucket);

/* spl_entry_pool_drop takes an entry out of its bucket and frees it. */
extern void spl_entry_pool_drop(EntryPool *pool, int bucket, int32 entry);

extern bool spl_entry_pool_has_room(EntryPool *pool);

#endif

/*
 * entry_pool.c
 *    See entry_pool.h.  free_lock guards the free entries.
 */
#include "postgres.h"

#include "shmem/entry_pool.h"
#include "storage/shmem.h"

static int
bucket_count_for(int entry_count, int min_buckets)
{
	int count = min_buckets;

	while (count < entry_count)
		count *= 2;
	return count;
}

static Size
buckets_size(int bucket_count)
{
	return MAXALIGN(mul_size(sizeof(int32), bucket_count));
}

Size
spl_entry_pool_size(int entry_count, Size entry_size, int min_buckets)
{
	Size size = add_size(MAXALIGN(sizeof(EntryPoolShared)), buckets_size(bucket_count_for(entry_count, min_buckets)));

	return add_size(size, MAXALIGN(mul_size(entry_size, entry_count)));
}

void
spl_entry_pool_place(EntryPool *pool, char *base, int entry_count, Size entry_size, int min_buckets, bool is_new)
{
	int bucket_count = bucket_count_for(entry_count, min_buckets);

	pool->shared = (EntryPoolShared *) base;
	pool->buckets = (int32 *) (base + MAXALIGN(sizeof(EntryPoolShared)));
	pool->entries = (char *) pool->buckets + buckets_size(bucket_count);
	pool->entry_size = entry_size;
	if (!is_new)
		return;
	*pool->shared =
		(EntryPoolShared) {.first_free = END_OF_CHAIN, .entry_count = entry_count, .bucket_count = bucket_count};
	SpinLockInit(&pool->shared->free_lock);
	for (int i = 0; i < bucket_count; i++)
		pool->buckets[i] = END_OF_CHAIN;
}

static EntryLink *
link_of(EntryPool *pool, int32 entry)
{
	return (EntryLink *) (pool->entries + entry * pool->entry_size);
}

/* take_free returns an unused entry's number, or END_OF_CHAIN. */
static int32
take_free(EntryPool *pool)
{
	EntryPoolShared *shared = pool->shared;
	int32			 entry;

	SpinLockAcquire(&shared->free_lock);
	entry = shared->first_free;
	if (entry != END_OF_CHAIN)
		shared->first_free = link_of(pool, entry)->next;
	else if (shared->touched < shared->entry_count)
		entry = shared->touched++;
	SpinLockRelease(&shared->free_lock);
	return entry;
}

int32
spl_entry_pool_take(EntryPool *pool, int bucket)
{
	int32 entry = take_free(pool);

	if (entry != END_OF_CHAIN)
	{
		memset(link_of(pool, entry), 0, pool->entry_size);
		link_of(pool, entry)->next = pool->buckets[bucket];
		pool->buckets[bucket] = entry;
	}
	return entry;
}

void
spl_entry_pool_drop(EntryPool *pool, int bucket, int32 entry)
{
	int32 *link = &pool->buckets[bucket];

	while (*link != entry)
		link = &link_of(pool, *link)->next;
	*link = link_of(pool, entry)->next;
	SpinLockAcquire(&pool->shared->free_lock);
	link_of(pool, entry)->next = pool->shared->first_free;
	pool->shared->first_free = entry;
	SpinLockRelease(&pool->shared->free_lock);
}

bool
spl_entry_pool_has_room(EntryPool *pool)
{
	bool answer;

	SpinLockAcquire(&pool->shared->free_lock);
	answer = pool->shared->first_free != END_OF_CHAIN || pool->shared->touched < pool->shared->entry_count;
	SpinLockRelease(&pool->shared->free_lock);
	return answer;
}

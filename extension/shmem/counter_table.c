/*
 * counter_table.c
 *    Where the counters lie in shared memory: a slot for each database, an entry for each queue.
 *
 * Entries come from a pool (spooled.max_queues), as they are made in commit callbacks.  Locks of several buckets are taken in
 * ascending order.
 */
#include "postgres.h"

#include "access/twophase.h"
#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "shmem/counter_table.h"
#include "storage/shmem.h"

typedef struct CountersHeader
{
	int			 tranche;
	int			 database_count;
	int			 max_running;
	LWLockPadded partition[COUNTER_PARTITIONS];
} CountersHeader;

static CountersHeader *shared = NULL;
static DatabaseSlot	  *databases;
static TransactionId  *cut_running;
static char			  *pool_base;
static EntryPool	   pool;
static QueueEntry	  *entries;
static TimeWindows	  *windows; /* apart from the entries, as most queues of a large table are never touched */

/* Most transactions that a snapshot can list. */
static int
max_running_transactions(void)
{
	return MaxBackends + max_prepared_xacts;
}

/* place_arrays sets the pointers to what follows the header, and returns the size of it all. */
static Size
place_arrays(char *base, int database_count, int entry_count, int max_running)
{
	Size size = MAXALIGN(sizeof(CountersHeader));

#define PLACE(array, count)                                               \
	do                                                                    \
	{                                                                     \
		if (base)                                                         \
			array = (void *) (base + size);                               \
		size = add_size(size, MAXALIGN(mul_size(sizeof(*array), count))); \
	} while (0)

	PLACE(databases, database_count);
	PLACE(cut_running, mul_size(database_count, max_running));
	PLACE(windows, entry_count);
	PLACE(pool_base, spl_entry_pool_size(entry_count, sizeof(QueueEntry), COUNTER_PARTITIONS));
#undef PLACE
	return size;
}

Size
spl_counters_shmem_size(void)
{
	return place_arrays(NULL, spooled_max_databases, spooled_max_queues, max_running_transactions());
}

static void
init_header(void)
{
	memset(shared, 0, sizeof(*shared));
	shared->tranche = LWLockNewTrancheId();
	shared->database_count = spooled_max_databases;
	shared->max_running = max_running_transactions();
	for (int i = 0; i < COUNTER_PARTITIONS; i++)
		LWLockInitialize(&shared->partition[i].lock, shared->tranche);
}

/* spl_counters_shmem_startup attaches to the counters; the first process makes them. */
void
spl_counters_shmem_startup(bool found)
{
	shared = ShmemInitStruct("spooled counters", spl_counters_shmem_size(), &found);
	if (!found)
		init_header();
	place_arrays((char *) shared, shared->database_count, spooled_max_queues, shared->max_running);
	spl_entry_pool_place(&pool, pool_base, spooled_max_queues, sizeof(QueueEntry), COUNTER_PARTITIONS, !found);
	entries = (QueueEntry *) pool.entries;
	if (!found)
	{
		memset(databases, 0, sizeof(DatabaseSlot) * shared->database_count);
		for (int i = 0; i < shared->database_count; i++)
			for (int slot = 0; slot < TOTAL_SLOTS; slot++)
				pg_atomic_init_u64(&databases[i].total[slot], 0);
	}
	LWLockRegisterTranche(shared->tranche, "spooled_counters");
}

int
spl_counter_bucket(Oid database, int32 queue)
{
	return hash_combine(murmurhash32(database), murmurhash32(queue)) & (pool.shared->bucket_count - 1);
}

LWLock *
spl_counter_lock(int bucket)
{
	return &shared->partition[bucket % COUNTER_PARTITIONS].lock;
}

void
spl_counter_lock_all(void)
{
	for (int i = 0; i < COUNTER_PARTITIONS; i++)
		LWLockAcquire(&shared->partition[i].lock, LW_EXCLUSIVE);
}

void
spl_counter_unlock_all(void)
{
	for (int i = COUNTER_PARTITIONS - 1; i >= 0; i--)
		LWLockRelease(&shared->partition[i].lock);
}

DatabaseSlot *
spl_counter_database(Oid database)
{
	for (int i = 0; i < shared->database_count; i++)
		if (databases[i].database == database)
			return &databases[i];
	return NULL;
}

TransactionId *
spl_counter_cut_running(const DatabaseSlot *slot)
{
	return &cut_running[(slot - databases) * shared->max_running];
}

QueueEntry *
spl_counter_entry(int bucket, Oid database, int32 queue)
{
	for (int32 i = pool.buckets[bucket]; i != END_OF_CHAIN; i = entries[i].link.next)
		if (entries[i].queue == queue && entries[i].database == database)
			return &entries[i];
	return NULL;
}

QueueEntry *
spl_counter_entry_make(DatabaseSlot *slot, int bucket, int32 queue)
{
	QueueEntry *entry = spl_counter_entry(bucket, slot->database, queue);
	int32		index;

	if (entry)
		return entry;
	index = slot->overflowed ? END_OF_CHAIN : spl_entry_pool_take(&pool, bucket);
	if (index == END_OF_CHAIN)
	{
		slot->overflowed = true;
		return NULL;
	}
	entry = &entries[index];
	memset(&windows[index], 0, sizeof(TimeWindows));
	entry->database = slot->database;
	entry->queue = queue;
	return entry;
}

void
spl_counter_entry_drop(int bucket, QueueEntry *entry)
{
	entry->database = InvalidOid;
	spl_entry_pool_drop(&pool, bucket, entry - entries);
}

void
spl_counter_entries_drop(Oid database)
{
	for (int32 i = 0; i < pool.shared->touched; i++)
		if (entries[i].database == database)
			spl_counter_entry_drop(spl_counter_bucket(database, entries[i].queue), &entries[i]);
}

bool
spl_counter_has_free_entry(void)
{
	return spl_entry_pool_has_room(&pool);
}

void
spl_counter_partition_sum(int partition, Oid database, int64 *count)
{
	for (int bucket = partition; bucket < pool.shared->bucket_count; bucket += COUNTER_PARTITIONS)
		for (int32 i = pool.buckets[bucket]; i != END_OF_CHAIN; i = entries[i].link.next)
			for (int slot = 0; entries[i].database == database && slot < COUNTER_SLOTS; slot++)
				count[slot] += entries[i].count[slot];
}

TimeWindows *
spl_counter_windows(const QueueEntry *entry)
{
	return &windows[entry - entries];
}

int
spl_counter_max_running(void)
{
	return shared->max_running;
}

bool
spl_counter_table_is_there(void)
{
	return shared != NULL;
}

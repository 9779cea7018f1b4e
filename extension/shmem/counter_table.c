/*
 * counter_table.c
 *    Where the counters lie in shared memory: a slot for each database, an entry for each queue.
 *
 * Entries come from an array of fixed size (spooled.max_queues), so finding room for one can neither fail nor allocate:
 * it is done in commit callbacks.  free_lock guards the free list.  What was never used is not touched, and costs address
 * space only.  Locks of several buckets are taken in ascending order.
 */
#include "postgres.h"

#include "access/twophase.h"
#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "shmem/counter_table.h"
#include "storage/shmem.h"
#include "storage/spin.h"

#define END_OF_CHAIN (-1)

typedef struct CountersHeader
{
	int			 tranche;
	int			 database_count;
	int			 entry_count;
	int			 bucket_count; /* a power of two */
	int			 max_running;
	slock_t		 free_lock;
	int32		 first_free; /* entries that were used before */
	int32		 touched;	 /* entries from here on never were: their memory has not been touched yet */
	LWLockPadded partition[COUNTER_PARTITIONS];
} CountersHeader;

static CountersHeader *shared = NULL;
static DatabaseSlot	  *databases;
static TransactionId  *cut_running;
static int32		  *buckets;
static QueueEntry	  *entries;
static TimeWindows	  *windows; /* apart from the entries, as most queues of a large table are never touched */

/* Most transactions that a snapshot can list. */
static int
max_running_transactions(void)
{
	return MaxBackends + max_prepared_xacts;
}

static int
bucket_count_for(int entry_count)
{
	int count = COUNTER_PARTITIONS;

	while (count < entry_count)
		count *= 2;
	return count;
}

/* place_arrays sets the pointers to what follows the header, and returns the size of it all. */
static Size
place_arrays(char *base, int database_count, int entry_count, int bucket_count, int max_running)
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
	PLACE(buckets, bucket_count);
	PLACE(entries, entry_count);
	PLACE(windows, entry_count);
#undef PLACE
	return size;
}

Size
spl_counters_shmem_size(void)
{
	return place_arrays(NULL, spooled_max_databases, spooled_max_queues, bucket_count_for(spooled_max_queues),
						max_running_transactions());
}

static void
init_header(void)
{
	memset(shared, 0, sizeof(*shared));
	shared->tranche = LWLockNewTrancheId();
	shared->database_count = spooled_max_databases;
	shared->entry_count = spooled_max_queues;
	shared->bucket_count = bucket_count_for(spooled_max_queues);
	shared->max_running = max_running_transactions();
	SpinLockInit(&shared->free_lock);
	shared->first_free = END_OF_CHAIN;
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
	place_arrays((char *) shared, shared->database_count, shared->entry_count, shared->bucket_count,
				 shared->max_running);
	if (!found)
	{
		memset(databases, 0, sizeof(DatabaseSlot) * shared->database_count);
		for (int i = 0; i < shared->database_count; i++)
			for (int slot = 0; slot < TOTAL_SLOTS; slot++)
				pg_atomic_init_u64(&databases[i].total[slot], 0);
		for (int i = 0; i < shared->bucket_count; i++)
			buckets[i] = END_OF_CHAIN;
	}
	LWLockRegisterTranche(shared->tranche, "spooled_counters");
}

int
spl_counter_bucket(Oid database, int32 queue)
{
	return hash_combine(murmurhash32(database), murmurhash32(queue)) & (shared->bucket_count - 1);
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
	for (int32 i = buckets[bucket]; i != END_OF_CHAIN; i = entries[i].next)
		if (entries[i].queue == queue && entries[i].database == database)
			return &entries[i];
	return NULL;
}

/* take_free returns an unused entry's index, or END_OF_CHAIN. */
static int32
take_free(void)
{
	int32 index;

	SpinLockAcquire(&shared->free_lock);
	index = shared->first_free;
	if (index != END_OF_CHAIN)
		shared->first_free = entries[index].next;
	else if (shared->touched < shared->entry_count)
		index = shared->touched++;
	SpinLockRelease(&shared->free_lock);
	return index;
}

QueueEntry *
spl_counter_entry_make(DatabaseSlot *slot, int bucket, int32 queue)
{
	QueueEntry *entry = spl_counter_entry(bucket, slot->database, queue);
	int32		index;

	if (entry)
		return entry;
	index = slot->overflowed ? END_OF_CHAIN : take_free();
	if (index == END_OF_CHAIN)
	{
		slot->overflowed = true;
		return NULL;
	}
	entry = &entries[index];
	memset(entry, 0, sizeof(*entry));
	memset(&windows[index], 0, sizeof(TimeWindows));
	entry->database = slot->database;
	entry->queue = queue;
	entry->next = buckets[bucket];
	buckets[bucket] = index;
	return entry;
}

/* spl_counter_entry_drop takes an entry out of its bucket and frees it. */
void
spl_counter_entry_drop(int bucket, QueueEntry *entry)
{
	int32  index = entry - entries;
	int32 *link = &buckets[bucket];

	while (*link != index)
		link = &entries[*link].next;
	*link = entry->next;
	entry->database = InvalidOid;
	SpinLockAcquire(&shared->free_lock);
	entry->next = shared->first_free;
	shared->first_free = index;
	SpinLockRelease(&shared->free_lock);
}

void
spl_counter_entries_drop(Oid database)
{
	for (int32 i = 0; i < shared->touched; i++)
		if (entries[i].database == database)
			spl_counter_entry_drop(spl_counter_bucket(database, entries[i].queue), &entries[i]);
}

bool
spl_counter_has_free_entry(void)
{
	bool answer;

	SpinLockAcquire(&shared->free_lock);
	answer = shared->first_free != END_OF_CHAIN || shared->touched < shared->entry_count;
	SpinLockRelease(&shared->free_lock);
	return answer;
}

void
spl_counter_partition_sum(int partition, Oid database, int64 *count)
{
	for (int bucket = partition; bucket < shared->bucket_count; bucket += COUNTER_PARTITIONS)
		for (int32 i = buckets[bucket]; i != END_OF_CHAIN; i = entries[i].next)
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

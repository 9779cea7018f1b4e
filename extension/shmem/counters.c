/*
 * counters.c
 *    The counters of all queues, in shared memory.
 *
 * A counter equals what the tables hold, for every transaction whose commit has been told to a client; so reading one
 * costs the same whether a queue has ten thousand jobs or ten million.  After a start of the server nothing is known:
 * the background worker counts the tables of its database once, and until then every answer comes from the tables.
 *
 * Counting while others commit is exact, because of this order of things:
 *
 *  - A transaction's notes are added (spl_counters_add) in its commit callback, which PostgreSQL runs after the
 *    transaction has left the list of running ones.  A snapshot taken later sees it.
 *  - The recount takes every partition lock, and under them all: removes the database's entries, takes a snapshot and
 *    publishes it (the "cut").  Then it lets go, counts the tables under that snapshot and adds what it found.
 *  - A transaction adds under one partition lock, so it adds either before the cut or after it.  Before: the cut's
 *    snapshot sees it, so the recount counts it, and what it added has been removed.  After: it looks whether the
 *    snapshot sees its id.  If so the recount counts it, and it adds nothing; if not it adds.  Each is counted once,
 *    and by one side.
 *
 * So no lock is held from before a commit to after it, where it would include the wait for a synchronous standby;
 * what the commit callback holds is one partition lock for some twenty additions.  That callback must not fail: it
 * allocates nothing, since entries come from a table of fixed size.  When that is full the database is marked as
 * overflowed: from then on a queue without an entry is counted from the tables, slower and not wrong, and no entry is
 * made for it before the next recount, as it would miss what was lost.  An entry that exists is always complete.
 *
 * Locks: partition[n] guards the chains of buckets n, n + PARTITIONS ... and the entries on them; the database slots
 * are read under any partition lock and written under all of them ("overflowed" under any: who must see it holds the
 * same lock); free_lock guards the free list.  Locks are taken in ascending order, by who takes more than one.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shmem/counters.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/snapmgr.h"

#define PARTITIONS 32

/* A database that overflowed is counted again when there is room, but not more often than this. */
#define RECOUNT_INTERVAL (INT64CONST(10) * USECS_PER_MINUTE)

const int spl_duration_bounds[DURATION_BUCKETS - 1] = {10, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000};

typedef struct QueueEntry
{
	Oid	  database; /* InvalidOid: free */
	int32 queue;
	int32 next; /* in its bucket, or in the free list; END_OF_CHAIN ends either */
	int64 count[COUNTER_SLOTS];
} QueueEntry;

#define END_OF_CHAIN (-1)

typedef struct DatabaseSlot
{
	Oid				  database;	  /* InvalidOid: free */
	bool			  counted;	  /* false: cut, but the tables are still being counted */
	bool			  overflowed; /* some queues have no entry */
	TimestampTz		  cut_at;
	FullTransactionId cut_xmax;			 /* the snapshot of the cut: the first id it does not see, */
	int				  cut_running_count; /* and the ids before it that were running (cut_running_of) */
	pg_atomic_uint64  total[TOTAL_SLOTS];
} DatabaseSlot;

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
	LWLockPadded partition[PARTITIONS];
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
	int count = PARTITIONS;

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
	for (int i = 0; i < PARTITIONS; i++)
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

static int
bucket_of(Oid database, int32 queue)
{
	return hash_combine(murmurhash32(database), murmurhash32(queue)) & (shared->bucket_count - 1);
}

static LWLock *
lock_of(int bucket)
{
	return &shared->partition[bucket % PARTITIONS].lock;
}

static void
lock_all(void)
{
	for (int i = 0; i < PARTITIONS; i++)
		LWLockAcquire(&shared->partition[i].lock, LW_EXCLUSIVE);
}

static void
unlock_all(void)
{
	for (int i = PARTITIONS - 1; i >= 0; i--)
		LWLockRelease(&shared->partition[i].lock);
}

/* slot_of returns a database's slot, or NULL; with InvalidOid a free one. */
static DatabaseSlot *
slot_of(Oid database)
{
	for (int i = 0; i < shared->database_count; i++)
		if (databases[i].database == database)
			return &databases[i];
	return NULL;
}

static TransactionId *
cut_running_of(DatabaseSlot *slot)
{
	return &cut_running[(slot - databases) * shared->max_running];
}

static QueueEntry *
find_entry(int bucket, Oid database, int32 queue)
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

/* find_or_make_entry marks the database as overflowed when there is no room, and returns NULL then. */
static QueueEntry *
find_or_make_entry(DatabaseSlot *slot, int bucket, int32 queue)
{
	QueueEntry *entry = find_entry(bucket, slot->database, queue);
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

/* drop_entry takes an entry out of its bucket and frees it. */
static void
drop_entry(int bucket, QueueEntry *entry)
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

/* drop_entries_of frees all entries of a database; under all locks. */
static void
drop_entries_of(Oid database)
{
	for (int32 i = 0; i < shared->touched; i++)
		if (entries[i].database == database)
			drop_entry(bucket_of(database, entries[i].queue), &entries[i]);
}

/* is_in_cut tells whether the snapshot of the recount sees the transaction that is just ending. */
static bool
is_in_cut(DatabaseSlot *slot)
{
	FullTransactionId	 id = GetTopFullTransactionIdIfAny();
	const TransactionId *running = cut_running_of(slot);

	if (!FullTransactionIdIsValid(id) || FullTransactionIdFollowsOrEquals(id, slot->cut_xmax))
		return false;
	for (int i = 0; i < slot->cut_running_count; i++)
		if (running[i] == XidFromFullTransactionId(id))
			return false;
	return true;
}

static void
add_to_entry(QueueEntry *entry, const CounterDelta *delta, WindowRings rings)
{
	for (int i = 0; i < COUNTER_SLOTS; i++)
		entry->count[i] += delta->count[i];
	if (delta->minute != 0)
		spl_windows_add(&windows[entry - entries], rings, delta->minute, &delta->finished);
}

static void
add_totals(DatabaseSlot *slot, const CounterDelta *delta)
{
	for (int i = 0; i < TOTAL_SLOTS; i++)
		if (delta->total[i] != 0)
			pg_atomic_fetch_add_u64(&slot->total[i], delta->total[i]);
}

void
spl_counters_add(const CounterDelta *delta)
{
	int			  bucket = bucket_of(MyDatabaseId, delta->queue);
	DatabaseSlot *slot;

	LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
	slot = slot_of(MyDatabaseId);
	if (slot) /* else there was no cut yet, and the first one will see this transaction */
	{
		add_totals(slot, delta);
		if (!is_in_cut(slot))
		{
			QueueEntry *entry = find_or_make_entry(slot, bucket, delta->queue);

			if (entry)
				add_to_entry(entry, delta, RING_BOTH);
		}
	}
	LWLockRelease(lock_of(bucket));
}

static bool
has_counts(const QueueEntry *entry)
{
	for (int i = 0; i < COUNTER_SLOTS; i++)
		if (entry->count[i] != 0)
			return true;
	return false;
}

/* spl_counters_drop_empty frees the entry of a queue that counts nothing; should a job come, it gets a new one. */
void
spl_counters_drop_empty(int32 queue)
{
	int			  bucket = bucket_of(MyDatabaseId, queue);
	DatabaseSlot *slot;
	QueueEntry	 *entry;

	LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
	slot = slot_of(MyDatabaseId);
	entry = find_entry(bucket, MyDatabaseId, queue);
	if (slot && slot->counted && !slot->overflowed && entry && !has_counts(entry))
		drop_entry(bucket, entry);
	LWLockRelease(lock_of(bucket));
}

/* full_id widens an id that was assigned not long before "next". */
static FullTransactionId
full_id(TransactionId id, FullTransactionId next)
{
	uint32 epoch = EpochFromFullTransactionId(next);

	if (id > XidFromFullTransactionId(next))
		epoch--;
	return FullTransactionIdFromEpochAndXid(epoch, id);
}

/* publish_cut makes the active snapshot the database's cut; under all locks. */
static void
publish_cut(DatabaseSlot *slot, Snapshot snapshot, FullTransactionId next)
{
	slot->counted = false;
	slot->overflowed = false;
	slot->cut_at = spl_clock_now();
	slot->cut_xmax = full_id(snapshot->xmax, next);
	slot->cut_running_count = snapshot->xcnt;
	memcpy(cut_running_of(slot), snapshot->xip, sizeof(TransactionId) * snapshot->xcnt);
}

/*
 * spl_counters_cut begins a recount of this database: what is counted under the snapshot that it pushes is to be
 * added by spl_counters_add_counted.  False: no room for another database (spooled.max_databases).  An error here
 * leaves the counters as they were: what can fail comes before what changes them.
 */
bool
spl_counters_cut(void)
{
	FullTransactionId next;
	DatabaseSlot	 *slot;
	Snapshot		  snapshot;

	lock_all();
	PushActiveSnapshot(GetTransactionSnapshot());
	snapshot = GetActiveSnapshot();
	next = ReadNextFullTransactionId();
	if (snapshot->xcnt > shared->max_running)
		elog(ERROR, "a snapshot lists more running transactions than the server allows");
	slot = slot_of(MyDatabaseId);
	if (slot == NULL && (slot = slot_of(InvalidOid)) != NULL)
		slot->database = MyDatabaseId;
	if (slot)
	{
		drop_entries_of(MyDatabaseId);
		publish_cut(slot, snapshot, next);
	}
	unlock_all();
	if (slot == NULL)
		PopActiveSnapshot();
	return slot != NULL;
}

/* spl_counters_add_counted adds what the recount found in the tables. */
void
spl_counters_add_counted(const CounterDelta *delta, WindowRings rings)
{
	int			  bucket = bucket_of(MyDatabaseId, delta->queue);
	DatabaseSlot *slot;
	QueueEntry	 *entry;

	LWLockAcquire(lock_of(bucket), LW_EXCLUSIVE);
	slot = slot_of(MyDatabaseId);
	if (slot && (entry = find_or_make_entry(slot, bucket, delta->queue)) != NULL)
		add_to_entry(entry, delta, rings);
	LWLockRelease(lock_of(bucket));
}

void
spl_counters_finish_recount(void)
{
	DatabaseSlot *slot;

	lock_all();
	if ((slot = slot_of(MyDatabaseId)) != NULL)
		slot->counted = true;
	unlock_all();
}

static bool
has_free_entry(void)
{
	bool answer;

	SpinLockAcquire(&shared->free_lock);
	answer = shared->first_free != END_OF_CHAIN || shared->touched < shared->entry_count;
	SpinLockRelease(&shared->free_lock);
	return answer;
}

bool
spl_counters_need_recount(void)
{
	DatabaseSlot *slot;
	bool		  answer;

	LWLockAcquire(lock_of(0), LW_SHARED);
	slot = slot_of(MyDatabaseId);
	if (slot == NULL)
		answer = slot_of(InvalidOid) != NULL;
	else
		answer = !slot->counted ||
			(slot->overflowed && has_free_entry() && spl_clock_now() - slot->cut_at > RECOUNT_INTERVAL);
	LWLockRelease(lock_of(0));
	return answer;
}

/* spl_counters_ask_recount makes the counters unknown, after the tables were changed behind their back. */
void
spl_counters_ask_recount(void)
{
	DatabaseSlot *slot;

	lock_all();
	if ((slot = slot_of(MyDatabaseId)) != NULL)
		slot->counted = false;
	unlock_all();
}

void
spl_counters_forget_database(Oid database)
{
	DatabaseSlot *slot;

	lock_all();
	if ((slot = slot_of(database)) != NULL)
	{
		drop_entries_of(database);
		slot->database = InvalidOid;
		for (int i = 0; i < TOTAL_SLOTS; i++)
			pg_atomic_write_u64(&slot->total[i], 0);
	}
	unlock_all();
}

bool
spl_counters_are_counted(void)
{
	DatabaseSlot *slot;
	bool		  answer;

	if (shared == NULL)
		return false;
	LWLockAcquire(lock_of(0), LW_SHARED);
	slot = slot_of(MyDatabaseId);
	answer = slot && slot->counted;
	LWLockRelease(lock_of(0));
	return answer;
}

bool
spl_counters_read(int32 queue, CounterReading *reading)
{
	int			  bucket = bucket_of(MyDatabaseId, queue);
	int32		  now_minute = spl_minute_of(spl_clock_now());
	DatabaseSlot *slot;
	QueueEntry	 *entry;
	bool		  known;

	memset(reading, 0, sizeof(*reading));
	LWLockAcquire(lock_of(bucket), LW_SHARED);
	slot = slot_of(MyDatabaseId);
	entry = find_entry(bucket, MyDatabaseId, queue);
	known = slot && slot->counted && (entry || !slot->overflowed);
	if (known && entry)
	{
		memcpy(reading->count, entry->count, sizeof(reading->count));
		spl_windows_read(&windows[entry - entries], now_minute, &reading->hour, &reading->day);
	}
	LWLockRelease(lock_of(bucket));
	return known;
}

/* sum_partition adds up the counts of this database's entries of one partition; under its lock. */
static void
sum_partition(int partition, int64 *count)
{
	for (int bucket = partition; bucket < shared->bucket_count; bucket += PARTITIONS)
		for (int32 i = buckets[bucket]; i != END_OF_CHAIN; i = entries[i].next)
			for (int slot = 0; entries[i].database == MyDatabaseId && slot < COUNTER_SLOTS; slot++)
				count[slot] += entries[i].count[slot];
}

bool
spl_counters_read_database(int64 *count, int64 *total)
{
	bool known = true;

	memset(count, 0, sizeof(int64) * COUNTER_SLOTS);
	memset(total, 0, sizeof(int64) * TOTAL_SLOTS);
	for (int partition = 0; partition < PARTITIONS; partition++)
	{
		DatabaseSlot *slot;

		LWLockAcquire(lock_of(partition), LW_SHARED);
		slot = slot_of(MyDatabaseId);
		known = known && slot && slot->counted && !slot->overflowed;
		sum_partition(partition, count);
		for (int i = 0; slot && partition == 0 && i < TOTAL_SLOTS; i++)
			total[i] = pg_atomic_read_u64(&slot->total[i]);
		LWLockRelease(lock_of(partition));
	}
	return known;
}

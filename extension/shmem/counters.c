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
 * Statements that insert or delete tickets themselves (a dump's COPY, a repair by hand) note nothing; triggers on the
 * ticket tables see them and ask for a recount at their commit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "miscadmin.h"
#include "shmem/counter_table.h"
#include "shmem/counters.h"
#include "shmem/org_usage.h"
#include "utils/snapmgr.h"

/* A database that overflowed is counted again when there is room, but not more often than this. */
#define OVERFLOW_INTERVAL (INT64CONST(10) * USECS_PER_MINUTE)

/* One that somebody keeps changing behind our back is left alone for so many times as long as counting it took. */
#define RECOUNT_REST 10

const int spl_duration_bounds[DURATION_BUCKETS - 1] = {10, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000};

bool
spl_counters_known(const DatabaseSlot *slot)
{
	return slot && slot->counted && !slot->asked;
}

bool
spl_counters_in_cut(DatabaseSlot *slot)
{
	FullTransactionId	 id = GetTopFullTransactionIdIfAny();
	const TransactionId *running = spl_counter_cut_running(slot);

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
		spl_windows_add(spl_counter_windows(entry), rings, delta->minute, &delta->finished);
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
	int			  bucket = spl_counter_bucket(MyDatabaseId, delta->queue);
	DatabaseSlot *slot;

	LWLockAcquire(spl_counter_lock(bucket), LW_EXCLUSIVE);
	slot = spl_counter_database(MyDatabaseId);
	if (slot) /* else there was no cut yet, and the first one will see this transaction */
	{
		add_totals(slot, delta);
		if (!spl_counters_in_cut(slot))
		{
			QueueEntry *entry = spl_counter_entry_make(slot, bucket, delta->queue);

			if (entry)
				add_to_entry(entry, delta, RING_BOTH);
		}
	}
	LWLockRelease(spl_counter_lock(bucket));
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
	int			  bucket = spl_counter_bucket(MyDatabaseId, queue);
	DatabaseSlot *slot;
	QueueEntry	 *entry;

	LWLockAcquire(spl_counter_lock(bucket), LW_EXCLUSIVE);
	slot = spl_counter_database(MyDatabaseId);
	entry = spl_counter_entry(bucket, MyDatabaseId, queue);
	if (spl_counters_known(slot) && !slot->overflowed && entry && !has_counts(entry))
		spl_counter_entry_drop(bucket, entry);
	LWLockRelease(spl_counter_lock(bucket));
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
	slot->asked = false;
	slot->overflowed = slot->orgs_overflowed = false;
	slot->cut_at = spl_clock_now();
	slot->cut_xmax = full_id(snapshot->xmax, next);
	slot->cut_running_count = snapshot->xcnt;
	memcpy(spl_counter_cut_running(slot), snapshot->xip, sizeof(TransactionId) * snapshot->xcnt);
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

	spl_counter_lock_all();
	PushActiveSnapshot(GetTransactionSnapshot());
	snapshot = GetActiveSnapshot();
	next = ReadNextFullTransactionId();
	if (snapshot->xcnt > spl_counter_max_running())
		elog(ERROR, "a snapshot lists more running transactions than the server allows");
	slot = spl_counter_database(MyDatabaseId);
	if (slot == NULL && (slot = spl_counter_database(InvalidOid)) != NULL)
		slot->database = MyDatabaseId;
	if (slot)
	{
		spl_counter_entries_drop(MyDatabaseId);
		spl_usage_cut(MyDatabaseId);
		publish_cut(slot, snapshot, next);
	}
	spl_counter_unlock_all();
	if (slot == NULL)
		PopActiveSnapshot();
	return slot != NULL;
}

/* spl_counters_add_counted adds what the recount found in the tables. */
void
spl_counters_add_counted(const CounterDelta *delta, WindowRings rings)
{
	int			  bucket = spl_counter_bucket(MyDatabaseId, delta->queue);
	DatabaseSlot *slot;
	QueueEntry	 *entry;

	LWLockAcquire(spl_counter_lock(bucket), LW_EXCLUSIVE);
	slot = spl_counter_database(MyDatabaseId);
	if (slot && (entry = spl_counter_entry_make(slot, bucket, delta->queue)) != NULL)
		add_to_entry(entry, delta, rings);
	LWLockRelease(spl_counter_lock(bucket));
}

void
spl_counters_finish_recount(void)
{
	DatabaseSlot *slot;

	spl_counter_lock_all();
	if ((slot = spl_counter_database(MyDatabaseId)) != NULL)
	{
		slot->counted = true;
		slot->counted_at = spl_clock_now();
	}
	spl_counter_unlock_all();
}

/* recount_due_of tells when a database has to be counted again. */
static TimestampTz
recount_due_of(const DatabaseSlot *slot)
{
	if (!slot->counted)
		return DT_NOBEGIN;
	if (slot->asked)
		return slot->counted_at + RECOUNT_REST * (slot->counted_at - slot->cut_at);
	if (slot->overflowed && spl_counter_has_free_entry())
		return slot->cut_at + OVERFLOW_INTERVAL;
	return DT_NOEND;
}

TimestampTz
spl_counters_recount_due(void)
{
	DatabaseSlot *slot;
	TimestampTz	  due;

	LWLockAcquire(spl_counter_lock(0), LW_SHARED);
	slot = spl_counter_database(MyDatabaseId);
	if (slot)
		due = recount_due_of(slot);
	else
		due = spl_counter_database(InvalidOid) ? DT_NOBEGIN : DT_NOEND;
	LWLockRelease(spl_counter_lock(0));
	return due;
}

/* spl_counters_ask_recount makes the counters unknown; a recount that has its snapshot already is not enough. */
void
spl_counters_ask_recount(void)
{
	DatabaseSlot *slot;

	if (!spl_counter_table_is_there())
		return;
	spl_counter_lock_all();
	if ((slot = spl_counter_database(MyDatabaseId)) != NULL)
		slot->asked = true;
	spl_counter_unlock_all();
}

void
spl_counters_forget_database(Oid database)
{
	DatabaseSlot *slot;

	spl_counter_lock_all();
	spl_usage_forget_database(database);
	if ((slot = spl_counter_database(database)) != NULL)
	{
		spl_counter_entries_drop(database);
		slot->database = InvalidOid;
		for (int i = 0; i < TOTAL_SLOTS; i++)
			pg_atomic_write_u64(&slot->total[i], 0);
	}
	spl_counter_unlock_all();
}

bool
spl_counters_are_counted(void)
{
	DatabaseSlot *slot;
	bool		  answer;

	if (!spl_counter_table_is_there())
		return false;
	LWLockAcquire(spl_counter_lock(0), LW_SHARED);
	slot = spl_counter_database(MyDatabaseId);
	answer = spl_counters_known(slot);
	LWLockRelease(spl_counter_lock(0));
	return answer;
}

bool
spl_counters_have_room(void)
{
	DatabaseSlot *slot;
	bool		  has_room;

	LWLockAcquire(spl_counter_lock(0), LW_SHARED);
	slot = spl_counter_database(MyDatabaseId);
	has_room = slot == NULL || !slot->overflowed;
	LWLockRelease(spl_counter_lock(0));
	return has_room;
}

bool
spl_counters_read(int32 queue, CounterReading *reading)
{
	int			  bucket = spl_counter_bucket(MyDatabaseId, queue);
	int32		  now_minute = spl_minute_of(spl_clock_now());
	DatabaseSlot *slot;
	QueueEntry	 *entry;
	bool		  known;

	memset(reading, 0, sizeof(*reading));
	LWLockAcquire(spl_counter_lock(bucket), LW_SHARED);
	slot = spl_counter_database(MyDatabaseId);
	entry = spl_counter_entry(bucket, MyDatabaseId, queue);
	known = spl_counters_known(slot) && (entry || !slot->overflowed);
	if (known && entry)
	{
		memcpy(reading->count, entry->count, sizeof(reading->count));
		spl_windows_read(spl_counter_windows(entry), now_minute, &reading->hour, &reading->day);
	}
	LWLockRelease(spl_counter_lock(bucket));
	return known;
}

bool
spl_counters_read_database(int64 *count, int64 *total)
{
	bool known = true;

	memset(count, 0, sizeof(int64) * COUNTER_SLOTS);
	memset(total, 0, sizeof(int64) * TOTAL_SLOTS);
	for (int partition = 0; partition < COUNTER_PARTITIONS; partition++)
	{
		DatabaseSlot *slot;

		LWLockAcquire(spl_counter_lock(partition), LW_SHARED);
		slot = spl_counter_database(MyDatabaseId);
		known = known && spl_counters_known(slot) && !slot->overflowed;
		spl_counter_partition_sum(partition, MyDatabaseId, count);
		for (int i = 0; slot && partition == 0 && i < TOTAL_SLOTS; i++)
			total[i] = pg_atomic_read_u64(&slot->total[i]);
		LWLockRelease(spl_counter_lock(partition));
	}
	return known;
}

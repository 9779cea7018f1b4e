/*
 * org_usage.c
 *    The numbers of all organizations, in shared memory.
 *
 * Entries come from a pool (spooled.max_organizations), as they are made in commit callbacks.  An entry is
 * complete when it was there at the last cut, or made since while no organization had gone without: then an organization
 * without an entry has nothing.  Locks are those of the counters (a bucket's number decides), so a cut, which holds them all,
 * is one for both.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "shmem/counter_table.h"
#include "shmem/org_usage.h"
#include "shmem/prepared_usage.h"
#include "shmem/usage_notes.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

typedef struct OrgEntry
{
	EntryLink  link;
	Oid		   database; /* InvalidOid: free */
	int32	   org;
	int32	   day; /* that the two "created" belong to */
	bool	   is_complete;
	UsageCount committed;
	UsageCount reserved;
	UsageCount held; /* by prepared transactions; the rest of what is reserved */
} OrgEntry;

static EntryPool pool;
static OrgEntry *entries;

Size
spl_usage_shmem_size(void)
{
	return spl_entry_pool_size(spooled_max_organizations, sizeof(OrgEntry), COUNTER_PARTITIONS);
}

void
spl_usage_shmem_startup(void)
{
	bool  found;
	char *base = ShmemInitStruct("spooled organizations", spl_usage_shmem_size(), &found);

	spl_entry_pool_place(&pool, base, spooled_max_organizations, sizeof(OrgEntry), COUNTER_PARTITIONS, !found);
	entries = (OrgEntry *) pool.entries;
}

static int
bucket_of(Oid database, int32 org)
{
	return hash_combine(murmurhash32(database), murmurhash32(~org)) & (pool.shared->bucket_count - 1);
}

static OrgEntry *
find(int bucket, Oid database, int32 org)
{
	for (int32 i = pool.buckets[bucket]; i != END_OF_CHAIN; i = entries[i].link.next)
		if (entries[i].org == org && entries[i].database == database)
			return &entries[i];
	return NULL;
}

/* find_or_make returns an entry whose day is not before "day"; NULL: there is no room. */
static OrgEntry *
find_or_make(DatabaseSlot *slot, int bucket, int32 org, int32 day)
{
	OrgEntry *entry = find(bucket, MyDatabaseId, org);

	if (entry == NULL)
	{
		int32 index = spl_entry_pool_take(&pool, bucket);

		if (index == END_OF_CHAIN)
		{
			if (slot)
				slot->orgs_overflowed = true;
			return NULL;
		}
		entry = &entries[index];
		entry->database = MyDatabaseId;
		entry->org = org;
		entry->day = day;
		entry->is_complete = slot && !slot->orgs_overflowed;
	}
	if (entry->day < day)
	{
		entry->day = day;
		entry->committed.created = entry->reserved.created = entry->held.created = 0;
	}
	return entry;
}

static void
drop(int bucket, OrgEntry *entry)
{
	entry->database = InvalidOid;
	spl_entry_pool_drop(&pool, bucket, entry - entries);
}

static bool
is_nothing(UsageCount count)
{
	return count.active == 0 && count.created == 0;
}

/* spl_usage_cut begins a recount; under all locks.  What is reserved stays. */
void
spl_usage_cut(Oid database)
{
	for (int32 i = 0; i < pool.shared->touched; i++)
	{
		OrgEntry *entry = &entries[i];

		if (entry->database != database)
			continue;
		entry->committed = (UsageCount) {0};
		entry->is_complete = true;
		if (is_nothing(entry->reserved) && is_nothing(entry->held))
			drop(bucket_of(database, entry->org), entry);
	}
}

/* spl_usage_forget_database gives the entries of a database back; under all locks. */
void
spl_usage_forget_database(Oid database)
{
	for (int32 i = 0; i < pool.shared->touched; i++)
		if (entries[i].database == database)
			drop(bucket_of(database, entries[i].org), &entries[i]);
	spl_prepared_usage_forget_database(database);
}

/* lock locks the bucket of an organization of this database. */
static int
lock(int32 org)
{
	int bucket = bucket_of(MyDatabaseId, org);

	LWLockAcquire(spl_counter_lock(bucket), LW_EXCLUSIVE);
	return bucket;
}

static void
unlock(int bucket)
{
	LWLockRelease(spl_counter_lock(bucket));
}

static void
read_entry(const DatabaseSlot *slot, const OrgEntry *entry, int32 day, UsageReading *reading)
{
	memset(reading, 0, sizeof(*reading));
	reading->is_known = spl_counters_known(slot) && (entry ? entry->is_complete : !slot->orgs_overflowed);
	if (entry == NULL)
		return;
	reading->committed.active = entry->committed.active;
	reading->reserved.active = entry->reserved.active;
	reading->held.active = entry->held.active;
	if (entry->day != day)
		return;
	reading->committed.created = entry->committed.created;
	reading->reserved.created = entry->reserved.created;
	reading->held.created = entry->held.created;
}

static bool
fits(int64 limit, int64 wanted, int64 committed, int64 reserved)
{
	return limit == USAGE_NO_LIMIT || wanted == 0 || committed + reserved + wanted <= limit;
}

UsageReserve
spl_usage_reserve(int32 org, int32 day, UsageCount wanted, UsageCount limits, UsageReading *reading)
{
	DatabaseSlot *slot;
	OrgEntry	 *entry;
	UsageReserve  answer = USAGE_NO_ROOM;
	int			  bucket;

	spl_usage_notes_make_room();
	bucket = lock(org);
	slot = spl_counter_database(MyDatabaseId);
	entry = find_or_make(slot, bucket, org, day);
	read_entry(slot, entry, day, reading);
	if (entry && !reading->is_known)
		answer = USAGE_UNCOUNTED;
	else if (entry)
		answer = fits(limits.active, wanted.active, reading->committed.active,
					  reading->reserved.active + reading->held.active) &&
				fits(limits.created, wanted.created, reading->committed.created,
					 reading->reserved.created + reading->held.created)
			? USAGE_RESERVED
			: USAGE_FULL;
	if (answer == USAGE_RESERVED || answer == USAGE_UNCOUNTED)
	{
		entry->reserved.active += wanted.active;
		if (entry->day == day)
			entry->reserved.created += wanted.created;
		spl_usage_note(org, day, wanted);
	}
	unlock(bucket);
	return answer;
}

/* add adds to one of an entry's counts, or with sign -1 ends a reservation; what is of another day has gone with its day. */
static void
add(const OrgEntry *entry, UsageCount *sum, int32 day, UsageCount count, int sign)
{
	sum->active += sign * count.active;
	if (entry->day == day)
		sum->created += sign * count.created;
}

void
spl_usage_release(int32 org, int32 day, UsageCount count)
{
	int		  bucket = lock(org);
	OrgEntry *entry = find(bucket, MyDatabaseId, org);

	if (entry)
		add(entry, &entry->reserved, day, count, -1);
	unlock(bucket);
}

void
spl_usage_move_to_held(int32 org, int32 day, UsageCount count)
{
	int		  bucket = lock(org);
	OrgEntry *entry = find(bucket, MyDatabaseId, org);

	if (entry)
	{
		add(entry, &entry->reserved, day, count, -1);
		add(entry, &entry->held, day, count, 1);
	}
	unlock(bucket);
}

void
spl_usage_hold(int32 org, int32 day, UsageCount count)
{
	int		  bucket = lock(org);
	OrgEntry *entry = find_or_make(spl_counter_database(MyDatabaseId), bucket, org, day);

	if (entry)
		add(entry, &entry->held, day, count, 1);
	unlock(bucket);
}

void
spl_usage_end_held(int32 org, int32 day, UsageCount count)
{
	int		  bucket = lock(org);
	OrgEntry *entry = find(bucket, MyDatabaseId, org);

	if (entry)
		add(entry, &entry->held, day, count, -1);
	unlock(bucket);
}

/* add_committed adds what a transaction did, unless the recount under way sees it. */
static void
add_committed(DatabaseSlot *slot, OrgEntry *entry, int32 day, UsageCount done)
{
	if (slot == NULL || spl_counters_in_cut(slot))
		return;
	add(entry, &entry->committed, day, done, 1);
}

void
spl_usage_settle(int32 org, UsageCount done)
{
	UsageNote	  note = spl_usage_note_take(org);
	PreparedUsage held;
	bool		  has_held = spl_prepared_usage_take(org, &held);
	int32		  day = has_held ? held.day : note.day;
	int			  bucket;
	DatabaseSlot *slot;
	OrgEntry	 *entry;

	done.created -= note.forgotten;
	if (is_nothing(done) && is_nothing(note.count) && !has_held)
		return;
	if (done.created != 0 && day == 0)
		day = spl_usage_day(spl_clock_now());
	bucket = lock(org);
	slot = spl_counter_database(MyDatabaseId);
	entry = slot ? find_or_make(slot, bucket, org, day) : find(bucket, MyDatabaseId, org);
	if (entry)
	{
		add_committed(slot, entry, day, done);
		add(entry, &entry->reserved, note.day, note.count, -1);
	}
	for (; has_held; has_held = spl_prepared_usage_take(org, &held))
		if (entry)
			add(entry, &entry->held, held.day, held.count, -1);
	unlock(bucket);
}

void
spl_usage_add_counted(int32 org, int32 day, UsageCount counted)
{
	int			  bucket = lock(org);
	DatabaseSlot *slot = spl_counter_database(MyDatabaseId);
	OrgEntry	 *entry = slot ? find_or_make(slot, bucket, org, day) : NULL;

	if (entry)
	{
		entry->committed.active += counted.active;
		if (entry->day == day)
			entry->committed.created += counted.created;
	}
	unlock(bucket);
}

void
spl_usage_read(int32 org, int32 day, UsageReading *reading)
{
	int bucket = lock(org);

	read_entry(spl_counter_database(MyDatabaseId), find(bucket, MyDatabaseId, org), day, reading);
	unlock(bucket);
}

bool
spl_usage_forget(int32 org, int32 day)
{
	UsageReading reading;

	spl_usage_notes_make_room();
	spl_usage_read(org, day, &reading);
	if (reading.is_known)
		spl_usage_forget_note(org, day, reading.committed.created);
	return reading.is_known;
}

bool
spl_usage_read_created(int32 day, int64 *created)
{
	bool known = true;

	*created = 0;
	for (int partition = 0; partition < COUNTER_PARTITIONS && known; partition++)
	{
		const DatabaseSlot *slot;

		LWLockAcquire(spl_counter_lock(partition), LW_SHARED);
		slot = spl_counter_database(MyDatabaseId);
		known = spl_counters_known(slot) && !slot->orgs_overflowed;
		for (int bucket = partition; known && bucket < pool.shared->bucket_count; bucket += COUNTER_PARTITIONS)
			for (int32 i = pool.buckets[bucket]; i != END_OF_CHAIN; i = entries[i].link.next)
				if (entries[i].database == MyDatabaseId && entries[i].day == day)
					*created += entries[i].committed.created;
		LWLockRelease(spl_counter_lock(partition));
	}
	return known;
}

int32
spl_usage_day(int64 time)
{
	return time >= 0 ? time / USECS_PER_DAY : 0;
}

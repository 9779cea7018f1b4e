/*
 * prepared_usage.c
 *    See prepared_usage.h.
 *
 * An array of fixed size, in which a transaction has an entry for each organization and day that it reserved for.  What is held
 * or marked is part of that organization's sum "held"; what is open is still its transaction's own.  The lock of the
 * array is never held while one of org_usage.c is asked for, but the other way round, so between the two an end may be seen
 * late: then a reservation counts for a moment longer, which can refuse and never admit too much.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "shmem/prepared_usage.h"
#include "shmem/shmem.h"
#include "shmem/usage_notes.h"
#include "storage/latch.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define ORGS_OF_ONE 8 /* on the average */
#define ROOM_PATIENCE_MS 10000
#define ROOM_POLL_MS 5

typedef enum EntryState
{
	ENTRY_FREE,
	ENTRY_OPEN,	 /* its transaction still counts what it reserved as its own */
	ENTRY_HELD,	 /* by a prepared transaction */
	ENTRY_MARKED /* ends when the background worker's transaction commits */
} EntryState;

typedef struct Entry
{
	EntryState	  state;
	Oid			  database;
	PreparedUsage usage;
} Entry;

static Entry *entries = NULL;

static TransactionId open_xid = InvalidTransactionId; /* this transaction's, when it has open entries */
static bool			 has_marked = false;			  /* the background worker's */

static int
entry_count(void)
{
	return max_prepared_xacts * ORGS_OF_ONE;
}

Size
spl_prepared_usage_shmem_size(void)
{
	return mul_size(sizeof(Entry), entry_count());
}

void
spl_prepared_usage_shmem_startup(void)
{
	bool found;

	if (entry_count() == 0)
		return;
	entries = ShmemInitStruct("spooled prepared reservations", spl_prepared_usage_shmem_size(), &found);
	if (!found)
		memset(entries, 0, spl_prepared_usage_shmem_size());
}

static void
lock_entries(void)
{
	LWLockAcquire(spl_lock(LOCK_PREPARED_USAGE), LW_EXCLUSIVE);
}

static void
unlock_entries(void)
{
	LWLockRelease(spl_lock(LOCK_PREPARED_USAGE));
}

static bool
is_of(const Entry *entry, TransactionId xid)
{
	return entry->state != ENTRY_FREE && entry->database == MyDatabaseId && entry->usage.xid == xid;
}

/* put adds an entry, unless the transaction has one for the organization; false: there is no room. */
static bool
put(const PreparedUsage *usage, EntryState state, bool *is_new)
{
	Entry *free = NULL;

	*is_new = false;
	for (int i = 0; i < entry_count(); i++)
	{
		if (is_of(&entries[i], usage->xid) && entries[i].usage.org == usage->org && entries[i].usage.day == usage->day)
			return true;
		if (entries[i].state == ENTRY_FREE && free == NULL)
			free = &entries[i];
	}
	if (free == NULL)
		return false;
	*free = (Entry) {.state = state, .database = MyDatabaseId, .usage = *usage};
	*is_new = true;
	return true;
}

static bool
put_open(const PreparedUsage *usage)
{
	bool fits, is_new;

	lock_entries();
	fits = put(usage, ENTRY_OPEN, &is_new);
	unlock_entries();
	return fits;
}

/* some_have_ended tells whether there are entries only until the background worker has added what their transactions did. */
static bool
some_have_ended(void)
{
	for (int i = 0; i < entry_count(); i++)
	{
		Entry entry = entries[i];

		if (entry.state == ENTRY_MARKED || (entry.state == ENTRY_HELD && !TransactionIdIsInProgress(entry.usage.xid)))
			return true;
	}
	return false;
}

/* reserve puts an open entry.  When there is no room it waits for the background worker, if that is going to make some. */
static void
reserve(const PreparedUsage *usage)
{
	static uint32 wait_event = 0;
	TimestampTz	  start = spl_clock_now();

	while (!put_open(usage))
	{
		if (!some_have_ended() || TimestampDifferenceExceeds(start, spl_clock_now(), ROOM_PATIENCE_MS))
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("too many prepared transactions have jobs of organizations with a limit of jobs"),
					 errhint("Raise max_prepared_transactions.")));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ROOM_POLL_MS,
						 spl_wait_event(&wait_event, "SpooledPreparedRoom"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
spl_prepared_usage_open(void (*keep)(const PreparedUsage *usage))
{
	const UsageNote *note;

	/* Where transactions can't be prepared PostgreSQL says so a moment later. */
	for (int i = 0; entries && (note = spl_usage_note_at(i)) != NULL; i++)
	{
		PreparedUsage usage = {GetTopTransactionId(), note->org, note->day, note->count};

		if (note->forgotten > 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a transaction that resets an organization's usage cannot be prepared")));
		open_xid = usage.xid;
		reserve(&usage);
		keep(&usage);
	}
}

bool
spl_prepared_usage_restore(const PreparedUsage *usage)
{
	bool is_new, fits;

	lock_entries();
	fits = put(usage, ENTRY_HELD, &is_new);
	unlock_entries();
	if (is_new)
		spl_usage_hold(usage->org, usage->day, usage->count);
	return fits;
}

bool
spl_prepared_usage_mark(void)
{
	bool any = false;

	for (int i = 0; i < entry_count(); i++)
	{
		Entry entry = entries[i]; /* looked at again under the lock */

		if (entry.state == ENTRY_FREE || entry.database != MyDatabaseId)
			continue;
		any = true;
		if (entry.state == ENTRY_HELD && !TransactionIdIsInProgress(entry.usage.xid))
			spl_prepared_usage_mark_of(entry.usage.xid);
	}
	return any;
}

void
spl_prepared_usage_mark_of(TransactionId xid)
{
	has_marked = true;
	lock_entries();
	for (int i = 0; i < entry_count(); i++)
		if (is_of(&entries[i], xid) && entries[i].state == ENTRY_HELD)
			entries[i].state = ENTRY_MARKED;
	unlock_entries();
}

/* take frees the first entry of this database in a state, of an organization (0: of any); false: there is none. */
static bool
take(EntryState state, int32 org, PreparedUsage *usage)
{
	bool found = false;

	lock_entries();
	for (int i = 0; i < entry_count() && !found; i++)
	{
		Entry *entry = &entries[i];

		found = entry->state == state && entry->database == MyDatabaseId && (org == 0 || entry->usage.org == org);
		if (!found)
			continue;
		*usage = entry->usage;
		entry->state = ENTRY_FREE;
	}
	unlock_entries();
	return found;
}

bool
spl_prepared_usage_take(int32 org, PreparedUsage *usage)
{
	return has_marked && take(ENTRY_MARKED, org, usage);
}

void
spl_prepared_usage_rolled_back(void)
{
	for (int i = 0; i < entry_count(); i++)
	{
		Entry entry = entries[i];
		bool  is_mine;

		if (entry.state != ENTRY_HELD || entry.database != MyDatabaseId || TransactionIdIsInProgress(entry.usage.xid) ||
			TransactionIdDidCommit(entry.usage.xid))
			continue;
		lock_entries();
		is_mine = entries[i].state == ENTRY_HELD && is_of(&entries[i], entry.usage.xid);
		if (is_mine)
		{
			entry = entries[i];
			entries[i].state = ENTRY_FREE;
		}
		unlock_entries();
		if (is_mine)
			spl_usage_end_held(entry.usage.org, entry.usage.day, entry.usage.count);
	}
}

void
spl_prepared_usage_forget_database(Oid database)
{
	lock_entries();
	for (int i = 0; i < entry_count(); i++)
		if (entries[i].database == database)
			entries[i].state = ENTRY_FREE;
	unlock_entries();
}

/* change changes the state of this transaction's open entries, or of those that it has marked. */
static void
change(EntryState from, EntryState to)
{
	lock_entries();
	for (int i = 0; i < entry_count(); i++)
		if (entries[i].state == from && entries[i].database == MyDatabaseId &&
			(from == ENTRY_MARKED || entries[i].usage.xid == open_xid))
			entries[i].state = to;
	unlock_entries();
}

/* at_prepare lets go of what this transaction has reserved: the prepared one holds it. */
static void
at_prepare(void)
{
	const UsageNote *note;

	if (!TransactionIdIsValid(open_xid))
		return;
	for (int i = 0; (note = spl_usage_note_at(i)) != NULL; i++)
		spl_usage_move_to_held(note->org, note->day, note->count);
	change(ENTRY_OPEN, ENTRY_HELD);
	open_xid = InvalidTransactionId;
}

/* at_commit ends what is marked and was not taken: its transactions did nothing, or were rolled back. */
static void
at_commit(void)
{
	PreparedUsage usage;

	while (spl_prepared_usage_take(0, &usage))
		spl_usage_end_held(usage.org, usage.day, usage.count);
	has_marked = false;
}

static void
at_abort(void)
{
	if (TransactionIdIsValid(open_xid))
		change(ENTRY_OPEN, ENTRY_FREE);
	if (has_marked)
		change(ENTRY_MARKED, ENTRY_HELD);
	open_xid = InvalidTransactionId;
	has_marked = false;
}

void
spl_prepared_usage_init(void)
{
	static const XactEndSteps steps = {.prepare = at_prepare, .commit = at_commit, .abort = at_abort};

	spl_xact_end_add(&steps);
}

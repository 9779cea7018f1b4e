/*
 * subscription.c
 *    Subscribers of wake-ups, and the queues that the worker has to announce to them.
 *
 * Writers put a queue into a small hash table of atomics and then raise a flag; who raises it sets the worker's latch.  The
 * worker empties the table, announces what was there, and leaves the flag up: it will look again after the gap, so that while
 * much happens nobody sets its latch.  When it finds nothing it lowers the flag and looks once more, for what came in between.
 * Nobody ever waits.  A queue that finds no room becomes "any queue".
 *
 * While little happens, a commit tells the few subscribers itself, without the worker and its NOTIFY in between.  It puts the
 * queue into each one's place and sends the signal that makes a session look for notifications; looking is a transaction, and
 * at the end of it the session passes on what is in its place.  Who finds a place full, or the last announcement too young,
 * leaves it to the worker: a notification too many is harmless, one too few is not.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "commands/async.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shmem/database.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "storage/ipc.h"
#include "storage/procsignal.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define PROBES 8
#define PLACES 4		 /* subscribers that a commit tells by itself; if there are more, the worker tells them all */
#define GAP_US 1000		 /* between two announcements of the worker */
#define BUSY_GAP_US 4000 /* the same when there always is one: each wakes three processes, which the writers feel */
#define BUSY 8			 /* looks that found something; one in vain takes two of them away */
#define QUIET_US 5000	 /* before a commit that tells by itself */

/* A subscriber that a commit can tell.  The session and its signal are changed under LOCK_DATABASES and read without it. */
typedef struct Place
{
	pg_atomic_uint32 pid; /* 0: free */
	pg_atomic_uint32 signal_number;
	pg_atomic_uint32 queue; /* not passed on yet; 0: none */
} Place;

typedef struct Subscription
{
	pg_atomic_uint32 subscribers; /* sessions; changed under LOCK_DATABASES, read without it */
	pg_atomic_uint32 is_pending;
	pg_atomic_uint32 any_queue;
	pg_atomic_uint64 announced_at; /* TimestampTz of the last announcement */
	Place			 places[PLACES];
	pg_atomic_uint32 queues[SPL_PENDING_MAX]; /* 0: empty */
} Subscription;

static Subscription *shared = NULL; /* by slot */

static int	  my_slot = SPL_NO_SLOT;
static uint32 my_incarnation;
static Place *my_place = NULL; /* none: the worker tells */

/* is_counted tells whether this session counts in the slot as it is now.  LOCK_DATABASES is held. */
static bool
is_counted(void)
{
	return my_slot != SPL_NO_SLOT && spl_database_incarnation(my_slot) == my_incarnation;
}

/* take_place makes a free place this session's.  LOCK_DATABASES is held. */
static void
take_place(void)
{
	my_place = NULL;
	for (int i = 0; i < PLACES && my_place == NULL; i++)
	{
		Place *place = &shared[my_slot].places[i];

		if (pg_atomic_read_u32(&place->pid) != 0)
			continue;
		my_place = place;
		pg_atomic_write_u32(&place->signal_number, spl_my_signal_number());
		pg_atomic_write_u32(&place->queue, 0);
		pg_write_barrier();
		pg_atomic_write_u32(&place->pid, MyProcPid);
	}
}

static void
end_subscription(int code, Datum arg)
{
	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	if (is_counted())
	{
		pg_atomic_fetch_sub_u32(&shared[my_slot].subscribers, 1);
		if (my_place)
			pg_atomic_write_u32(&my_place->pid, 0);
	}
	my_place = NULL;
	LWLockRelease(spl_lock(LOCK_DATABASES));
	my_slot = SPL_NO_SLOT;
}

bool
spl_subscription_begin(void)
{
	static bool is_registered = false;
	int			slot = spl_database_assign(MyDatabaseId);

	if (slot == SPL_NO_SLOT)
		return false;
	if (!is_registered)
		before_shmem_exit(end_subscription, (Datum) 0);
	is_registered = true;
	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	if (!is_counted() || my_slot != slot)
	{
		my_slot = slot;
		my_incarnation = spl_database_incarnation(slot);
		take_place();
		pg_atomic_fetch_add_u32(&shared[slot].subscribers, 1);
	}
	LWLockRelease(spl_lock(LOCK_DATABASES));
	return true;
}

bool
spl_subscription_exists(int slot)
{
	return pg_atomic_read_u32(&shared[slot].subscribers) > 0;
}

/* raise_flag makes sure that the worker will look after the caller's last write. */
static void
raise_flag(int slot)
{
	Subscription *subscription = &shared[slot];

	pg_memory_barrier();
	if (pg_atomic_read_u32(&subscription->is_pending) == 0 && pg_atomic_exchange_u32(&subscription->is_pending, 1) == 0)
		spl_database_wake_worker(slot);
}

/* put_queue puts a queue into the table unless it is there; false: no room near its place. */
static bool
put_queue(Subscription *subscription, uint32 queue)
{
	uint32 place = murmurhash32(queue);

	for (int i = 0; i < PROBES; i++)
	{
		pg_atomic_uint32 *entry = &subscription->queues[(place + i) % SPL_PENDING_MAX];
		uint32			  there = pg_atomic_read_u32(entry);

		if (there == 0 && pg_atomic_compare_exchange_u32(entry, &there, queue))
			return true;
		if (there == queue)
			return true;
	}
	return false;
}

/* not_before returns when the next announcement may come if this much has to be between it and the last one. */
static TimestampTz
not_before(Subscription *subscription, TimestampTz now, int64 gap)
{
	TimestampTz last = (TimestampTz) pg_atomic_read_u64(&subscription->announced_at);

	return last > now ? now : last + gap; /* the clock may have been set back */
}

/* tell_places tells every subscriber of a queue; false: not all of them. */
static bool
tell_places(Subscription *subscription, uint32 queue)
{
	uint32 told = 0;

	for (int i = 0; i < PLACES; i++)
	{
		Place *place = &subscription->places[i];
		pid_t  pid = pg_atomic_read_u32(&place->pid);
		uint32 nothing = 0;

		if (pid == 0)
			continue;
		pg_read_barrier();
		if (pg_atomic_compare_exchange_u32(&place->queue, &nothing, queue) &&
			SendProcSignal(pid, PROCSIG_NOTIFY_INTERRUPT, pg_atomic_read_u32(&place->signal_number)) == 0)
			told++;
	}
	return told >= pg_atomic_read_u32(&subscription->subscribers);
}

/* is_quiet tells whether nothing was announced for a while, and then takes it on to announce something. */
static bool
is_quiet(Subscription *subscription)
{
	TimestampTz now = spl_clock_now();
	uint64		last = pg_atomic_read_u64(&subscription->announced_at);

	return now >= not_before(subscription, now, QUIET_US) &&
		pg_atomic_compare_exchange_u64(&subscription->announced_at, &last, (uint64) now);
}

/* tell_now tells the subscribers without the worker, if they are few and nothing else is being announced. */
static bool
tell_now(int slot, int32 queue)
{
	Subscription *subscription = &shared[slot];

	return pg_atomic_read_u32(&subscription->subscribers) <= PLACES &&
		pg_atomic_read_u32(&subscription->is_pending) == 0 && is_quiet(subscription) &&
		tell_places(subscription, (uint32) queue);
}

/* pass_on_place tells the client what is in this session's place. */
static void
pass_on_place(void)
{
	uint32 queue;
	char   payload[16];

	/* Since the extension was made anew, the place may be somebody else's. */
	if (my_place == NULL || pg_atomic_read_u32(&my_place->queue) == 0 ||
		pg_atomic_read_u32(&my_place->pid) != (uint32) MyProcPid)
		return;
	queue = pg_atomic_exchange_u32(&my_place->queue, 0);
	snprintf(payload, sizeof(payload), "%u", queue);
	NotifyMyFrontEnd(SPL_READY_CHANNEL, payload, MyProcPid);
}

void
spl_subscription_pend(int slot, int32 queue)
{
	if (tell_now(slot, queue))
		return;
	if (!put_queue(&shared[slot], (uint32) queue))
		pg_atomic_write_u32(&shared[slot].any_queue, 1);
	raise_flag(slot);
}

void
spl_subscription_pend_any(int slot)
{
	pg_atomic_write_u32(&shared[slot].any_queue, 1);
	raise_flag(slot);
}

/* collect empties the table into "queues" and returns how many there were. */
static int
collect(Subscription *subscription, int32 *queues, bool *any)
{
	int count = 0;

	*any = pg_atomic_exchange_u32(&subscription->any_queue, 0) != 0;
	for (int i = 0; i < SPL_PENDING_MAX; i++)
	{
		uint32 queue = pg_atomic_read_u32(&subscription->queues[i]);

		if (queue != 0)
			queue = pg_atomic_exchange_u32(&subscription->queues[i], 0);
		if (queue != 0)
			queues[count++] = (int32) queue;
	}
	return count;
}

int
spl_subscription_take(int slot, TimestampTz now, int32 *queues, bool *any, TimestampTz *look_at)
{
	static int	  busy = 0;
	Subscription *subscription = &shared[slot];
	int64		  gap = busy < BUSY ? GAP_US : BUSY_GAP_US;
	int			  count;

	*any = false;
	*look_at = pg_atomic_read_u32(&subscription->is_pending) == 0 ? DT_NOEND : not_before(subscription, now, gap);
	if (now < *look_at)
		return 0;
	count = collect(subscription, queues, any);
	if (count == 0 && !*any)
	{
		pg_atomic_exchange_u32(&subscription->is_pending, 0);
		count = collect(subscription, queues, any);
		if (count == 0 && !*any)
		{
			busy = Max(busy - 2, 0);
			*look_at = DT_NOEND;
			return 0;
		}
		pg_atomic_exchange_u32(&subscription->is_pending, 1);
	}
	pg_atomic_write_u64(&subscription->announced_at, (uint64) now);
	*look_at = now + gap;
	busy = Min(busy + 1, 2 * BUSY);
	return count;
}

void
spl_subscription_reset(int slot)
{
	Subscription *subscription = &shared[slot];

	pg_atomic_write_u32(&subscription->subscribers, 0);
	pg_atomic_write_u32(&subscription->is_pending, 0);
	pg_atomic_write_u32(&subscription->any_queue, 0);
	pg_atomic_write_u64(&subscription->announced_at, 0);
	for (int i = 0; i < PLACES; i++)
		pg_atomic_write_u32(&subscription->places[i].pid, 0);
	for (int i = 0; i < SPL_PENDING_MAX; i++)
		pg_atomic_write_u32(&subscription->queues[i], 0);
}

Size
spl_subscription_shmem_size(void)
{
	return mul_size(sizeof(Subscription), spooled_max_databases);
}

void
spl_subscription_shmem_startup(void)
{
	bool found;

	shared = ShmemInitStruct("spooled subscriptions", spl_subscription_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, spl_subscription_shmem_size());
	for (int slot = 0; slot < spooled_max_databases; slot++)
	{
		pg_atomic_init_u32(&shared[slot].subscribers, 0);
		pg_atomic_init_u32(&shared[slot].is_pending, 0);
		pg_atomic_init_u32(&shared[slot].any_queue, 0);
		pg_atomic_init_u64(&shared[slot].announced_at, 0);
		for (int i = 0; i < PLACES; i++)
		{
			pg_atomic_init_u32(&shared[slot].places[i].pid, 0);
			pg_atomic_init_u32(&shared[slot].places[i].signal_number, 0);
			pg_atomic_init_u32(&shared[slot].places[i].queue, 0);
		}
		for (int i = 0; i < SPL_PENDING_MAX; i++)
			pg_atomic_init_u32(&shared[slot].queues[i], 0);
	}
}

void
spl_subscription_init(void)
{
	static const XactEndSteps steps = {.pre_commit = pass_on_place};

	spl_xact_end_add(&steps);
}

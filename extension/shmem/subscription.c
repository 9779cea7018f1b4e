/*
 * subscription.c
 *    Subscribers of wake-ups, and the queues that the worker has to announce to them.
 *
 * Writers put a queue into a small hash table of atomics and then raise a flag; who raises it sets the worker's latch, so a
 * thousand commits between two announcements cost one wake-up.  The worker lowers the flag first and empties the table then:
 * a queue that comes in between is announced now, and the flag it raises costs one look in vain.  Nobody ever waits.  A queue
 * that finds no room becomes "any queue".
 */
#include "postgres.h"

#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shmem/database.h"
#include "shmem/shmem.h"
#include "shmem/subscription.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define PROBES 8

typedef struct Subscription
{
	pg_atomic_uint32 subscribers; /* sessions; changed under LOCK_DATABASES, read without it */
	pg_atomic_uint32 is_pending;
	pg_atomic_uint32 any_queue;
	pg_atomic_uint32 queues[SPL_PENDING_MAX]; /* 0: empty */
} Subscription;

static Subscription *shared = NULL; /* by slot */

static int	  my_slot = SPL_NO_SLOT;
static uint32 my_incarnation;

/* is_counted tells whether this session counts in the slot as it is now.  LOCK_DATABASES is held. */
static bool
is_counted(void)
{
	return my_slot != SPL_NO_SLOT && spl_database_incarnation(my_slot) == my_incarnation;
}

static void
end_subscription(int code, Datum arg)
{
	LWLockAcquire(spl_lock(LOCK_DATABASES), LW_EXCLUSIVE);
	if (is_counted())
		pg_atomic_fetch_sub_u32(&shared[my_slot].subscribers, 1);
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

void
spl_subscription_pend(int slot, int32 queue)
{
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

bool
spl_subscription_is_pending(int slot)
{
	return pg_atomic_read_u32(&shared[slot].is_pending) != 0;
}

int
spl_subscription_take(int slot, int32 *queues, bool *any)
{
	Subscription *subscription = &shared[slot];
	int			  count = 0;

	*any = false;
	if (pg_atomic_read_u32(&subscription->is_pending) == 0 || pg_atomic_exchange_u32(&subscription->is_pending, 0) == 0)
		return 0;
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

void
spl_subscription_reset(int slot)
{
	Subscription *subscription = &shared[slot];

	pg_atomic_write_u32(&subscription->subscribers, 0);
	pg_atomic_write_u32(&subscription->is_pending, 0);
	pg_atomic_write_u32(&subscription->any_queue, 0);
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
		for (int i = 0; i < SPL_PENDING_MAX; i++)
			pg_atomic_init_u32(&shared[slot].queues[i], 0);
	}
}

/*
 * queue_request.c
 *    Requests for new queues, from sessions to the background worker.
 *
 * A queue's row that an open transaction has inserted makes everybody wait who enqueues to the same new queue.  So the
 * worker inserts it and commits at once.  A place belongs to whoever changed its state last:
 *
 *     FREE -> FILLING (session) -> ASKED -> WORKING (worker) -> ANSWERED -> FREE (session)
 *
 * and a session that gives up takes ASKED back to FREE, or turns WORKING into LEFT, which the worker makes FREE.  All other
 * fields are written by the session in FILLING and by the worker in WORKING only, so there is no lock.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/org_context.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shmem/database.h"
#include "shmem/queue_request.h"
#include "shmem/wake.h"
#include "storage/latch.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define PLACES 16 /* per database; when all are taken, sessions insert the row themselves */

typedef enum PlaceState
{
	PLACE_FREE,
	PLACE_FILLING,
	PLACE_ASKED,
	PLACE_WORKING,
	PLACE_ANSWERED,
	PLACE_LEFT
} PlaceState;

typedef struct Place
{
	pg_atomic_uint32 state;
	Oid				 database; /* a slot may be given to another one meanwhile */
	uint32			 proc;	   /* whose latch the worker sets */
	int32			 org;
	int32			 queue; /* the answer */
	char			 name[SPL_QUEUE_NAME_BYTES + 1];
} Place;

typedef struct Requests
{
	pg_atomic_uint32 was_asked; /* some place may be ASKED */
	Place			 places[PLACES];
} Requests;

static Requests *shared = NULL; /* by slot */

static Place *mine = NULL; /* this session's, while it waits */

static bool
change_state(Place *place, PlaceState from, PlaceState to)
{
	uint32 expected = from;

	return pg_atomic_compare_exchange_u32(&place->state, &expected, to);
}

/* give_up withdraws this session's request, whatever has become of it. */
static void
give_up(void)
{
	Place *place = mine;

	mine = NULL;
	if (place == NULL || change_state(place, PLACE_ASKED, PLACE_FREE) || change_state(place, PLACE_WORKING, PLACE_LEFT))
		return;
	pg_atomic_write_u32(&place->state, PLACE_FREE); /* FILLING or ANSWERED: ours */
}

static void
give_up_below(int nest_level)
{
	give_up();
}

/* take_place takes a free place; NULL: there is none. */
static Place *
take_place(int slot)
{
	for (int i = 0; i < PLACES; i++)
		if (change_state(&shared[slot].places[i], PLACE_FREE, PLACE_FILLING))
			return &shared[slot].places[i];
	return NULL;
}

/* wait_for_answer returns true when the worker has answered in time. */
static bool
wait_for_answer(const Place *place, int timeout_ms)
{
	static uint32 wait_event = 0;
	TimestampTz	  deadline = TimestampTzPlusMilliseconds(spl_clock_now(), timeout_ms);

	while (pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &place->state)) != PLACE_ANSWERED)
	{
		long left = TimestampDifferenceMilliseconds(spl_clock_now(), deadline);

		if (left <= 0)
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left,
						 spl_wait_event(&wait_event, "SpooledQueueRequest"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	pg_read_barrier();
	return true;
}

int32
spl_queue_request(int32 org, const char *name, int timeout_ms)
{
	int	  slot = spl_database_slot();
	int32 queue = 0;

	if (slot == SPL_NO_SLOT || !spl_database_has_worker(slot) || spl_org_is_background() ||
		strlen(name) > SPL_QUEUE_NAME_BYTES || (mine = take_place(slot)) == NULL)
		return 0;
	mine->database = MyDatabaseId;
	mine->proc = spl_my_proc_number();
	mine->org = org;
	mine->queue = 0;
	strlcpy(mine->name, name, sizeof(mine->name));
	pg_write_barrier();
	pg_atomic_write_u32(&mine->state, PLACE_ASKED);
	pg_atomic_exchange_u32(&shared[slot].was_asked, 1);
	spl_database_wake_worker(slot);
	if (wait_for_answer(mine, timeout_ms))
		queue = mine->queue;
	give_up();
	return queue;
}

bool
spl_queue_request_take(int slot, QueueRequest *request)
{
	Requests *requests = &shared[slot];

	if (pg_atomic_read_u32(&requests->was_asked) == 0)
		return false;
	pg_atomic_exchange_u32(&requests->was_asked, 0);
	for (int i = 0; i < PLACES; i++)
	{
		Place *place = &requests->places[i];

		if (pg_atomic_read_u32(&place->state) != PLACE_ASKED || place->database != MyDatabaseId ||
			!change_state(place, PLACE_ASKED, PLACE_WORKING))
			continue;
		request->place = i;
		request->org = place->org;
		strlcpy(request->name, place->name, sizeof(request->name));
		pg_atomic_write_u32(&requests->was_asked, 1); /* perhaps it was not the only one */
		return true;
	}
	return false;
}

void
spl_queue_request_answer(int slot, const QueueRequest *request, int32 queue)
{
	Place *place = &shared[slot].places[request->place];
	uint32 proc = place->proc;

	place->queue = queue;
	pg_write_barrier();
	if (change_state(place, PLACE_WORKING, PLACE_ANSWERED))
		SetLatch(&GetPGProcByNumber(proc)->procLatch);
	else
		pg_atomic_write_u32(&place->state, PLACE_FREE); /* LEFT: nobody waits any more */
}

void
spl_queue_request_resume(int slot)
{
	for (int i = 0; i < PLACES; i++)
	{
		Place *place = &shared[slot].places[i];

		if (!change_state(place, PLACE_WORKING, PLACE_ASKED))
			change_state(place, PLACE_LEFT, PLACE_FREE);
	}
	pg_atomic_write_u32(&shared[slot].was_asked, 1);
}

Size
spl_queue_request_shmem_size(void)
{
	return mul_size(sizeof(Requests), spooled_max_databases);
}

void
spl_queue_request_shmem_startup(void)
{
	bool found;

	shared = ShmemInitStruct("spooled queue requests", spl_queue_request_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, spl_queue_request_shmem_size());
	for (int slot = 0; slot < spooled_max_databases; slot++)
	{
		pg_atomic_init_u32(&shared[slot].was_asked, 0);
		for (int i = 0; i < PLACES; i++)
			pg_atomic_init_u32(&shared[slot].places[i].state, PLACE_FREE);
	}
}

void
spl_queue_request_init(void)
{
	static const XactEndSteps steps = {.abort = give_up, .subxact_abort = give_up_below};

	spl_xact_end_add(&steps);
}

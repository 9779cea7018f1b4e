/*
 * waiter.c
 *    Waking sessions that wait for jobs.
 *
 * A commit wakes one waiter of the queue, not all: five hundred idle workers must not look for one job, and a commit must
 * not set five hundred latches.  The waiter that finds a job wakes the next one before it returns, so many jobs wake many
 * waiters, and one that finds nothing ends the chain.  A waiter that leaves with a wake-up it did not look after (timeout,
 * error, end of the session) passes it on.  So each wake-up is followed by a look that starts after it.  Of those that wait
 * it is the turn of who began first, or some would get everything that a calm queue has and others nothing.
 *
 * A waiter's word holds its state and a count of its uses.  A writer reads word, then fields, then swaps the same word for
 * WOKEN; when the place has changed hands meanwhile, the swap fails.  Fields are written in FILLING only, so there is no
 * lock.  Each queue hashes to a bucket that counts its waiters: where nobody waits, a commit reads one number.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "shmem/waiter.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"

#define BUCKETS 8192
#define WAITER_QUEUES 8 /* who waits for more, waits for any */

typedef enum WaiterState
{
	WAITER_FREE,
	WAITER_FILLING,
	WAITER_WAITING,
	WAITER_WOKEN
} WaiterState;

#define STATE_BITS 2
#define STATE_OF(word) ((WaiterState) ((word) &3))
#define WITH_STATE(word, state) (((word) & ~(uint32) 3) | (state))
#define NEXT_USE(word) (WITH_STATE(word, WAITER_FREE) + (1 << STATE_BITS))

typedef struct Waiter
{
	pg_atomic_uint32 word;
	Oid				 database;
	uint32			 proc;
	uint64			 turn;	/* who waits for longer has a smaller one */
	int32			 count; /* 0: any queue of the database */
	int32			 queues[WAITER_QUEUES];
} Waiter;

typedef struct Bucket
{
	pg_atomic_uint32 generation;
	pg_atomic_uint32 waiters;
} Bucket;

typedef struct Waiters
{
	pg_atomic_uint32 any_generation;
	pg_atomic_uint32 any_waiters; /* of all databases */
	pg_atomic_uint32 top;		  /* places below have been used */
	pg_atomic_uint64 turns;		  /* that were given */
	pg_atomic_uint64 refused;	  /* sessions that found no place */
	Bucket			 buckets[BUCKETS];
	Waiter			 waiters[FLEXIBLE_ARRAY_MEMBER];
} Waiters;

static Waiters *shared = NULL;

static Waiter *mine = NULL;			/* this session's, while it waits */
static bool	   owes_answer = false; /* it was woken, and has not found nothing since */

static Bucket *
bucket_of(int32 queue)
{
	return &shared->buckets[hash_combine(murmurhash32(MyDatabaseId), murmurhash32(queue)) % BUCKETS];
}

/* take_place takes a free place, the first one, so that "top" stays low. */
static Waiter *
take_place(void)
{
	for (int i = 0; i < spooled_max_waiters; i++)
	{
		Waiter *waiter = &shared->waiters[i];
		uint32	word = pg_atomic_read_u32(&waiter->word);
		uint32	top = pg_atomic_read_u32(&shared->top);

		if (STATE_OF(word) != WAITER_FREE ||
			!pg_atomic_compare_exchange_u32(&waiter->word, &word, WITH_STATE(word, WAITER_FILLING)))
			continue;
		while (top < i + 1 && !pg_atomic_compare_exchange_u32(&shared->top, &top, i + 1))
			;
		return waiter;
	}
	pg_atomic_fetch_add_u64(&shared->refused, 1);
	return NULL;
}

/* count_me adds to the counts that tell writers whether somebody waits; a full barrier. */
static void
count_me(const Waiter *waiter, int32 step)
{
	for (int i = 0; i < waiter->count; i++)
		pg_atomic_fetch_add_u32(&bucket_of(waiter->queues[i])->waiters, step);
	if (waiter->count == 0)
		pg_atomic_fetch_add_u32(&shared->any_waiters, step);
}

static void
end_at_exit(int code, Datum arg)
{
	spl_waiter_end();
}

bool
spl_waiter_begin(const int32 *queues, int count)
{
	static bool is_registered = false;
	uint32		word;

	Assert(mine == NULL);
	if (!is_registered)
		before_shmem_exit(end_at_exit, (Datum) 0);
	is_registered = true;
	mine = take_place();
	if (mine == NULL)
		return false;
	mine->database = MyDatabaseId;
	mine->proc = spl_my_proc_number();
	mine->turn = pg_atomic_fetch_add_u64(&shared->turns, 1);
	mine->count = count > WAITER_QUEUES ? 0 : count;
	memcpy(mine->queues, queues, sizeof(int32) * mine->count);
	word = pg_atomic_read_u32(&mine->word);
	pg_write_barrier();
	pg_atomic_write_u32(&mine->word, WITH_STATE(word, WAITER_WAITING));
	count_me(mine, 1);
	return true;
}

bool
spl_waiter_is_woken(void)
{
	return mine && STATE_OF(pg_atomic_read_u32(&mine->word)) == WAITER_WOKEN;
}

void
spl_waiter_look(void)
{
	uint32 word;

	if (!spl_waiter_is_woken())
		return;
	owes_answer = true;
	word = pg_atomic_read_u32(&mine->word);
	pg_atomic_compare_exchange_u32(&mine->word, &word, WITH_STATE(word, WAITER_WAITING));
}

void
spl_waiter_found_nothing(void)
{
	owes_answer = false;
}

static bool
waits_for(const Waiter *waiter, int32 queue)
{
	if (waiter->database != MyDatabaseId)
		return false;
	for (int i = 0; i < waiter->count && i < WAITER_QUEUES; i++)
		if (waiter->queues[i] == queue)
			return true;
	return false;
}

/* wake wakes the waiter if it still is what "word" says. */
static bool
wake(Waiter *waiter, uint32 word)
{
	uint32 proc = waiter->proc;

	if (!pg_atomic_compare_exchange_u32(&waiter->word, &word, WITH_STATE(word, WAITER_WOKEN)))
		return false;
	SetLatch(&GetPGProcByNumber(proc)->procLatch);
	return true;
}

/* next_of finds who of the queue's waiters has waited for longest and was not woken, and what his word was; NULL: nobody. */
static Waiter *
next_of(int32 queue, uint32 *word)
{
	int		top = pg_atomic_read_u32(&shared->top);
	Waiter *next = NULL;
	uint64	turn = PG_UINT64_MAX;

	for (int i = 0; i < top; i++)
	{
		Waiter *waiter = &shared->waiters[i];
		uint32	read = pg_atomic_read_u32(&waiter->word);

		if (STATE_OF(read) != WAITER_WAITING)
			continue;
		pg_read_barrier();
		if (waits_for(waiter, queue) && waiter->turn < turn)
		{
			next = waiter;
			turn = waiter->turn;
			*word = read;
		}
	}
	return next;
}

/* wake_one wakes a waiter of the queue that nobody has woken yet; those that are awake will look after this commit. */
static void
wake_one(int32 queue)
{
	Waiter *waiter;
	uint32	word;

	while ((waiter = next_of(queue, &word)) != NULL && !wake(waiter, word))
		;
}

/* wake_many wakes all waiters of this database, or those for any queue. */
static void
wake_many(bool also_for_named_queues)
{
	int top = pg_atomic_read_u32(&shared->top);

	for (int i = 0; i < top; i++)
	{
		Waiter *waiter = &shared->waiters[i];
		uint32	word = pg_atomic_read_u32(&waiter->word);

		if (STATE_OF(word) != WAITER_WAITING)
			continue;
		pg_read_barrier();
		if (waiter->database == MyDatabaseId && (also_for_named_queues || waiter->count == 0))
			wake(waiter, word);
	}
}

void
spl_waiter_end(void)
{
	Waiter left;
	uint32 word;
	bool   pass_on = owes_answer;

	owes_answer = false;
	if (mine == NULL)
		return;
	left = *mine;
	word = pg_atomic_read_u32(&mine->word);
	/* Only WAITING turns into WOKEN, so at most two attempts. */
	while (!pg_atomic_compare_exchange_u32(&mine->word, &word, NEXT_USE(word)))
		;
	mine = NULL;
	count_me(&left, -1);
	if (pass_on || STATE_OF(word) == WAITER_WOKEN)
		for (int i = 0; i < left.count; i++)
			wake_one(left.queues[i]);
}

uint32
spl_waiter_generation(int32 queue)
{
	if (shared == NULL)
		return 0;
	return pg_atomic_read_u32(&bucket_of(queue)->generation) + pg_atomic_read_u32(&shared->any_generation);
}

void
spl_waiter_tell(int32 queue)
{
	Bucket *bucket = bucket_of(queue);

	/* A full barrier: what is committed can be seen before the counts are read, as a waiter looks after it is counted. */
	pg_atomic_fetch_add_u32(&bucket->generation, 1);
	if (pg_atomic_read_u32(&bucket->waiters) > 0)
		wake_one(queue);
	if (pg_atomic_read_u32(&shared->any_waiters) > 0)
		wake_many(false);
}

void
spl_waiter_tell_any(void)
{
	pg_atomic_fetch_add_u32(&shared->any_generation, 1);
	wake_many(true);
}

/* leave_at_abort ends a wait that was interrupted by an error. */
static void
leave_at_abort(void)
{
	spl_waiter_end();
}

static void
leave_at_subxact_abort(int nest_level)
{
	spl_waiter_end();
}

void
spl_waiter_figures(int *used, uint64 *refused)
{
	*used = 0;
	for (uint32 i = 0; i < pg_atomic_read_u32(&shared->top); i++)
		*used += STATE_OF(pg_atomic_read_u32(&shared->waiters[i].word)) != WAITER_FREE ? 1 : 0;
	*refused = pg_atomic_read_u64(&shared->refused);
}

Size
spl_waiter_shmem_size(void)
{
	return add_size(offsetof(Waiters, waiters), mul_size(sizeof(Waiter), spooled_max_waiters));
}

void
spl_waiter_shmem_startup(void)
{
	bool found;

	shared = ShmemInitStruct("spooled waiters", spl_waiter_shmem_size(), &found);
	if (found)
		return;
	memset(shared, 0, spl_waiter_shmem_size());
	pg_atomic_init_u32(&shared->any_generation, 0);
	pg_atomic_init_u32(&shared->any_waiters, 0);
	pg_atomic_init_u32(&shared->top, 0);
	pg_atomic_init_u64(&shared->turns, 0);
	pg_atomic_init_u64(&shared->refused, 0);
	for (int i = 0; i < BUCKETS; i++)
	{
		pg_atomic_init_u32(&shared->buckets[i].generation, 0);
		pg_atomic_init_u32(&shared->buckets[i].waiters, 0);
	}
	for (int i = 0; i < spooled_max_waiters; i++)
		pg_atomic_init_u32(&shared->waiters[i].word, WAITER_FREE);
}

void
spl_waiter_init(void)
{
	static const XactEndSteps steps = {.abort = leave_at_abort, .subxact_abort = leave_at_subxact_abort};

	spl_xact_end_add(&steps);
}

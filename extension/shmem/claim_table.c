/*
 * claim_table.c
 *    Where the claim lists lie in shared memory: a place for each queue that is claimed from, as long as there are enough.
 *
 * A queue's list may have one of a few places; when all are another queue's, it gets the one that was not used for longest.
 */
#include "postgres.h"

#include "base/guc.h"
#include "common/hashfn.h"
#include "port/atomics.h"
#include "shmem/claim_table.h"
#include "storage/shmem.h"

#define PROBES 8	/* places that a queue's list may have */
#define REFUSALS 64 /* of a list with too many levels, before it is made anew: the queue may have fewer by now */

typedef struct Lists
{
	int				 tranche;
	LWLock			 assign; /* giving a queue a list; taken before the list's own locks */
	pg_atomic_uint64 ticks;
	pg_atomic_uint64 refills;
	pg_atomic_uint64 misses;
	pg_atomic_uint64 reassigned;
	ClaimList		 list[FLEXIBLE_ARRAY_MEMBER];
} Lists;

static Lists *lists = NULL;

Size
spl_claim_list_shmem_size(void)
{
	return add_size(offsetof(Lists, list), mul_size(spooled_claim_lists, sizeof(ClaimList)));
}

void
spl_claim_list_shmem_startup(void)
{
	bool found;

	lists = ShmemInitStruct("spooled claim lists", spl_claim_list_shmem_size(), &found);
	if (!found)
	{
		lists->tranche = LWLockNewTrancheId();
		LWLockInitialize(&lists->assign, lists->tranche);
		pg_atomic_init_u64(&lists->ticks, 1);
		pg_atomic_init_u64(&lists->refills, 0);
		pg_atomic_init_u64(&lists->misses, 0);
		pg_atomic_init_u64(&lists->reassigned, 0);
		for (int i = 0; i < spooled_claim_lists; i++)
		{
			memset(&lists->list[i], 0, sizeof(ClaimList));
			LWLockInitialize(&lists->list[i].lock, lists->tranche);
			LWLockInitialize(&lists->list[i].refill, lists->tranche);
		}
	}
	LWLockRegisterTranche(lists->tranche, "spooled_claim_list");
}

void
spl_claim_table_reset(ClaimList *list, uint64 storage)
{
	list->storage = storage;
	list->changes++;
	list->resets++;
	list->next_limit = CLAIM_LIST_FIRST;
	list->knows_levels = list->too_many_levels = list->reached_end = list->has_stale = false;
	list->level_count = list->first = list->end = list->refusals = 0;
}

static ClaimList *
place(int32 queue, int probe)
{
	uint32 hash = hash_combine(murmurhash32(MyDatabaseId), murmurhash32((uint32) queue));

	return &lists->list[(hash + probe) % spooled_claim_lists];
}

ClaimList *
spl_claim_table_find(int32 queue)
{
	for (int i = 0; lists && i < Min(PROBES, spooled_claim_lists); i++)
	{
		ClaimList *list = place(queue, i);

		if (!spl_is_list_of(list, queue))
			continue;
		LWLockAcquire(&list->lock, LW_EXCLUSIVE);
		if (spl_is_list_of(list, queue))
			return list;
		LWLockRelease(&list->lock);
	}
	return NULL;
}

/* assign gives a queue the place that was not used for longest and returns it locked; NULL when that is being read into. */
static ClaimList *
assign(int32 queue)
{
	ClaimList *list = spl_claim_table_find(queue);

	if (list)
		return list;
	list = place(queue, 0);
	for (int i = 1; i < Min(PROBES, spooled_claim_lists); i++)
	{
		ClaimList *other = place(queue, i);

		if (other->last_used < list->last_used)
			list = other;
	}
	if (!LWLockConditionalAcquire(&list->refill, LW_EXCLUSIVE))
		return NULL;
	LWLockAcquire(&list->lock, LW_EXCLUSIVE);
	if (OidIsValid(list->database))
		pg_atomic_fetch_add_u64(&lists->reassigned, 1);
	list->database = MyDatabaseId;
	list->queue = queue;
	list->is_reading = false;
	spl_claim_table_reset(list, 0);
	LWLockRelease(&list->refill);
	return list;
}

ClaimList *
spl_claim_list_of(int32 queue)
{
	ClaimList *list;
	bool	   usable;

	if (lists == NULL || spooled_claim_lists == 0)
		return NULL;
	list = spl_claim_table_find(queue);
	if (list == NULL)
	{
		LWLockAcquire(&lists->assign, LW_EXCLUSIVE);
		list = assign(queue);
		LWLockRelease(&lists->assign);
	}
	if (list == NULL)
		return NULL;
	list->last_used = pg_atomic_fetch_add_u64(&lists->ticks, 1);
	if (list->too_many_levels && ++list->refusals == REFUSALS)
		spl_claim_table_reset(list, list->storage);
	usable = !list->too_many_levels;
	LWLockRelease(&list->lock);
	return usable ? list : NULL;
}

/* Where no list is used because the priorities are too many, nothing is to be forgotten. */
void
spl_claim_list_forget(int32 queue)
{
	ClaimList *list = spl_claim_table_find(queue);

	if (list == NULL)
		return;
	if (!list->too_many_levels)
		spl_claim_table_reset(list, list->storage);
	LWLockRelease(&list->lock);
}

void
spl_claim_list_forget_all(void)
{
	for (int i = 0; lists && i < spooled_claim_lists; i++)
	{
		ClaimList *list = &lists->list[i];

		if (list->database != MyDatabaseId)
			continue;
		LWLockAcquire(&list->lock, LW_EXCLUSIVE);
		if (list->database == MyDatabaseId)
			spl_claim_table_reset(list, list->storage);
		LWLockRelease(&list->lock);
	}
}

void
spl_claim_table_count_refill(void)
{
	pg_atomic_fetch_add_u64(&lists->refills, 1);
}

int
spl_claim_list_queues(int32 *queues, int limit)
{
	int count = 0;

	for (int i = 0; lists && i < spooled_claim_lists && count < limit; i++)
		if (lists->list[i].database == MyDatabaseId)
			queues[count++] = lists->list[i].queue;
	return count;
}

void
spl_claim_list_missed(int count)
{
	if (count > 0)
		pg_atomic_fetch_add_u64(&lists->misses, count);
}

void
spl_claim_list_figures(ClaimListFigures *figures)
{
	memset(figures, 0, sizeof(*figures));
	if (lists == NULL)
		return;
	for (int i = 0; i < spooled_claim_lists; i++)
		figures->in_use += OidIsValid(lists->list[i].database) ? 1 : 0;
	figures->refills = pg_atomic_read_u64(&lists->refills);
	figures->misses = pg_atomic_read_u64(&lists->misses);
	figures->reassigned = pg_atomic_read_u64(&lists->reassigned);
}

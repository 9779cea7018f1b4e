/*
 * rate_table.c
 *    Token buckets in shared memory, so that all gateways draw from the same.
 *
 * A table of fixed size: places in groups of eight, and each bucket has its place in one group.  A bucket that is full again
 * is the same as none, so its place is anybody's.  When eight buckets of a group are in use at once, the one that would be
 * full first gives way, and its owner begins with a full bucket: a full table allows too much, it refuses nobody.  Addresses
 * have a half of their own, so that a flood of them does not reach the organizations.  A restart fills all buckets.
 */
#include "postgres.h"

#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "shmem/rate_table.h"
#include "storage/shmem.h"
#include "storage/spin.h"

#define PLACES 8

typedef struct Group
{
	slock_t	  lock;
	RatePlace places[PLACES];
} Group;

static Group *groups = NULL;

static int
group_count(void)
{
	return Max(spooled_rate_buckets / PLACES, 2);
}

Size
spl_rate_table_shmem_size(void)
{
	return mul_size(sizeof(Group), group_count());
}

void
spl_rate_table_shmem_startup(void)
{
	bool found;

	groups = ShmemInitStruct("spooled request rates", spl_rate_table_shmem_size(), &found);
	if (found)
		return;
	memset(groups, 0, spl_rate_table_shmem_size());
	for (int i = 0; i < group_count(); i++)
		SpinLockInit(&groups[i].lock);
}

static Group *
group_of(RateKind kind, uint64 id)
{
	int	   half = group_count() / 2;
	uint32 hash =
		hash_combine(hash_combine(murmurhash32(MyDatabaseId ^ (uint32) kind << 24), murmurhash32((uint32) id)),
					 murmurhash32(id >> 32));

	return &groups[(kind >= RATE_PUBLIC ? half : 0) + hash % half];
}

RatePlace *
spl_rate_place_lock(RateKind kind, uint64 id)
{
	Group	  *group = group_of(kind, id);
	RatePlace *first_full = &group->places[0];

	SpinLockAcquire(&group->lock);
	for (int i = 0; i < PLACES; i++)
	{
		RatePlace *place = &group->places[i];

		if (place->id == id && place->kind == kind && place->database == MyDatabaseId)
			return place;
		if (place->full_at < first_full->full_at)
			first_full = place;
	}
	*first_full = (RatePlace) {.database = MyDatabaseId, .kind = kind, .id = id};
	return first_full;
}

void
spl_rate_place_unlock(RatePlace *place)
{
	Group *group = &groups[((char *) place - (char *) groups) / sizeof(Group)];

	SpinLockRelease(&group->lock);
}

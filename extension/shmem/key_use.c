/*
 * key_use.c
 *    Which API keys were used.
 *
 * A hash table without chains, for all databases, under a lock that sessions only try.  A key is noted once until the worker
 * takes the note: the time is that of the first use since.  Losing a note loses nothing that the next request does not tell.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "shmem/key_use.h"
#include "shmem/shmem.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#define PLACES 1024
#define PROBES 8

typedef struct KeyUse
{
	Oid			database; /* InvalidOid: free */
	pg_uuid_t	key;
	TimestampTz at;
} KeyUse;

static KeyUse *shared = NULL;

/* find_place returns where a key is noted or can be; NULL: there is no room near its place. */
static KeyUse *
find_place(const pg_uuid_t *key)
{
	uint32	start = hash_bytes(key->data, UUID_LEN);
	KeyUse *free_place = NULL;

	for (int i = 0; i < PROBES; i++)
	{
		KeyUse *place = &shared[(start + i) % PLACES];

		if (place->database == MyDatabaseId && memcmp(place->key.data, key->data, UUID_LEN) == 0)
			return place;
		if (place->database == InvalidOid && free_place == NULL)
			free_place = place;
	}
	return free_place;
}

void
spl_key_use_note(const pg_uuid_t *key, TimestampTz now)
{
	KeyUse *place;

	if (!LWLockConditionalAcquire(spl_lock(LOCK_KEY_USES), LW_EXCLUSIVE))
		return;
	place = find_place(key);
	if (place && place->database == InvalidOid)
		*place = (KeyUse) {.database = MyDatabaseId, .key = *key, .at = now};
	LWLockRelease(spl_lock(LOCK_KEY_USES));
}

int
spl_key_use_take(pg_uuid_t *keys, TimestampTz *times, int limit)
{
	int count = 0;

	LWLockAcquire(spl_lock(LOCK_KEY_USES), LW_EXCLUSIVE);
	for (int i = 0; i < PLACES && count < limit; i++)
	{
		if (shared[i].database != MyDatabaseId)
			continue;
		keys[count] = shared[i].key;
		times[count++] = shared[i].at;
		shared[i].database = InvalidOid;
	}
	LWLockRelease(spl_lock(LOCK_KEY_USES));
	return count;
}

Size
spl_key_use_shmem_size(void)
{
	return mul_size(sizeof(KeyUse), PLACES);
}

void
spl_key_use_shmem_startup(void)
{
	bool found;

	shared = ShmemInitStruct("spooled key uses", spl_key_use_shmem_size(), &found);
	if (!found)
		memset(shared, 0, spl_key_use_shmem_size());
}

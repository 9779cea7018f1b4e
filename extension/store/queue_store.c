/*
 * queue_store.c
 *    Queues, cached per backend by name and by id.
 *
 * Rows are read under the latest snapshot even in REPEATABLE READ, as a catalog is: a transaction with an old snapshot must
 * not enqueue by a configuration that has been replaced, nor claim from a queue that is paused.  Two lists of the same
 * entries are kept; both die together when a relcache message says that some queue changed, and when they have grown large:
 * a backend of the gateway works for any number of organizations.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/xact.h"
#include "base/org_context.h"
#include "base/xact_end.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "shmem/wake.h"
#include "store/queue_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* How long an enqueue waits for the background worker to commit a new queue before it inserts the row itself. */
#define MAKE_TIMEOUT_MS 1000
#define MOST_CACHED 4096 /* about 1.5 MB */

enum QueueColumn
{
	QUEUE_ID = 1,
	QUEUE_ORG,
	QUEUE_NAME,
	QUEUE_CONFIGURED,
	QUEUE_MAX_RETRIES,
	QUEUE_DEFAULT_TIMEOUT,
	QUEUE_LEASE_SECONDS,
	QUEUE_RATE_LIMIT,
	QUEUE_BACKOFF_UNIT,
	QUEUE_BACKOFF_FACTOR,
	QUEUE_BACKOFF_CAP,
	QUEUE_BACKOFF_JITTER,
	QUEUE_ENFORCE_TIMEOUT,
	QUEUE_PAUSED_AT
};

typedef struct NameKey
{
	int32		org;
	const char *name; /* of an entry: its queue's */
} NameKey;

typedef struct NameEntry
{
	NameKey key;
	Queue  *queue;
} NameEntry;

typedef struct IdEntry
{
	int32  id;
	Queue *queue;
} IdEntry;

static MemoryContext cache_context = NULL;
static HTAB			*by_name;
static HTAB			*by_id;
static uint64		 cache_generation;
static bool			 made_here = false; /* this transaction inserted a queue, which its rollback takes away */
static const Queue	*last_used = NULL;

static uint32
hash_name(const void *key, Size size)
{
	const NameKey *name = key;

	return hash_combine(murmurhash32(name->org), hash_bytes((const uint8 *) name->name, strlen(name->name)));
}

static int
compare_names(const void *one, const void *other, Size size)
{
	const NameKey *a = one;
	const NameKey *b = other;

	return a->org == b->org ? strcmp(a->name, b->name) : 1;
}

static void
empty_cache(void)
{
	HASHCTL names = {.keysize = sizeof(NameKey),
					 .entrysize = sizeof(NameEntry),
					 .hash = hash_name,
					 .match = compare_names};
	HASHCTL ids = {.keysize = sizeof(int32), .entrysize = sizeof(IdEntry)};

	last_used = NULL;
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(CacheMemoryContext, "spooled queues", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(cache_context);
	names.hcxt = ids.hcxt = cache_context;
	by_name =
		hash_create("spooled queues by name", 64, &names, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	by_id = hash_create("spooled queues by id", 64, &ids, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	cache_generation = spl_table_generation(TABLE_QUEUE);
}

/* open_cache empties the cache when a queue may have changed. */
static void
open_cache(void)
{
	AcceptInvalidationMessages();
	spl_table_oid(TABLE_QUEUE);
	if (cache_context == NULL || cache_generation != spl_table_generation(TABLE_QUEUE))
		empty_cache();
}

/* make_room empties a cache that is full, for one more queue. */
static void
make_room(void)
{
	if (hash_get_num_entries(by_name) + hash_get_num_entries(by_id) >= MOST_CACHED)
		empty_cache();
}

static int
int_column(TupleTableSlot *slot, int number, bool is_short)
{
	bool  isnull;
	Datum value = slot_getattr(slot, number, &isnull);

	if (isnull)
		return -1;
	return is_short ? DatumGetInt16(value) : DatumGetInt32(value);
}

static double
float_column(TupleTableSlot *slot, int number)
{
	bool  isnull;
	Datum value = slot_getattr(slot, number, &isnull);

	return isnull ? -1 : DatumGetFloat8(value);
}

/* read_queue copies a row into the cache. */
static Queue *
read_queue(TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(cache_context);
	Queue		 *queue = palloc0(sizeof(Queue));
	bool		  isnull;
	Datum		  paused_at;

	slot_getallattrs(slot);
	queue->id = int_column(slot, QUEUE_ID, false);
	queue->org = int_column(slot, QUEUE_ORG, false);
	queue->name = TextDatumGetCString(slot_getattr(slot, QUEUE_NAME, &isnull));
	queue->configured = DatumGetBool(slot_getattr(slot, QUEUE_CONFIGURED, &isnull));
	queue->max_retries = int_column(slot, QUEUE_MAX_RETRIES, true);
	queue->default_timeout = int_column(slot, QUEUE_DEFAULT_TIMEOUT, false);
	queue->lease_seconds = int_column(slot, QUEUE_LEASE_SECONDS, false);
	queue->rate_limit = int_column(slot, QUEUE_RATE_LIMIT, false);
	queue->backoff_unit = float_column(slot, QUEUE_BACKOFF_UNIT);
	queue->backoff_factor = float_column(slot, QUEUE_BACKOFF_FACTOR);
	queue->backoff_cap = float_column(slot, QUEUE_BACKOFF_CAP);
	queue->backoff_jitter = float_column(slot, QUEUE_BACKOFF_JITTER);
	queue->enforce_timeout = DatumGetBool(slot_getattr(slot, QUEUE_ENFORCE_TIMEOUT, &isnull));
	paused_at = slot_getattr(slot, QUEUE_PAUSED_AT, &isnull);
	queue->paused_at = isnull ? NO_TIME : DatumGetTimestampTz(paused_at);
	MemoryContextSwitchTo(old);
	return queue;
}

/* ours returns a cached queue if who is asking may see it: a backend of the gateway works for many organizations. */
static const Queue *
ours(const Queue *queue)
{
	return spl_org_is_background() || queue->org == spl_org_as_known() ? queue : NULL;
}

/* load reads one queue from the table; NULL when there is none. */
static Queue *
load(SplIndex index, ScanKey keys, int key_count)
{
	TupleScan scan;
	Queue	 *queue = NULL;
	Snapshot  snapshot = spl_snapshot_latest();

	spl_scan_begin(&scan, TABLE_QUEUE, index, AccessShareLock, snapshot, key_count);
	spl_scan_keys(&scan, keys, key_count);
	if (spl_scan_next(&scan, ForwardScanDirection))
		queue = read_queue(scan.slot);
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	return queue;
}

const Queue *
spl_queue_by_name(int32 org, const char *name)
{
	NameKey		key = {.org = org, .name = name};
	NameEntry  *entry;
	Queue	   *queue;
	ScanKeyData keys[2];

	open_cache();
	if (last_used && last_used->org == org && strcmp(last_used->name, name) == 0)
		return ours(last_used);
	entry = hash_search(by_name, &key, HASH_FIND, NULL);
	if (entry)
		return ours(last_used = entry->queue);
	make_room();
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(org));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	keys[1].sk_collation = DEFAULT_COLLATION_OID;
	queue = load(INDEX_QUEUE_NAME, keys, 2);
	if (queue == NULL)
		return NULL;
	entry = hash_search(by_name, &key, HASH_ENTER, NULL);
	entry->key.name = queue->name;
	entry->queue = queue;
	return last_used = queue;
}

const Queue *
spl_queue_by_id(int32 id)
{
	IdEntry	   *entry;
	Queue	   *queue;
	ScanKeyData key;

	open_cache();
	entry = hash_search(by_id, &id, HASH_FIND, NULL);
	if (entry)
		return ours(entry->queue);
	make_room();
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(id));
	queue = load(INDEX_QUEUE, &key, 1);
	if (queue == NULL)
		return NULL;
	entry = hash_search(by_id, &id, HASH_ENTER, NULL);
	entry->queue = queue;
	return queue;
}

static SpiPlan insert_queue = {
	.sql = "INSERT INTO spooled.queue (org, name) VALUES ($1, $2) ON CONFLICT (org, name) DO NOTHING RETURNING id",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

static void
read_id(HeapTuple row, TupleDesc desc, void *id)
{
	*(int32 *) id = spl_row_int32(row, desc, 1);
}

int32
spl_queue_insert(int32 org, const char *name)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(name)};
	int32 id = 0;

	if (spl_spi_run(&insert_queue, values, NULL, read_id, &id) == 0)
	{
		const Queue *queue = spl_queue_by_name(org, name);

		return queue ? queue->id : 0;
	}
	made_here = true;
	return id;
}

int32
spl_queue_make(int32 org, const char *name)
{
	int32 id = spl_org_is_background() ? 0 : spl_queue_request(org, name, MAKE_TIMEOUT_MS);

	return id ? id : spl_queue_insert(org, name);
}

void
spl_queue_changed(void)
{
	spl_table_touched(TABLE_QUEUE);
}

/* forget_made drops a cache that may hold a queue whose insert was rolled back. */
static void
forget_made(void)
{
	if (made_here)
		cache_generation = 0;
	made_here = false;
}

static void
forget_made_below(int level)
{
	if (made_here)
		cache_generation = 0;
}

static void
keep_made(void)
{
	made_here = false;
}

void
spl_queue_store_init(void)
{
	static const XactEndSteps steps = {.commit = keep_made, .abort = forget_made, .subxact_abort = forget_made_below};

	spl_xact_end_add(&steps);
}

/*
 * system_store.c
 *    Facts about the whole database, of all organizations.
 *
 * Metrics are asked for without a credential, so row-level security would show nothing; the tables are read directly.
 * Nothing that leaves this file can be told apart by tenant, except queue numbers for further sums.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "store/system_store.h"
#include "store/tuple.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

typedef void (*SlotFn)(TupleTableSlot *slot, Oid table, void *arg);

/* scan_table hands every row of a table of the extension to "row". */
static void
scan_table(const char *name, SlotFn row, void *arg)
{
	Oid				oid = get_relname_relid(name, get_rel_namespace(spl_table_oid(TABLE_QUEUE)));
	Relation		table = table_open(oid, AccessShareLock);
	Snapshot		snapshot = spl_snapshot_fresh();
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc	scan = table_beginscan(table, snapshot, 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		row(slot, oid, arg);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
}

static Datum
column(TupleTableSlot *slot, Oid table, const char *name)
{
	bool isnull;

	return slot_getattr(slot, get_attnum(table, name), &isnull);
}

typedef struct QueueList
{
	QueueKey *queues;
	int		  count;
	int		  room;
} QueueList;

static void
add_queue(TupleTableSlot *slot, Oid table, void *arg)
{
	QueueList *list = arg;

	if (list->count == list->room)
	{
		list->room *= 2;
		list->queues = repalloc(list->queues, sizeof(QueueKey) * list->room);
	}
	list->queues[list->count++] = (QueueKey) {
		.org = DatumGetInt32(column(slot, table, "org")),
		.id = DatumGetInt32(column(slot, table, "id")),
	};
}

int
spl_system_queues(QueueKey **queues)
{
	QueueList list = {.room = 64};

	list.queues = palloc(sizeof(QueueKey) * list.room);
	scan_table("queue", add_queue, &list);
	*queues = list.queues;
	return list.count;
}

typedef struct WorkerCount
{
	int64 active;
	int64 healthy;
} WorkerCount;

static void
count_worker(TupleTableSlot *slot, Oid table, void *arg)
{
	WorkerCount *count = arg;
	char		*status = TextDatumGetCString(column(slot, table, "status"));

	if (strcmp(status, "offline") != 0)
		count->active++;
	if (strcmp(status, "healthy") == 0)
		count->healthy++;
	pfree(status);
}

void
spl_system_workers(int64 *active, int64 *healthy)
{
	WorkerCount count = {0};

	scan_table("worker", count_worker, &count);
	*active = count.active;
	*healthy = count.healthy;
}

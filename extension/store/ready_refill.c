/*
 * ready_refill.c
 *    Reading the index of ready tickets into a claim list.
 *
 * Every level of the list (a priority) is read from where the last reading ended, so the entries of taken tickets are passed
 * once and not at every claim, however long a foreign snapshot keeps them from being removed.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "base/clock.h"
#include "store/ready_refill.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#define AUDITED_MOST 1024 /* lists of one audit */
#define AUDIT_SHARE 100	  /* one part of the time in so many */
#define AUDIT_GAP_MS 1000

void
spl_ready_level_keys(ScanKey keys, int32 queue, const ClaimLevel *level)
{
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(queue));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(level->priority));
	ScanKeyInit(&keys[2], 3, BTGreaterEqualStrategyNumber, F_UUID_GE, UUIDPGetDatum(&level->from));
}

/* read_level reads one priority; false: the refill is full. */
static bool
read_level(TupleScan *scan, int32 queue, const ClaimLevel *level, Refill *refill)
{
	ScanKeyData keys[3];

	spl_ready_level_keys(keys, queue, level);
	spl_scan_keys(scan, keys, 3);
	while (spl_scan_next(scan, ForwardScanDirection))
	{
		bool		isnull;
		ClaimEntry *entry = &refill->entries[refill->count];

		if (refill->count == refill->limit)
			return false;
		entry->tid = scan->slot->tts_tid;
		entry->priority = level->priority;
		entry->job_id = *DatumGetUUIDP(slot_getattr(scan->slot, TICKET_JOB_ID, &isnull));
		refill->count++;
	}
	return true;
}

/* next_level finds the first ticket of the next priority below level->priority; false: there is none. */
static bool
next_level(TupleScan *scan, int32 queue, ClaimLevel *level)
{
	ScanKeyData keys[2];
	bool		isnull;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(queue));
	ScanKeyInit(&keys[1], 2, BTLessStrategyNumber, F_INT2LT, Int16GetDatum(level->priority));
	spl_scan_keys(scan, keys, 2);
	if (!spl_scan_next(scan, ForwardScanDirection))
		return false;
	level->priority = DatumGetInt16(slot_getattr(scan->slot, TICKET_PRIORITY, &isnull));
	level->from = *DatumGetUUIDP(slot_getattr(scan->slot, TICKET_JOB_ID, &isnull));
	return true;
}

/* find_levels finds the priorities of a queue, from the start of the index. */
static void
find_levels(int32 queue, Snapshot snapshot, Refill *refill)
{
	TupleScan  scan;
	ClaimLevel level = {.priority = PG_INT16_MAX};

	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, snapshot, 2);
	while (!refill->too_many_levels && next_level(&scan, queue, &level))
		if (refill->level_count == CLAIM_LIST_LEVELS)
			refill->too_many_levels = true;
		else
			refill->levels[refill->level_count++] = level;
	spl_scan_end(&scan);
}

void
spl_ready_refill(ClaimList *list, int32 queue, int wanted)
{
	Refill	 *refill = palloc(sizeof(Refill));
	TupleScan scan;
	bool	  has_room = true;

	if (spl_claim_list_refill_begin(list, queue, wanted, refill))
	{
		spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, 3);
		if (!refill->knows_levels)
			find_levels(queue, scan.snapshot, refill);
		for (int i = 0; i < refill->level_count && has_room; i++)
			has_room = read_level(&scan, queue, &refill->levels[i], refill);
		refill->reached_end = has_room;
		spl_scan_end(&scan);
		spl_claim_list_refill_end(list, refill);
	}
	pfree(refill);
}

/* show_firsts tells a queue's list of the first ticket of each priority in the index. */
static void
show_firsts(TupleScan *scan, int32 queue)
{
	ClaimLevel level = {.priority = PG_INT16_MAX};

	for (int i = 0; i < CLAIM_LIST_LEVELS && next_level(scan, queue, &level); i++)
		spl_claim_list_found(queue, level.priority, &level.from);
}

void
spl_ready_audit(void)
{
	static int64 not_before = 0;
	int64		 begin = spl_clock_monotonic();
	int64		 end;
	int32		*queues;
	int			 count;
	TupleScan	 scan;

	if (begin < not_before)
		return;
	queues = palloc(sizeof(int32) * AUDITED_MOST);
	count = spl_claim_list_queues(queues, AUDITED_MOST);
	spl_scan_begin(&scan, TABLE_READY, INDEX_READY_CLAIM, AccessShareLock, NULL, 2);
	for (int i = 0; i < count; i++)
		show_firsts(&scan, queues[i]);
	spl_scan_end(&scan);
	end = spl_clock_monotonic();
	not_before = end + Max((end - begin) * AUDIT_SHARE, AUDIT_GAP_MS * INT64CONST(1000000));
}

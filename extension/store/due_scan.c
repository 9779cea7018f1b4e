/*
 * due_scan.c
 *    Reading the indexes of due times from where the last reading ended.
 *
 * Whatever is due goes through such an index once: in, and out when its time has come.  So entries of what is over pile up at
 * its start, and stay there for as long as somebody holds an old snapshot.  The worker therefore keeps a floor for each: every
 * entry before it is over.  Who writes an entry tells (due_news.c), and the floor is lowered before the next reading.
 *
 * The reading sees what open transactions have written, since they tell only once.  What they make or take is no reason to
 * stay there, they may be open for hours: their ids are kept, and the floor is lowered when one has ended, in whatever way,
 * prepared ones as well.  Only when they are too many, the floor stays.
 *
 * Now and then all is read, for rows that nobody has told of (a restored dump).
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "base/clock.h"
#include "storage/procarray.h"
#include "store/due_scan.h"
#include "store/ticket_row.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define OPEN_MOST 64
#define LOOK_AT_ALL_NS INT64CONST(60000000000)
#define LOOK_AT_ALL_SHARE 100 /* at most one part of the time in so many */

/* An open transaction that makes or takes what stands before the floor. */
typedef struct OpenChange
{
	TransactionId xid;
	bool		  takes; /* some of it, so it may be due again when that is rolled back */
	TimestampTz	  time;	 /* the earliest */
} OpenChange;

typedef struct DueFloor
{
	TimestampTz time;
	int64		look_at_all_at; /* of the monotonic clock */
	int			open_count;
	OpenChange	open[OPEN_MOST];
} DueFloor;

static DueFloor floors[DUE_KINDS] = {[0 ... DUE_KINDS - 1] = {.time = DT_NOBEGIN}};

/* The first column of each index is the time that counts. */
static const struct
{
	SplTable table;
	SplIndex index;
} due_indexes[DUE_KINDS] = {
	[DUE_DELAYED] = {TABLE_DELAYED, INDEX_DELAYED_DUE},
	[DUE_READY_EXPIRY] = {TABLE_READY, INDEX_READY_EXPIRY},
	[DUE_DELAYED_EXPIRY] = {TABLE_DELAYED, INDEX_DELAYED_EXPIRY},
	[DUE_BLOCKED_EXPIRY] = {TABLE_BLOCKED, INDEX_BLOCKED_EXPIRY},
	[DUE_SCHEDULE] = {TABLE_SCHEDULE, INDEX_SCHEDULE_DUE},
};

void
spl_due_placed(const Ticket *tickets, int count)
{
	TimestampTz due = DT_NOEND;
	TimestampTz expires_at = DT_NOEND;

	if (count == 0 || tickets[0].kind > TICKET_BLOCKED)
		return;
	for (int i = 0; i < count; i++)
	{
		if (tickets[i].kind == TICKET_DELAYED)
			due = Min(due, tickets[i].due);
		if (tickets[i].expires_at != NO_TIME)
			expires_at = Min(expires_at, tickets[i].expires_at);
	}
	if (due != DT_NOEND)
		spl_due_written(DUE_DELAYED, due);
	if (expires_at != DT_NOEND)
		spl_due_written(DUE_READY_EXPIRY + tickets[0].kind, expires_at);
}

/* lower_floor makes the floor include all that was written, or whose transaction has ended, since the last reading. */
static DueFloor *
lower_floor(DueKind kind)
{
	DueFloor   *floor = &floors[kind];
	TimestampTz news = spl_due_take_news(kind);
	int			left = 0;

	floor->time = Min(floor->time, news);
	for (int i = 0; i < floor->open_count; i++)
		if (TransactionIdIsInProgress(floor->open[i].xid))
			floor->open[left++] = floor->open[i];
		else
			floor->time = Min(floor->time, floor->open[i].time);
	floor->open_count = left;
	if (spl_clock_monotonic() >= floor->look_at_all_at)
		floor->time = DT_NOBEGIN;
	return floor;
}

/* A reading, from begin to end. */
typedef struct DueScan
{
	DueFloor	*floor;
	TupleScan	 scan;
	SnapshotData dirty;
	TimestampTz	 time;	/* of the row that it stands on */
	TimestampTz	 stays; /* where the floor has to stay, as far as is known */
	int64		 began;
} DueScan;

/* begin leaves the floor as it is until the end, so that an error in between does no harm. */
static void
begin(DueScan *due, DueKind kind, DueFloor *floor, LOCKMODE lock)
{
	ScanKeyData key;

	due->floor = floor;
	due->stays = DT_NOEND;
	due->began = spl_clock_monotonic();
	InitDirtySnapshot(due->dirty);
	ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE, TimestampTzGetDatum(floor->time));
	spl_scan_begin(&due->scan, due_indexes[kind].table, due_indexes[kind].index, lock, &due->dirty, 1);
	spl_scan_keys(&due->scan, &key, 1);
}

/* keep_open remembers the transaction that is changing the row; false: there is no room. */
static bool
keep_open(DueFloor *floor, const SnapshotData *seen, TimestampTz time)
{
	bool		  takes = !TransactionIdIsValid(seen->xmin);
	TransactionId xid = takes ? seen->xmax : seen->xmin;
	OpenChange	 *open = floor->open;
	int			  i = 0;

	while (i < floor->open_count && open[i].xid != xid)
		i++;
	if (i == OPEN_MOST)
		return false;
	if (i == floor->open_count)
		open[floor->open_count++] = (OpenChange) {.xid = xid, .time = time};
	open[i].takes |= takes;
	open[i].time = Min(open[i].time, time);
	return true;
}

/* next goes on to the next row that no open transaction is changing. */
static bool
next(DueScan *due)
{
	bool isnull;

	while (spl_scan_next(&due->scan, ForwardScanDirection))
	{
		due->time =
			DatumGetTimestampTz(slot_getattr(due->scan.slot, due->scan.index->rd_index->indkey.values[0], &isnull));
		if (!TransactionIdIsValid(due->dirty.xmin) && !TransactionIdIsValid(due->dirty.xmax))
			return true;
		if (!keep_open(due->floor, &due->dirty, due->time))
			due->stays = Min(due->stays, due->time);
	}
	return false;
}

/* end raises the floor to what has to be read again. */
static void
end(DueScan *due)
{
	DueFloor *floor = due->floor;

	spl_scan_end(&due->scan);
	if (TIMESTAMP_IS_NOBEGIN(floor->time))
	{
		int64 now = spl_clock_monotonic();

		floor->look_at_all_at = now + Max(LOOK_AT_ALL_NS, (now - due->began) * LOOK_AT_ALL_SHARE);
	}
	floor->time = due->stays;
}

int
spl_due_list(DueKind kind, TimestampTz now, int limit, Ticket *tickets)
{
	DueFloor *floor = lower_floor(kind);
	DueScan	  due;
	int		  count = 0;

	if (floor->time > now)
		return 0;
	begin(&due, kind, floor, RowExclusiveLock);
	while (next(&due))
	{
		due.stays = Min(due.stays, due.time);
		if (due.time > now || count == limit)
			break;
		spl_ticket_read((TicketKind) due_indexes[kind].table, due.scan.slot, &tickets[count++]);
	}
	end(&due);
	return count;
}

TimestampTz
spl_due_floor(DueKind kind, TimestampTz now)
{
	DueFloor *floor = lower_floor(kind);
	DueScan	  due;

	if (floor->time > now)
		return floor->time;
	begin(&due, kind, floor, AccessShareLock);
	if (next(&due))
		due.stays = Min(due.stays, due.time);
	end(&due);
	return floor->time;
}

TimestampTz
spl_due_look(DueKind kind, TimestampTz now)
{
	TimestampTz time = spl_due_floor(kind, now);

	for (int i = 0; i < floors[kind].open_count; i++)
		if (floors[kind].open[i].takes)
			time = Min(time, floors[kind].open[i].time);
	return time == DT_NOEND ? NO_TIME : time;
}

/*
 * counters_store.c
 *    Counting from the tables.
 *
 * The statement over the whole database reads every ticket once and runs for seconds when there are tens of millions;
 * it is read-only, so that it counts under the snapshot that the caller has made active.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/counters_store.h"
#include "store/spi_plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The stretch that "since" lies in, counted from 2000 as time_windows.h does; null before the day ($1; the hour: $2). */
#define STRETCH                                                                        \
	"CASE WHEN since >= $2 THEN date_bin('1 minute', since, '2000-01-01 00:00:00+00')" \
	" WHEN since >= $1 THEN date_bin('5 minutes', since, '2000-01-01 00:00:00+00') END"

#define DURATION_MS                                                                     \
	"coalesce(sum((date_part('epoch', since) - date_part('epoch', started_at)) * 1000)" \
	" FILTER (WHERE kind = 'c' AND since >= $1), 0)::int8"

/* One row for each queue, state and stretch; "which" restricts the rows.  The numbers are TicketKind's. */
#define COUNT_TICKETS(which)                                                                                     \
	"SELECT org, queue, 0, NULL::\"char\", count(*), NULL::timestamptz, 0::int8 FROM spooled.ready " which       \
	" GROUP BY 1, 2"                                                                                             \
	" UNION ALL SELECT org, queue, 1, reason, count(*), NULL, 0 FROM spooled.delayed " which " GROUP BY 1, 2, 4" \
	" UNION ALL SELECT org, queue, 2, NULL, count(*), NULL, 0 FROM spooled.blocked " which " GROUP BY 1, 2"      \
	" UNION ALL SELECT org, queue, 3, NULL, count(*), NULL, 0 FROM spooled.lease " which " GROUP BY 1, 2"        \
	" UNION ALL SELECT org, queue, 4, NULL, count(*), " STRETCH ", 0 FROM spooled.dead_letter " which            \
	" GROUP BY 1, 2, 6"                                                                                          \
	" UNION ALL SELECT org, queue, 5, kind, count(*), " STRETCH ", " DURATION_MS " FROM spooled.outcome " which  \
	" GROUP BY 1, 2, 4, 6"

StaticAssertDecl(TICKET_READY == 0 && TICKET_DELAYED == 1 && TICKET_BLOCKED == 2 && TICKET_LEASE == 3 &&
					 TICKET_DEAD_LETTER == 4 && TICKET_OUTCOME == 5,
				 "the statements know the numbers of ticket kinds");

static SpiPlan count_all = {
	.sql = COUNT_TICKETS(""),
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID},
	.read_only = true,
};

static SpiPlan count_org = {
	.sql = COUNT_TICKETS("WHERE org = $3"),
	.nargs = 3,
	.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID},
};

static SpiPlan count_queue = {
	.sql = COUNT_TICKETS("WHERE org = $3 AND queue = $4"),
	.nargs = 4,
	.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT4OID},
};

typedef struct TicketCountTaker
{
	TicketCountFn take;
	void		 *arg;
} TicketCountTaker;

static void
read_ticket_count(HeapTuple row, TupleDesc desc, void *arg)
{
	TicketCountTaker *taker = arg;
	TicketCount		  count = {
			  .org = spl_row_int32(row, desc, 1),
			  .queue = spl_row_int32(row, desc, 2),
			  .kind = spl_row_int32(row, desc, 3),
			  .jobs = spl_row_int64(row, desc, 5),
			  .duration_ms = spl_row_int64(row, desc, 7),
	  };
	bool  has_no_reason;
	bool  is_open;
	Datum reason = spl_row_datum(row, desc, 4, &has_no_reason);
	Datum begin = spl_row_datum(row, desc, 6, &is_open);

	count.reason = has_no_reason ? 0 : DatumGetChar(reason);
	count.begin = is_open ? NO_TIME : DatumGetTimestampTz(begin);
	taker->take(&count, taker->arg);
}

void
spl_tickets_count_all(const CountWindows *windows, TicketCountFn take, void *arg)
{
	TicketCountTaker taker = {take, arg};
	Datum			 values[] = {TimestampTzGetDatum(windows->day_begin), TimestampTzGetDatum(windows->hour_begin)};

	spl_spi_run(&count_all, values, NULL, read_ticket_count, &taker);
}

void
spl_tickets_count_windows(int32 org, int32 queue, const CountWindows *windows, TicketCountFn take, void *arg)
{
	TicketCountTaker taker = {take, arg};
	Datum			 values[] = {TimestampTzGetDatum(windows->day_begin), TimestampTzGetDatum(windows->hour_begin),
								 Int32GetDatum(org), Int32GetDatum(queue)};

	spl_spi_run(queue == 0 ? &count_org : &count_queue, values, NULL, read_ticket_count, &taker);
}

void
spl_tickets_count(int32 org, int32 queue, TicketCountFn take, void *arg)
{
	static const CountWindows none = {DT_NOEND, DT_NOEND};

	spl_tickets_count_windows(org, queue, &none, take, arg);
}

static SpiPlan list_queue_ids = {
	.sql = "SELECT id FROM spooled.queue WHERE org = $1",
	.nargs = 1,
	.argtypes = {INT4OID},
};

static void
read_queue_id(HeapTuple row, TupleDesc desc, void *arg)
{
	List		**ids = arg;
	MemoryContext old = MemoryContextSwitchTo(spl_spi_caller_context());

	*ids = lappend_int(*ids, spl_row_int32(row, desc, 1));
	MemoryContextSwitchTo(old);
}

int
spl_counted_queues(int32 org, int32 **ids)
{
	List *list = NIL;
	Datum values[] = {Int32GetDatum(org)};

	spl_spi_run(&list_queue_ids, values, NULL, read_queue_id, &list);
	*ids = palloc(sizeof(int32) * Max(list_length(list), 1));
	for (int i = 0; i < list_length(list); i++)
		(*ids)[i] = list_nth_int(list, i);
	return list_length(list);
}

static SpiPlan count_workers = {
	.sql = "SELECT count(*) FROM spooled.worker WHERE org = $1 AND $2 = ANY (queue_names) AND status <> 'offline'",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

int
spl_active_workers_count(int32 org, const char *queue_name)
{
	int64 count = 0;
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(queue_name)};

	spl_spi_run(&count_workers, values, NULL, spl_row_only_int64, &count);
	return count;
}

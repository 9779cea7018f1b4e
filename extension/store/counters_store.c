/*
 * counters_store.c
 *    Counting from the tables.
 *
 * The statements over the whole database read every row once and run for seconds when there are tens of millions;
 * they are read-only, so that they count under the snapshot that the caller has made active.  What finished lately is
 * found by the BRIN indexes on "since".
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/counters_store.h"
#include "store/spi_plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* One row for each queue and state; "which" restricts the rows.  The numbers are TicketKind's. */
#define COUNT_TICKETS(which)                                                                                       \
	"SELECT org, queue, 0, NULL::\"char\", count(*) FROM spooled.ready " which " GROUP BY org, queue"              \
	" UNION ALL SELECT org, queue, 1, reason, count(*) FROM spooled.delayed " which " GROUP BY org, queue, reason" \
	" UNION ALL SELECT org, queue, 2, NULL, count(*) FROM spooled.blocked " which " GROUP BY org, queue"           \
	" UNION ALL SELECT org, queue, 3, NULL, count(*) FROM spooled.lease " which " GROUP BY org, queue"             \
	" UNION ALL SELECT org, queue, 4, NULL, count(*) FROM spooled.dead_letter " which " GROUP BY org, queue"       \
	" UNION ALL SELECT org, queue, 5, kind, count(*) FROM spooled.outcome " which " GROUP BY org, queue, kind"

StaticAssertDecl(TICKET_READY == 0 && TICKET_DELAYED == 1 && TICKET_BLOCKED == 2 && TICKET_LEASE == 3 &&
					 TICKET_DEAD_LETTER == 4 && TICKET_OUTCOME == 5,
				 "the statements know the numbers of ticket kinds");

static SpiPlan count_all = {
	.sql = COUNT_TICKETS(""),
	.read_only = true,
};

static SpiPlan count_org = {
	.sql = COUNT_TICKETS("WHERE org = $1"),
	.nargs = 1,
	.argtypes = {INT4OID},
};

static SpiPlan count_queue = {
	.sql = COUNT_TICKETS("WHERE org = $1 AND queue = $2"),
	.nargs = 2,
	.argtypes = {INT4OID, INT4OID},
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
	  };
	bool  isnull;
	Datum reason = spl_row_datum(row, desc, 4, &isnull);

	if (!isnull)
		count.reason = DatumGetChar(reason);
	taker->take(&count, taker->arg);
}

void
spl_tickets_count_all(TicketCountFn take, void *arg)
{
	TicketCountTaker taker = {take, arg};

	spl_spi_run(&count_all, NULL, NULL, read_ticket_count, &taker);
}

void
spl_tickets_count(int32 org, int32 queue, TicketCountFn take, void *arg)
{
	TicketCountTaker taker = {take, arg};
	Datum			 values[] = {Int32GetDatum(org), Int32GetDatum(queue)};

	spl_spi_run(queue == 0 ? &count_org : &count_queue, values, NULL, read_ticket_count, &taker);
}

#define DURATION_MS "coalesce(sum((date_part('epoch', since) - date_part('epoch', started_at)) * 1000), 0)::int8"

/* The minute (or five) that "since" lies in, counted from 2000 as time_windows.h does. */
#define STRETCH                                                                        \
	"CASE WHEN since >= $2 THEN date_bin('1 minute', since, '2000-01-01 00:00:00+00')" \
	" ELSE date_bin('5 minutes', since, '2000-01-01 00:00:00+00') END"

static SpiPlan count_finished_all = {
	.sql = "SELECT org, queue, " STRETCH ", count(*), 0::int8, " DURATION_MS
		   " FROM spooled.outcome WHERE since >= $1 AND kind = 'c' GROUP BY 1, 2, 3"
		   " UNION ALL SELECT org, queue, " STRETCH
		   ", 0, count(*), 0 FROM spooled.dead_letter WHERE since >= $1 GROUP BY 1, 2, 3",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID},
	.read_only = true,
};

typedef struct FinishedCountTaker
{
	FinishedCountFn take;
	void		   *arg;
} FinishedCountTaker;

static void
read_finished_count(HeapTuple row, TupleDesc desc, void *arg)
{
	FinishedCountTaker *taker = arg;
	FinishedCount		count = {
			  .org = spl_row_int32(row, desc, 1),
			  .queue = spl_row_int32(row, desc, 2),
			  .begin = DatumGetTimestampTz(spl_row_datum(row, desc, 3, NULL)),
			  .completed = spl_row_int64(row, desc, 4),
			  .failed = spl_row_int64(row, desc, 5),
			  .duration_ms = spl_row_int64(row, desc, 6),
	  };

	taker->take(&count, taker->arg);
}

void
spl_finished_count_all(TimestampTz day_begin, TimestampTz hour_begin, FinishedCountFn take, void *arg)
{
	FinishedCountTaker taker = {take, arg};
	Datum			   values[] = {TimestampTzGetDatum(day_begin), TimestampTzGetDatum(hour_begin)};

	spl_spi_run(&count_finished_all, values, NULL, read_finished_count, &taker);
}

static SpiPlan count_finished = {
	.sql = "SELECT count(*), " DURATION_MS ","
		   " (SELECT count(*) FROM spooled.dead_letter WHERE org = $1 AND queue = $2 AND since >= $3)"
		   " FROM spooled.outcome WHERE org = $1 AND queue = $2 AND since >= $3 AND kind = 'c'",
	.nargs = 3,
	.argtypes = {INT4OID, INT4OID, TIMESTAMPTZOID},
};

static void
read_finished_sum(HeapTuple row, TupleDesc desc, void *arg)
{
	FinishedCount *count = arg;

	count->completed = spl_row_int64(row, desc, 1);
	count->duration_ms = spl_row_int64(row, desc, 2);
	count->failed = spl_row_int64(row, desc, 3);
}

FinishedCount
spl_finished_count(int32 org, int32 queue, TimestampTz since)
{
	FinishedCount count = {.org = org, .queue = queue};
	Datum		  values[] = {Int32GetDatum(org), Int32GetDatum(queue), TimestampTzGetDatum(since)};

	spl_spi_run(&count_finished, values, NULL, read_finished_sum, &count);
	return count;
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

static void
read_number(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int64 *) arg = spl_row_int64(row, desc, 1);
}

int
spl_active_workers_count(int32 org, const char *queue_name)
{
	int64 count = 0;
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(queue_name)};

	spl_spi_run(&count_workers, values, NULL, read_number, &count);
	return count;
}

static SpiPlan put_prepared = {
	.sql = "INSERT INTO spooled.prepared_delta (org, queue, minute, numbers) VALUES ($1, $2, $3, $4)",
	.nargs = 4,
	.argtypes = {INT4OID, INT4OID, INT4OID, INT8ARRAYOID},
};

void
spl_prepared_delta_put(const PreparedDelta *delta)
{
	Datum *numbers = palloc(sizeof(Datum) * delta->number_count);
	Datum  values[4] = {Int32GetDatum(delta->org), Int32GetDatum(delta->queue), Int32GetDatum(delta->minute)};

	for (int i = 0; i < delta->number_count; i++)
		numbers[i] = Int64GetDatum(delta->numbers[i]);
	values[3] = PointerGetDatum(
		construct_array(numbers, delta->number_count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	spl_spi_run(&put_prepared, values, NULL, NULL, NULL);
}

static SpiPlan list_prepared = {
	.sql = "SELECT org, queue, minute, numbers FROM spooled.prepared_delta",
	.read_only = true,
};

static SpiPlan take_prepared = {
	.sql = "DELETE FROM spooled.prepared_delta RETURNING org, queue, minute, numbers",
};

typedef struct PreparedDeltaTaker
{
	PreparedDeltaFn take;
	void		   *arg;
} PreparedDeltaTaker;

static void
read_prepared(HeapTuple row, TupleDesc desc, void *arg)
{
	PreparedDeltaTaker *taker = arg;
	ArrayType		   *array = DatumGetArrayTypeP(spl_row_datum(row, desc, 4, NULL));
	PreparedDelta		delta = {
			  .org = spl_row_int32(row, desc, 1),
			  .queue = spl_row_int32(row, desc, 2),
			  .minute = spl_row_int32(row, desc, 3),
			  .number_count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
			  .numbers = (int64 *) ARR_DATA_PTR(array),
	  };

	taker->take(&delta, taker->arg);
}

void
spl_prepared_delta_list(PreparedDeltaFn read, void *arg)
{
	PreparedDeltaTaker taker = {read, arg};

	spl_spi_run(&list_prepared, NULL, NULL, read_prepared, &taker);
}

int
spl_prepared_delta_take(PreparedDeltaFn take, void *arg)
{
	PreparedDeltaTaker taker = {take, arg};

	return spl_spi_run(&take_prepared, NULL, NULL, read_prepared, &taker);
}

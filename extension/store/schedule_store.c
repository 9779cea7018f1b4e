/*
 * schedule_store.c
 *    Rows of schedule.
 *
 * Firing touches only narrow columns; a large payload stays where it is.  What firing changes is written for many schedules
 * by one statement.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "store/due_scan.h"
#include "store/job_store.h"
#include "store/row_list.h"
#include "store/schedule_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "store/value_array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define COLUMNS                                                                                                                                 \
	"s.org, o.uid, s.id, s.queue, q.name, s.queues, s.name, s.description, s.cron, s.timezone, s.payload, s.workflow_jobs, s.tags, s.metadata," \
	" s.priority::int4, s.max_retries::int4, s.timeout_seconds, s.is_active, s.catch_up, s.max_outstanding, s.jitter_ms,"                       \
	" s.ends_at, s.next_run_at, s.last_run_at, s.run_count, s.created_at, s.updated_at, s.outstanding"
#define SOURCE " FROM spooled.schedule s JOIN spooled.org o ON o.id = s.org LEFT JOIN spooled.queue q ON q.id = s.queue"

#define LIST_BYTES_MAX (8 * 1024 * 1024) /* of payloads and the like: a page that has more ends there */

enum Column
{
	COLUMN_ORG = 1,
	COLUMN_ORG_UID,
	COLUMN_ID,
	COLUMN_QUEUE,
	COLUMN_QUEUE_NAME,
	COLUMN_QUEUES,
	COLUMN_NAME,
	COLUMN_DESCRIPTION,
	COLUMN_CRON,
	COLUMN_TIMEZONE,
	COLUMN_PAYLOAD,
	COLUMN_WORKFLOW_JOBS,
	COLUMN_TAGS,
	COLUMN_METADATA,
	COLUMN_PRIORITY,
	COLUMN_MAX_RETRIES,
	COLUMN_TIMEOUT_SECONDS,
	COLUMN_IS_ACTIVE,
	COLUMN_CATCH_UP,
	COLUMN_MAX_OUTSTANDING,
	COLUMN_JITTER_MS,
	COLUMN_ENDS_AT,
	COLUMN_NEXT_RUN_AT,
	COLUMN_LAST_RUN_AT,
	COLUMN_RUN_COUNT,
	COLUMN_CREATED_AT,
	COLUMN_UPDATED_AT,
	COLUMN_OUTSTANDING
};

typedef struct ScheduleList
{
	ScheduleRow *rows;
	int			 count;
	int			 room;
	int64		 bytes_left; /* when it is used up the list ends */

	const ScheduleBatch *batch; /* of what is due: what counts is what it enqueues; else NULL */
	TimestampTz			 now;
} ScheduleList;

static int
int_or(HeapTuple row, TupleDesc desc, int column, int if_null)
{
	bool  isnull;
	Datum value = spl_row_datum(row, desc, column, &isnull);

	return isnull ? if_null : DatumGetInt32(value);
}

static void
read_schedule(HeapTuple row, TupleDesc desc, void *arg)
{
	ScheduleRow *schedule = arg;

	schedule->org = spl_row_int32(row, desc, COLUMN_ORG);
	spl_row_uuid(row, desc, COLUMN_ORG_UID, &schedule->org_uid);
	spl_row_uuid(row, desc, COLUMN_ID, &schedule->id);
	schedule->queue = int_or(row, desc, COLUMN_QUEUE, 0);
	schedule->queue_name = spl_row_text(row, desc, COLUMN_QUEUE_NAME);
	schedule->queues = spl_row_texts(row, desc, COLUMN_QUEUES, &schedule->queue_count);
	schedule->name = spl_row_text(row, desc, COLUMN_NAME);
	schedule->description = spl_row_text(row, desc, COLUMN_DESCRIPTION);
	schedule->cron = spl_row_text(row, desc, COLUMN_CRON);
	schedule->timezone = spl_row_text(row, desc, COLUMN_TIMEZONE);
	schedule->payload = spl_row_bytes(row, desc, COLUMN_PAYLOAD);
	schedule->workflow_jobs = spl_row_bytes(row, desc, COLUMN_WORKFLOW_JOBS);
	schedule->tags = spl_row_bytes(row, desc, COLUMN_TAGS);
	schedule->metadata = spl_row_bytes(row, desc, COLUMN_METADATA);
	schedule->priority = spl_row_int32(row, desc, COLUMN_PRIORITY);
	schedule->max_retries = int_or(row, desc, COLUMN_MAX_RETRIES, -1);
	schedule->timeout_seconds = int_or(row, desc, COLUMN_TIMEOUT_SECONDS, -1);
	schedule->is_active = spl_row_bool(row, desc, COLUMN_IS_ACTIVE);
	schedule->catch_up = DatumGetChar(spl_row_datum(row, desc, COLUMN_CATCH_UP, NULL));
	schedule->max_outstanding = int_or(row, desc, COLUMN_MAX_OUTSTANDING, 0);
	schedule->jitter_ms = spl_row_int64(row, desc, COLUMN_JITTER_MS);
	schedule->ends_at = spl_row_time(row, desc, COLUMN_ENDS_AT);
	schedule->next_run_at = spl_row_time(row, desc, COLUMN_NEXT_RUN_AT);
	schedule->last_run_at = spl_row_time(row, desc, COLUMN_LAST_RUN_AT);
	schedule->run_count = spl_row_int64(row, desc, COLUMN_RUN_COUNT);
	schedule->created_at = spl_row_time(row, desc, COLUMN_CREATED_AT);
	schedule->updated_at = spl_row_time(row, desc, COLUMN_UPDATED_AT);
	schedule->outstanding = spl_uuids_of(spl_row_datum(row, desc, COLUMN_OUTSTANDING, NULL), spl_spi_caller_context(),
										 &schedule->outstanding_count);
}

static int64
bytes_of(const struct varlena *text)
{
	return text ? VARSIZE_ANY(text) : 0;
}

/* bytes_of_row returns what is large in a schedule. */
static int64
bytes_of_row(const ScheduleRow *row)
{
	return bytes_of(row->payload) + bytes_of(row->workflow_jobs) + bytes_of(row->tags) + bytes_of(row->metadata);
}

/* bytes_of_jobs returns what a due schedule may enqueue: occurrences are a second apart at least. */
static int64
bytes_of_jobs(const ScheduleRow *row, const ScheduleBatch *batch, TimestampTz now)
{
	int64 occurrences = row->catch_up == CATCH_UP_ALL ? 1 + (now - row->next_run_at) / USECS_PER_SEC : 1;

	return Min(occurrences, batch->missed_most) * Max(bytes_of_row(row), batch->job_bytes);
}

static void
add_schedule(HeapTuple row, TupleDesc desc, void *arg)
{
	ScheduleList *list = arg;
	ScheduleRow	 *schedule;

	if (list->bytes_left <= 0)
		return;
	if (list->count == list->room)
		list->rows = spl_grow_rows(list->rows, &list->room, sizeof(ScheduleRow));
	schedule = &list->rows[list->count++];
	read_schedule(row, desc, schedule);
	list->bytes_left -= list->batch ? bytes_of_jobs(schedule, list->batch, list->now) : bytes_of_row(schedule);
}

/* The same parameters for both, so that a row is bound in one place. */
static SpiPlan insert_schedule = {
	.sql =
		"INSERT INTO spooled.schedule (org, id, queue, name, description, cron, timezone, payload, tags, metadata, priority,"
		"  max_retries, timeout_seconds, is_active, catch_up, max_outstanding, jitter_ms, ends_at, next_run_at, updated_at, created_at,"
		"  queues, workflow_jobs)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, $21, $22)",
	.nargs = 22,
	.argtypes = {INT4OID, UUIDOID,		  INT4OID,		  TEXTOID,		  TEXTOID,		TEXTOID, TEXTOID, JSONOID,
				 JSONOID, JSONOID,		  INT4OID,		  INT4OID,		  INT4OID,		BOOLOID, CHAROID, INT4OID,
				 INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID, JSONOID},
};

static SpiPlan write_schedule = {
	.sql =
		"UPDATE spooled.schedule SET queue = $3, name = $4, description = $5, cron = $6, timezone = $7, payload = $8, tags = $9,"
		"  metadata = $10, priority = $11, max_retries = $12, timeout_seconds = $13, is_active = $14, catch_up = $15,"
		"  max_outstanding = $16, jitter_ms = $17, ends_at = $18, next_run_at = $19, updated_at = $20,"
		"  queues = $21, workflow_jobs = $22,"
		"  outstanding = CASE WHEN $16 IS NOT NULL THEN outstanding ELSE '{}' END"
		" WHERE org = $1 AND id = $2",
	.nargs = 22,
	.argtypes = {INT4OID, UUIDOID,		  INT4OID,		  TEXTOID,		  TEXTOID,		TEXTOID, TEXTOID, JSONOID,
				 JSONOID, JSONOID,		  INT4OID,		  INT4OID,		  INT4OID,		BOOLOID, CHAROID, INT4OID,
				 INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID, JSONOID},
};

/* run_with_row runs one of the two. */
static void
run_with_row(SpiPlan *plan, const ScheduleRow *row)
{
	Datum values[] = {
		Int32GetDatum(row->org),
		UUIDPGetDatum(&row->id),
		Int32GetDatum(row->queue),
		CStringGetTextDatum(row->name),
		row->description ? CStringGetTextDatum(row->description) : (Datum) 0,
		CStringGetTextDatum(row->cron),
		CStringGetTextDatum(row->timezone),
		PointerGetDatum(row->payload),
		PointerGetDatum(row->tags),
		PointerGetDatum(row->metadata),
		Int32GetDatum(row->priority),
		Int32GetDatum(row->max_retries),
		Int32GetDatum(row->timeout_seconds),
		BoolGetDatum(row->is_active),
		CharGetDatum(row->catch_up),
		Int32GetDatum(row->max_outstanding),
		Int64GetDatum(row->jitter_ms),
		TimestampTzGetDatum(row->ends_at),
		TimestampTzGetDatum(row->next_run_at),
		TimestampTzGetDatum(row->updated_at),
		spl_text_array(row->queues, row->queue_count),
		PointerGetDatum(row->workflow_jobs),
	};
	bool nulls[lengthof(values)] = {
		[2] = row->queue == 0,
		[4] = row->description == NULL,
		[7] = row->payload == NULL,
		[8] = row->tags == NULL,
		[9] = row->metadata == NULL,
		[11] = row->max_retries < 0,
		[12] = row->timeout_seconds < 0,
		[15] = row->max_outstanding <= 0,
		[17] = row->ends_at == NO_TIME,
		[18] = row->next_run_at == NO_TIME,
		[21] = row->workflow_jobs == NULL,
	};

	spl_spi_run(plan, values, nulls, NULL, NULL);
}

void
spl_schedule_insert(const ScheduleRow *row)
{
	run_with_row(&insert_schedule, row);
}

void
spl_schedule_write(const ScheduleRow *row)
{
	run_with_row(&write_schedule, row);
}

static SpiPlan find_schedule = {
	.sql = "SELECT " COLUMNS SOURCE " WHERE s.org = $1 AND s.id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static SpiPlan lock_schedule = {
	.sql = "SELECT " COLUMNS SOURCE " WHERE s.org = $1 AND s.id = $2 FOR UPDATE OF s",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

bool
spl_schedule_read(int32 org, const pg_uuid_t *id, bool lock, ScheduleRow *row)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	return spl_spi_run(lock ? &lock_schedule : &find_schedule, values, NULL, read_schedule, row) > 0;
}

static SpiPlan hold_name = {
	.sql = "SELECT pg_advisory_xact_lock('spooled.schedule'::regclass::oid::int4, hashtext($1 || ':' || $2))",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

static SpiPlan find_name = {
	.sql = "SELECT id FROM spooled.schedule WHERE org = $1 AND name = $2 ORDER BY id LIMIT 1",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

static void
read_id(HeapTuple row, TupleDesc desc, void *arg)
{
	spl_row_uuid(row, desc, 1, arg);
}

bool
spl_schedule_hold_name(int32 org, const char *name, pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(name)};

	spl_spi_run(&hold_name, values, NULL, NULL, NULL);
	return spl_spi_run(&find_name, values, NULL, read_id, id) > 0;
}

static SpiPlan list_schedules = {
	.sql = "SELECT " COLUMNS SOURCE
		   " WHERE s.org = $1 AND ($2 IS NULL OR $2 = ANY (s.queues)) AND ($3 IS NULL OR s.is_active = $3)"
		   " AND (SELECT bool_and(spooled._in_scope(n)) FROM unnest(s.queues) n) ORDER BY s.id DESC LIMIT $4 OFFSET $5",
	.nargs = 5,
	.argtypes = {INT4OID, TEXTOID, BOOLOID, INT4OID, INT4OID},
};

int
spl_schedule_list_rows(int32 org, const ScheduleFilter *filter, ScheduleRow **rows)
{
	ScheduleList list = {.bytes_left = LIST_BYTES_MAX};
	bool		 nulls[] = {false, false, filter->active < 0, false, false};
	Datum values[] = {Int32GetDatum(org), spl_text_or_null(filter->queue, &nulls[1]), BoolGetDatum(filter->active == 1),
					  Int32GetDatum(filter->limit), Int32GetDatum(filter->offset)};

	spl_spi_run(&list_schedules, values, nulls, add_schedule, &list);
	*rows = list.rows;
	return list.count;
}

static SpiPlan find_user = {
	.sql = "SELECT FROM spooled.schedule WHERE org = $1 AND $2 = ANY (queues) LIMIT 1",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

bool
spl_schedule_uses_queue(int32 org, const char *queue)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(queue)};

	return spl_spi_run(&find_user, values, NULL, NULL, NULL) > 0;
}

static SpiPlan delete_runs = {
	.sql = "DELETE FROM spooled.schedule_run WHERE org = $1 AND schedule = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

static SpiPlan delete_schedule = {
	.sql = "DELETE FROM spooled.schedule WHERE org = $1 AND id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

void
spl_schedule_delete_row(int32 org, const pg_uuid_t *id)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	spl_spi_run(&delete_runs, values, NULL, NULL, NULL);
	spl_spi_run(&delete_schedule, values, NULL, NULL, NULL);
}

static SpiPlan lock_due = {
	.sql = "SELECT " COLUMNS SOURCE " WHERE s.is_active AND s.next_run_at BETWEEN $4 AND $1 AND s.id <> ALL ($3)"
		   " ORDER BY s.next_run_at, s.id LIMIT $2 FOR UPDATE OF s SKIP LOCKED",
	.nargs = 4,
	.argtypes = {TIMESTAMPTZOID, INT4OID, UUIDARRAYOID, TIMESTAMPTZOID},
};

int
spl_schedule_lock_due(TimestampTz now, const ScheduleBatch *batch, const pg_uuid_t *but, int but_count,
					  ScheduleRow **rows, bool *is_more)
{
	ScheduleList list = {.bytes_left = batch->bytes, .batch = batch, .now = now};
	TimestampTz	 floor = spl_due_floor(DUE_SCHEDULE, now);
	Datum		 values[] = {TimestampTzGetDatum(now), Int32GetDatum(batch->schedules), spl_uuid_array(but, but_count),
							 TimestampTzGetDatum(floor)};

	*rows = NULL;
	*is_more = false;
	if (floor > now)
		return 0;
	spl_spi_run(&lock_due, values, NULL, add_schedule, &list);
	*rows = list.rows;
	*is_more = list.count == batch->schedules || list.bytes_left <= 0;
	return list.count;
}

static SpiPlan advance = {
	.sql =
		"UPDATE spooled.schedule s SET next_run_at = a.next_run_at, last_run_at = a.last_run_at, run_count = a.run_count,"
		"  is_active = a.is_active"
		" FROM unnest($1, $2, $3, $4, $5, $6) AS a (org, id, next_run_at, last_run_at, run_count, is_active)"
		" WHERE s.org = a.org AND s.id = a.id",
	.nargs = 6,
	.argtypes = {INT4ARRAYOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, BOOLARRAYOID},
};

static SpiPlan keep_outstanding = {
	.sql = "UPDATE spooled.schedule SET outstanding = $3 WHERE org = $1 AND id = $2",
	.nargs = 3,
	.argtypes = {INT4OID, UUIDOID, UUIDARRAYOID},
};

void
spl_schedule_advance(const ScheduleRow *rows, int count)
{
	ValueArray arrays[6];
	Datum	   values[6];

	for (int i = 0; i < lengthof(arrays); i++)
		spl_array_begin(&arrays[i], advance.argtypes[i], count);
	for (int i = 0; i < count; i++)
	{
		spl_array_add(&arrays[0], Int32GetDatum(rows[i].org), false);
		spl_array_add(&arrays[1], UUIDPGetDatum(&rows[i].id), false);
		spl_array_add(&arrays[2], TimestampTzGetDatum(rows[i].next_run_at), rows[i].next_run_at == NO_TIME);
		spl_array_add(&arrays[3], TimestampTzGetDatum(rows[i].last_run_at), rows[i].last_run_at == NO_TIME);
		spl_array_add(&arrays[4], Int64GetDatum(rows[i].run_count), false);
		spl_array_add(&arrays[5], BoolGetDatum(rows[i].is_active), false);
	}
	for (int i = 0; i < lengthof(arrays); i++)
		values[i] = spl_array_end(&arrays[i]);
	spl_spi_run(&advance, values, NULL, NULL, NULL);
	for (int i = 0; i < count; i++)
		if (rows[i].max_outstanding > 0)
		{
			Datum kept[] = {Int32GetDatum(rows[i].org), UUIDPGetDatum(&rows[i].id),
							spl_uuid_array(rows[i].outstanding, rows[i].outstanding_count)};

			spl_spi_run(&keep_outstanding, kept, NULL, NULL, NULL);
		}
}

static SpiPlan find_unfinished = {
	.sql = "SELECT i.id FROM unnest($2) WITH ORDINALITY AS i (id, n) WHERE ("
		   "  EXISTS (SELECT FROM spooled.job j WHERE j.org = $1 AND j.id = i.id)"
		   "  AND NOT EXISTS (SELECT FROM spooled.outcome t WHERE t.org = $1 AND t.job_id = i.id)"
		   "  AND NOT EXISTS (SELECT FROM spooled.dead_letter t WHERE t.org = $1 AND t.job_id = i.id))"
		   " OR EXISTS (SELECT FROM spooled.workflow w WHERE w.org = $1 AND w.id = i.id AND w.finished_at IS NULL)"
		   " ORDER BY i.n",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDARRAYOID},
};

typedef struct IdList
{
	pg_uuid_t *ids;
	int		   count;
} IdList;

static void
add_id(HeapTuple row, TupleDesc desc, void *arg)
{
	IdList *list = arg;

	spl_row_uuid(row, desc, 1, &list->ids[list->count++]);
}

int
spl_schedule_unfinished(int32 org, pg_uuid_t *ids, int count)
{
	IdList list = {ids, 0};
	Datum  values[] = {Int32GetDatum(org), spl_uuid_array(ids, count)};

	if (count > 0)
		spl_spi_run(&find_unfinished, values, NULL, add_id, &list);
	return list.count;
}

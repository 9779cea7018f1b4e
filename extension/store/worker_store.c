/*
 * worker_store.c
 *    Rows of worker.
 *
 * No index contains the time of the last heartbeat, so that a heartbeat is a heap-only update; sweeps and lists read the whole
 * table, which has a row per process.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/row_list.h"
#include "store/spi_plan.h"
#include "store/worker_store.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define COLUMNS                                                                                                             \
	"w.org, o.uid, w.id, w.queue_names, w.hostname, w.worker_type, w.max_concurrency, w.current_jobs, w.status, w.version," \
	" w.metadata, w.registered_at, w.updated_at, w.last_heartbeat"

enum Column
{
	COLUMN_ORG = 1,
	COLUMN_ORG_UID,
	COLUMN_ID,
	COLUMN_QUEUES,
	COLUMN_HOSTNAME,
	COLUMN_TYPE,
	COLUMN_MAX_CONCURRENCY,
	COLUMN_CURRENT_JOBS,
	COLUMN_STATUS,
	COLUMN_VERSION,
	COLUMN_METADATA,
	COLUMN_REGISTERED_AT,
	COLUMN_UPDATED_AT,
	COLUMN_LAST_HEARTBEAT
};

typedef struct WorkerList
{
	WorkerRow *rows;
	int		   count;
	int		   room;
} WorkerList;

static void
read_worker(HeapTuple row, TupleDesc desc, void *arg)
{
	WorkerRow *worker = arg;

	worker->org = spl_row_int32(row, desc, COLUMN_ORG);
	worker->org_uid = *DatumGetUUIDP(spl_row_datum(row, desc, COLUMN_ORG_UID, NULL));
	worker->id = spl_row_text(row, desc, COLUMN_ID);
	worker->queues = spl_row_texts(row, desc, COLUMN_QUEUES, &worker->queue_count);
	worker->hostname = spl_row_text(row, desc, COLUMN_HOSTNAME);
	worker->worker_type = spl_row_text(row, desc, COLUMN_TYPE);
	worker->max_concurrency = spl_row_int32(row, desc, COLUMN_MAX_CONCURRENCY);
	worker->current_jobs = spl_row_int32(row, desc, COLUMN_CURRENT_JOBS);
	worker->status = spl_row_text(row, desc, COLUMN_STATUS);
	worker->version = spl_row_text(row, desc, COLUMN_VERSION);
	worker->metadata = spl_row_text(row, desc, COLUMN_METADATA);
	worker->registered_at = spl_row_time(row, desc, COLUMN_REGISTERED_AT);
	worker->updated_at = spl_row_time(row, desc, COLUMN_UPDATED_AT);
	worker->last_heartbeat = spl_row_time(row, desc, COLUMN_LAST_HEARTBEAT);
}

static void
add_worker(HeapTuple row, TupleDesc desc, void *arg)
{
	WorkerList *list = arg;

	if (list->count == list->room)
		list->rows = spl_grow_rows(list->rows, &list->room, sizeof(WorkerRow));
	read_worker(row, desc, &list->rows[list->count++]);
}

static SpiPlan put_worker = {
	.sql =
		"INSERT INTO spooled.worker AS w (org, id, queue_names, hostname, worker_type, max_concurrency, version, metadata,"
		"  registered_at, updated_at, last_heartbeat)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json, $9, $9, $9)"
		" ON CONFLICT (org, id) DO UPDATE SET queue_names = excluded.queue_names, hostname = excluded.hostname,"
		"  worker_type = excluded.worker_type, max_concurrency = excluded.max_concurrency, version = excluded.version,"
		"  metadata = excluded.metadata, current_jobs = 0, status = 'healthy', registered_at = excluded.registered_at,"
		"  updated_at = excluded.updated_at, last_heartbeat = excluded.last_heartbeat",
	.nargs = 9,
	.argtypes = {INT4OID, TEXTOID, TEXTARRAYOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
};

/* spl_worker_put inserts a worker, or replaces the one with this id. */
void
spl_worker_put(const WorkerRow *worker)
{
	Datum values[9] = {Int32GetDatum(worker->org), CStringGetTextDatum(worker->id)};
	bool  nulls[9] = {false, false};

	values[2] = spl_text_array(worker->queues, worker->queue_count);
	values[3] = CStringGetTextDatum(worker->hostname);
	values[4] = spl_text_or_null(worker->worker_type, &nulls[4]);
	values[5] = Int32GetDatum(worker->max_concurrency);
	values[6] = spl_text_or_null(worker->version, &nulls[6]);
	values[7] = CStringGetTextDatum(worker->metadata);
	values[8] = TimestampTzGetDatum(worker->registered_at);
	spl_spi_run(&put_worker, values, nulls, NULL, NULL);
}

static SpiPlan find_worker = {
	.sql = "SELECT " COLUMNS " FROM spooled.worker w JOIN spooled.org o ON o.id = w.org WHERE w.org = $1 AND w.id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

bool
spl_worker_find(int32 org, const char *id, WorkerRow *worker)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(id)};

	return spl_spi_run(&find_worker, values, NULL, read_worker, worker) > 0;
}

static SpiPlan list_workers = {
	.sql = "SELECT " COLUMNS " FROM spooled.worker w JOIN spooled.org o ON o.id = w.org WHERE w.org = $1"
		   " ORDER BY w.last_heartbeat DESC, w.id LIMIT $2",
	.nargs = 2,
	.argtypes = {INT4OID, INT4OID},
};

/* spl_worker_list_rows reads workers, newest heartbeat first; limit 0: all. */
int
spl_worker_list_rows(int32 org, int limit, WorkerRow **workers)
{
	WorkerList list = {NULL, 0, 0};
	Datum	   values[] = {Int32GetDatum(org), Int32GetDatum(limit)};
	bool	   nulls[] = {false, limit == 0};

	spl_spi_run(&list_workers, values, nulls, add_worker, &list);
	*workers = list.rows;
	return list.count;
}

static SpiPlan beat = {
	.sql = "UPDATE spooled.worker SET last_heartbeat = $3, updated_at = $3, current_jobs = $4,"
		   "  status = CASE WHEN status = 'draining' AND $5 = 'healthy' THEN status ELSE $5 END,"
		   "  metadata = coalesce($6::json, metadata)"
		   " WHERE org = $1 AND id = $2 RETURNING status",
	.nargs = 6,
	.argtypes = {INT4OID, TEXTOID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID},
};

static void
read_status(HeapTuple row, TupleDesc desc, void *arg)
{
	*(char **) arg = spl_row_text(row, desc, 1);
}

/* spl_worker_beat stores a heartbeat and returns the status after it, or NULL when there is no such worker. */
char *
spl_worker_beat(int32 org, const char *id, TimestampTz now, int current_jobs, const char *status, const char *metadata)
{
	Datum values[6] = {Int32GetDatum(org), CStringGetTextDatum(id), TimestampTzGetDatum(now),
					   Int32GetDatum(current_jobs), CStringGetTextDatum(status)};
	bool  nulls[6] = {false};
	char *now_status = NULL;

	values[5] = spl_text_or_null(metadata, &nulls[5]);
	spl_spi_run(&beat, values, nulls, read_status, &now_status);
	return now_status;
}

static SpiPlan set_offline = {
	.sql = "UPDATE spooled.worker SET status = 'offline', current_jobs = 0, updated_at = $3 WHERE org = $1 AND id = $2",
	.nargs = 3,
	.argtypes = {INT4OID, TEXTOID, TIMESTAMPTZOID},
};

/* spl_worker_set_offline marks a worker offline; false: no such worker. */
bool
spl_worker_set_offline(int32 org, const char *id, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(id), TimestampTzGetDatum(now)};

	return spl_spi_run(&set_offline, values, NULL, NULL, NULL) > 0;
}

static SpiPlan list_silent = {
	.sql =
		"SELECT " COLUMNS " FROM spooled.worker w JOIN spooled.org o ON o.id = w.org"
		" WHERE w.status <> 'offline' AND w.last_heartbeat < $1 ORDER BY w.last_heartbeat LIMIT $2 FOR UPDATE OF w SKIP LOCKED",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
};

/* spl_worker_list_silent locks workers without a heartbeat since "before". */
int
spl_worker_list_silent(TimestampTz before, int limit, WorkerRow **workers)
{
	WorkerList list = {NULL, 0, 0};
	Datum	   values[] = {TimestampTzGetDatum(before), Int32GetDatum(limit)};

	spl_spi_run(&list_silent, values, NULL, add_worker, &list);
	*workers = list.rows;
	return list.count;
}

static SpiPlan delete_offline = {
	.sql =
		"DELETE FROM spooled.worker w USING (SELECT org, id FROM spooled.worker"
		"  WHERE status = 'offline' AND greatest(last_heartbeat, updated_at) < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) gone"
		" WHERE w.org = gone.org AND w.id = gone.id",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
};

/* spl_worker_delete_offline deletes workers that have been offline since "before". */
int
spl_worker_delete_offline(TimestampTz before, int limit)
{
	Datum values[] = {TimestampTzGetDatum(before), Int32GetDatum(limit)};

	return spl_spi_run(&delete_offline, values, NULL, NULL, NULL);
}

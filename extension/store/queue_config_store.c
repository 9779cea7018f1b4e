/*
 * queue_config_store.c
 *    Rows of queue as operators see and change them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/queue_config_store.h"
#include "store/row_list.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define COLUMNS                                                                                                            \
	"q.id, o.uid, q.name, q.configured, q.max_retries::int4, q.default_timeout, q.lease_seconds, q.rate_limit,"            \
	" q.backoff_unit, q.backoff_factor, q.backoff_cap, q.backoff_jitter, q.enforce_timeout, q.paused_at, q.paused_reason," \
	" q.settings::text, q.created_at, q.updated_at"

enum Column
{
	COLUMN_ID = 1,
	COLUMN_ORG_UID,
	COLUMN_NAME,
	COLUMN_CONFIGURED,
	COLUMN_MAX_RETRIES,
	COLUMN_DEFAULT_TIMEOUT,
	COLUMN_LEASE_SECONDS,
	COLUMN_RATE_LIMIT,
	COLUMN_BACKOFF_UNIT,
	COLUMN_BACKOFF_FACTOR,
	COLUMN_BACKOFF_CAP,
	COLUMN_BACKOFF_JITTER,
	COLUMN_ENFORCE_TIMEOUT,
	COLUMN_PAUSED_AT,
	COLUMN_PAUSED_REASON,
	COLUMN_SETTINGS,
	COLUMN_CREATED_AT,
	COLUMN_UPDATED_AT
};

typedef struct ConfigList
{
	QueueConfig *configs;
	int			 count;
	int			 room;
} ConfigList;

static int
int_or_none(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = spl_row_datum(row, desc, column, &isnull);

	return isnull ? -1 : DatumGetInt32(value);
}

static double
float_or_none(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = spl_row_datum(row, desc, column, &isnull);

	return isnull ? -1 : DatumGetFloat8(value);
}

/* read_config fills a QueueConfig from a row of COLUMNS. */
static void
read_config(HeapTuple row, TupleDesc desc, void *arg)
{
	QueueConfig *config = arg;

	config->id = spl_row_int32(row, desc, COLUMN_ID);
	config->org_uid = *DatumGetUUIDP(spl_row_datum(row, desc, COLUMN_ORG_UID, NULL));
	config->name = spl_row_text(row, desc, COLUMN_NAME);
	config->configured = spl_row_bool(row, desc, COLUMN_CONFIGURED);
	config->max_retries = int_or_none(row, desc, COLUMN_MAX_RETRIES);
	config->default_timeout = int_or_none(row, desc, COLUMN_DEFAULT_TIMEOUT);
	config->lease_seconds = int_or_none(row, desc, COLUMN_LEASE_SECONDS);
	config->rate_limit = int_or_none(row, desc, COLUMN_RATE_LIMIT);
	config->backoff_unit = float_or_none(row, desc, COLUMN_BACKOFF_UNIT);
	config->backoff_factor = float_or_none(row, desc, COLUMN_BACKOFF_FACTOR);
	config->backoff_cap = float_or_none(row, desc, COLUMN_BACKOFF_CAP);
	config->backoff_jitter = float_or_none(row, desc, COLUMN_BACKOFF_JITTER);
	config->enforce_timeout = spl_row_bool(row, desc, COLUMN_ENFORCE_TIMEOUT);
	config->paused_at = spl_row_time(row, desc, COLUMN_PAUSED_AT);
	config->paused_reason = spl_row_text(row, desc, COLUMN_PAUSED_REASON);
	config->settings = spl_row_text(row, desc, COLUMN_SETTINGS);
	config->created_at = spl_row_time(row, desc, COLUMN_CREATED_AT);
	config->updated_at = spl_row_time(row, desc, COLUMN_UPDATED_AT);
}

static SpiPlan read_queue = {
	.sql =
		"SELECT " COLUMNS " FROM spooled.queue q JOIN spooled.org o ON o.id = q.org WHERE q.org = $1 AND q.name = $2",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

static SpiPlan lock_queue = {
	.sql = "SELECT " COLUMNS " FROM spooled.queue q JOIN spooled.org o ON o.id = q.org WHERE q.org = $1 AND q.name = $2"
		   " FOR UPDATE OF q",
	.nargs = 2,
	.argtypes = {INT4OID, TEXTOID},
};

/* spl_queue_config_read reads a queue by name; false: there is no row. */
bool
spl_queue_config_read(int32 org, const char *name, bool lock, QueueConfig *config)
{
	Datum values[] = {Int32GetDatum(org), CStringGetTextDatum(name)};

	return spl_spi_run(lock ? &lock_queue : &read_queue, values, NULL, read_config, config) > 0;
}

static SpiPlan list_queues = {
	.sql = "SELECT " COLUMNS " FROM spooled.queue q JOIN spooled.org o ON o.id = q.org WHERE q.org = $1"
		   " ORDER BY q.name COLLATE \"C\"",
	.nargs = 1,
	.argtypes = {INT4OID},
};

static void
add_config(HeapTuple row, TupleDesc desc, void *arg)
{
	ConfigList *list = arg;

	if (list->count == list->room)
		list->configs = spl_grow_rows(list->configs, &list->room, sizeof(QueueConfig));
	read_config(row, desc, &list->configs[list->count++]);
}

/* spl_queue_config_list reads all rows, by name. */
int
spl_queue_config_list(int32 org, QueueConfig **configs)
{
	ConfigList list = {NULL, 0, 0};
	Datum	   values[] = {Int32GetDatum(org)};

	spl_spi_run(&list_queues, values, NULL, add_config, &list);
	*configs = list.configs;
	return list.count;
}

static SpiPlan write_queue = {
	.sql = "UPDATE spooled.queue SET configured = $3, max_retries = $4, default_timeout = $5, lease_seconds = $6,"
		   " rate_limit = $7, backoff_unit = $8, backoff_factor = $9, backoff_cap = $10, backoff_jitter = $11,"
		   " enforce_timeout = $12, paused_at = $13, paused_reason = $14, settings = $15::jsonb, updated_at = $16"
		   " WHERE org = $1 AND id = $2",
	.nargs = 16,
	.argtypes = {INT4OID, INT4OID, BOOLOID, INT4OID, INT4OID, INT4OID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
				 FLOAT8OID, BOOLOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
};

/* spl_queue_config_write stores a row that was read before. */
void
spl_queue_config_write(int32 org, const QueueConfig *config, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org),
					  Int32GetDatum(config->id),
					  BoolGetDatum(config->configured),
					  Int32GetDatum(config->max_retries),
					  Int32GetDatum(config->default_timeout),
					  Int32GetDatum(config->lease_seconds),
					  Int32GetDatum(config->rate_limit),
					  Float8GetDatum(config->backoff_unit),
					  Float8GetDatum(config->backoff_factor),
					  Float8GetDatum(config->backoff_cap),
					  Float8GetDatum(config->backoff_jitter),
					  BoolGetDatum(config->enforce_timeout),
					  TimestampTzGetDatum(config->paused_at),
					  config->paused_reason ? CStringGetTextDatum(config->paused_reason) : (Datum) 0,
					  CStringGetTextDatum(config->settings),
					  TimestampTzGetDatum(now)};
	bool  nulls[] = {false,
					 false,
					 false,
					 config->max_retries < 0,
					 config->default_timeout < 0,
					 config->lease_seconds < 0,
					 config->rate_limit < 0,
					 config->backoff_unit < 0,
					 config->backoff_factor < 0,
					 config->backoff_cap < 0,
					 config->backoff_jitter < 0,
					 false,
					 config->paused_at == NO_TIME,
					 config->paused_reason == NULL,
					 false,
					 false};

	spl_spi_run(&write_queue, values, nulls, NULL, NULL);
}

/* The members left out are how other servers keep a pause; here it has columns. */
static SpiPlan merge_settings = {
	.sql = "SELECT (($1::jsonb || $2::jsonb) - ARRAY['paused', 'paused_at', 'paused_reason', 'implicit'])::text",
	.nargs = 2,
	.argtypes = {TEXTOID, TEXTOID},
};

static void
read_text(HeapTuple row, TupleDesc desc, void *arg)
{
	*(char **) arg = spl_row_text(row, desc, 1);
}

/* spl_queue_settings_merge returns "settings" with the members of "changes" put in. */
char *
spl_queue_settings_merge(const char *settings, const char *changes)
{
	Datum values[] = {CStringGetTextDatum(settings), CStringGetTextDatum(changes)};
	char *merged = NULL;

	spl_spi_run(&merge_settings, values, NULL, read_text, &merged);
	return merged;
}

static SpiPlan find_unfinished = {
	.sql = "SELECT FROM spooled.ready WHERE org = $1 AND queue = $2"
		   " UNION ALL SELECT FROM spooled.lease WHERE org = $1 AND queue = $2"
		   " UNION ALL SELECT FROM spooled.delayed WHERE org = $1 AND queue = $2"
		   " UNION ALL SELECT FROM spooled.blocked WHERE org = $1 AND queue = $2"
		   " LIMIT 1",
	.nargs = 2,
	.argtypes = {INT4OID, INT4OID},
};

/* spl_queue_has_unfinished tells whether jobs of the queue wait or run. */
bool
spl_queue_has_unfinished(int32 org, int32 queue)
{
	Datum values[] = {Int32GetDatum(org), Int32GetDatum(queue)};

	return spl_spi_run(&find_unfinished, values, NULL, NULL, NULL) > 0;
}

/*
 * api_key_store.c
 *    Managing the rows of api_key.
 */
#include "postgres.h"

#include "base/clock.h"
#include "store/api_key_store.h"
#include "store/identity_store.h"
#include "store/row_list.h"
#include "store/ticket.h"

#define COLUMNS                                                                                                  \
	"k.id, k.org, o.uid, k.name, k.key_prefix, k.queues, k.permissions, coalesce(k.rate_limit, 0), k.is_active," \
	" k.created_at, k.last_used, k.expires_at"

enum Column
{
	COLUMN_ID = 1,
	COLUMN_ORG,
	COLUMN_ORG_UID,
	COLUMN_NAME,
	COLUMN_PREFIX,
	COLUMN_QUEUES,
	COLUMN_PERMISSIONS,
	COLUMN_RATE_LIMIT,
	COLUMN_IS_ACTIVE,
	COLUMN_CREATED_AT,
	COLUMN_LAST_USED,
	COLUMN_EXPIRES_AT
};

static void
read_key(HeapTuple row, TupleDesc desc, void *arg)
{
	ApiKeyRow *key = arg;

	spl_row_uuid(row, desc, COLUMN_ID, &key->id);
	key->org = spl_row_int32(row, desc, COLUMN_ORG);
	spl_row_uuid(row, desc, COLUMN_ORG_UID, &key->org_uid);
	key->name = spl_row_text(row, desc, COLUMN_NAME);
	key->prefix = spl_row_text(row, desc, COLUMN_PREFIX);
	key->queues = spl_row_texts(row, desc, COLUMN_QUEUES, &key->queue_count);
	key->permissions = spl_row_texts(row, desc, COLUMN_PERMISSIONS, &key->permission_count);
	key->rate_limit = spl_row_int32(row, desc, COLUMN_RATE_LIMIT);
	key->is_active = spl_row_bool(row, desc, COLUMN_IS_ACTIVE);
	key->created_at = spl_row_time(row, desc, COLUMN_CREATED_AT);
	key->last_used = spl_row_time(row, desc, COLUMN_LAST_USED);
	key->expires_at = spl_row_time(row, desc, COLUMN_EXPIRES_AT);
}

static SpiPlan put_key = {
	.sql =
		"WITH k AS (INSERT INTO spooled.api_key (org, name, lookup_hash, key_prefix, queues, permissions, rate_limit, expires_at)"
		"  VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), $8) RETURNING *)"
		" SELECT " COLUMNS " FROM k JOIN spooled.org o ON o.id = k.org",
	.nargs = 8,
	.argtypes = {INT4OID, TEXTOID, BYTEAOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT4OID, TIMESTAMPTZOID},
};

void
spl_api_key_put(ApiKeyRow *key, const uint8 *hash)
{
	Datum values[] = {
		Int32GetDatum(key->org),
		CStringGetTextDatum(key->name),
		spl_hash_datum(hash),
		CStringGetTextDatum(key->prefix),
		spl_text_array(key->queues, key->queue_count),
		spl_text_array(key->permissions, key->permission_count),
		Int32GetDatum(key->rate_limit),
		TimestampTzGetDatum(key->expires_at),
	};
	bool nulls[lengthof(values)] = {false};

	nulls[7] = key->expires_at == NO_TIME;
	if (spl_spi_run(&put_key, values, nulls, read_key, key) != 1)
		elog(ERROR, "an API key was not stored");
}

static SpiPlan find_key = {
	.sql =
		"SELECT " COLUMNS " FROM spooled.api_key k JOIN spooled.org o ON o.id = k.org WHERE k.org = $1 AND k.id = $2",
	.nargs = 2,
	.argtypes = {INT4OID, UUIDOID},
};

bool
spl_api_key_read(int32 org, const pg_uuid_t *id, ApiKeyRow *key)
{
	Datum values[] = {Int32GetDatum(org), UUIDPGetDatum(id)};

	return spl_spi_run(&find_key, values, NULL, read_key, key) == 1;
}

static SpiPlan write_key = {
	.sql =
		"UPDATE spooled.api_key SET name = $3, queues = $4, permissions = $5, rate_limit = nullif($6, 0), is_active = $7,"
		"  expires_at = $8 WHERE org = $1 AND id = $2",
	.nargs = 8,
	.argtypes = {INT4OID, UUIDOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT4OID, BOOLOID, TIMESTAMPTZOID},
};

bool
spl_api_key_write(const ApiKeyRow *key)
{
	Datum values[] = {
		Int32GetDatum(key->org),
		UUIDPGetDatum(&key->id),
		CStringGetTextDatum(key->name),
		spl_text_array(key->queues, key->queue_count),
		spl_text_array(key->permissions, key->permission_count),
		Int32GetDatum(key->rate_limit),
		BoolGetDatum(key->is_active),
		TimestampTzGetDatum(key->expires_at),
	};
	bool nulls[lengthof(values)] = {false};

	nulls[7] = key->expires_at == NO_TIME;
	return spl_spi_run(&write_key, values, nulls, NULL, NULL) == 1;
}

typedef struct KeyList
{
	ApiKeyRow *rows;
	int		   count;
	int		   room;
} KeyList;

static void
add_key(HeapTuple row, TupleDesc desc, void *arg)
{
	KeyList *list = arg;

	if (list->count == list->room)
		list->rows = spl_grow_rows(list->rows, &list->room, sizeof(ApiKeyRow));
	read_key(row, desc, &list->rows[list->count++]);
}

static SpiPlan list_keys = {
	.sql = "SELECT " COLUMNS " FROM spooled.api_key k JOIN spooled.org o ON o.id = k.org WHERE k.org = $1"
		   " ORDER BY k.created_at DESC, k.id DESC LIMIT $2",
	.nargs = 2,
	.argtypes = {INT4OID, INT4OID},
};

static SpiPlan list_usable = {
	.sql =
		"SELECT " COLUMNS " FROM spooled.api_key k JOIN spooled.org o ON o.id = k.org WHERE k.org = $1 AND k.is_active"
		" AND (k.expires_at IS NULL OR k.expires_at > $3) ORDER BY k.created_at, k.id LIMIT $2",
	.nargs = 3,
	.argtypes = {INT4OID, INT4OID, TIMESTAMPTZOID},
};

int
spl_api_key_list_rows(int32 org, int limit, bool usable_only, ApiKeyRow **keys)
{
	KeyList list = {NULL, 0, 0};
	Datum	values[] = {Int32GetDatum(org), Int32GetDatum(limit), TimestampTzGetDatum(spl_clock_now())};

	spl_spi_run(usable_only ? &list_usable : &list_keys, values, NULL, add_key, &list);
	*keys = list.rows;
	return list.count;
}

static SpiPlan count_usable = {
	.sql =
		"SELECT count(*) FROM spooled.api_key WHERE org = $1 AND is_active AND (expires_at IS NULL OR expires_at > $2)",
	.nargs = 2,
	.argtypes = {INT4OID, TIMESTAMPTZOID},
};

int64
spl_api_key_count_usable(int32 org, TimestampTz now)
{
	Datum values[] = {Int32GetDatum(org), TimestampTzGetDatum(now)};
	int64 count = 0;

	spl_spi_run(&count_usable, values, NULL, spl_row_only_int64, &count);
	return count;
}

static SpiPlan note_use = {
	.sql =
		"UPDATE spooled.api_key k SET last_used = u.at FROM (SELECT i.id, t.at FROM unnest($1) WITH ORDINALITY i (id, n)"
		"   JOIN unnest($2) WITH ORDINALITY t (at, n) USING (n)) u"
		" WHERE k.id = u.id AND k.id IN (SELECT id FROM spooled.api_key WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)"
		" AND (k.last_used IS NULL OR k.last_used < u.at)",
	.nargs = 2,
	.argtypes = {UUIDARRAYOID, TIMESTAMPTZARRAYOID},
};

void
spl_api_key_used(const pg_uuid_t *ids, const TimestampTz *times, int count)
{
	Datum *id_elements = palloc(sizeof(Datum) * Max(count, 1));
	Datum *time_elements = palloc(sizeof(Datum) * Max(count, 1));
	Datum  values[2];

	for (int i = 0; i < count; i++)
	{
		id_elements[i] = UUIDPGetDatum(&ids[i]);
		time_elements[i] = TimestampTzGetDatum(times[i]);
	}
	values[0] = PointerGetDatum(construct_array(id_elements, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[1] = PointerGetDatum(construct_array(time_elements, count, TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE));
	spl_spi_run(&note_use, values, NULL, NULL, NULL);
}

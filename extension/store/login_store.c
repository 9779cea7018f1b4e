/*
 * login_store.c
 *    Rows of login_session.
 *
 * A session is read directly with every access token, before anybody knows who is asking; what changes one goes through the
 * policies like everything else.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "store/login_store.h"
#include "store/row_list.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

enum Column
{
	COLUMN_ID = 1,
	COLUMN_ORG,
	COLUMN_API_KEY,
	COLUMN_EMAIL,
	COLUMN_REFRESH_ID,
	COLUMN_SUCCESSOR_ID,
	COLUMN_CREATED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_REVOKED_AT
};

#define COLUMNS "id, org, api_key, email, refresh_id, successor_id, created_at, expires_at, revoked_at"

static bool
read_uuid(TupleTableSlot *slot, int column, pg_uuid_t *id)
{
	bool  isnull;
	Datum value = slot_getattr(slot, column, &isnull);

	if (!isnull)
		*id = *DatumGetUUIDP(value);
	return !isnull;
}

static TimestampTz
read_time(TupleTableSlot *slot, int column)
{
	bool  isnull;
	Datum value = slot_getattr(slot, column, &isnull);

	return isnull ? NO_TIME : DatumGetTimestampTz(value);
}

static void
read_slot(TupleTableSlot *slot, LoginRow *row)
{
	bool  isnull;
	Datum email = slot_getattr(slot, COLUMN_EMAIL, &isnull);

	row->email = isnull ? NULL : TextDatumGetCString(email);
	row->org = DatumGetInt32(slot_getattr(slot, COLUMN_ORG, &isnull));
	read_uuid(slot, COLUMN_ID, &row->id);
	row->has_api_key = read_uuid(slot, COLUMN_API_KEY, &row->api_key);
	read_uuid(slot, COLUMN_REFRESH_ID, &row->refresh_id);
	row->has_successor = read_uuid(slot, COLUMN_SUCCESSOR_ID, &row->successor_id);
	row->created_at = read_time(slot, COLUMN_CREATED_AT);
	row->expires_at = read_time(slot, COLUMN_EXPIRES_AT);
	row->revoked_at = read_time(slot, COLUMN_REVOKED_AT);
}

bool
spl_login_find(const pg_uuid_t *id, LoginRow *row)
{
	TupleScan	scan;
	ScanKeyData by_id;
	Snapshot	snapshot = spl_snapshot_latest();
	bool		found;

	ScanKeyInit(&by_id, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	spl_scan_begin(&scan, TABLE_LOGIN_SESSION, INDEX_LOGIN_SESSION, AccessShareLock, snapshot, 1);
	spl_scan_keys(&scan, &by_id, 1);
	found = spl_scan_next(&scan, ForwardScanDirection);
	if (found)
		read_slot(scan.slot, row);
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	return found;
}

static SpiPlan put_login = {
	.sql = "INSERT INTO spooled.login_session (id, org, api_key, email, refresh_id, created_at, expires_at)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7)",
	.nargs = 7,
	.argtypes = {UUIDOID, INT4OID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
};

void
spl_login_put(const LoginRow *row)
{
	Datum values[] = {UUIDPGetDatum(&row->id),
					  Int32GetDatum(row->org),
					  UUIDPGetDatum(&row->api_key),
					  row->email ? CStringGetTextDatum(row->email) : (Datum) 0,
					  UUIDPGetDatum(&row->refresh_id),
					  TimestampTzGetDatum(row->created_at),
					  TimestampTzGetDatum(row->expires_at)};
	bool  nulls[] = {false, false, !row->has_api_key, row->email == NULL, false, false, false};

	spl_spi_run(&put_login, values, nulls, NULL, NULL);
}

static SpiPlan lock_login = {
	.sql = "SELECT " COLUMNS " FROM spooled.login_session WHERE id = $1 FOR UPDATE",
	.nargs = 1,
	.argtypes = {UUIDOID},
};

static void
read_row(HeapTuple tuple, TupleDesc desc, void *arg)
{
	LoginRow *row = arg;

	spl_row_uuid(tuple, desc, COLUMN_ID, &row->id);
	row->org = spl_row_int32(tuple, desc, COLUMN_ORG);
	row->has_api_key = spl_row_uuid(tuple, desc, COLUMN_API_KEY, &row->api_key);
	row->email = spl_row_text(tuple, desc, COLUMN_EMAIL);
	spl_row_uuid(tuple, desc, COLUMN_REFRESH_ID, &row->refresh_id);
	row->has_successor = spl_row_uuid(tuple, desc, COLUMN_SUCCESSOR_ID, &row->successor_id);
	row->created_at = spl_row_time(tuple, desc, COLUMN_CREATED_AT);
	row->expires_at = spl_row_time(tuple, desc, COLUMN_EXPIRES_AT);
	row->revoked_at = spl_row_time(tuple, desc, COLUMN_REVOKED_AT);
}

bool
spl_login_lock(const pg_uuid_t *id, LoginRow *row)
{
	Datum values[] = {UUIDPGetDatum(id)};

	return spl_spi_run(&lock_login, values, NULL, read_row, row) == 1;
}

static SpiPlan rotate_login = {
	.sql = "UPDATE spooled.login_session SET refresh_id = $2, successor_id = $3, expires_at = greatest(expires_at, $4)"
		   " WHERE id = $1",
	.nargs = 4,
	.argtypes = {UUIDOID, UUIDOID, UUIDOID, TIMESTAMPTZOID},
};

void
spl_login_rotate(const LoginRow *row)
{
	Datum values[] = {UUIDPGetDatum(&row->id), UUIDPGetDatum(&row->refresh_id), UUIDPGetDatum(&row->successor_id),
					  TimestampTzGetDatum(row->expires_at)};
	bool  nulls[] = {false, false, !row->has_successor, false};

	spl_spi_run(&rotate_login, values, nulls, NULL, NULL);
}

static SpiPlan revoke_login = {
	.sql = "UPDATE spooled.login_session SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
	.nargs = 2,
	.argtypes = {UUIDOID, TIMESTAMPTZOID},
};

bool
spl_login_revoke(const pg_uuid_t *id, TimestampTz now)
{
	Datum values[] = {UUIDPGetDatum(id), TimestampTzGetDatum(now)};

	return spl_spi_run(&revoke_login, values, NULL, NULL, NULL) == 1;
}

static SpiPlan delete_old = {
	.sql = "DELETE FROM spooled.login_session s USING (SELECT id FROM spooled.login_session WHERE expires_at < $1"
		   "  ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) old WHERE s.id = old.id",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, INT4OID},
};

int
spl_login_delete_old(TimestampTz before, int limit)
{
	Datum values[] = {TimestampTzGetDatum(before), Int32GetDatum(limit)};

	return spl_spi_run(&delete_old, values, NULL, NULL, NULL);
}

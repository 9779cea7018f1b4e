/*
 * identity_store.c
 *    Rows of api_key and role_binding, read directly: whoever is asking is not known yet, so no policy can apply.
 *
 * A key is found by the hash of all of it.  The lookup's time depends on the hash alone, which nobody can steer without
 * knowing the key, and the last comparison is constant-time.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "base/compat.h"
#include "base/org_context.h"
#include "base/secret.h"
#include "catalog/pg_type.h"
#include "rules/permissions.h"
#include "store/identity_store.h"
#include "store/spi_plan.h"
#include "store/ticket.h"
#include "store/tuple.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

enum ApiKeyColumn
{
	API_KEY_ID = 1,
	API_KEY_ORG,
	API_KEY_NAME,
	API_KEY_HASH,
	API_KEY_QUEUES,
	API_KEY_RATE_LIMIT,
	API_KEY_IS_ACTIVE,
	API_KEY_CREATED_AT,
	API_KEY_LAST_USED,
	API_KEY_EXPIRES_AT,
	API_KEY_PERMISSIONS
};

/* read_queues reads a queue scope; one that is empty or has "*" is none. */
static void
read_queues(Datum queues, ApiKey *key)
{
	Datum *names;
	int	   count;

	deconstruct_array(DatumGetArrayTypeP(queues), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &count);
	key->queues = count > 0 ? palloc(sizeof(char *) * count) : NULL;
	key->queue_count = count;
	for (int i = 0; i < count; i++)
	{
		key->queues[i] = TextDatumGetCString(names[i]);
		if (strcmp(key->queues[i], "*") == 0)
		{
			key->queues = NULL;
			key->queue_count = 0;
			return;
		}
	}
}

/* read_denied returns the bits of the permissions that are not in a list. */
static uint32
read_denied(Datum permissions)
{
	Datum *names;
	int	   count;
	uint32 granted = 0;

	deconstruct_array(DatumGetArrayTypeP(permissions), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &count);
	for (int i = 0; i < count; i++)
		granted |= spl_permission_parse(TextDatumGetCString(names[i]));
	return PERMISSION_ALL & ~granted;
}

static void
read_key(TupleTableSlot *slot, ApiKey *key)
{
	bool  isnull;
	Datum rate_limit, expires_at;
	Datum last_used;

	slot_getallattrs(slot);
	key->id = *DatumGetUUIDP(slot_getattr(slot, API_KEY_ID, &isnull));
	key->org = DatumGetInt32(slot_getattr(slot, API_KEY_ORG, &isnull));
	key->name = TextDatumGetCString(slot_getattr(slot, API_KEY_NAME, &isnull));
	read_queues(slot_getattr(slot, API_KEY_QUEUES, &isnull), key);
	key->is_active = DatumGetBool(slot_getattr(slot, API_KEY_IS_ACTIVE, &isnull));
	rate_limit = slot_getattr(slot, API_KEY_RATE_LIMIT, &isnull);
	key->rate_limit = isnull ? 0 : DatumGetInt32(rate_limit);
	key->denied = read_denied(slot_getattr(slot, API_KEY_PERMISSIONS, &isnull));
	last_used = slot_getattr(slot, API_KEY_LAST_USED, &isnull);
	key->last_used = isnull ? NO_TIME : DatumGetTimestampTz(last_used);
	expires_at = slot_getattr(slot, API_KEY_EXPIRES_AT, &isnull);
	key->expires_at = isnull ? NO_TIME : DatumGetTimestampTz(expires_at);
}

Datum
spl_hash_datum(const uint8 *hash)
{
	bytea *value = palloc(VARHDRSZ + SPL_HASH_BYTES);

	SET_VARSIZE(value, VARHDRSZ + SPL_HASH_BYTES);
	memcpy(VARDATA(value), hash, SPL_HASH_BYTES);
	return PointerGetDatum(value);
}

bool
spl_api_key_find(const uint8 *hash, ApiKey *key)
{
	TupleScan	scan;
	ScanKeyData by_hash;
	Snapshot	snapshot = spl_snapshot_latest();
	bool		found = false;

	ScanKeyInit(&by_hash, 1, BTEqualStrategyNumber, F_BYTEAEQ, spl_hash_datum(hash));
	spl_scan_begin(&scan, TABLE_API_KEY, INDEX_API_KEY_HASH, AccessShareLock, snapshot, 1);
	spl_scan_keys(&scan, &by_hash, 1);
	if (spl_scan_next(&scan, ForwardScanDirection))
	{
		bool   isnull;
		bytea *stored = DatumGetByteaPP(slot_getattr(scan.slot, API_KEY_HASH, &isnull));

		found = VARSIZE_ANY_EXHDR(stored) == SPL_HASH_BYTES &&
			spl_secret_equal((uint8 *) VARDATA_ANY(stored), hash, SPL_HASH_BYTES);
		if (found)
			read_key(scan.slot, key);
	}
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	return found;
}

bool
spl_api_key_find_id(const pg_uuid_t *id, ApiKey *key)
{
	TupleScan	scan;
	ScanKeyData by_id;
	Snapshot	snapshot = spl_snapshot_latest();
	bool		found;

	ScanKeyInit(&by_id, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	spl_scan_begin(&scan, TABLE_API_KEY, INDEX_API_KEY, AccessShareLock, snapshot, 1);
	spl_scan_keys(&scan, &by_id, 1);
	found = spl_scan_next(&scan, ForwardScanDirection);
	if (found)
		read_key(scan.slot, key);
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	return found;
}

static SpiPlan bind_role = {
	.sql = "INSERT INTO spooled.role_binding (role, org) SELECT $1, id FROM spooled.org WHERE slug = $2"
		   " ON CONFLICT (role) DO UPDATE SET org = excluded.org",
	.nargs = 2,
	.argtypes = {OIDOID, TEXTOID},
	.across_orgs = true,
};

static SpiPlan unbind_role = {
	.sql = "DELETE FROM spooled.role_binding WHERE role = $1",
	.nargs = 1,
	.argtypes = {OIDOID},
	.across_orgs = true,
};

void
spl_role_unbind(Oid role)
{
	Datum values[] = {ObjectIdGetDatum(role)};

	spl_spi_run(&unbind_role, values, NULL, NULL, NULL);
	spl_table_touched(TABLE_ROLE_BINDING);
}

bool
spl_role_bind(Oid role, const char *slug)
{
	Datum values[] = {ObjectIdGetDatum(role), CStringGetTextDatum(slug)};
	bool  bound = spl_spi_run(&bind_role, values, NULL, NULL, NULL) == 1;

	spl_table_touched(TABLE_ROLE_BINDING);
	return bound;
}

enum RoleBindingColumn
{
	ROLE_BINDING_ROLE = 1,
	ROLE_BINDING_ORG
};

/* org_of_role returns what a role is bound to; the last answer is kept until a binding changes. */
static int32
org_of_role(Oid role)
{
	static Oid	  last_role = InvalidOid;
	static int32  last_org;
	static uint64 last_generation = 0;
	TupleScan	  scan;
	ScanKeyData	  by_role;
	Snapshot	  snapshot;
	bool		  isnull;

	spl_table_oid(TABLE_ROLE_BINDING);
	if (role == last_role && last_generation == spl_table_generation(TABLE_ROLE_BINDING))
		return last_org;
	snapshot = spl_snapshot_latest();
	ScanKeyInit(&by_role, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	spl_scan_begin(&scan, TABLE_ROLE_BINDING, INDEX_ROLE_BINDING, AccessShareLock, snapshot, 1);
	spl_scan_keys(&scan, &by_role, 1);
	last_org = spl_scan_next(&scan, ForwardScanDirection)
		? DatumGetInt32(slot_getattr(scan.slot, ROLE_BINDING_ORG, &isnull))
		: SPL_ORG_NONE;
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	last_role = role;
	last_generation = spl_table_generation(TABLE_ROLE_BINDING);
	return last_org;
}

void
spl_identity_store_init(void)
{
	spl_org_of_role = org_of_role;
}

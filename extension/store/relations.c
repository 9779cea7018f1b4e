/*
 * relations.c
 *    Names to OIDs, cached per backend.
 *
 * DROP EXTENSION and CREATE EXTENSION in the same session give new OIDs, so a relcache invalidation of any of our tables
 * forgets all of them.  The same message tells that cached rows (queues, role bindings) have changed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/row_shape.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "store/relations.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/* Direct access knows columns by number, so the tables must be those that this library was built for. */
static const int column_counts[SPL_TABLES] = {
	[TABLE_READY] = 10,		  [TABLE_DELAYED] = 11,		[TABLE_BLOCKED] = 11,	   [TABLE_LEASE] = 13,
	[TABLE_DEAD_LETTER] = 13, [TABLE_OUTCOME] = 15,		[TABLE_JOB] = 14,		   [TABLE_ATTEMPT] = 11,
	[TABLE_DEPENDENCY] = 5,	  [TABLE_QUEUE] = 18,		[TABLE_API_KEY] = 12,	   [TABLE_ROLE_BINDING] = 2,
	[TABLE_ORG] = 17,		  [TABLE_WORKFLOW_JOB] = 6, [TABLE_LOGIN_SESSION] = 9, [TABLE_PREPARED_DELTA] = 4,
	[TABLE_SCHEDULE] = 26,
};

static const char *const table_names[SPL_TABLES] = {
	[TABLE_READY] = "ready",
	[TABLE_DELAYED] = "delayed",
	[TABLE_BLOCKED] = "blocked",
	[TABLE_LEASE] = "lease",
	[TABLE_DEAD_LETTER] = "dead_letter",
	[TABLE_OUTCOME] = "outcome",
	[TABLE_JOB] = "job",
	[TABLE_ATTEMPT] = "attempt",
	[TABLE_DEPENDENCY] = "dependency",
	[TABLE_QUEUE] = "queue",
	[TABLE_API_KEY] = "api_key",
	[TABLE_ROLE_BINDING] = "role_binding",
	[TABLE_ORG] = "org",
	[TABLE_WORKFLOW_JOB] = "workflow_job",
	[TABLE_LOGIN_SESSION] = "login_session",
	[TABLE_PREPARED_DELTA] = "prepared_delta",
	[TABLE_SCHEDULE] = "schedule",
};

static const char *const index_names[SPL_INDEXES] = {
	[INDEX_READY_CLAIM] = "ready_claim",
	[INDEX_READY_EXPIRY] = "ready_expiry",
	[INDEX_DELAYED_JOB] = "delayed_pkey",
	[INDEX_DELAYED_DUE] = "delayed_due",
	[INDEX_DELAYED_EXPIRY] = "delayed_expiry",
	[INDEX_BLOCKED_JOB] = "blocked_pkey",
	[INDEX_BLOCKED_EXPIRY] = "blocked_expiry",
	[INDEX_LEASE_JOB] = "lease_pkey",
	[INDEX_DEAD_LETTER_JOB] = "dead_letter_pkey",
	[INDEX_OUTCOME_JOB] = "outcome_pkey",
	[INDEX_JOB] = "job_pkey",
	[INDEX_DEPENDENCY] = "dependency_pkey",
	[INDEX_DEPENDENCY_CHILD] = "dependency_child",
	[INDEX_QUEUE] = "queue_pkey",
	[INDEX_QUEUE_NAME] = "queue_org_name_key",
	[INDEX_API_KEY] = "api_key_pkey",
	[INDEX_LOGIN_SESSION] = "login_session_pkey",
	[INDEX_API_KEY_HASH] = "api_key_lookup_hash_key",
	[INDEX_ROLE_BINDING] = "role_binding_pkey",
	[INDEX_ORG] = "org_pkey",
	[INDEX_SCHEDULE_DUE] = "schedule_due",
};

/* Read to find out who is asking, so before that is known. */
static const bool tells_who_asks[SPL_TABLES] = {
	[TABLE_API_KEY] = true,
	[TABLE_ROLE_BINDING] = true,
	[TABLE_ORG] = true,
	[TABLE_LOGIN_SESSION] = true,
};

static Oid table_oids[SPL_TABLES];

/* Not forgotten at an invalidation, which may come while a table is open. */
static struct
{
	Oid		   table;
	AttrNumber org;
} columns[SPL_TABLES];
static Oid	  index_oids[SPL_INDEXES];
static uint64 generations[SPL_TABLES] = {[0 ... SPL_TABLES - 1] = 1}; /* 0 is nobody's */

/* lookup returns the OID of one of our relations. */
static Oid
lookup(const char *name)
{
	Oid namespace = get_namespace_oid("spooled", true);
	Oid oid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("this database has no relation spooled.%s", name),
				 errhint("Run CREATE EXTENSION spooled in this database.")));
	return oid;
}

static bool
column_exists(Oid oid, int number)
{
	HeapTuple row = SearchSysCacheAttNum(oid, number);

	if (HeapTupleIsValid(row))
		ReleaseSysCache(row);
	return HeapTupleIsValid(row);
}

/*
 * count_columns counts to the last column that exists.  What was added behind ours and dropped harms nobody; 0: one of ours was
 * dropped, or there are more than a row is read with.
 */
static int
count_columns(Oid oid)
{
	HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	int		  count = HeapTupleIsValid(row) ? ((Form_pg_class) GETSTRUCT(row))->relnatts : 0;

	if (HeapTupleIsValid(row))
		ReleaseSysCache(row);
	if (count > ROW_SHAPE_COLUMNS)
		return 0;
	while (count > 0 && !column_exists(oid, count))
		count--;
	for (int i = 1; i < count; i++)
		if (!column_exists(oid, i))
			return 0;
	return count;
}

/* check_columns refuses a table of another version of the extension. */
static void
check_columns(SplTable table, Oid oid)
{
	int columns = count_columns(oid);

	if (columns != column_counts[table])
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table spooled.%s is not the one that the loaded library knows", table_names[table]),
				 errdetail("It has %d columns; the library expects %d.", columns, column_counts[table]),
				 errhint(
					 "Library and extension must be of the same version: restart the server after installing, and run "
					 "ALTER EXTENSION spooled UPDATE.")));
}

int
spl_table_columns(SplTable table)
{
	return column_counts[table];
}

Oid
spl_table_oid(SplTable table)
{
	if (!OidIsValid(table_oids[table]))
	{
		Oid oid = lookup(table_names[table]);

		check_columns(table, oid);
		columns[table].table = oid;
		columns[table].org = tells_who_asks[table] ? InvalidAttrNumber : get_attnum(oid, "org");
		table_oids[table] = oid;
	}
	return table_oids[table];
}

AttrNumber
spl_org_column(Oid table)
{
	for (int i = 0; i < SPL_TABLES; i++)
		if (columns[i].table == table)
			return columns[i].org;
	elog(ERROR, "table %u is not one of ours", table);
	pg_unreachable();
}

Oid
spl_index_oid(SplIndex index)
{
	if (!OidIsValid(index_oids[index]))
		index_oids[index] = lookup(index_names[index]);
	return index_oids[index];
}

uint64
spl_table_generation(SplTable table)
{
	return generations[table];
}

void
spl_table_touched(SplTable table)
{
	CacheInvalidateRelcacheByRelid(spl_table_oid(table));
}

/*
 * at_invalidation forgets what may have changed; it runs inside the relcache, so it only writes memory.  A table is told by the
 * OID that it had last: a second message may come before that is looked up again, while others rely on the generation.
 */
static void
at_invalidation(Datum arg, Oid relid)
{
	for (int i = 0; i < SPL_TABLES; i++)
	{
		if (OidIsValid(relid) && columns[i].table != relid)
			continue;
		generations[i]++;
		table_oids[i] = InvalidOid;
		memset(index_oids, 0, sizeof(index_oids));
	}
}

void
spl_relations_init(void)
{
	CacheRegisterRelcacheCallback(at_invalidation, (Datum) 0);
}

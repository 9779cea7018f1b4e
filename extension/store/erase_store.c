/*
 * erase_store.c
 *    Deleting all rows of an organization.
 *
 * The tables are found in the catalog: every one with a column "org" has rows of organizations.  So a new table is erased
 * without being named here.  Ready tickets are found by their queues, whose rows therefore go last.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "store/erase_store.h"
#include "store/row_list.h"
#include "store/tuple.h"
#include "utils/memutils.h"

static SpiPlan find_org = {
	.sql = "SELECT id FROM spooled.org WHERE erase_at IS NOT NULL ORDER BY erase_at, id LIMIT 1",
	.nargs = 0,
};

static void
read_int(HeapTuple row, TupleDesc desc, void *arg)
{
	*(int32 *) arg = spl_row_int32(row, desc, 1);
}

int32
spl_org_to_erase(void)
{
	int32 org = SPL_ORG_NONE;

	spl_spi_run(&find_org, NULL, NULL, read_int, &org);
	return org;
}

static SpiPlan list_tables = {
	.sql =
		"SELECT format('DELETE FROM spooled.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM spooled.%1$I WHERE %2$s LIMIT $2))',"
		"  c.relname, CASE c.relname WHEN 'ready' THEN 'queue IN (SELECT id FROM spooled.queue WHERE org = $1)' ELSE 'org = $1' END)"
		" FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org' AND NOT a.attisdropped"
		" WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname = 'queue', c.relname",
	.nargs = 0,
};

typedef struct DeletePlans
{
	SpiPlan *plans; /* live as long as the process, as their prepared statements do */
	int		 count;
	int		 room;
} DeletePlans;

static void
add_plan(HeapTuple row, TupleDesc desc, void *arg)
{
	DeletePlans *deletes = arg;
	char		*sql = spl_row_text(row, desc, 1);

	if (deletes->count == deletes->room)
	{
		deletes->room = Max(deletes->room * 2, 32);
		deletes->plans = deletes->plans ? repalloc(deletes->plans, sizeof(SpiPlan) * deletes->room)
										: MemoryContextAllocZero(TopMemoryContext, sizeof(SpiPlan) * deletes->room);
	}
	deletes->plans[deletes->count++] = (SpiPlan) {
		.sql = MemoryContextStrdup(TopMemoryContext, sql),
		.nargs = 2,
		.argtypes = {INT4OID, INT4OID},
	};
}

int
spl_org_erase_rows(int32 org, int limit)
{
	static DeletePlans deletes;
	int				   deleted = 0;

	if (deletes.count == 0)
		spl_spi_run(&list_tables, NULL, NULL, add_plan, &deletes);
	for (int i = 0; i < deletes.count && deleted < limit; i++)
	{
		Datum values[] = {Int32GetDatum(org), Int32GetDatum(limit - deleted)};

		deleted += spl_spi_run(&deletes.plans[i], values, NULL, NULL, NULL);
	}
	return deleted;
}

static SpiPlan delete_org = {
	.sql = "DELETE FROM spooled.org WHERE id = $1",
	.nargs = 1,
	.argtypes = {INT4OID},
};

void
spl_org_erase_end(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};

	spl_spi_run(&delete_org, values, NULL, NULL, NULL);
	spl_table_touched(TABLE_QUEUE);
}

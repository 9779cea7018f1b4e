/*
 * plan_store.c
 *    What plans are made of, and counting what they limit.
 *
 * The organization's row is read directly, since it is asked for before any policy could apply.  A trigger on both tables
 * calls spl_plans_touched, so whoever changes a row by whatever statement is heard of by every backend.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "store/plan_store.h"
#include "store/spi_plan.h"
#include "store/tuple.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

enum OrgColumn
{
	ORG_ID = 1,
	ORG_UID,
	ORG_NAME,
	ORG_SLUG,
	ORG_PLAN_TIER,
	ORG_BILLING_EMAIL,
	ORG_SETTINGS,
	ORG_CUSTOM_LIMITS
};

static void
read_plan(TupleTableSlot *slot, OrgPlan *plan)
{
	bool  isnull;
	Datum limits;

	slot_getallattrs(slot);
	plan->tier = TextDatumGetCString(slot_getattr(slot, ORG_PLAN_TIER, &isnull));
	limits = slot_getattr(slot, ORG_CUSTOM_LIMITS, &isnull);
	plan->custom_limits = isnull ? NULL : TextDatumGetCString(limits);
}

bool
spl_org_plan_read(int32 org, OrgPlan *plan)
{
	TupleScan	scan;
	ScanKeyData by_id;
	Snapshot	snapshot = spl_snapshot_latest();
	bool		found;

	ScanKeyInit(&by_id, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(org));
	spl_scan_begin(&scan, TABLE_ORG, INDEX_ORG, AccessShareLock, snapshot, 1);
	spl_scan_keys(&scan, &by_id, 1);
	found = spl_scan_next(&scan, ForwardScanDirection);
	if (found)
		read_plan(scan.slot, plan);
	spl_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	return found;
}

static SpiPlan read_limits = {
	.sql = "SELECT limits::text FROM spooled.plan_limits WHERE tier = $1",
	.nargs = 1,
	.argtypes = {TEXTOID},
};

static void
read_text(HeapTuple row, TupleDesc desc, void *arg)
{
	*(char **) arg = spl_row_text(row, desc, 1);
}

char *
spl_plan_limits_read(const char *tier)
{
	char *limits = NULL;
	Datum values[] = {CStringGetTextDatum(tier)};

	spl_spi_run(&read_limits, values, NULL, read_text, &limits);
	return limits;
}

static SpiPlan write_limits = {
	.sql = "INSERT INTO spooled.plan_limits (tier, limits) VALUES ($1, $2::json)"
		   " ON CONFLICT (tier) DO UPDATE SET limits = excluded.limits",
	.nargs = 2,
	.argtypes = {TEXTOID, TEXTOID},
};

static SpiPlan delete_limits = {
	.sql = "DELETE FROM spooled.plan_limits WHERE tier = $1",
	.nargs = 1,
	.argtypes = {TEXTOID},
};

void
spl_plan_limits_write(const char *tier, const char *limits)
{
	Datum values[] = {CStringGetTextDatum(tier), limits ? CStringGetTextDatum(limits) : (Datum) 0};

	spl_spi_run(limits ? &write_limits : &delete_limits, values, NULL, NULL, NULL);
}

uint64
spl_plan_generation(void)
{
	spl_table_oid(TABLE_ORG);
	return spl_table_generation(TABLE_ORG);
}

void
spl_plans_touched(void)
{
	spl_table_touched(TABLE_ORG);
}

#define COUNT(what)                                                                                       \
	{                                                                                                     \
		.sql = "SELECT count(*) FROM spooled." what, .nargs = 1, .argtypes = {INT4OID}, .read_only = true \
	}

/* A thing without a row is not there yet, and never counts. */
static SpiPlan counts[COUNTED_THINGS] = {
	[COUNTED_WORKFLOWS] = COUNT("workflow WHERE org = $1 AND status IS NULL"),
	[COUNTED_WORKERS] = COUNT("worker WHERE org = $1 AND status <> 'offline'"),
	[COUNTED_SCHEDULES] = COUNT("schedule WHERE org = $1 AND is_active"),
	[COUNTED_API_KEYS] = COUNT("api_key WHERE org = $1 AND is_active AND (expires_at IS NULL OR expires_at > now())"),
};

int64
spl_plan_count(CountedThing thing, int32 org)
{
	int64 count = 0;
	Datum values[] = {Int32GetDatum(org)};

	if (counts[thing].sql)
		spl_spi_count(&counts[thing], values, spl_row_only_int64, &count);
	return count;
}

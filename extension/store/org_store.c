/*
 * org_store.c
 *    Rows of org.
 *
 * Slugs and e-mail addresses are unique in the whole installation, so what asks for them runs across organizations, and
 * says no more than whether one is taken.
 */
#include "postgres.h"

#include "base/org_context.h"
#include "store/org_store.h"
#include "store/row_list.h"
#include "utils/builtins.h"

static SpiPlan put_org = {
	.sql = "INSERT INTO spooled.org (name, slug, plan_tier, billing_email) VALUES ($1, $2, $3, $4)"
		   " ON CONFLICT DO NOTHING RETURNING id, uid, created_at",
	.nargs = 4,
	.argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID},
	.across_orgs = true,
};

static void
read_new(HeapTuple row, TupleDesc desc, void *arg)
{
	OrgRow *org = arg;

	org->id = spl_row_int32(row, desc, 1);
	spl_row_uuid(row, desc, 2, &org->uid);
	org->created_at = spl_row_time(row, desc, 3);
}

bool
spl_org_put(OrgRow *row)
{
	Datum values[] = {CStringGetTextDatum(row->name), CStringGetTextDatum(row->slug),
					  CStringGetTextDatum(row->plan_tier),
					  row->billing_email ? CStringGetTextDatum(row->billing_email) : (Datum) 0};
	bool  nulls[] = {false, false, false, row->billing_email == NULL};

	return spl_spi_run(&put_org, values, nulls, read_new, row) == 1;
}

static SpiPlan find_slug = {
	.sql = "SELECT id, deleted_at FROM spooled.org WHERE slug = $1",
	.nargs = 1,
	.argtypes = {TEXTOID},
	.across_orgs = true,
};

bool
spl_org_slug_is_taken(const char *slug)
{
	Datum values[] = {CStringGetTextDatum(slug)};

	return spl_spi_run(&find_slug, values, NULL, NULL, NULL) > 0;
}

static void
read_live(HeapTuple row, TupleDesc desc, void *arg)
{
	if (spl_row_time(row, desc, 2) == DT_NOBEGIN)
		*(int32 *) arg = spl_row_int32(row, desc, 1);
}

int32
spl_org_by_slug(const char *slug)
{
	Datum values[] = {CStringGetTextDatum(slug)};
	int32 org = SPL_ORG_NONE;

	spl_spi_run(&find_slug, values, NULL, read_live, &org);
	return org;
}

static SpiPlan lock_org = {
	.sql = "SELECT FROM spooled.org WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
	.nargs = 1,
	.argtypes = {INT4OID},
};

bool
spl_org_lock(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};

	return spl_spi_run(&lock_org, values, NULL, NULL, NULL) == 1;
}

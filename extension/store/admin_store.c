/*
 * admin_store.c
 *    What an admin sees of all organizations.
 */
#include "postgres.h"

#include "store/admin_store.h"
#include "store/row_list.h"

static const char *const orders[] = {"created_at", "updated_at", "name", "slug", "plan_tier"};

bool
spl_org_order_exists(const char *order)
{
	for (int i = 0; i < lengthof(orders); i++)
		if (strcmp(order, orders[i]) == 0)
			return true;
	return false;
}

/* Organizations are few beside jobs: one statement that sorts all that match serves every order. */
static SpiPlan list_orgs = {
	.sql =
		"WITH found AS (SELECT o.id, row_number() OVER (ORDER BY"
		"    CASE WHEN $4 THEN CASE $3 WHEN 'name' THEN name WHEN 'slug' THEN slug WHEN 'plan_tier' THEN plan_tier END END,"
		"    CASE WHEN NOT $4 THEN CASE $3 WHEN 'name' THEN name WHEN 'slug' THEN slug WHEN 'plan_tier' THEN plan_tier END END DESC,"
		"    CASE WHEN $4 THEN CASE $3 WHEN 'created_at' THEN created_at WHEN 'updated_at' THEN updated_at END END,"
		"    CASE WHEN NOT $4 THEN CASE $3 WHEN 'created_at' THEN created_at WHEN 'updated_at' THEN updated_at END END DESC, id) AS place,"
		"    count(*) OVER () AS total"
		"  FROM spooled.org o WHERE CASE WHEN $1 = 'deleted' THEN deleted_at IS NOT NULL ELSE deleted_at IS NULL AND ($1 IS NULL OR plan_tier = $1) END"
		"   AND ($2 IS NULL OR position(lower($2) IN lower(name)) > 0 OR position(lower($2) IN slug) > 0))"
		" SELECT id, total FROM found WHERE place > $6 ORDER BY place LIMIT $5",
	.nargs = 6,
	.argtypes = {TEXTOID, TEXTOID, TEXTOID, BOOLOID, INT4OID, INT4OID},
};

typedef struct OrgPage
{
	int32 *ids;
	int	   count;
	int64  total;
} OrgPage;

static void
add_id(HeapTuple row, TupleDesc desc, void *arg)
{
	OrgPage *page = arg;

	page->ids[page->count++] = spl_row_int32(row, desc, 1);
	page->total = spl_row_int64(row, desc, 2);
}

int
spl_org_list(const OrgFilter *filter, OrgRow **rows, int64 *total)
{
	bool	nulls[6] = {false};
	Datum	values[] = {spl_text_or_null(filter->plan_tier, &nulls[0]),
						spl_text_or_null(filter->search, &nulls[1]),
						CStringGetTextDatum(filter->order),
						BoolGetDatum(filter->ascending),
						Int32GetDatum(filter->limit),
						Int32GetDatum(filter->offset)};
	OrgPage page = {.ids = palloc(sizeof(int32) * Max(filter->limit, 1))};

	spl_spi_run(&list_orgs, values, nulls, add_id, &page);
	*rows = palloc0(sizeof(OrgRow) * Max(page.count, 1));
	for (int i = 0; i < page.count; i++)
		(void) spl_org_read(page.ids[i], &(*rows)[i]);
	*total = page.total;
	return page.count;
}

static SpiPlan read_stats = {
	.sql = "SELECT (SELECT count(*) FROM spooled.org WHERE deleted_at IS NULL),"
		   "  (SELECT count(*) FROM spooled.org WHERE deleted_at IS NULL AND created_at >= $1),"
		   "  (SELECT count(*) FROM spooled.org WHERE deleted_at IS NULL AND created_at >= $2),"
		   "  (SELECT count(*) FROM spooled.api_key), (SELECT count(*) FROM spooled.queue),"
		   "  count(*) FILTER (WHERE status <> 'offline'), count(*) FILTER (WHERE status = 'healthy'),"
		   "  count(*) FILTER (WHERE status = 'degraded') FROM spooled.worker",
	.nargs = 2,
	.argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID},
};

static void
read_stats_row(HeapTuple row, TupleDesc desc, void *arg)
{
	InstallationStats *stats = arg;

	*stats = (InstallationStats) {
		.organizations = spl_row_int64(row, desc, 1),
		.created_today = spl_row_int64(row, desc, 2),
		.created_this_week = spl_row_int64(row, desc, 3),
		.api_keys = spl_row_int64(row, desc, 4),
		.queues = spl_row_int64(row, desc, 5),
		.workers = spl_row_int64(row, desc, 6),
		.workers_healthy = spl_row_int64(row, desc, 7),
		.workers_degraded = spl_row_int64(row, desc, 8),
	};
}

void
spl_installation_stats_read(TimestampTz today, TimestampTz week, InstallationStats *stats)
{
	Datum values[] = {TimestampTzGetDatum(today), TimestampTzGetDatum(week)};

	spl_spi_run(&read_stats, values, NULL, read_stats_row, stats);
}

static SpiPlan count_plans = {
	.sql = "SELECT plan_tier, count(*) FROM spooled.org WHERE deleted_at IS NULL GROUP BY plan_tier ORDER BY plan_tier",
	.nargs = 0,
};

typedef struct PlanCounts
{
	void (*row)(const char *tier, int64 count, void *arg);
	void *arg;
} PlanCounts;

static void
hand_out(HeapTuple row, TupleDesc desc, void *arg)
{
	PlanCounts *counts = arg;

	counts->row(spl_row_text(row, desc, 1), spl_row_int64(row, desc, 2), counts->arg);
}

void
spl_org_plan_counts(void (*row)(const char *tier, int64 count, void *arg), void *arg)
{
	PlanCounts counts = {row, arg};

	spl_spi_run(&count_plans, NULL, NULL, hand_out, &counts);
}

static SpiPlan count_keys = {
	.sql = "SELECT count(*) FROM spooled.api_key WHERE org = $1",
	.nargs = 1,
	.argtypes = {INT4OID},
};

int64
spl_org_key_count(int32 org)
{
	Datum values[] = {Int32GetDatum(org)};
	int64 count = 0;

	spl_spi_run(&count_keys, values, NULL, spl_row_only_int64, &count);
	return count;
}

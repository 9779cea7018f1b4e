/*
 * export_store.c
 *    The rows of an organization as JSON, table by table.
 *
 * The tables are found in the catalog, as for erasing: every one with a column "org" has rows of organizations.  So a new table
 * is exported without being named here, in the order of its primary key; if it shall not be, it has to be in not_exported.
 * Never exported, in whatever table, are columns of type bytea, which are hashes and ciphertexts.
 *
 * A page costs a page: it is read from an index, by comparing with the key that the page before ended with.  ready has no key
 * that begins with the organization: its pages go from queue to queue, along the index that claims use.
 */
#include "postgres.h"

#include "store/export_store.h"
#include "store/planner_settings.h"
#include "store/row_list.h"
#include "utils/memutils.h"

static const ExportLeftOut not_exported[] = {
	{"dependency_mark", "steps that are left to the background worker; they follow from dependency"},
	{"prepared_delta",
	 "what prepared transactions did that is not added to the counters yet; it follows from the jobs"},
	{"role_binding", "database roles of this installation"},
};

/*
 * A row for each table: name, columns of the key and their types, columns that are exported and those that are not, the
 * column with the organization.
 */
static SpiPlan list_tables = {
	.sql =
		"SELECT c.relname, k.names, k.types, x.exported, x.left_out, CASE c.relname WHEN 'org' THEN 'id' ELSE 'org' END"
		" FROM pg_class c"
		" CROSS JOIN LATERAL (SELECT array_agg(a.attname::text ORDER BY n.at) AS names,"
		"   array_agg(t.typname::text ORDER BY n.at) AS types"
		"   FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY n (attnum, at)"
		"   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.attnum AND a.attname <> 'org'"
		"   JOIN pg_type t ON t.oid = a.atttypid"
		"   WHERE i.indrelid = c.oid AND (i.indisprimary OR i.indexrelid = 'spooled.ready_claim'::regclass)) k"
		" CROSS JOIN LATERAL (SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT o.is_out) AS exported,"
		"   array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE o.is_out AND a.attname <> 'org') AS left_out"
		"   FROM pg_attribute a CROSS JOIN LATERAL (SELECT a.attname = 'org' OR a.atttypid IN ('bytea'::regtype, 'tid'::regtype)"
		"     OR c.relname = 'login_session' AND a.attname IN ('refresh_id', 'successor_id') AS is_out) o"
		"   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) x"
		" WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> ALL ($1)"
		" AND (c.relname = 'org' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org' AND NOT a.attisdropped))"
		" ORDER BY c.relname <> 'org', c.relname <> 'queue', c.relname",
	.nargs = 1,
	.argtypes = {TEXTARRAYOID},
};

/* Parameters: $1 organization, $2 the key that the page begins behind, $3 how many rows. */
typedef struct TablePlans
{
	SpiPlan first; /* without $2 */
	SpiPlan next;
} TablePlans;

/* Live as long as the process, as their prepared statements do. */
typedef struct Tables
{
	ExportTable *tables;
	TablePlans	*plans;
	int			 count;
	int			 tables_room;
	int			 plans_room;
} Tables;

static Tables known;

static SpiPlan
make_plan(const char *sql)
{
	return (SpiPlan) {
		.sql = sql,
		.nargs = 3,
		.argtypes = {INT4OID, TEXTARRAYOID, INT4OID},
		.read_only = true,
	};
}

/* The rest of the priority that the page before ended in, the lower ones of its queue, and the next queue that has any. */
#define QUEUE_BEFORE "($2::text[])[1]::int8"
#define PRIORITY_BEFORE "($2::text[])[2]::int8"
#define READY_PAGE                                                                                                   \
	"((SELECT r.* FROM spooled.ready r WHERE r.queue = " QUEUE_BEFORE " AND r.priority = " PRIORITY_BEFORE           \
	"   AND r.job_id > ($2::text[])[3]::uuid ORDER BY r.job_id LIMIT $3)"                                            \
	" UNION ALL (SELECT r.* FROM spooled.ready r WHERE r.queue = " QUEUE_BEFORE " AND r.priority < " PRIORITY_BEFORE \
	"   ORDER BY r.priority DESC, r.job_id LIMIT $3)"                                                                \
	" UNION ALL (SELECT r.* FROM spooled.ready r WHERE r.queue = (SELECT q.id FROM spooled.queue q"                  \
	"   WHERE q.org = $1 AND q.id > " QUEUE_BEFORE " AND EXISTS (SELECT FROM spooled.ready e WHERE e.queue = q.id)"  \
	"   ORDER BY q.id LIMIT 1) ORDER BY r.priority DESC, r.job_id LIMIT $3))"

/* In front of all of them.  Row-level security lets a condition into the index only if it is made of nothing but comparisons. */
static char *before_ready[] = {"0", "0", "00000000-0000-0000-0000-000000000000"};

/* make_plans writes the two statements of a table. */
static TablePlans
make_plans(const ExportTable *table, const char *columns, const char *owner)
{
	bool		   is_ready = strcmp(table->name, "ready") == 0;
	const char	  *source = is_ready ? READY_PAGE : psprintf("spooled.%s", quote_identifier(table->name));
	StringInfoData keys, values, texts, sql;

	initStringInfo(&keys);
	initStringInfo(&values);
	initStringInfo(&texts);
	initStringInfo(&sql);
	for (int i = 0; i < table->key_count; i++)
	{
		static const char *const types[] = {
			[EXPORT_KEY_TEXT] = "text", [EXPORT_KEY_INT] = "int8", [EXPORT_KEY_UUID] = "uuid"};
		const char *comma = i == 0 ? "" : ", ";
		const char *name = quote_identifier(table->keys[i]);

		appendStringInfo(&keys, "%st.%s", comma, name);
		appendStringInfo(&values, "%s($2::text[])[%d]::%s", comma, i + 1, types[table->kinds[i]]);
		appendStringInfo(&texts, "%st.%s::text", comma, name);
	}
	appendStringInfo(&sql,
					 "SELECT row_to_json(e), ARRAY[%s] FROM %s t CROSS JOIN LATERAL (SELECT %s) e WHERE t.%s = $1",
					 texts.data, source, columns, owner);
	if (is_ready)
	{
		SpiPlan plan = make_plan(psprintf("%s ORDER BY t.queue, t.priority DESC, t.job_id LIMIT $3", sql.data));

		return (TablePlans) {plan, plan};
	}
	return (TablePlans) {
		.first = make_plan(psprintf("%s ORDER BY %s LIMIT $3", sql.data, keys.data)),
		.next =
			make_plan(psprintf("%s AND (%s) > (%s) ORDER BY %s LIMIT $3", sql.data, keys.data, values.data, keys.data)),
	};
}

static ExportKeyKind
kind_of(const char *table, const char *type)
{
	if (strcmp(type, "text") == 0)
		return EXPORT_KEY_TEXT;
	if (strcmp(type, "uuid") == 0)
		return EXPORT_KEY_UUID;
	if (strcmp(type, "int4") == 0 || strcmp(type, "int8") == 0 || strcmp(type, "int2") == 0)
		return EXPORT_KEY_INT;
	elog(ERROR, "table %s can't be exported by a key of type %s", table, type);
	pg_unreachable();
}

static void
add_table(HeapTuple row, TupleDesc desc, void *arg)
{
	Tables	   *list = arg;
	ExportTable table = {.name = spl_row_text(row, desc, 1)};
	int			type_count;
	char	  **keys = spl_row_texts(row, desc, 2, &table.key_count);
	char	  **types = spl_row_texts(row, desc, 3, &type_count);

	if (table.key_count == 0 || table.key_count > EXPORT_MOST_KEYS)
		elog(ERROR, "table %s has no key by which it can be exported", table.name);
	for (int i = 0; i < table.key_count; i++)
	{
		table.keys[i] = keys[i];
		table.kinds[i] = kind_of(table.name, types[i]);
	}
	table.left_out = spl_row_texts(row, desc, 5, &table.left_out_count);
	if (list->count == list->tables_room)
	{
		list->tables = spl_grow_rows(list->tables, &list->tables_room, sizeof(ExportTable));
		list->plans = spl_grow_rows(list->plans, &list->plans_room, sizeof(TablePlans));
	}
	MemoryContextSwitchTo(spl_spi_caller_context());
	list->plans[list->count] = make_plans(&table, spl_row_text(row, desc, 4), spl_row_text(row, desc, 6));
	list->tables[list->count++] = table;
}

/* load_tables reads the catalog, once in a process. */
static void
load_tables(void)
{
	static MemoryContext context = NULL;
	Tables				 list = {0};
	char				*names[lengthof(not_exported)];
	MemoryContext		 old;
	Datum				 values[1];

	if (known.count > 0)
		return;
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "spooled export", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(context); /* of an attempt that failed */
	for (int i = 0; i < lengthof(not_exported); i++)
		names[i] = unconstify(char *, not_exported[i].table);
	values[0] = spl_text_array(names, lengthof(not_exported));
	old = MemoryContextSwitchTo(context);
	spl_spi_run(&list_tables, values, NULL, add_table, &list);
	MemoryContextSwitchTo(old);
	known = list;
}

int
spl_export_tables(const ExportTable **tables)
{
	load_tables();
	*tables = known.tables;
	return known.count;
}

int
spl_export_left_out(const ExportLeftOut **tables)
{
	*tables = not_exported;
	return lengthof(not_exported);
}

typedef struct RowTaker
{
	ExportRowFn row;
	void	   *arg;
} RowTaker;

static void
take_row(HeapTuple row, TupleDesc desc, void *arg)
{
	RowTaker *taker = arg;
	Datum	 *elements;
	char	 *keys[EXPORT_MOST_KEYS];
	int		  count;

	deconstruct_array(DatumGetArrayTypeP(spl_row_datum(row, desc, 2, NULL)), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, NULL, &count);
	for (int i = 0; i < count; i++)
		keys[i] = TextDatumGetCString(elements[i]);
	taker->row((struct varlena *) DatumGetPointer(spl_row_datum(row, desc, 1, NULL)), keys, taker->arg);
}

int
spl_export_rows(int table, int32 org, char **after, int limit, ExportRowFn row, void *arg)
{
	RowTaker taker = {row, arg};
	bool	 nulls[3] = {false};
	Datum	 values[3] = {Int32GetDatum(org), (Datum) 0, Int32GetDatum(limit)};
	int		 level, count;

	load_tables();
	if (after == NULL && strcmp(known.tables[table].name, "ready") == 0)
		after = before_ready;
	nulls[1] = after == NULL;
	if (after)
		values[1] = spl_text_array(after, known.tables[table].key_count);
	level = spl_planner_begin_indexes();
	count = spl_spi_run(after ? &known.plans[table].next : &known.plans[table].first, values, nulls, take_row, &taker);
	spl_planner_end(level);
	return count;
}

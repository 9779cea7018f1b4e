/*
 * export_sql.c
 *    spooled.export_organization and export_tables.
 */
#include "postgres.h"

#include "api/args.h"
#include "api/function.h"
#include "ops/export.h"
#include "ops/organization.h"
#include "rules/limits.h"

static void
emit_row(const char *table, struct varlena *row, const char *place, void *arg)
{
	Datum values[3] = {CStringGetTextDatum(table), PointerGetDatum(row), CStringGetTextDatum(place)};
	bool  nulls[3] = {false};

	spl_row_out(arg, values, nulls);
}

/* spooled.export_organization(after text = NULL, max_rows int = NULL) returns table (table_name text, data json, place text) */
SPL_FUNCTION(spooled_export_organization, PERMISSION_ALL)
{
	int		 max_rows = int_arg(fcinfo, 1, EXPORT_ALL_ROWS);
	char	*next;
	OrgRow	 org;
	SplFault fault;

	raise_unless_ok(spl_check_int("max_rows", max_rows, 1, EXPORT_ALL_ROWS, &fault), &fault);
	raise_unless_ok(spl_organization_get(NULL, &org, &fault), &fault);
	spl_rows_begin(fcinfo);
	raise_unless_ok(spl_export(&org, text_arg(fcinfo, 0), max_rows, EXPORT_ANY_SIZE, emit_row, fcinfo, &next, &fault),
					&fault);
	return (Datum) 0;
}

static void
emit_table(FunctionCallInfo fcinfo, const char *name, const char *const *keys, int key_count, char **left_out,
		   int left_out_count, const char *reason)
{
	Datum values[4];
	bool  nulls[4] = {false, keys == NULL, keys == NULL};

	set_text(values, nulls, 0, name);
	if (keys)
	{
		values[1] = spl_texts_datum(keys, key_count);
		values[2] = spl_texts_datum((const char *const *) left_out, left_out_count);
	}
	set_text(values, nulls, 3, reason);
	spl_row_out(fcinfo, values, nulls);
}

/* spooled.export_tables() returns table (table_name text, key text[], left_out text[], not_exported text) */
SPL_FUNCTION(spooled_export_tables, PERMISSION_NONE)
{
	const ExportTable	*tables;
	const ExportLeftOut *left_out;
	int					 count;

	spl_rows_begin(fcinfo);
	count = spl_export_tables(&tables);
	for (int i = 0; i < count; i++)
		emit_table(fcinfo, tables[i].name, tables[i].keys, tables[i].key_count, tables[i].left_out,
				   tables[i].left_out_count, NULL);
	count = spl_export_left_out(&left_out);
	for (int i = 0; i < count; i++)
		emit_table(fcinfo, left_out[i].table, NULL, 0, NULL, 0, left_out[i].reason);
	return (Datum) 0;
}

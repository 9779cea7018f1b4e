/*
 * workflow_spec_store.c
 *    Taking the JSON description of a workflow's jobs apart.
 *
 * PostgreSQL's own functions for json do it: they keep each value as the text that it was, and need time in proportion to
 * its length.
 */
#include "postgres.h"

#include "store/row_list.h"
#include "store/workflow_spec_store.h"
#include "utils/builtins.h"

static SpiPlan read_spec = {
	.sql = "SELECT (i.position - 1)::int4, f.key, json_typeof(f.value), json_typeof(i.item) = 'object', f.value,"
		   "  CASE WHEN json_typeof(f.value) = 'string' AND f.key NOT IN ('payload', 'tags') THEN f.value #>> '{}' END,"
		   "  CASE WHEN json_typeof(f.value) = 'array' AND f.key IN ('depends_on', 'dependencies') THEN ARRAY("
		   "    SELECT CASE json_typeof(e) WHEN 'string' THEN e #>> '{}' END FROM json_array_elements(f.value) e) END"
		   " FROM json_array_elements($1) WITH ORDINALITY i (item, position)"
		   " LEFT JOIN LATERAL json_each(CASE json_typeof(i.item) WHEN 'object' THEN i.item END) f ON true",
	.nargs = 1,
	.argtypes = {JSONOID},
};

typedef struct Reader
{
	SpecFieldFn field;
	void	   *arg;
} Reader;

/* read_elements takes a text[] apart. */
static void
read_elements(Datum array, SpecField *field)
{
	Datum *values;
	bool  *nulls;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &field->element_count);
	field->elements = palloc(sizeof(char *) * Max(field->element_count, 1));
	for (int i = 0; i < field->element_count; i++)
		field->elements[i] = nulls[i] ? NULL : TextDatumGetCString(values[i]);
}

static void
see_field(HeapTuple row, TupleDesc desc, void *arg)
{
	Reader		 *reader = arg;
	MemoryContext old = MemoryContextSwitchTo(spl_spi_caller_context());
	SpecField	  field = {.job = spl_row_int32(row, desc, 1),
						   .name = spl_row_text(row, desc, 2),
						   .in_object = spl_row_bool(row, desc, 4),
						   .text = spl_row_text(row, desc, 6)};
	bool		  isnull;
	Datum		  elements = spl_row_datum(row, desc, 7, &isnull);

	if (!isnull)
		read_elements(elements, &field);
	if (field.name)
	{
		field.kind = spl_row_text(row, desc, 3)[0];
		field.json = PG_DETOAST_DATUM_COPY(spl_row_datum(row, desc, 5, NULL));
	}
	reader->field(&field, reader->arg);
	MemoryContextSwitchTo(old);
}

void
spl_spec_read(struct varlena *jobs, SpecFieldFn field, void *arg)
{
	Reader reader = {field, arg};
	Datum  values[] = {PointerGetDatum(jobs)};

	spl_spi_run(&read_spec, values, NULL, see_field, &reader);
}

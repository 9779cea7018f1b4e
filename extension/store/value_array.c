/*
 * value_array.c
 *    Arrays as parameters.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "store/value_array.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

void
spl_array_begin(ValueArray *array, Oid array_type, int room)
{
	*array = (ValueArray) {.element = get_element_type(array_type),
						   .values = palloc(sizeof(Datum) * Max(room, 1)),
						   .nulls = palloc(sizeof(bool) * Max(room, 1))};
}

void
spl_array_add(ValueArray *array, Datum value, bool isnull)
{
	array->values[array->count] = value;
	array->nulls[array->count++] = isnull;
}

Datum
spl_array_end(ValueArray *array)
{
	int	  dims[] = {array->count};
	int	  lower[] = {1};
	int16 length;
	bool  by_value;
	char  align;

	get_typlenbyvalalign(array->element, &length, &by_value, &align);
	return PointerGetDatum(
		construct_md_array(array->values, array->nulls, 1, dims, lower, array->element, length, by_value, align));
}

pg_uuid_t *
spl_uuids_of(Datum array, MemoryContext context, int *count)
{
	Datum	  *values;
	pg_uuid_t *ids;

	deconstruct_array(DatumGetArrayTypeP(array), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &values, NULL, count);
	ids = MemoryContextAlloc(context, sizeof(pg_uuid_t) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		ids[i] = *DatumGetUUIDP(values[i]);
	return ids;
}

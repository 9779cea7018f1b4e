/*
 * row_list.h
 *    Rows of statements as arrays: one that grows while rows are read, columns that may be null, arrays as parameters.
 *
 * A row callback runs in memory that goes with the statement, so the array is made in the memory of the statement's caller.
 */
#ifndef SPL_ROW_LIST_H
#define SPL_ROW_LIST_H

#include "catalog/pg_type.h"
#include "store/spi_plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* spl_grow_rows doubles the room of an array (NULL: makes it) and returns it. */
static inline void *
spl_grow_rows(void *rows, int *room, Size row_size)
{
	*room = Max(*room * 2, 16);
	return rows ? repalloc(rows, *room * row_size) : MemoryContextAllocZero(spl_spi_caller_context(), *room * row_size);
}

/* Columns that may be null. */
static inline TimestampTz
spl_row_time(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = spl_row_datum(row, desc, column, &isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
}

static inline bool
spl_row_uuid(HeapTuple row, TupleDesc desc, int column, pg_uuid_t *id)
{
	bool  isnull;
	Datum value = spl_row_datum(row, desc, column, &isnull);

	if (!isnull)
		*id = *DatumGetUUIDP(value);
	return !isnull;
}

static inline bool
spl_row_bool(HeapTuple row, TupleDesc desc, int column)
{
	return DatumGetBool(spl_row_datum(row, desc, column, NULL));
}

/* spl_row_texts takes a text[] column apart into the caller's context; null is empty. */
static inline char **
spl_row_texts(HeapTuple row, TupleDesc desc, int column, int *count)
{
	MemoryContext old = MemoryContextSwitchTo(spl_spi_caller_context());
	bool		  isnull;
	Datum		  array = spl_row_datum(row, desc, column, &isnull);
	Datum		 *elements = NULL;
	char		**texts;

	*count = 0;
	if (!isnull)
		deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, count);
	texts = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		texts[i] = TextDatumGetCString(elements[i]);
	MemoryContextSwitchTo(old);
	return texts;
}

/* spl_text_array returns texts as a text[] value. */
static inline Datum
spl_text_array(char **texts, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* spl_text_or_null returns a parameter that may be null. */
static inline Datum
spl_text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* spl_int_array returns numbers as an int4[] value. */
static inline Datum
spl_int_array(const int32 *numbers, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = Int32GetDatum(numbers[i]);
	return PointerGetDatum(construct_array(elements, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

#endif

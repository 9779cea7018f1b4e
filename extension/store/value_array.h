/*
 * value_array.h
 *    Arrays as parameters, so that one statement writes many rows; nulls allowed.
 */
#ifndef SPL_VALUE_ARRAY_H
#define SPL_VALUE_ARRAY_H

#include "postgres.h"

#include "utils/uuid.h"

typedef struct ValueArray
{
	Oid	   element;
	Datum *values;
	bool  *nulls;
	int	   count;
} ValueArray;

/* spl_array_begin makes an empty array of an array type, with room for so many values. */
extern void	 spl_array_begin(ValueArray *array, Oid array_type, int room);
extern void	 spl_array_add(ValueArray *array, Datum value, bool isnull);
extern Datum spl_array_end(ValueArray *array);

/* spl_uuids_of takes a uuid[] apart; the ids live in the context. */
extern pg_uuid_t *spl_uuids_of(Datum array, MemoryContext context, int *count);

#endif

/*
 * op_array.h
 *    One array parameter of many items' values, as PostgreSQL reads it.
 */
#ifndef GATEWAY_OP_ARRAY_H
#define GATEWAY_OP_ARRAY_H

#include "op/op_bind.h"

typedef struct OpArray
{
	const char *value;
	int			len;
	int			format; /* 0: text, 1: binary */
} OpArray;

/*
 * op_array_make joins parameter "number" of all items.  Texts and integers go as a binary array, which nobody has to
 * quote and read again; timestamps as text, since reading them is PostgreSQL's business.
 */
extern OpArray op_array_make(OpType type, const OpValues *const *items, int count, int number, Arena *arena);

#endif

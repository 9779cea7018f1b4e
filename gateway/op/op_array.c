/*
 * op_array.c
 *    See op_array.h.
 */
#include "op/op_array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INT4_OID 23
#define TEXT_OID 25

static char *
put32(char *to, uint32_t value)
{
	to[0] = (char) (value >> 24);
	to[1] = (char) (value >> 16);
	to[2] = (char) (value >> 8);
	to[3] = (char) value;
	return to + 4;
}

static char *
put_header(char *to, uint32_t element_type, int count)
{
	to = put32(to, count > 0 ? 1 : 0); /* dimensions */
	to = put32(to, 1);				   /* may hold nulls */
	to = put32(to, element_type);
	if (count == 0)
		return to;
	to = put32(to, (uint32_t) count);
	return put32(to, 1); /* lower bound */
}

static OpArray
make_texts(const OpValues *const *items, int count, int number, Arena *arena)
{
	size_t size = 20;
	char  *array;
	char  *to;

	for (int i = 0; i < count; i++)
		size += 4 + (items[i]->text[number] == NULL ? 0 : (size_t) items[i]->len[number]);
	array = arena_alloc(arena, size);
	to = put_header(array, TEXT_OID, count);
	for (int i = 0; i < count; i++)
	{
		const char *text = items[i]->text[number];
		size_t		len = (size_t) items[i]->len[number];

		if (text == NULL)
		{
			to = put32(to, UINT32_MAX);
			continue;
		}
		to = put32(to, (uint32_t) len);
		memcpy(to, text, len);
		to += len;
	}
	return (OpArray) {array, (int) (to - array), 1};
}

static OpArray
make_ints(const OpValues *const *items, int count, int number, Arena *arena)
{
	char *array = arena_alloc(arena, 20 + (size_t) count * 8);
	char *to = put_header(array, INT4_OID, count);

	for (int i = 0; i < count; i++)
	{
		const char *text = items[i]->text[number];

		to = put32(to, text == NULL ? UINT32_MAX : 4);
		if (text != NULL)
			to = put32(to, (uint32_t) strtol(text, NULL, 10));
	}
	return (OpArray) {array, (int) (to - array), 1};
}

/* make_times quotes nothing but the whole: op_bind has seen that each is a timestamp. */
static OpArray
make_times(const OpValues *const *items, int count, int number, Arena *arena)
{
	size_t size = 3;
	char  *array;
	char  *to;

	for (int i = 0; i < count; i++)
		size += (items[i]->text[number] == NULL ? 4 : (size_t) items[i]->len[number] + 2) + 1;
	array = to = arena_alloc(arena, size);
	*to++ = '{';
	for (int i = 0; i < count; i++)
	{
		const char *text = items[i]->text[number];

		if (i > 0)
			*to++ = ',';
		if (text == NULL)
			to = stpcpy(to, "NULL");
		else
		{
			*to++ = '"';
			to = stpcpy(to, text);
			*to++ = '"';
		}
	}
	to = stpcpy(to, "}");
	return (OpArray) {array, (int) (to - array), 0};
}

OpArray
op_array_make(OpType type, const OpValues *const *items, int count, int number, Arena *arena)
{
	switch (type)
	{
		case OP_INT: return make_ints(items, count, number, arena);
		case OP_TIME: return make_times(items, count, number, arena);
		default: return make_texts(items, count, number, arena);
	}
}

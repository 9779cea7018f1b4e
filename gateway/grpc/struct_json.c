/*
 * struct_json.c
 *    See struct_json.h.  Both directions recurse; the depth is bounded before (wire_scan) or here.
 */
#include "grpc/struct_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "op/json_scan.h"

typedef Google__Protobuf__Struct			  Struct;
typedef Google__Protobuf__Struct__FieldsEntry Entry;
typedef Google__Protobuf__Value				  Value;
typedef Google__Protobuf__ListValue			  List;
typedef Google__Protobuf__Timestamp			  Timestamp;

/* A reader's stack is as deep as ours: readers stop at 100 messages, and an object takes three for each level. */
#define MOST_MESSAGES 60

static const char *value_to_json(const Value *value, const char *name, Arena *arena, Buf *out);

static const char *
number_to_json(double number, const char *name, Arena *arena, Buf *out)
{
	char text[40];

	if (isnan(number) || isinf(number))
		return arena_printf(arena, "The value of \"%.100s\" is %s, which JSON does not have", name,
							isnan(number) ? "NaN" : "Infinity");
	if (number == floor(number) && fabs(number) < 9007199254740993.0)
		snprintf(text, sizeof(text), "%.0f", number);
	else
	{
		/* The shortest form that reads back the same. */
		for (int digits = 15; digits <= 17; digits++)
		{
			snprintf(text, sizeof(text), "%.*g", digits, number);
			if (strtod(text, NULL) == number)
				break;
		}
	}
	buf_str(out, text);
	return NULL;
}

static const char *
list_to_json(const List *list, const char *name, Arena *arena, Buf *out)
{
	buf_str(out, "[");
	for (size_t i = 0; list != NULL && i < list->n_values; i++)
	{
		const char *fault;

		if (i > 0)
			buf_str(out, ",");
		fault = value_to_json(list->values[i], name, arena, out);
		if (fault != NULL)
			return fault;
	}
	buf_str(out, "]");
	return NULL;
}

static const char *
value_to_json(const Value *value, const char *name, Arena *arena, Buf *out)
{
	switch (value == NULL ? GOOGLE__PROTOBUF__VALUE__KIND__NOT_SET : value->kind_case)
	{
		case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE: return number_to_json(value->number_value, name, arena, out);
		case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE: buf_json_text(out, value->string_value); return NULL;
		case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE: buf_str(out, value->bool_value ? "true" : "false"); return NULL;
		case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE: return struct_to_json(value->struct_value, arena, out);
		case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE: return list_to_json(value->list_value, name, arena, out);
		default: buf_str(out, "null"); return NULL;
	}
}

const char *
struct_to_json(const Struct *from, Arena *arena, Buf *out)
{
	buf_str(out, "{");
	for (size_t i = 0; from != NULL && i < from->n_fields; i++)
	{
		const char *fault;

		if (i > 0)
			buf_str(out, ",");
		buf_json_text(out, from->fields[i]->key);
		buf_str(out, ":");
		fault = value_to_json(from->fields[i]->value, from->fields[i]->key, arena, out);
		if (fault != NULL)
			return fault;
	}
	buf_str(out, "}");
	return NULL;
}

/* A list of pointers that grows in an arena. */
typedef struct Pointers
{
	void **items;
	size_t count;
	size_t cap;
} Pointers;

static void
add_pointer(Pointers *pointers, void *item, Arena *arena)
{
	if (pointers->count == pointers->cap)
	{
		void **items;

		pointers->cap = pointers->cap == 0 ? 4 : pointers->cap * 2;
		items = arena_alloc(arena, pointers->cap * sizeof(items[0]));
		if (pointers->count > 0)
			memcpy(items, pointers->items, pointers->count * sizeof(items[0]));
		pointers->items = items;
	}
	pointers->items[pointers->count++] = item;
}

static Struct *read_object(char *text, size_t len, int depth, Arena *arena);

static List *read_list(char *text, size_t len, int depth, Arena *arena);

/* read_value makes a Value of a piece of JSON; NULL: it is nested too deep, or has a text that protobuf has not. */
static Value *
read_value(JsonSpan *span, int depth, Arena *arena)
{
	Value *value = arena_alloc(arena, sizeof(*value));

	google__protobuf__value__init(value);
	switch (span->kind)
	{
		case JSON_NULL: value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE; return value;
		case JSON_TRUE:
		case JSON_FALSE:
			value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
			value->bool_value = span->kind == JSON_TRUE;
			return value;
		case JSON_NUMBER:
			value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
			value->number_value = strtod(span->at, NULL);
			return isinf(value->number_value) ? NULL : value;
		case JSON_STRING:
			value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
			if (json_decode_string(span) < 0)
				return NULL;
			value->string_value = span->at;
			return value;
		case JSON_ARRAY:
			value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
			value->list_value = read_list(span->at, span->len, depth + 2, arena);
			return value->list_value == NULL ? NULL : value;
		case JSON_OBJECT:
			value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
			value->struct_value = read_object(span->at, span->len, depth + 1, arena);
			return value->struct_value == NULL ? NULL : value;
	}
	return NULL;
}

static List *
read_list(char *text, size_t len, int depth, Arena *arena)
{
	List	  *list = arena_alloc(arena, sizeof(*list));
	Pointers   values = {0};
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   span;

	google__protobuf__list_value__init(list);
	if (depth > MOST_MESSAGES || !json_open(&cursor, text, len))
		return NULL;
	while (json_next(&cursor, &name, &span))
	{
		Value *value = read_value(&span, depth, arena);

		if (value == NULL)
			return NULL;
		add_pointer(&values, value, arena);
	}
	list->values = (Value **) values.items;
	list->n_values = values.count;
	return cursor.error == NULL ? list : NULL;
}

static Struct *
read_object(char *text, size_t len, int depth, Arena *arena)
{
	Struct	  *object = arena_alloc(arena, sizeof(*object));
	Pointers   entries = {0};
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   span;

	google__protobuf__struct__init(object);
	if (depth + 2 > MOST_MESSAGES || !json_open(&cursor, text, len) || !cursor.object)
		return NULL;
	while (json_next(&cursor, &name, &span))
	{
		Entry *entry = arena_alloc(arena, sizeof(*entry));

		google__protobuf__struct__fields_entry__init(entry);
		if (json_decode_string(&name) < 0)
			return NULL;
		entry->key = name.at;
		entry->value = read_value(&span, depth + 2, arena);
		if (entry->value == NULL)
			return NULL;
		add_pointer(&entries, entry, arena);
	}
	object->fields = (Entry **) entries.items;
	object->n_fields = entries.count;
	return cursor.error == NULL ? object : NULL;
}

Struct *
struct_from_json(char *text, size_t len, Arena *arena)
{
	return read_object(text, len, 3, arena); /* below a response, a job */
}

const char *
timestamp_to_text(const Timestamp *from, Arena *arena)
{
	time_t	  seconds = (time_t) from->seconds;
	struct tm utc;

	/* Years 0001 to 9999. */
	if (from->seconds < -62135596800 || from->seconds > 253402300799 || from->nanos < 0 || from->nanos > 999999999 ||
		gmtime_r(&seconds, &utc) == NULL)
		return NULL;
	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
						utc.tm_hour, utc.tm_min, utc.tm_sec, from->nanos / 1000);
}

Timestamp *
timestamp_from_text(const char *text, Arena *arena)
{
	Timestamp  *timestamp = arena_alloc(arena, sizeof(*timestamp));
	struct tm	utc = {0};
	const char *fraction = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	int			digits = 0;

	if (fraction == NULL)
		return NULL;
	google__protobuf__timestamp__init(timestamp);
	timestamp->seconds = timegm(&utc);
	if (*fraction == '.')
	{
		for (fraction++; digits < 9 && *fraction >= '0' && *fraction <= '9'; digits++)
			timestamp->nanos = timestamp->nanos * 10 + (*fraction++ - '0');
	}
	for (; digits > 0 && digits < 9; digits++)
		timestamp->nanos *= 10;
	return timestamp;
}

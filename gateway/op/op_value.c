/*
 * op_value.c
 *    See op_value.h.
 */
#include "op/op_value.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/status.h"
#include "base/utf8.h"

void
op_value_set(OpValues *values, int number, const char *text)
{
	values->text[number] = text;
	values->len[number] = (int) strlen(text);
}

static void
set_span(OpValues *values, int number, JsonSpan *span)
{
	span->at[span->len] = '\0'; /* a delimiter stood there, and the scan is over */
	values->text[number] = span->at;
	values->len[number] = (int) span->len;
}

/* whole_number tells whether the text is a decimal integer, and whether it fits 32 bits. */
static bool
whole_number(const char *text, bool *fits, long *value)
{
	char	   *end;
	const char *at = *text == '-' || *text == '+' ? text + 1 : text;

	if (*at == '\0' || strspn(at, "0123456789") != strlen(at))
		return false;
	errno = 0;
	*value = strtol(text, &end, 10);
	*fits = errno == 0 && *value >= INT_MIN && *value <= INT_MAX;
	return true;
}

static const char *
wrong_int(const OpParam *param, const char *text)
{
	long value;
	bool fits;

	if (!whole_number(text, &fits, &value))
		return "must be a whole number";
	if (!fits)
		return "must be a 32-bit number";
	if ((param->flags & OP_GATEWAY) != 0 && param->max > 0 && (value < 0 || value > param->max))
		return "is out of range";
	return NULL;
}

/* texts_literal makes a PostgreSQL array of a JSON array of strings; NULL: an element is something else. */
static const char *
texts_literal(JsonSpan *array, Arena *arena)
{
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;
	/* Each byte may need an escape, and each element brackets, quotes and a comma. */
	char *literal = arena_alloc(arena, array->len * 2 + 3);
	char *to = literal;

	*to++ = '{';
	if (!json_open(&cursor, array->at, array->len))
		return NULL;
	while (json_next(&cursor, &name, &value))
	{
		if (value.kind != JSON_STRING || json_decode_string(&value) < 0)
			return NULL;
		if (to > literal + 1)
			*to++ = ',';
		*to++ = '"';
		for (const char *from = value.at; *from != '\0'; from++)
		{
			if (*from == '"' || *from == '\\')
				*to++ = '\\';
			*to++ = *from;
		}
		*to++ = '"';
	}
	*to++ = '}';
	*to = '\0';
	return literal;
}

/* first_of replaces an array by its first element; false: there is none. */
static bool
first_of(JsonSpan *span)
{
	JsonCursor cursor;
	JsonSpan   name;
	JsonSpan   value;

	if (span->kind != JSON_ARRAY || !json_open(&cursor, span->at, span->len) || !json_next(&cursor, &name, &value))
		return false;
	*span = value;
	return true;
}

static bool
is_json_of(const OpParam *param, JsonSpan *span)
{
	if (param->type == OP_JSON && (param->flags & OP_EMPTY_OBJECT) == 0)
		return true;
	if (span->kind == JSON_ARRAY && span->empty)
	{
		memcpy(span->at, "{}", 2); /* an empty array has room for it */
		span->len = 2;
		return true;
	}
	return param->type == OP_JSON || span->kind == JSON_OBJECT;
}

/* wrong_value sets the value, or tells what is wrong with it and in *reason the code for that. */
static const char *
wrong_value(const OpParam *param, JsonSpan *span, Arena *arena, OpValues *values, int number, const char **reason)
{
	const char *wrong = NULL;
	const char *literal;

	*reason = "invalid_type";
	if (span->null_escape && param->type != OP_ITEMS)
	{
		*reason = "null_character";
		return "contains the character U+0000, which can't be stored";
	}
	switch (param->type)
	{
		case OP_TEXT:
		case OP_TIME:
			if (span->kind != JSON_STRING)
				return "must be a string";
			if (json_decode_string(span) < 0)
				return "contains half of a surrogate pair";
			if (param->type == OP_TIME && !op_time_is_valid(span->at, span->len))
				return "must be an RFC 3339 timestamp";
			break;
		case OP_INT:
			if (span->kind != JSON_NUMBER)
				return "must be a whole number";
			set_span(values, number, span);
			wrong = wrong_int(param, span->at);
			if (wrong != NULL && strcmp(wrong, "is out of range") == 0)
				*reason = "out_of_range";
			return wrong;
		case OP_BOOL:
			if (span->kind != JSON_TRUE && span->kind != JSON_FALSE)
				return "must be true or false";
			break;
		case OP_JSON:
		case OP_JSON_OBJECT:
			if (!is_json_of(param, span))
				return "must be an object";
			break;
		case OP_ITEMS:
			if (span->kind != JSON_ARRAY)
				return "must be an array";
			break;
		case OP_TEXTS:
			literal = span->kind == JSON_ARRAY ? texts_literal(span, arena) : NULL;
			if (literal == NULL)
				return "must be an array of strings";
			op_value_set(values, number, literal);
			return NULL;
	}
	set_span(values, number, span);
	return NULL;
}

static void
rewrite(const OpParam *param, OpValues *values, int number)
{
	if (param->rewrite[0] != NULL && values->text[number] != NULL &&
		strcmp(values->text[number], param->rewrite[0]) == 0)
		op_value_set(values, number, param->rewrite[1]);
}

void
op_value_from_json(const OpParam *param, JsonSpan *span, bool first_element, const char *prefix, Arena *arena,
				   OpValues *values, int number, OpFaults *faults)
{
	const char *wrong;
	const char *reason = "invalid_type";
	const char *field = param->inside == NULL ? param->name : arena_printf(arena, "%s.%s", param->inside, param->name);

	if (first_element && !first_of(span))
		return; /* as if it were absent */
	if (span->kind == JSON_NULL && (param->flags & OP_NULL) != 0)
	{
		op_value_set(values, number, "null");
		return;
	}
	if (span->kind == JSON_NULL && (param->flags & OP_REQUIRED) == 0)
		return;
	wrong = wrong_value(param, span, arena, values, number, &reason);
	if (wrong != NULL)
		op_faults_add(faults, prefix, field, reason, wrong);
	else
		rewrite(param, values, number);
}

/* clamp_text keeps a number of a query inside 32 bits: such values are clamped, never refused. */
static const char *
clamp_text(const char *text)
{
	long value;
	bool fits;

	if (!whole_number(text, &fits, &value))
		return NULL;
	if (fits)
		return text;
	return *text == '-' ? "-2147483648" : "2147483647";
}

void
op_value_from_query(const OpParam *param, char *text, OpValues *values, int number, OpFaults *faults)
{
	const char *value = text;

	if (!op_percent_decode(text, true))
	{
		op_faults_add(faults, NULL, param->name, "invalid_type", "is not valid UTF-8 text");
		return;
	}
	if (param->type == OP_INT)
	{
		value = clamp_text(text);
		if (value == NULL)
			op_faults_add(faults, NULL, param->name, "invalid_type", "must be a whole number");
	}
	else if (param->type == OP_BOOL)
	{
		bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

		value = yes ? "true" : "false";
		if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
			op_faults_add(faults, NULL, param->name, "invalid_type", "must be true or false");
	}
	if (value != NULL)
		op_value_set(values, number, value);
	rewrite(param, values, number);
}

bool
op_percent_decode(char *text, bool plus)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++)
	{
		int high = *from == '%' ? hex_value(from[1]) : -1;
		int low = high >= 0 ? hex_value(from[2]) : -1;

		if (low >= 0)
		{
			*to++ = (char) (high * 16 + low);
			from += 2;
		}
		else
			*to++ = *from == '+' && plus ? ' ' : *from;
	}
	*to = '\0';
	return utf8_is_text(text, (size_t) (to - text));
}

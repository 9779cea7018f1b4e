/*
 * token_text.c
 *    The text of a token: three parts of base64url, two of them flat JSON objects.
 */
#include "postgres.h"

#include "rules/token_text.h"

#define MAX_DIGITS 15

/* digit_value returns the six bits of a base64url character, or -1. */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* take_part takes the characters before the next dot or the end. */
static bool
take_part(const char **at, const char *end, TokenPart *part)
{
	part->text = *at;
	while (*at < end && digit_value(**at) >= 0)
		(*at)++;
	part->length = *at - part->text;
	return part->length > 0;
}

static bool
take_char(const char **at, const char *end, char wanted)
{
	if (*at >= end || **at != wanted)
		return false;
	(*at)++;
	return true;
}

bool
spl_token_split(const char *token, TokenText *parts)
{
	size_t		length = strnlen(token, TOKEN_MAX_CHARACTERS + 1);
	const char *at = token;
	const char *end = token + length;

	if (length > TOKEN_MAX_CHARACTERS)
		return false;
	if (!take_part(&at, end, &parts->header) || !take_char(&at, end, '.') || !take_part(&at, end, &parts->payload))
		return false;
	parts->signed_length = at - token;
	return take_char(&at, end, '.') && take_part(&at, end, &parts->signature) && at == end;
}

int
spl_base64url_decode(const char *text, int length, uint8 *bytes, int room)
{
	uint32 bits = 0;
	int	   held = 0;
	int	   count = 0;

	if (length % 4 == 1)
		return -1;
	for (int i = 0; i < length; i++)
	{
		int value = digit_value(text[i]);

		if (value < 0)
			return -1;
		bits = (bits << 6 | value) & 0xFFFF;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (count == room)
			return -1;
		bytes[count++] = (uint8) (bits >> held);
	}
	/* Bits that mean nothing are zero, or one token could be written in several ways. */
	return (bits & ((1 << held) - 1)) == 0 ? count : -1;
}

/* skip_escape goes past a backslash and what it escapes; \u is followed by four digits. */
static bool
skip_escape(const char **at, const char *end)
{
	if (end - *at < 2 || (*at)[1] == '\0' || strchr("\"\\/bfnrtu", (*at)[1]) == NULL)
		return false;
	*at += 2;
	if ((*at)[-1] != 'u')
		return true;
	for (int i = 0; i < 4; i++, (*at)++)
		if (*at >= end || !isxdigit((unsigned char) **at))
			return false;
	return true;
}

/* take_string takes a string; "part" is what stands between its quotes. */
static bool
take_string(const char **at, const char *end, TokenPart *part, bool may_escape)
{
	if (!take_char(at, end, '"'))
		return false;
	part->text = *at;
	while (*at < end && **at != '"')
	{
		if ((unsigned char) **at < ' ')
			return false;
		if (**at != '\\')
			(*at)++;
		else if (!may_escape || !skip_escape(at, end))
			return false;
	}
	part->length = *at - part->text;
	return take_char(at, end, '"');
}

static bool
take_number(const char **at, const char *end, TokenField *field)
{
	const char *start = *at;

	field->number = 0;
	while (*at < end && **at >= '0' && **at <= '9' && *at - start < MAX_DIGITS)
		field->number = field->number * 10 + (*(*at)++ - '0');
	return *at > start && (*start != '0' || *at - start == 1);
}

static bool
take_strings(const char **at, const char *end, TokenPart *array)
{
	TokenPart string;

	array->text = *at;
	if (!take_char(at, end, '['))
		return false;
	if (!take_char(at, end, ']'))
	{
		do
			if (!take_string(at, end, &string, true))
				return false;
		while (take_char(at, end, ','));
		if (!take_char(at, end, ']'))
			return false;
	}
	array->length = *at - array->text;
	return true;
}

static bool
take_value(const char **at, const char *end, TokenField *field)
{
	switch (field->kind)
	{
		case FIELD_TEXT: return take_string(at, end, &field->value, false);
		case FIELD_NUMBER: return take_number(at, end, field);
		case FIELD_TEXTS: return take_strings(at, end, &field->value);
	}
	return false;
}

static TokenField *
find_field(const TokenPart *name, TokenField *fields, int count)
{
	for (int i = 0; i < count; i++)
		if (strlen(fields[i].name) == name->length && memcmp(fields[i].name, name->text, name->length) == 0)
			return &fields[i];
	return NULL;
}

bool
spl_token_fields(const char *json, int length, TokenField *fields, int count)
{
	const char *at = json;
	const char *end = json + length;

	for (int i = 0; i < count; i++)
		fields[i].found = false;
	if (!take_char(&at, end, '{'))
		return false;
	do
	{
		TokenPart	name;
		TokenField *field;

		if (!take_string(&at, end, &name, false) || !take_char(&at, end, ':'))
			return false;
		field = find_field(&name, fields, count);
		if (field == NULL || field->found || !take_value(&at, end, field))
			return false;
		field->found = true;
	} while (take_char(&at, end, ','));
	return take_char(&at, end, '}') && at == end;
}

/*
 * json_string.c
 *    The characters of a JSON string.
 *
 * PostgreSQL decodes escapes, since it knows the encoding of the database; it raises an error for a surrogate that stands
 * alone, which a JSON text may contain.
 */
#include "postgres.h"

#include "base/json_string.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* unit_at returns the number of the escape \uXXXX at "at"; -1: there is none. */
static int
unit_at(const char *at, const char *end)
{
	char digits[5] = {0};

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	memcpy(digits, at + 2, 4);
	return (int) strtol(digits, NULL, 16);
}

/* has_lone_surrogate tells whether half of a pair is without the other. */
static bool
has_lone_surrogate(const char *at, const char *end)
{
	while ((at = memchr(at, '\\', end - at)) != NULL)
	{
		int unit = unit_at(at, end);

		if (unit < 0xD800 || unit > 0xDFFF)
		{
			at += 2;
			continue;
		}
		at += 6;
		if (unit >= 0xDC00 || unit_at(at, end) < 0xDC00 || unit_at(at, end) > 0xDFFF)
			return true;
		at += 6;
	}
	return false;
}

char *
spl_json_string(const char *json, int length)
{
	if (memchr(json, '\\', length) == NULL)
		return pnstrdup(json + 1, length - 2);
	if (has_lone_surrogate(json, json + length))
		return NULL;
	return TextDatumGetCString(DirectFunctionCall2(json_array_element_text,
												   CStringGetTextDatum(psprintf("[%.*s]", length, json)),
												   Int32GetDatum(0)));
}

/*
 * json_unescape.c
 *    Decoding the escapes of a JSON string where it stands: what comes out is never longer than what went in.
 *
 * A file of its own, since jansson and json_scan.h have the same names for kinds of values.
 */
#include <jansson.h>
#include <string.h>

#include "op/json_unescape.h"

long
json_unescape(char *string, size_t len)
{
	json_t *decoded = json_loadb(string, len, JSON_DECODE_ANY, NULL);
	long	result = -1;

	if (json_is_string(decoded))
	{
		result = (long) json_string_length(decoded);
		memcpy(string, json_string_value(decoded), (size_t) result + 1);
	}
	json_decref(decoded);
	return result;
}

/*
 * json_string.c
 *    Decoding a JSON string where it stands: what comes out is never longer than what went in.
 */
#include <string.h>

#include "op/json_hex.h"
#include "op/json_scan.h"

static char *
put_utf8(char *to, unsigned code)
{
	if (code < 0x80)
		*to++ = (char) code;
	else if (code < 0x800)
	{
		*to++ = (char) (0xc0 | code >> 6);
		*to++ = (char) (0x80 | (code & 0x3f));
	}
	else if (code < 0x10000)
	{
		*to++ = (char) (0xe0 | code >> 12);
		*to++ = (char) (0x80 | (code >> 6 & 0x3f));
		*to++ = (char) (0x80 | (code & 0x3f));
	}
	else
	{
		*to++ = (char) (0xf0 | code >> 18);
		*to++ = (char) (0x80 | (code >> 12 & 0x3f));
		*to++ = (char) (0x80 | (code >> 6 & 0x3f));
		*to++ = (char) (0x80 | (code & 0x3f));
	}
	return to;
}

/* decode_unicode decodes a \u escape, or a pair of them; NULL: not a character, or U+0000. */
static char *
decode_unicode(char **from, const char *end, char *to)
{
	int code = read_hex4(*from + 2, end);

	*from += 6;
	if (code >= 0xd800 && code < 0xdc00)
	{
		int low = end - *from >= 6 && (*from)[0] == '\\' && (*from)[1] == 'u' ? read_hex4(*from + 2, end) : -1;

		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		*from += 6;
		return put_utf8(to, 0x10000 + ((unsigned) (code - 0xd800) << 10) + (unsigned) (low - 0xdc00));
	}
	if (code <= 0 || (code >= 0xdc00 && code < 0xe000))
		return NULL;
	return put_utf8(to, (unsigned) code);
}

static char
decode_short(char c)
{
	switch (c)
	{
		case 'b': return '\b';
		case 'f': return '\f';
		case 'n': return '\n';
		case 'r': return '\r';
		case 't': return '\t';
		default: return c;
	}
}

long
json_decode_string(JsonSpan *string)
{
	char *from = string->at + 1;
	char *end = string->at + string->len - 1;
	char *to = memchr(from, '\\', (size_t) (end - from));

	string->at = from;
	if (to == NULL)
	{
		*end = '\0';
		string->len = (size_t) (end - from);
		return (long) string->len;
	}
	from = to;
	while (from < end)
	{
		if (*from != '\\')
			*to++ = *from++;
		else if (from[1] == 'u')
		{
			to = decode_unicode(&from, end, to);
			if (to == NULL)
				return -1;
		}
		else
		{
			*to++ = decode_short(from[1]);
			from += 2;
		}
	}
	*to = '\0';
	string->len = (size_t) (to - string->at);
	return (long) string->len;
}

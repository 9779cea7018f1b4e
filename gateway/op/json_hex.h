/*
 * json_hex.h
 *    Only for json_scan.c and json_string.c: the digits of a \u escape.
 */
#ifndef GATEWAY_JSON_HEX_H
#define GATEWAY_JSON_HEX_H

static inline int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* read_hex4 returns the four hex digits at "text", or -1. */
static inline int
read_hex4(const char *text, const char *end)
{
	int value = 0;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int digit = hex_value(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

#endif

/*
 * utf8.h
 *    What is a character of UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
 */
#ifndef GATEWAY_UTF8_H
#define GATEWAY_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* utf8_length returns the length of the valid multibyte character at "text", or 0. */
static inline int
utf8_length(const unsigned char *text, const unsigned char *end)
{
	unsigned char first = text[0];
	int			  length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	if (first < 0xc2 || first > 0xf4 || end - text < length)
		return 0;
	for (int i = 1; i < length; i++)
	{
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) || (first == 0xf0 && text[1] < 0x90) ||
		(first == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

/* utf8_is_text tells whether all is valid UTF-8 without NUL. */
static inline bool
utf8_is_text(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *) text;
	const unsigned char *end = at + len;

	while (at < end)
	{
		int length = *at == 0 ? 0 : *at < 0x80 ? 1 : utf8_length(at, end);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

#endif

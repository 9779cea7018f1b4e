/*
 * buf.c
 *    See buf.h.  JSON strings that are written here come from messages and names, so they are taken as UTF-8 as they
 *    are; only what JSON forbids is escaped.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void
buf_free(Buf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

char *
buf_reserve(Buf *buf, size_t more)
{
	if (buf->len + more + 1 > buf->cap)
	{
		size_t cap = buf->cap == 0 ? 512 : buf->cap;

		while (cap < buf->len + more + 1)
			cap *= 2;
		buf->data = xrealloc(buf->data, cap);
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

void
buf_add(Buf *buf, const void *data, size_t len)
{
	char *at = buf_reserve(buf, len);

	if (len > 0)
		memcpy(at, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_str(Buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_printf(Buf *buf, const char *fmt, ...)
{
	va_list args;
	int		len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	buf_reserve(buf, (size_t) len);
	va_start(args, fmt);
	vsnprintf(buf->data + buf->len, (size_t) len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t) len;
}

void
buf_be32(Buf *buf, uint32_t value)
{
	unsigned char bytes[4] = {(unsigned char) (value >> 24), (unsigned char) (value >> 16),
							  (unsigned char) (value >> 8), (unsigned char) value};

	buf_add(buf, bytes, sizeof(bytes));
}

void
buf_json_str(Buf *buf, const char *text, size_t len)
{
	const char *end = text + len;

	buf_add(buf, "\"", 1);
	while (text < end)
	{
		const char *plain = text;

		while (text < end && (unsigned char) *text >= 0x20 && *text != '"' && *text != '\\')
			text++;
		buf_add(buf, plain, (size_t) (text - plain));
		if (text == end)
			break;
		if (*text == '"' || *text == '\\')
			buf_printf(buf, "\\%c", *text);
		else if (*text == '\n')
			buf_str(buf, "\\n");
		else
			buf_printf(buf, "\\u%04x", (unsigned char) *text);
		text++;
	}
	buf_add(buf, "\"", 1);
}

void
buf_json_text(Buf *buf, const char *text)
{
	buf_json_str(buf, text, strlen(text));
}

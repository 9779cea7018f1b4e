/*
 * buf.h
 *    A growing piece of text or bytes on the heap, for replies and array parameters that are put together.
 */
#ifndef GATEWAY_BUF_H
#define GATEWAY_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

typedef struct Buf
{
	char  *data; /* NULL until something was added */
	size_t len;
	size_t cap;
} Buf;

extern void	 buf_free(Buf *buf);
extern char *buf_reserve(Buf *buf, size_t more); /* room for "more" bytes and a NUL behind the end */
extern void	 buf_add(Buf *buf, const void *data, size_t len);
extern void	 buf_str(Buf *buf, const char *text);
extern void	 buf_printf(Buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
extern void	 buf_be32(Buf *buf, uint32_t value);				   /* network order */
extern void	 buf_json_str(Buf *buf, const char *text, size_t len); /* quoted and escaped */
extern void	 buf_json_text(Buf *buf, const char *text);

#endif

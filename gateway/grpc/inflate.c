/*
 * inflate.c
 *    See inflate.h.
 */
#include "grpc/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"

#define STEP 65536

const uint8_t *
inflate_bounded(const uint8_t *bytes, size_t *len, bool gzip, size_t most, Arena *arena, const char **wrong)
{
	z_stream	   stream = {.next_in = (Bytef *) bytes, .avail_in = (uInt) *len};
	Buf			   out = {0};
	int			   code = Z_OK;
	const uint8_t *plain = NULL;

	*wrong = NULL;
	if (inflateInit2(&stream, gzip ? 15 + 16 : 15) != Z_OK)
		abort();
	while (code == Z_OK && out.len <= most)
	{
		stream.next_out = (Bytef *) buf_reserve(&out, STEP);
		stream.avail_out = STEP;
		code = inflate(&stream, Z_NO_FLUSH);
		out.len += STEP - stream.avail_out;
	}
	inflateEnd(&stream);
	if (code != Z_STREAM_END && out.len <= most)
		*wrong = "The message is not validly compressed";
	else if (out.len <= most)
	{
		plain = (const uint8_t *) arena_copy(arena, out.data, out.len);
		*len = out.len;
	}
	buf_free(&out);
	return plain;
}

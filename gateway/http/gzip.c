/*
 * gzip.c
 *    Smaller answers for clients that ask for them.  The fastest level: the loop's other requests wait meanwhile.
 */
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "http/request.h"

#define WORTH_IT 1024 /* bytes; below it the headers alone weigh as much */

/* accepts tells whether a list like "deflate, gzip;q=0.5" takes gzip; q=0 means that it doesn't. */
static bool
accepts(const char *list)
{
	while (*list != '\0')
	{
		size_t		len;
		size_t		name_len;
		const char *quality;

		list += strspn(list, " \t");
		len = strcspn(list, ",");
		name_len = strcspn(list, " \t;,");
		if (name_len == 4 && strncasecmp(list, "gzip", 4) == 0)
		{
			quality = memmem(list, len, "q=", 2);
			return quality == NULL || strspn(quality + 2, "0.") < strcspn(quality + 2, ", \t");
		}
		list += len + (list[len] == ',');
	}
	return false;
}

bool
gzip_is_wanted(const Request *request, size_t len)
{
	return len >= WORTH_IT && request->accept_encoding != NULL && accepts(request->accept_encoding);
}

bool
gzip_text(const char *text, size_t len, Buf *out)
{
	z_stream stream = {0};
	size_t	 room;
	int		 result;

	/* 31: the largest window, with gzip's header and trailer. */
	if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	room = deflateBound(&stream, len);
	stream.next_in = (Bytef *) text;
	stream.avail_in = (uInt) len;
	stream.next_out = (Bytef *) buf_reserve(out, room);
	stream.avail_out = (uInt) room;
	result = deflate(&stream, Z_FINISH);
	out->len = room - stream.avail_out;
	deflateEnd(&stream);
	return result == Z_STREAM_END;
}

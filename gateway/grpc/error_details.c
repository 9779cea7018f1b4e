/*
 * error_details.c
 *    See error_details.h.  Four small messages that never change, so they are written by hand.
 */
#include "grpc/error_details.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/status.h"

/* put_bytes writes a length-delimited field of protobuf. */
static void
put_bytes(Buf *out, int number, const char *data, size_t len)
{
	char tag = (char) (number << 3 | 2);

	buf_add(out, &tag, 1);
	for (size_t rest = len;; rest >>= 7)
	{
		char byte = (char) ((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));

		buf_add(out, &byte, 1);
		if (rest <= 0x7f)
			break;
	}
	buf_add(out, data, len);
}

static void
put_string(Buf *out, int number, const char *text)
{
	put_bytes(out, number, text, strlen(text));
}

grpc_slice
error_details(const char *code, const char *message)
{
	char	   status[2] = {1 << 3, (char) status_rpc(status_of(code))};
	Buf		   pair = {0};
	Buf		   info = {0};
	Buf		   any = {0};
	Buf		   whole = {0};
	grpc_slice slice;

	put_string(&pair, 1, "sqlstate");
	put_string(&pair, 2, code);
	put_string(&info, 1, status_of(code)->name);
	put_string(&info, 2, "spooled");
	put_bytes(&info, 3, pair.data, pair.len);
	put_string(&any, 1, "type.googleapis.com/google.rpc.ErrorInfo");
	put_bytes(&any, 2, info.data, info.len);
	buf_add(&whole, status, sizeof(status));
	put_string(&whole, 2, message);
	put_bytes(&whole, 3, any.data, any.len);
	slice = grpc_slice_from_copied_buffer(whole.data, whole.len);
	buf_free(&pair);
	buf_free(&info);
	buf_free(&any);
	buf_free(&whole);
	return slice;
}

/*
 * body.c
 *    Request bodies: bounded for each request and for the process, and read to their end even when refused, so that the
 *    answer arrives and the connection lives on.
 */
#include <stdlib.h>
#include <string.h>

#include "http/request.h"

#define SMALL_LIMIT ((size_t) 5 * 1024 * 1024)
#define BULK_LIMIT ((size_t) 8 * 1024 * 1024)
#define FIRST_SIZE 1024

void
body_begin(Request *request)
{
	const Op *op = request->route.op;

	request->body_limit = op != NULL && op->bulk ? BULK_LIMIT : op != NULL ? SMALL_LIMIT : 0;
}

/* grow makes room for "more" bytes and a NUL; false: the process has no memory for them. */
static bool
grow(Request *request, size_t more)
{
	size_t wanted = request->body_len + more + 1;
	size_t cap = request->body_cap == 0 ? FIRST_SIZE : request->body_cap;

	if (wanted <= request->body_cap)
		return true;
	while (cap < wanted)
		cap *= 2;
	if (request->server->body_bytes + cap - request->body_cap > request->server->body_bytes_most)
		return false;
	request->server->body_bytes += cap - request->body_cap;
	request->body = xrealloc(request->body, cap);
	request->body_cap = cap;
	return true;
}

void
body_free(Request *request)
{
	free(request->body);
	request->server->body_bytes -= request->body_cap;
	request->body = NULL;
	request->body_len = request->body_cap = 0;
}

void
body_add(Request *request, const char *data, size_t len)
{
	if (request->body_limit == 0 || request->body_too_large || request->body_refused)
		return;
	if (request->body_len + len > request->body_limit)
	{
		request->body_too_large = true;
		body_free(request);
		return;
	}
	if (!grow(request, len))
	{
		request->body_refused = true;
		body_free(request);
		return;
	}
	memcpy(request->body + request->body_len, data, len);
	request->body_len += len;
	request->body[request->body_len] = '\0';
}

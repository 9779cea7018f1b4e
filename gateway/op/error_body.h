/*
 * error_body.h
 *    The one shape of error bodies: {"code", "message", "error", "details"}, and what their headers need to know.
 */
#ifndef GATEWAY_ERROR_BODY_H
#define GATEWAY_ERROR_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct ErrorBody
{
	char   *text;		 /* the caller frees it */
	int64_t retry_after; /* what the details say; 0: nothing */
	int64_t limit;
	int64_t reset_at;
} ErrorBody;

/*
 * error_body_make writes the body of an error.  The detail is used when it is one JSON object: other details are PostgreSQL's
 * prose.
 */
extern void
error_body_make(ErrorBody *body, const StatusRow *row, const char *message, const char *detail, size_t detail_len);

#endif

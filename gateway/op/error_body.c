/*
 * error_body.c
 *    See error_body.h.
 */
#include "op/error_body.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* details_of returns what the detail says, or an empty object. */
static json_t *
details_of(const StatusRow *row, const char *detail, size_t len)
{
	json_t *details = row->message != NULL || detail == NULL ? NULL : json_loadb(detail, len, 0, NULL);

	if (json_is_object(details))
		return details;
	json_decref(details);
	return json_object();
}

static int64_t
number_of(const json_t *details, const char *name)
{
	return json_integer_value(json_object_get(details, name));
}

/* shown_of returns the message for clients, who know one for everything that is not there. */
static const char *
shown_of(const StatusRow *row, const char *message)
{
	if (row->message != NULL)
		return row->message;
	return row->http == 404 && message != NULL && strstr(message, "not found") != NULL ? "Resource not found" : message;
}

void
error_body_make(ErrorBody *body, const StatusRow *row, const char *message, const char *detail, size_t detail_len)
{
	json_t	   *details = details_of(row, detail, detail_len);
	const char *shown = shown_of(row, message);
	json_t	   *whole = json_pack("{s:s, s:s, s:s}", "code", row->name, "message", shown, "error",
							  row->error != NULL ? row->error : shown);

	if (whole == NULL) /* a message that is no text */
		whole = json_pack("{s:s, s:s, s:s}", "code", row->name, "message", row->name, "error", row->name);
	body->retry_after = number_of(details, "retry_after_seconds");
	body->limit = number_of(details, "limit");
	body->reset_at = number_of(details, "reset_at");
	if (row->spread) /* old clients look for the details' members at the top */
		json_object_update_missing(whole, details);
	json_object_set_new(whole, "details", details);
	body->text = json_dumps(whole, DUMP_FLAGS);
	json_decref(whole);
	if (body->text == NULL)
		abort(); /* as xmalloc does without memory */
}

/*
 * cors.c
 *    Which pages of other origins may read our answers.  Production has a list; elsewhere every origin may.
 */
#include <string.h>

#include "base/config.h"
#include "http/request.h"

#define METHODS "GET, POST, PUT, PATCH, DELETE, OPTIONS"
#define HEADERS                                                                                             \
	"authorization, content-type, x-api-key, x-request-id, x-admin-key, x-organization-id, x-api-version, " \
	"idempotency-key, last-event-id"
#define EXPOSED "x-request-id, x-api-version, retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset"

static bool
is_production(void)
{
	return strcmp(config.environment, "production") == 0;
}

static bool
is_listed(const char *origin)
{
	size_t		len = strlen(origin);
	const char *at = config.cors_allowed_origins;

	while (*at != '\0')
	{
		size_t entry_len;

		at += strspn(at, ", ");
		entry_len = strcspn(at, ", ");
		if (entry_len == len && len > 0 && strncmp(at, origin, len) == 0)
			return true;
		at += entry_len;
	}
	return false;
}

/* allow adds who may read the answer; false: this origin may not. */
static bool
allow(Request *request, struct MHD_Response *response)
{
	if (is_production())
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "origin"); /* also of answers to nobody's page */
	if (request->origin == NULL)
		return false;
	if (!is_production())
	{
		MHD_add_response_header(response, "access-control-allow-origin", "*");
		return true;
	}
	if (!is_listed(request->origin))
		return false;
	MHD_add_response_header(response, "access-control-allow-origin", request->origin);
	return true;
}

void
cors_add_headers(Request *request, struct MHD_Response *response)
{
	if (allow(request, response))
		MHD_add_response_header(response, "access-control-expose-headers", EXPOSED);
}

void
cors_add_preflight(Request *request, struct MHD_Response *response)
{
	const char *headers = HEADERS;

	if (!allow(request, response))
		return;
	if (!is_production() && request->requested_headers != NULL)
		headers = request->requested_headers;
	MHD_add_response_header(response, "access-control-allow-methods", METHODS);
	MHD_add_response_header(response, "access-control-allow-headers", headers);
	MHD_add_response_header(response, "access-control-max-age", "3600");
}

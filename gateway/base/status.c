/*
 * status.c
 *    The status table.  Five-character rows are looked up before two-character ones.
 */
#include "base/status.h"

#include <stddef.h>
#include <string.h>

#include "base/attr.h"

#define BUSY "The service is temporarily unavailable"
#define GENERIC "An internal error occurred"

static StatusRow status_rows[] = {
	{"SP001", "VALIDATION_ERROR", 400, .error = "Validation failed"},
	{"SP002", "LEASE_EXPIRED", 409, .rpc_message = "Lease expired"},
	{"SP003", "QUOTA_EXCEEDED", 429, .error = "limit_exceeded", .spread = true, .retry_after = 1,
	 .rpc = RPC_RESOURCE_EXHAUSTED},
	{"SP004", "NOT_FOUND", 404},
	{"SP005", "CONFLICT", 409},
	{"SP006", "ACCESS_DENIED", 403},
	{"SP007", "UNAUTHORIZED", 401, .error = "unauthorized"},
	{"SP008", "PAYLOAD_TOO_LARGE", 413, .error = "payload_too_large", .spread = true},
	{"SP009", "BAD_REQUEST", 400},
	{"SP010", "RATE_LIMIT_EXCEEDED", 429, .error = "Rate limit exceeded", .spread = true, .retry_after = 1},
	{"SP011", "FEATURE_DISABLED", 403, .error = "feature_disabled", .spread = true, .rpc = RPC_RESOURCE_EXHAUSTED},
	{"SP012", "INVALID_JSON", 400, .error = "Invalid JSON"},
	{"SP013", "SERVICE_UNAVAILABLE", 503, .retry_after = 1},
	{"SP020", "ADMIN_NOT_CONFIGURED", 401, .error = "admin_not_configured"},
	{"SP021", "MISSING_ADMIN_KEY", 401, .error = "missing_admin_key"},
	{"SP022", "INVALID_ADMIN_KEY", 401, .error = "invalid_admin_key"},
	{"SP023", "AUTHENTICATION_FAILED", 401},
	{"SP024", "RATE_LIMIT_EXCEEDED", 429, .error = "rate_limit_exceeded", .spread = true, .retry_after = 1},
	{"GW401", "INVALID_HEADER", 401, .error = "invalid_header"},
	{"GW405", "METHOD_NOT_ALLOWED", 405},
	{"GW408", "REQUEST_TIMEOUT", 408},
	{"GW413", "PAYLOAD_TOO_LARGE", 413},
	{"GW500", "INTERNAL_ERROR", 500},
	{"GW503", "SERVICE_UNAVAILABLE", 503, .retry_after = 1},
	{"22007", "VALIDATION_ERROR", 400, .error = "Validation failed", .message = "A timestamp is not valid"},
	{"22008", "VALIDATION_ERROR", 400, .error = "Validation failed", .message = "A timestamp is out of range"},
	{"22009", "VALIDATION_ERROR", 400, .error = "Validation failed", .message = "A time zone offset is out of range"},
	{"22P02", "INVALID_JSON", 400, .error = "Invalid JSON", .message = "A JSON value is not valid"},
	{"22P05", "INVALID_JSON", 400, .error = "Invalid JSON",
	 .message = "A text contains a character that can't be stored"},
	{"22021", "INVALID_JSON", 400, .error = "Invalid JSON", .message = "A text is not valid UTF-8"},
	{"25006", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1}, /* a standby that was not promoted */
	{"40001", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1},
	{"40P01", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1},
	{"55P03", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1}, /* lock_timeout */
	{"57", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1},	  /* shutdown, statement_timeout */
	{"08", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1},
	{"53", "SERVICE_UNAVAILABLE", 503, .message = BUSY, .retry_after = 1},
};

static const StatusRow internal_error = {"", "INTERNAL_ERROR", 500, .message = GENERIC};

static const struct
{
	const char *code;
	int			http;
} success_rows[] = {{"OK", 200}, {"CREATED", 201}, {"ACCEPTED", 202}, {"NO_CONTENT", 204}};

static const struct
{
	int		  http;
	RpcStatus rpc;
} rpc_rows[] = {
	{400, RPC_INVALID_ARGUMENT},	{401, RPC_UNAUTHENTICATED},	   {403, RPC_PERMISSION_DENIED},
	{404, RPC_NOT_FOUND},			{405, RPC_UNIMPLEMENTED},	   {408, RPC_DEADLINE_EXCEEDED},
	{409, RPC_FAILED_PRECONDITION}, {413, RPC_RESOURCE_EXHAUSTED}, {429, RPC_RESOURCE_EXHAUSTED},
	{503, RPC_UNAVAILABLE},
};

const StatusRow *
status_of(const char *code)
{
	for (size_t i = 0; i < lengthof(status_rows); i++)
	{
		size_t len = strlen(status_rows[i].code);

		if (strncmp(status_rows[i].code, code, len) == 0 && (len == 2 || code[len] == '\0'))
			return &status_rows[i];
	}
	return &internal_error;
}

RpcStatus
status_rpc(const StatusRow *row)
{
	if (row->rpc != RPC_OK)
		return row->rpc;
	for (size_t i = 0; i < lengthof(rpc_rows); i++)
	{
		if (rpc_rows[i].http == row->http)
			return rpc_rows[i].rpc;
	}
	return RPC_INTERNAL;
}

const char *
status_name_in_band(const StatusRow *row)
{
	switch (status_rpc(row))
	{
		case RPC_INVALID_ARGUMENT: return "INVALID_ARGUMENT";
		case RPC_NOT_FOUND: return "NOT_FOUND";
		case RPC_PERMISSION_DENIED: return "PERMISSION_DENIED";
		case RPC_UNAUTHENTICATED: return "UNAUTHENTICATED";
		case RPC_UNAVAILABLE: return "UNAVAILABLE";
		case RPC_INTERNAL: return "INTERNAL";
		default: return row->name;
	}
}

int
status_of_success(const char *code)
{
	for (size_t i = 0; i < lengthof(success_rows); i++)
	{
		if (strcmp(success_rows[i].code, code) == 0)
			return success_rows[i].http;
	}
	return 0;
}

bool
status_is_conflict(const char *code)
{
	return strcmp(code, "40001") == 0 || strcmp(code, "40P01") == 0;
}

void
status_use_legacy_quota(void)
{
	for (size_t i = 0; i < lengthof(status_rows); i++)
	{
		if (strcmp(status_rows[i].code, "SP003") == 0)
			status_rows[i].http = 403;
	}
}

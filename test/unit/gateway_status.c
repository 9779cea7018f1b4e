/*
 * gateway_status.c
 *    What SQLSTATEs mean over HTTP.
 */
#include "base/status.h"

#include <stddef.h>

#include "unit.h"

static void
test_errors(void)
{
	static const struct
	{
		const char *code;
		int			http;
		const char *name;
	} rows[] = {
		{"SP001", 400, "VALIDATION_ERROR"},
		{"SP002", 409, "LEASE_EXPIRED"},
		{"SP003", 429, "QUOTA_EXCEEDED"},
		{"SP004", 404, "NOT_FOUND"},
		{"SP005", 409, "CONFLICT"},
		{"SP006", 403, "ACCESS_DENIED"},
		{"SP007", 401, "UNAUTHORIZED"},
		{"SP008", 413, "PAYLOAD_TOO_LARGE"},
		{"SP009", 400, "BAD_REQUEST"},
		{"SP010", 429, "RATE_LIMIT_EXCEEDED"},
		{"SP011", 403, "FEATURE_DISABLED"},
		{"SP012", 400, "INVALID_JSON"},
		{"SP013", 503, "SERVICE_UNAVAILABLE"},
		{"SP020", 401, "ADMIN_NOT_CONFIGURED"},
		{"SP021", 401, "MISSING_ADMIN_KEY"},
		{"SP022", 401, "INVALID_ADMIN_KEY"},
		{"SP023", 401, "AUTHENTICATION_FAILED"},
		{"SP024", 429, "RATE_LIMIT_EXCEEDED"},
		{"08006", 503, "SERVICE_UNAVAILABLE"},
		{"57P01", 503, "SERVICE_UNAVAILABLE"},
		{"57014", 503, "SERVICE_UNAVAILABLE"},
		{"53300", 503, "SERVICE_UNAVAILABLE"},
		{"40001", 503, "SERVICE_UNAVAILABLE"},
		{"22P02", 400, "INVALID_JSON"},
		{"22008", 400, "VALIDATION_ERROR"},
		{"22012", 500, "INTERNAL_ERROR"},
		{"42501", 500, "INTERNAL_ERROR"},
		{"XX000", 500, "INTERNAL_ERROR"},
		{"", 500, "INTERNAL_ERROR"},
		{"SP099", 500, "INTERNAL_ERROR"},
		{"GW405", 405, "METHOD_NOT_ALLOWED"},
		{"GW408", 408, "REQUEST_TIMEOUT"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		CHECK_INT(status_of(rows[i].code)->http, rows[i].http);
		CHECK_TEXT(status_of(rows[i].code)->name, rows[i].name);
	}
	/* What the database says is told only where it is written for the client. */
	CHECK_TEXT(status_of("SP004")->message, NULL);
	CHECK(status_of("22012")->message != NULL);
	CHECK(status_of("57014")->message != NULL);
	CHECK(status_of("SP003")->retry_after == 1);
}

static void
test_success(void)
{
	CHECK_INT(status_of_success("OK"), 200);
	CHECK_INT(status_of_success("CREATED"), 201);
	CHECK_INT(status_of_success("ACCEPTED"), 202);
	CHECK_INT(status_of_success("NO_CONTENT"), 204);
	CHECK_INT(status_of_success("SP001"), 0);
	CHECK(status_is_conflict("40001") && status_is_conflict("40P01") && !status_is_conflict("40002"));
}

int
main(void)
{
	int status;

	test_errors();
	test_success();
	status_use_legacy_quota();
	CHECK_INT(status_of("SP003")->http, 403);
	status = unit_end();
	printf("%d passed, %d failed\n", unit_count - unit_failed, unit_failed);
	return status;
}

/*
 * limits_test.c
 *    Bounds, on both of their sides.
 *
 * links: extension/rules/limits.c
 */
#include "unit.h" /* first: postgres.h gives printf another name */

#include "postgres.h"

#include "mb/pg_wchar.h"
#include "rules/limits.h"

#include <strings.h>

SplCode
spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint, const char *format,
		  ...)
{
	fault->code = code;
	fault->field = field;
	fault->reason = reason;
	fault->hint = hint;
	return code;
}

/* The parts of PostgreSQL that limits.c uses. */
int
pg_mbstrlen(const char *text)
{
	int length = 0;

	for (; *text; text++)
		length += (*text & 0xC0) != 0x80;
	return length;
}

int
pg_strncasecmp(const char *a, const char *b, size_t n)
{
	return strncasecmp(a, b, n);
}

static SplFault fault;

/* reason_of returns the reason of a refusal, or "good". */
static const char *
reason_of(SplCode code)
{
	return code == SPL_OK ? "good" : fault.reason;
}

static void
test_int(void)
{
	CHECK_TEXT(reason_of(spl_check_int("n", -100, -100, 100, &fault)), "good");
	CHECK_TEXT(reason_of(spl_check_int("n", 100, -100, 100, &fault)), "good");
	CHECK_TEXT(reason_of(spl_check_int("n", -101, -100, 100, &fault)), "out_of_range");
	CHECK_TEXT(reason_of(spl_check_int("n", 101, -100, 100, &fault)), "out_of_range");
	CHECK_TEXT(reason_of(spl_check_int("n", PG_INT64_MIN, -100, 100, &fault)), "out_of_range");
	CHECK_TEXT(reason_of(spl_check_int("n", PG_INT64_MAX, -100, 100, &fault)), "out_of_range");
	CHECK_TEXT(fault.field, "n");
	CHECK_INT(fault.code, SPL_INVALID);
}

static void
test_length(void)
{
	CHECK_TEXT(reason_of(spl_check_length("t", "", 0, 3, &fault)), "good");
	CHECK_TEXT(reason_of(spl_check_length("t", "", 1, 3, &fault)), "too_short");
	CHECK_TEXT(reason_of(spl_check_length("t", "abc", 1, 3, &fault)), "good");
	CHECK_TEXT(reason_of(spl_check_length("t", "abcd", 1, 3, &fault)), "too_long");
	/* characters, not bytes */
	CHECK_TEXT(reason_of(spl_check_length("t", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 3, 3, &fault)), "good");
}

static void
test_lease(void)
{
	CHECK_TEXT(reason_of(spl_check_lease_ms(5000, 5000, 3600000, &fault)), "good");
	CHECK_TEXT(reason_of(spl_check_lease_ms(3600000, 5000, 3600000, &fault)), "good");
	CHECK_TEXT(reason_of(spl_check_lease_ms(4999, 5000, 3600000, &fault)), "out_of_range");
	CHECK_TEXT(reason_of(spl_check_lease_ms(3600001, 5000, 3600000, &fault)), "out_of_range");
	CHECK_TEXT(reason_of(spl_check_lease_ms(0, 5000, 3600000, &fault)), "out_of_range");
	CHECK_TEXT(reason_of(spl_check_lease_ms(-30000, 5000, 3600000, &fault)), "out_of_range");
	CHECK_TEXT(fault.field, "lease_duration_secs");
	CHECK(fault.hint != NULL);
}

static void
test_url(void)
{
	static const char *const good[] = {"https://example.com", "http://h", "HTTPS://EXAMPLE.COM/a?b=c#d",
									   "http://[::1]:8080/", "https://h:1"};
	static const char *const bad[] = {"",
									  "example.com",
									  "ftp://example.com",
									  "https:",
									  "https://",
									  "https:///path",
									  "//example.com",
									  "javascript:alert(1)",
									  " https://example.com"};
	char					 long_url[2050] = "https://h/";

	for (int i = 0; i < lengthof(good); i++)
		CHECK_TEXT(reason_of(spl_check_url("url", good[i], &fault)), "good");
	for (int i = 0; i < lengthof(bad); i++)
		CHECK_TEXT(reason_of(spl_check_url("url", bad[i], &fault)), "invalid_url");
	memset(long_url + 10, 'x', 2038);
	CHECK_TEXT(reason_of(spl_check_url("url", long_url, &fault)), "good");
	long_url[2048] = 'x';
	CHECK_TEXT(reason_of(spl_check_url("url", long_url, &fault)), "invalid_url");
}

int
main(void)
{
	test_int();
	test_length();
	test_lease();
	test_url();
	return unit_end();
}

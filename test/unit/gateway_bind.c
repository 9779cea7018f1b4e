/*
 * gateway_bind.c
 *    From a request to parameters: aliases, nulls, types, defaults, bulk items, and what a refusal says.
 */
#include "op/op_run.h"

#include "unit.h"

static Arena	arena;
static OpValues values;
static OpFault	fault;
static OpCall	call;

static char *
copy_or_null(const char *text)
{
	return text == NULL ? NULL : arena_copy(&arena, text, strlen(text));
}

/* bind_all binds a request to an operation by its name. */
static bool
bind_all(const char *name, const char *segment, const char *query, const char *body)
{
	OpInput input = {.segments = {copy_or_null(segment)},
					 .query = copy_or_null(query),
					 .body = copy_or_null(body),
					 .body_len = body == NULL ? 0 : strlen(body)};

	memset(&fault, 0, sizeof(fault));
	return op_bind(op_named(name), &input, &arena, &values, &fault);
}

static bool
bind_body(const char *name, const char *body)
{
	return bind_all(name, "id-1", NULL, body);
}

static void
test_create(void)
{
	CHECK(bind_body("job.create",
					"{\"queue\":\"q\\u00e9\",\"payload\": {\"a\":[1.50]} ,\"priority\":-5,\"tags\":[],\"other\":{}}"));
	CHECK_TEXT(values.text[0], "q\xc3\xa9");
	CHECK_TEXT(values.text[1], "{\"a\":[1.50]}");
	CHECK_INT(values.len[1], 12);
	CHECK_TEXT(values.text[2], "-5");
	CHECK_TEXT(values.text[3], NULL);
	CHECK_TEXT(values.text[8], "{}");
	CHECK(bind_body("job.create", "{\"queue\":\"a\",\"queue_name\":\"b\",\"payload\":null,\"priority\":null}"));
	CHECK_TEXT(values.text[0], "b");
	CHECK_TEXT(values.text[1], "null");
	CHECK_TEXT(values.text[2], NULL);
	CHECK(bind_body("job.create", "{\"queue_name\":\"a\",\"payload\":[],\"queue_name\":\"c\"}"));
	CHECK_TEXT(values.text[0], "c");
	CHECK_TEXT(values.text[1], "[]");
}

static void
check_refused(const char *body, const char *code, const char *part)
{
	CHECK(!bind_body("job.create", body));
	CHECK_TEXT(fault.code, code);
	CHECK(fault.detail != NULL && strstr(fault.detail, part) != NULL);
}

static void
test_refused(void)
{
	check_refused("", "SP001", "\"field\":\"payload\",\"message\":\"payload is required\",\"code\":\"missing_field\"");
	check_refused("[]", "SP001", "missing_field");
	check_refused("[1]", "SP001", "\"field\":\"body\"");
	check_refused("7", "SP001", "\"field\":\"body\"");
	check_refused("{", "SP012", "invalid_json");
	check_refused("{\"queue\":\"q\",\"payload\":1} x", "SP012", "invalid_json");
	check_refused("{\"queue\":7,\"payload\":1}", "SP001", "\"field\":\"queue_name\"");
	check_refused("{\"queue\":\"q\",\"payload\":1,\"priority\":1.0}", "SP001", "invalid_type");
	check_refused("{\"queue\":\"q\",\"payload\":1,\"priority\":2147483648}", "SP001", "32-bit");
	check_refused("{\"queue\":\"q\",\"payload\":1,\"priority\":\"1\"}", "SP001", "invalid_type");
	check_refused("{\"queue\":\"q\",\"payload\":\"\\u0000\"}", "SP001", "null_character");
	check_refused("{\"queue\":\"q\\u0000\",\"payload\":1}", "SP001", "null_character");
	check_refused("{\"queue\":\"\\ud800\",\"payload\":1}", "SP001", "invalid_type");
	check_refused("{\"queue\":\"q\",\"payload\":1,\"scheduled_at\":\"tomorrow\"}", "SP001", "scheduled_at");
	CHECK(bind_body("job.create", "{\"queue\":\"q\",\"payload\":\"\\\\u0000\"}"));
	CHECK(!bind_body("job.create", "{\"queue\":1,\"payload\":1,\"priority\":\"x\"}"));
	CHECK(strstr(fault.detail, "queue_name") != NULL && strstr(fault.detail, "priority") != NULL);
}

static void
test_aliases(void)
{
	CHECK(bind_body("job.complete", "{\"result\":null,\"claim\":{\"lease_duration_secs\":7}}"));
	CHECK_TEXT(values.text[0], "id-1");
	CHECK_TEXT(values.text[3], NULL);
	CHECK_TEXT(values.text[4], "1");
	CHECK_TEXT(values.text[5], "7");
	CHECK(bind_body("job.complete", ""));
	CHECK_TEXT(values.text[4], NULL);
	CHECK(!bind_body("job.complete", "{\"claim\":5}"));
	CHECK(!bind_body("job.complete", "{\"claim\":{\"limit\":\"x\"}}"));
	CHECK(strstr(fault.detail, "claim.limit") != NULL);
	CHECK(bind_body("job.fail", "{\"reason\":\"r\",\"no_retry\":true}"));
	CHECK_TEXT(values.text[3], "r");
	CHECK_TEXT(values.text[4], "true");
	CHECK(bind_body("worker.register", "{\"queues\":[\"a\",\"b\"],\"name\":\"h\",\"metadata\":[]}"));
	CHECK_TEXT(values.text[1], "a");
	CHECK_TEXT(values.text[2], "h");
	CHECK_TEXT(values.text[5], "{}");
	CHECK(!bind_body("job.claim", "{\"queue\":\"q\",\"worker_id\":\"w\",\"wait_seconds\":21}"));
	CHECK(strstr(fault.detail, "out_of_range") != NULL);
	CHECK(bind_body("dlq.retry", "{\"job_ids\":[\"a\",\"b\\\"\\\\c\"]}"));
	CHECK_TEXT(values.text[0], "{\"a\",\"b\\\"\\\\c\"}");
	CHECK(!bind_body("dlq.retry", "{\"job_ids\":[1]}"));
}

static void
test_query_and_path(void)
{
	CHECK(bind_all("job.list", NULL, "limit=99999999999&offset=-7&queue=a%20b+c%2F&status=dead_letter&x", NULL));
	CHECK_TEXT(values.text[0], "a b c/");
	CHECK_TEXT(values.text[1], "deadletter");
	CHECK_TEXT(values.text[3], "2147483647");
	CHECK_TEXT(values.text[4], "-7");
	CHECK(!bind_all("job.list", NULL, "limit=1.5", NULL));
	CHECK(!bind_all("job.list", NULL, "limit=", NULL));
	CHECK(!bind_all("job.list", NULL, "queue=%ff", NULL));
	CHECK(!bind_all("job.status", NULL, NULL, NULL));
	CHECK(bind_all("job.status", NULL, "ids=", NULL));
	CHECK(bind_all("queue.delete", "a%2Fb%zz", "delete_jobs=1", NULL));
	CHECK_TEXT(values.text[0], "a/b%zz");
	CHECK_TEXT(values.text[1], "true");
	CHECK(!bind_all("job.get", "%00", NULL, NULL));
	CHECK_TEXT(fault.code, "SP004");
	CHECK(!bind_all("queue.get", "%ff", NULL, NULL));
	CHECK_TEXT(fault.code, "SP009");
}

static bool
bind_bulk(const char *body)
{
	memset(&call, 0, sizeof(call));
	call.op = op_named("job.create_bulk");
	if (!bind_body("job.create_bulk", body))
		return false;
	call.values = values;
	return op_bulk(&call, &arena, &fault);
}

static void
test_bulk(void)
{
	CHECK(
		bind_bulk("{\"queue\":\"q\",\"default_priority\":3,\"jobs\":[{\"payload\":1},{\"payload\":null,\"priority\":4,"
				  "\"queue_name\":\"r\",\"scheduled_at\":\"2026-01-01T00:00:00Z\"}]}"));
	CHECK_INT(call.arrays[0].len, 20 + 5 + 5);
	CHECK(memcmp(call.arrays[0].value + 20, "\0\0\0\1q\0\0\0\1r", 10) == 0);
	CHECK(memcmp(call.arrays[1].value + 20,
				 "\0\0\0\1"
				 "1\0\0\0\4null",
				 13) == 0);
	CHECK(memcmp(call.arrays[2].value + 20, "\0\0\0\4\0\0\0\3\0\0\0\4\0\0\0\4", 16) == 0);
	CHECK_TEXT(call.arrays[5].value, "{NULL,\"2026-01-01T00:00:00Z\"}");
	CHECK(!bind_bulk("{\"queue\":\"q\",\"jobs\":[{\"payload\":1},{}]}"));
	CHECK(strstr(fault.detail, "jobs[1].payload") != NULL);
	CHECK(!bind_bulk("{\"jobs\":[{\"payload\":1}]}"));
	CHECK(!bind_bulk("{\"queue\":\"q\",\"jobs\":[1]}"));
	CHECK(!bind_bulk("{\"queue\":\"q\",\"jobs\":{}}"));
	CHECK(!bind_bulk("{\"queue\":\"q\"}"));
	CHECK(bind_bulk("[{\"queue\":\"q\",\"payload\":{}}]"));
	CHECK(bind_bulk("{\"jobs\":[]}"));
	CHECK_INT(call.arrays[0].len, 12);
}

static void
test_times(void)
{
	static const char *const good[] = {"2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123456789z",
									   "2024-02-29 23:59:60+05:30", "2026-01-02T03:04:05-0800", "2000-02-29T00:00:00Z"};
	static const char *const bad[] = {"",
									  "now",
									  "2026-01-02",
									  "2026-01-02T03:04:05",
									  "2026-13-02T03:04:05Z",
									  "2026-02-30T03:04:05Z",
									  "2025-02-29T03:04:05Z",
									  "1900-02-29T00:00:00Z",
									  "2026-01-02T24:04:05Z",
									  "2026-01-02T03:04:05.Z",
									  "2026-01-02T03:04:05Zx",
									  "0000-01-01T00:00:00Z",
									  "2026-1-02T03:04:05Z",
									  "2026-01-02T03:04:05+16:00"};

	for (size_t i = 0; i < lengthof(good); i++)
		CHECK(op_time_is_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < lengthof(bad); i++)
		CHECK(!op_time_is_valid(bad[i], strlen(bad[i])));
}

int
main(void)
{
	int status;

	op_table_init();
	arena_init(&arena);
	test_create();
	test_refused();
	test_aliases();
	test_query_and_path();
	test_bulk();
	test_times();
	arena_free(&arena);
	arena_thread_end();
	status = unit_end();
	printf("%d passed, %d failed\n", unit_count - unit_failed, unit_failed);
	return status;
}

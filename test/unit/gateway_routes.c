/*
 * gateway_routes.c
 *    Which operation a method and a raw path mean.
 */
#include "http/route.h"

#include "unit.h"

static const char *
op_of(OpMethod method, const char *path)
{
	RouteMatch match;

	route_find(method, path, strlen(path), &match);
	return !match.known_path ? "404" : match.op == NULL ? "405" : match.op->name;
}

static void
test_operations(void)
{
	CHECK_TEXT(op_of(HTTP_POST, "/api/v1/jobs"), "job.create");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs"), "job.list");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/stats"), "job.stats");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/018f0000-0000-7000-8000-000000000000"), "job.get");
	CHECK_TEXT(op_of(HTTP_POST, "/api/v1/jobs/x/complete"), "job.complete");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/x/explain"), "job.explain");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/dlq"), "dlq.list");
	CHECK_TEXT(op_of(HTTP_POST, "/api/v1/jobs/dlq/retry"), "dlq.retry");
	CHECK_TEXT(op_of(HTTP_PUT, "/api/v1/queues/a/config"), "queue.configure");
	CHECK_TEXT(op_of(HTTP_PUT, "/api/v1/queues/a"), "queue.configure");
	CHECK_TEXT(op_of(HTTP_DELETE, "/api/v1/workers/w"), "worker.deregister");
	CHECK_TEXT(op_of(HTTP_GET, "/health"), "health");
	CHECK_TEXT(op_of(HTTP_GET, "/metrics"), "metrics");
}

static void
test_misses(void)
{
	CHECK_TEXT(op_of(HTTP_GET, "/"), "404");
	CHECK_TEXT(op_of(HTTP_GET, ""), "404");
	CHECK_TEXT(op_of(HTTP_GET, "*"), "404");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/"), "404");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1//jobs"), "404");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/x/"), "404");
	CHECK_TEXT(op_of(HTTP_GET, "/health/"), "404");
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/health"), "404");
	CHECK_TEXT(op_of(HTTP_GET, "/a/b/c/d/e/f/g/h/i/j/k"), "404");
	CHECK_TEXT(op_of(HTTP_PUT, "/api/v1/jobs"), "405");
	CHECK_TEXT(op_of(HTTP_METHODS, "/api/v1/jobs"), "405");
	/* Fixed segments win, even where only the variable one has the method. */
	CHECK_TEXT(op_of(HTTP_GET, "/api/v1/jobs/claim"), "405");
	CHECK_TEXT(op_of(HTTP_DELETE, "/api/v1/jobs/stats"), "405");
	/* ... but not where the rest of the path fits only the variable one. */
	CHECK_TEXT(op_of(HTTP_POST, "/api/v1/jobs/dlq/complete"), "job.complete");
}

static void
test_segments(void)
{
	RouteMatch	match;
	const char *path = "/api/v1/queues/a%2Fb/stats";

	route_find(HTTP_GET, path, strlen(path), &match);
	CHECK_TEXT(match.pattern, "/api/v1/queues/{queue_name}/stats");
	CHECK_INT(match.segment_len[0], 5);
	CHECK(memcmp(match.segments[0], "a%2Fb", 5) == 0);
	route_find(HTTP_PUT, "/api/v1/jobs", 12, &match);
	CHECK_TEXT(match.allowed, "GET, POST");
}

int
main(void)
{
	int status;

	op_table_init();
	route_init();
	test_operations();
	test_misses();
	test_segments();
	route_free();
	status = unit_end();
	printf("%d passed, %d failed\n", unit_count - unit_failed, unit_failed);
	return status;
}

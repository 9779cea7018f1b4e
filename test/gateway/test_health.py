"""Health and metrics."""

import re

from client import Case, get, new_queue, post

METRICS = {
    "spooled_jobs_enqueued_total": "counter", "spooled_jobs_completed_total": "counter",
    "spooled_jobs_failed_total": "counter", "spooled_jobs_retried_total": "counter",
    "spooled_jobs_deadlettered_total": "counter", "spooled_jobs_pending": "gauge",
    "spooled_jobs_processing": "gauge", "spooled_job_max_age_seconds": "gauge",
    "spooled_job_duration_seconds": "histogram", "spooled_workers_active": "gauge",
    "spooled_workers_healthy": "gauge", "spooled_claim_lists": "gauge", "spooled_claim_list_refills_total": "counter",
    "spooled_claim_list_misses_total": "counter", "spooled_claim_list_reassigned_total": "counter", "spooled_api_requests_total": "counter",
    "spooled_api_request_duration_seconds": "histogram", "spooled_database_connections_active": "gauge",
    "spooled_grpc_requests_total": "counter", "spooled_grpc_request_duration_seconds": "histogram",
    "spooled_grpc_stream_messages_total": "counter",
}
SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+(Inf|NaN)?$')


class Health(Case):
    def test_health_is_open_and_healthy(self):
        body = self.ok(get("/health", key=None))
        self.assertShape(body, {"status": "str", "database": "bool", "cache": "bool", "timestamp": "ts",
                                "uptime_seconds": "int"})
        self.assertEqual((body["status"], body["database"], body["cache"]), ("healthy", True, True))
        self.assertNotIn("version", body)

    def test_live_and_ready(self):
        for path in ("/health/live", "/health/ready"):
            reply = self.assertStatus(get(path, key=None), 200)
            if reply.body:
                self.assertEqual(reply.json()["status"], "healthy")

    def test_health_has_no_other_methods(self):
        self.refused(post("/health", {}, key=None), 405, "METHOD_NOT_ALLOWED")

    def test_health_is_not_below_the_api(self):
        self.refused(get("/api/v1/health"), 404, "NOT_FOUND")


class Metrics(Case):
    def setUp(self):
        self.reply = self.assertStatus(get("/metrics", key=None), 200)
        self.lines = self.reply.body.decode().splitlines()

    def test_content_type(self):
        self.assertEqual(self.reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_every_line_is_well_formed(self):
        for line in self.lines:
            self.assertTrue(line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.match(line), line)

    def test_every_metric_is_there_once_with_help_and_type(self):
        for name, kind in METRICS.items():
            with self.subTest(name):
                self.assertEqual(self.lines.count("# TYPE %s %s" % (name, kind)), 1)
                self.assertEqual(len([line for line in self.lines if line.startswith("# HELP %s " % name)]), 1)
                self.assertTrue([line for line in self.lines if line.startswith(name)])

    def test_histogram_adds_up(self):
        buckets = [line.rsplit(" ", 1) for line in self.lines if line.startswith("spooled_job_duration_seconds_bucket")]
        counts = [int(value) for _, value in buckets]
        self.assertEqual(counts, sorted(counts))
        self.assertIn('le="+Inf"', buckets[-1][0])
        total = [line for line in self.lines if line.startswith("spooled_job_duration_seconds_count ")]
        self.assertEqual(total, ["spooled_job_duration_seconds_count %d" % counts[-1]])

    def test_totals_move(self):
        """Other tests may run meanwhile, so by at least as much."""
        def read():
            lines = self.assertStatus(get("/metrics", key=None), 200).body.decode().splitlines()
            return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if not line.startswith("#")}

        before = read()
        queue = new_queue()
        self.ok(self.complete(self.create(queue) and self.claim_one(queue)["id"]))
        self.dead_letter(queue)
        self.ok(self.fail_job(self.create(queue) and self.claim_one(queue)["id"]))
        after = read()
        for name, least in (("enqueued", 3), ("completed", 1), ("failed", 2), ("retried", 1), ("deadlettered", 1)):
            with self.subTest(name):
                name = "spooled_jobs_%s_total" % name
                self.assertGreaterEqual(after[name] - before[name], least)

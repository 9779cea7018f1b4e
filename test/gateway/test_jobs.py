"""Jobs: creating, reading, changing them."""

import concurrent.futures
import datetime
import json
import time
import urllib.parse

from client import Case, JOB, JOB_SUMMARY, NOBODY, delete, eventually, get, new_queue, post, put


def at(seconds):
    """A time from now, as RFC 3339."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


class Create(Case):
    def test_answer(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": {"n": 1}}), 201)
        self.assertShape(body, {"id": "uuid", "created": "bool", "queue": "str", "queue_name": "str", "status": "str",
                                "created_at": "ts"})
        self.assertEqual((body["created"], body["queue"], body["queue_name"], body["status"]),
                         (True, queue, queue, "pending"))
        self.assertEqual(body["id"][14], "7")

    def test_everything_given(self):
        queue = new_queue()
        parent = self.create(queue)
        asked = {"priority": -100, "max_retries": 100, "timeout_seconds": 86400, "tags": {"a": "b"},
                 "parent_job_id": parent, "completion_webhook": "https://example.com/done", "idempotency_key": queue,
                 "payload": {"x": [1, 2]}}
        job = self.job(self.create(queue, scheduled_at="2001-02-03T04:05:06.789+02:00", expires_at=at(3600), **asked))
        self.assertShape(job, JOB)
        self.assertEqual({name: job[name] for name in asked}, asked)
        self.assertEqual(job["scheduled_at"], "2001-02-03T02:05:06.789000Z")
        self.assertEqual((job["status"], job["dependencies_met"]), ("pending", False))

    def test_defaults(self):
        job = self.job(self.create(new_queue()))
        self.assertShape(job, JOB)
        nulls = ["result", "last_error", "error", "scheduled_at", "started_at", "completed_at", "expires_at", "tags",
                 "parent_job_id", "completion_webhook", "assigned_worker_id", "lease_id", "lease_expires_at",
                 "idempotency_key", "workflow_id"]
        self.assertEqual([name for name in nulls if job[name] is not None], [])
        self.assertEqual((job["priority"], job["max_retries"], job["timeout_seconds"], job["retry_count"],
                          job["attempts"], job["status"]), (0, 3, 300, 0, 0, "pending"))

    def test_aliases_and_what_is_ignored(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/jobs", {
            "queue": queue, "payload": {}, "delay_seconds": None, "priority": None, "max_retries": None,
            "timeout_seconds": None, "scheduled_at": None, "expires_at": None, "tags": None, "parent_job_id": None,
            "completion_webhook": None, "idempotency_key": None, "job_type": "x", "metadata": {}, "dependencies": []}),
            201)
        self.assertEqual(self.job(body["id"])["queue_name"], queue)

    def test_scheduled(self):
        queue = new_queue()
        for fields in ({"delay_seconds": 3600}, {"scheduled_at": at(3600)}, {"scheduled_for": at(3600)},
                       {"scheduled_at": at(3600), "delay_seconds": 1}):
            with self.subTest(fields):
                body = self.ok(post("/api/v1/jobs", dict(fields, queue_name=queue, payload={})), 201)
                self.assertEqual(body["status"], "scheduled")
                job = self.job(body["id"])
                self.assertEqual(job["status"], "scheduled")
                due = datetime.datetime.fromisoformat(job["scheduled_at"].replace("Z", "+00:00"))
                wait = due - datetime.datetime.now(datetime.timezone.utc)
                self.assertAlmostEqual(wait.total_seconds(), 3600, delta=30)
        self.assertEqual(self.claim(queue), [])

    def test_past_times_and_no_delay_are_now(self):
        queue = new_queue()
        for fields in ({"scheduled_at": at(-60)}, {"delay_seconds": 0}):
            self.assertEqual(self.job(self.create(queue, **fields))["status"], "pending")
        self.assertEqual(len(self.claim(queue, limit=10)), 2)

    def test_delay_runs_out(self):
        queue = new_queue()
        job_id = self.create(queue, delay_seconds=1)
        self.assertEqual(self.claim(queue), [])
        claimed = eventually(lambda: self.claim(queue), 5)
        self.assertEqual([job["id"] for job in claimed], [job_id])

    def test_expiry_cancels(self):
        queue = new_queue()
        job_id = self.create(queue, expires_at=at(0.5))
        time.sleep(0.6)
        self.assertEqual(self.claim(queue), [])
        job = eventually(lambda: self.job(job_id)["status"] == "cancelled" and self.job(job_id), 5)
        self.assertEqual(job["last_error"], "Expired before execution")

    def test_bounds(self):
        for field, value in (("priority", -101), ("priority", 101), ("max_retries", -1), ("max_retries", 101),
                             ("timeout_seconds", 0), ("timeout_seconds", 86401), ("delay_seconds", -1),
                             ("idempotency_key", "x" * 256), ("tags", {"x": "y" * 65536}),
                             ("completion_webhook", "not a url"), ("payload", {"x": "y" * 1048576})):
            with self.subTest(field):
                body = {"queue_name": new_queue(), "payload": {}}
                body[field] = value
                self.refused(post("/api/v1/jobs", body), 400, "VALIDATION_ERROR", field)

    def test_types(self):
        for field, value in (("priority", "5"), ("priority", 1.5), ("priority", 2 ** 31), ("priority", True),
                             ("scheduled_at", "tomorrow"), ("scheduled_at", 5), ("expires_at", "2026-13-01T00:00:00Z"),
                             ("scheduled_at", "2026-01-01T00:00:00"), ("queue_name", 5), ("idempotency_key", 5)):
            with self.subTest(field=field, value=value):
                body = {"queue_name": new_queue(), "payload": {}}
                body[field] = value
                self.refused(post("/api/v1/jobs", body), 400, "VALIDATION_ERROR", field, "invalid_type")

    def test_missing_fields(self):
        self.refused(post("/api/v1/jobs", {"payload": {}}), 400, "VALIDATION_ERROR", "queue_name", "missing_field")
        self.refused(post("/api/v1/jobs", {"queue_name": "q"}), 400, "VALIDATION_ERROR", "payload", "missing_field")
        body = self.refused(post("/api/v1/jobs", {}), 400, "VALIDATION_ERROR", "queue_name")
        self.assertEqual(body["error"], "Validation failed")
        self.refused(post("/api/v1/jobs"), 400, "VALIDATION_ERROR", "queue_name")

    def test_bad_queue_names(self):
        for name in ("", ".a", "-a", "a b", "a/b", "a\n", "x" * 101, "a\u0000"):
            with self.subTest(name):
                self.refused(post("/api/v1/jobs", {"queue_name": name, "payload": {}}), 400)

    def test_longest_values(self):
        queue = new_queue() + "é" * 82
        key = queue + "é" * 155
        job = self.job(self.create(queue, idempotency_key=key))
        self.assertEqual((len(queue), len(key)), (100, 255))
        self.assertEqual((job["queue_name"], job["idempotency_key"]), (queue, key))
        self.create(new_queue(), {"x": "y" * (1048576 - len('{"x": ""}'))})

    def test_unknown_parent(self):
        queue = new_queue()
        for parent in (NOBODY, "nonsense"):
            self.refused(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "parent_job_id": parent}), 400)
        other = self.create(new_queue())
        self.refused(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "parent_job_id": other}), 400)


class PassThrough(Case):
    """Payload and result come back as the text they were."""

    TEXTS = ['{"b":1.0,"a":1e5,"b":0.1e-7}', "[]", "[ ]", "null", '"text"', "5", "12345678901234567890.0100",
             '{"\\u00e9":"\\ud83d\\ude00","é":"\\/"}', "{ }", '{"a" : [ 1 ,2 ]}', "true"]

    def payload_text(self, job_id):
        body = get("/api/v1/jobs/" + job_id).body.decode()
        start = body.index('"payload":') + len('"payload":')
        return body[start:body.index(',"result":')]

    def test_payload(self):
        for text in self.TEXTS:
            with self.subTest(text):
                queue = new_queue()
                body = '{"queue_name":"%s","payload":%s}' % (queue, text)
                job_id = self.ok(post("/api/v1/jobs", body), 201)["id"]
                self.assertEqual(self.payload_text(job_id), text)
                claimed = post("/api/v1/jobs/claim", {"queue_name": queue, "worker_id": "w"}).body.decode()
                self.assertIn('"payload":%s,' % text, claimed)

    def test_result(self):
        queue = new_queue()
        for text in self.TEXTS:
            with self.subTest(text):
                job_id = self.create(queue)
                self.claim_one(queue)
                self.ok(post("/api/v1/jobs/%s/complete" % job_id, '{"result":%s}' % text))
                body = get("/api/v1/jobs/" + job_id).body.decode()
                self.assertIn('"result":%s,' % text, body)

    def test_null_character(self):
        queue = new_queue()
        for text in ('{"a":"\\u0000"}', '{"\\u0000":1}', '["x\\u0000y"]'):
            reply = post("/api/v1/jobs", '{"queue_name":"%s","payload":%s}' % (queue, text))
            self.refused(reply, 400, "VALIDATION_ERROR", "payload", "null_character")
        job_id = self.create(queue, {"a": "\\u0000"})  # a backslash and five characters
        self.assertEqual(self.job(job_id)["payload"], {"a": "\\u0000"})
        self.claim_one(queue)
        reply = post("/api/v1/jobs/%s/complete" % job_id, '{"result":"\\u0000"}')
        self.refused(reply, 400, "VALIDATION_ERROR", "result", "null_character")

    def test_deep_payloads(self):
        for depth, status in ((100, 201), (1000, 400), (200000, 400)):
            text = "[" * depth + "]" * depth
            reply = post("/api/v1/jobs", '{"queue_name":"%s","payload":%s}' % (new_queue(), text))
            self.assertStatus(reply, status)


class Idempotency(Case):
    def test_repeat(self):
        queue = new_queue()
        first = self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "idempotency_key": queue}), 201)
        again = self.ok(post("/api/v1/jobs", {"queue_name": new_queue(), "payload": {"other": 1},
                                              "idempotency_key": queue}), 200)
        self.assertShape(again, {"id": "uuid", "created": "bool"})
        self.assertEqual((again["id"], again["created"]), (first["id"], False))
        self.claim_one(queue)
        self.ok(self.complete(first["id"]))
        self.assertEqual(self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "idempotency_key": queue}),
                                 200)["id"], first["id"])

    def test_header(self):
        queue = new_queue()
        body = {"queue_name": queue, "payload": {}}
        first = self.ok(post("/api/v1/jobs", body, headers={"Idempotency-Key": queue}), 201)
        again = self.ok(post("/api/v1/jobs", body, headers={"Idempotency-Key": queue}), 200)
        self.assertEqual(again["id"], first["id"])
        self.assertEqual(self.job(first["id"])["idempotency_key"], queue)
        # the body's own key comes first
        body["idempotency_key"] = queue + "-2"
        other = self.ok(post("/api/v1/jobs", body, headers={"Idempotency-Key": queue}), 201)
        self.assertNotEqual(other["id"], first["id"])


class Bulk(Case):
    SHAPE = {"succeeded": "list", "failed": "list", "total": "int", "success_count": "int", "failure_count": "int"}

    def test_bulk(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/jobs/bulk", {
            "queue_name": queue, "default_priority": 7, "default_max_retries": 1, "default_timeout_seconds": 9,
            "jobs": [{"payload": {"i": 0}}, {"payload": [], "priority": 1, "max_retries": 2, "timeout_seconds": 3,
                                             "tags": {"a": "b"}, "expires_at": at(60), "idempotency_key": queue},
                     {"payload": {}, "delay_seconds": 60}]}))
        self.assertShape(body, self.SHAPE)
        self.assertEqual((body["total"], body["success_count"], body["failure_count"], body["failed"]), (3, 3, 0, []))
        for i, item in enumerate(body["succeeded"]):
            self.assertShape(item, {"index": "int", "job_id": "uuid", "created": "bool"})
            self.assertEqual((item["index"], item["created"]), (i, True))
        jobs = [self.job(item["job_id"]) for item in body["succeeded"]]
        self.assertEqual([(job["priority"], job["max_retries"], job["timeout_seconds"]) for job in jobs],
                         [(7, 1, 9), (1, 2, 3), (7, 1, 9)])
        self.assertEqual([job["status"] for job in jobs], ["pending", "pending", "scheduled"])
        self.assertEqual(jobs[1]["payload"], [])

    def test_a_queue_for_each(self):
        queues = [new_queue(), new_queue()]
        body = self.ok(post("/api/v1/jobs/bulk", {"jobs": [{"queue_name": queues[0], "payload": {}},
                                                           {"queue": queues[1], "payload": {}}]}))
        self.assertEqual([self.job(item["job_id"])["queue_name"] for item in body["succeeded"]], queues)

    def test_bad_items_harm_no_neighbours(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [
            {"payload": {}, "priority": 1000}, {"payload": {}}, {"payload": {"x": "y" * 1048577}}]}))
        self.assertEqual((body["total"], body["success_count"], body["failure_count"]), (3, 1, 2))
        self.assertEqual([item["index"] for item in body["succeeded"]], [1])
        for item in body["failed"]:
            self.assertShape(item, {"index": "int", "error": "str"})
        self.assertEqual([item["index"] for item in body["failed"]], [0, 2])

    def test_equal_keys_in_one_body(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [
            {"payload": {}, "idempotency_key": queue}, {"payload": {}, "idempotency_key": queue}]}))
        self.assertEqual([item["created"] for item in body["succeeded"]], [True, False])
        self.assertEqual(len({item["job_id"] for item in body["succeeded"]}), 1)

    def test_counts(self):
        queue = new_queue()
        for count in (0, 101):
            reply = post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": {}}] * count})
            self.refused(reply, 400)
        self.assertEqual(self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": {}}] * 100}))
                         ["success_count"], 100)
        self.refused(post("/api/v1/jobs/bulk", {"queue_name": queue}), 400, "VALIDATION_ERROR", "jobs")
        self.refused(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": {}}), 400)

    def test_eight_megabytes(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": "x" * 1000000}] * 8}))
        self.assertEqual(body["success_count"], 8)


class Lists(Case):
    def listed(self, **query):
        body = self.ok(get("/api/v1/jobs?" + urllib.parse.urlencode(query)))
        self.assertIsInstance(body, list)
        for job in body:
            self.assertShape(job, JOB_SUMMARY)
        return body

    def ids(self, **query):
        return [job["id"] for job in self.listed(**query)]

    def test_newest_first_and_pages(self):
        queue = new_queue()
        ids = [self.create(queue, {"job_type": "t%d" % i}) for i in range(5)]
        newest = list(reversed(ids))
        self.assertEqual(self.ids(queue_name=queue), newest)
        self.assertEqual(self.ids(queue=queue), newest)
        self.assertEqual(self.ids(queue=queue, limit=2), newest[:2])
        self.assertEqual(self.ids(queue=queue, limit=2, offset=2), newest[2:4])
        self.assertEqual(self.ids(queue=queue, limit=0), newest[:1])
        self.assertEqual(self.ids(queue=queue, limit=1000, offset=-5), newest)
        self.assertEqual(self.ids(queue=queue, limit=2, after=newest[1]), newest[2:4])
        self.assertEqual(self.ids(queue=queue, order_dir="asc"), ids)
        self.assertEqual([job["job_type"] for job in self.listed(queue=queue)], ["t4", "t3", "t2", "t1", "t0"])

    def test_bounds_of_a_page(self):
        queue = new_queue()
        for _ in range(2):
            self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": {}}] * 60}))
        self.assertEqual(len(self.listed(queue=queue)), 50)
        self.assertEqual(len(self.listed(queue=queue, limit=1000)), 100)

    def test_orders(self):
        queue = new_queue()
        a, b, c = (self.create(queue, priority=p) for p in (5, -5, 0))
        self.assertEqual(self.ids(queue=queue, order_by="priority"), [a, c, b])
        self.assertEqual(self.ids(queue=queue, order_by="priority", order_dir="asc"), [b, c, a])
        self.assertEqual(self.ids(queue=queue, order_by="nonsense", order_dir="nonsense"), [c, b, a])
        for order in ("created_at", "updated_at", "scheduled_at", "completed_at", "status", "queue_name",
                      "retry_count"):
            self.assertEqual(set(self.ids(queue=queue, order_by=order)), {a, b, c})

    def test_filters(self):
        queue = new_queue()
        waits = self.create(queue, tags={"red": "1"})
        later = self.create(queue, delay_seconds=3600, tags=["red", "blue"])
        runs = self.create(queue, priority=100)
        self.claim_one(queue)
        gone = self.create(queue)
        self.empty(delete("/api/v1/jobs/" + gone))
        dead = self.dead_letter(queue, priority=99)
        for status, expected in (("pending", [waits]), ("scheduled", [later]), ("processing", [runs]),
                                 ("cancelled", [gone]), ("deadletter", [dead]), ("dead_letter", [dead]),
                                 ("completed", []), ("failed", [])):
            self.assertEqual(self.ids(queue=queue, status=status), expected, status)
        self.assertEqual(len(self.ids(queue=queue, status="nonsense")), 5)
        self.assertEqual(self.ids(queue=queue, tag="red"), [later, waits])
        self.assertEqual(self.ids(queue=queue, tag="blue"), [later])
        self.assertEqual(self.ids(queue=queue, tag="green"), [])
        self.assertEqual(len(self.ids(queue=queue, tag="not a tag!")), 5)
        self.assertTrue(self.ids(queue="-invalid"))
        self.assertEqual(self.ids(queue=new_queue()), [])

    def test_numbers_that_are_none(self):
        self.refused(get("/api/v1/jobs?limit=abc"), 400)
        self.refused(get("/api/v1/jobs?offset=1.5"), 400)

    def test_errors_in_lists(self):
        queue = new_queue()
        self.dead_letter(queue)
        job = self.listed(queue=queue)[0]
        self.assertEqual((job["last_error"], job["status"]), ("broken", "deadletter"))


class Read(Case):
    def test_absurd_ids(self):
        for job_id in ("non-existent-job-id", NOBODY, "%20", "1", "a" * 500, "null", "%2F", "..%2F..", "%F0%9F%98%80"):
            with self.subTest(job_id):
                self.refused(get("/api/v1/jobs/" + job_id), 404, "NOT_FOUND")
                self.refused(delete("/api/v1/jobs/" + job_id), 404, "NOT_FOUND")
                self.refused(post("/api/v1/jobs/%s/retry" % job_id), 404, "NOT_FOUND")
                self.refused(put("/api/v1/jobs/%s/priority" % job_id, {"priority": 1}), 404, "NOT_FOUND")
                self.refused(self.complete(job_id), 404, "NOT_FOUND")
                self.refused(self.fail_job(job_id), 404, "NOT_FOUND")
                self.refused(self.heartbeat(job_id), 404, "NOT_FOUND")

    def test_stats(self):
        queue = new_queue()
        shape = dict.fromkeys(["pending", "scheduled", "processing", "completed", "failed", "deadletter", "cancelled",
                               "total"], "int")
        self.create(queue)
        self.create(queue, delay_seconds=60)
        self.dead_letter(queue, priority=1)
        body = self.ok(get("/api/v1/jobs/stats?queue_name=" + queue))
        self.assertShape(body, shape)
        self.assertEqual([body[name] for name in shape], [1, 1, 0, 0, 0, 1, 0, 3])
        self.assertEqual(self.ok(get("/api/v1/jobs/stats?queue=" + queue)), body)
        everything = self.ok(get("/api/v1/jobs/stats"))
        self.assertShape(everything, shape)
        self.assertGreaterEqual(everything["total"], 3)
        self.assertEqual(everything["total"], sum(everything[name] for name in shape if name != "total"))
        self.assertEqual(self.ok(get("/api/v1/jobs/stats?queue=" + new_queue()))["total"], 0)

    def test_status_of_many(self):
        queue = new_queue()
        ids = [self.create(queue) for _ in range(3)]
        body = self.ok(get("/api/v1/jobs/status?ids=%s,%s,,%%20%s%%20,nonsense,%s" % (ids[2], ids[0], ids[1], NOBODY)))
        self.assertIsInstance(body, list)
        for job in body:
            self.assertShape(job, {"id": "uuid", "status": "str", "queue_name": "str", "retry_count": "int",
                                   "attempt": "int", "max_retries": "int", "created_at": "ts", "started_at": "ts?",
                                   "completed_at": "ts?"})
        self.assertEqual({job["id"] for job in body}, set(ids))
        self.assertEqual(self.ok(get("/api/v1/jobs/status?ids=")), [])
        self.refused(get("/api/v1/jobs/status"), 400)
        self.refused(get("/api/v1/jobs/status?ids=" + ",".join([ids[0]] * 101)), 400, "BAD_REQUEST")

    def test_history_and_explain(self):
        queue = new_queue()
        job_id = self.dead_letter(queue)
        events = [event["event"] for event in self.ok(get("/api/v1/jobs/%s/history" % job_id))]
        self.assertEqual(events[0], "created")
        self.assertEqual(events[-1], "deadlettered")
        self.assertShape(self.ok(get("/api/v1/jobs/%s/explain" % job_id)),
                         {"job_id": "uuid", "status": "str", "reason": "str", "since": "ts", "until": "ts?",
                          "details": "obj"})
        self.refused(get("/api/v1/jobs/%s/history" % NOBODY), 404)
        self.refused(get("/api/v1/jobs/%s/explain" % NOBODY), 404)


class Change(Case):
    def test_cancel_what_waits(self):
        queue = new_queue()
        for fields in ({}, {"delay_seconds": 3600}):
            job_id = self.create(queue, **fields)
            self.empty(delete("/api/v1/jobs/" + job_id))
            job = self.job(job_id)
            self.assertEqual(job["status"], "cancelled")
            self.assertIsNotNone(job["completed_at"])
            self.refused(delete("/api/v1/jobs/" + job_id), 409, "CONFLICT")
        self.assertEqual(self.claim(queue), [])

    def test_cancel_with_content_type_and_no_body(self):
        job_id = self.create(new_queue())
        self.empty(delete("/api/v1/jobs/" + job_id, headers={"Content-Type": "application/json"}))

    def test_cancel_what_runs(self):
        queue = new_queue()
        job_id = self.create(queue)
        lease = self.claim_one(queue)
        self.assertNotIn("cancel_requested", self.ok(self.heartbeat(job_id, worker_id="w")))
        body = self.ok(delete("/api/v1/jobs/" + job_id), 202)
        self.assertEqual((body["success"], body["status"], body["cancel_requested"]), (True, "processing", True))
        self.assertEqual(self.ok(delete("/api/v1/jobs/" + job_id), 202)["cancel_requested"], True)
        beat = self.ok(self.heartbeat(job_id, worker_id="w", lease_id=lease["lease_id"]))
        self.assertEqual(beat["cancel_requested"], True)
        body = self.ok(self.fail_job(job_id, worker_id="w"))
        self.assertEqual((body["status"], body["will_retry"]), ("cancelled", False))
        self.assertEqual(self.job(job_id)["status"], "cancelled")

    def test_cancel_asked_but_completed(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.claim_one(queue)
        self.ok(delete("/api/v1/jobs/" + job_id), 202)
        self.ok(self.complete(job_id, worker_id="w"))
        self.assertEqual(self.job(job_id)["status"], "completed")

    def test_cancel_what_is_over(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.claim_one(queue)
        self.ok(self.complete(job_id))
        self.refused(delete("/api/v1/jobs/" + job_id), 409, "CONFLICT")
        self.refused(delete("/api/v1/jobs/" + self.dead_letter(queue)), 409, "CONFLICT")

    def test_cancelled_parent_cancels_children(self):
        queue = new_queue()
        parent = self.create(queue)
        child = self.create(queue, parent_job_id=parent)
        self.empty(delete("/api/v1/jobs/" + parent))
        self.assertEqual(self.job(child)["status"], "cancelled")
        late = self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "parent_job_id": parent}), 201)
        self.assertEqual(late["status"], "cancelled")

    def test_completed_parent_releases_children(self):
        queue = new_queue()
        parent = self.create(queue)
        child = self.create(queue, parent_job_id=parent, priority=100)
        self.assertEqual(self.claim_one(queue)["id"], parent)
        self.assertEqual(self.claim(queue), [])
        self.ok(self.complete(parent))
        self.assertEqual(self.claim_one(queue)["id"], child)

    def test_retry(self):
        queue = new_queue()
        job_id = self.dead_letter(queue)
        job = self.ok(post("/api/v1/jobs/%s/retry" % job_id))
        self.assertShape(job, JOB)
        self.assertEqual((job["status"], job["retry_count"], job["last_error"], job["completed_at"]),
                         ("pending", 0, None, None))
        self.refused(post("/api/v1/jobs/%s/retry" % job_id), 409, "CONFLICT")
        self.assertEqual(self.claim_one(queue)["id"], job_id)

    def test_priority(self):
        queue = new_queue()
        first, second = self.create(queue), self.create(queue)
        body = self.ok(put("/api/v1/jobs/%s/priority" % second, {"priority": 50}))
        self.assertEqual(body, {"job_id": second, "old_priority": 0, "new_priority": 50})
        self.assertEqual([job["id"] for job in self.claim(queue, limit=2)], [second, first])
        self.refused(put("/api/v1/jobs/%s/priority" % second, {"priority": 1}), 404, "NOT_FOUND")
        other = self.create(queue, delay_seconds=60)
        for value in (-101, 101):
            self.refused(put("/api/v1/jobs/%s/priority" % other, {"priority": value}), 400, "VALIDATION_ERROR",
                         "priority")
        self.refused(put("/api/v1/jobs/%s/priority" % other, {}), 400, "VALIDATION_ERROR", "priority", "missing_field")
        self.ok(put("/api/v1/jobs/%s/priority" % other, {"priority": -100}))

    def test_priority_without_content_type(self):
        job_id = self.create(new_queue())
        reply = put("/api/v1/jobs/%s/priority" % job_id, json.dumps({"priority": 3}),
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.ok(reply)


class RequestKeys(Case):
    """The header Idempotency-Key on requests that make something: sent again, they make nothing new."""

    def twice(self, path, body):
        headers = {"Idempotency-Key": new_queue()}
        first = self.ok(post(path, body, headers=headers), 201)
        self.assertEqual(self.ok(post(path, body, headers=headers), 200), first)
        return first

    def test_queues(self):
        self.twice("/api/v1/queues", {"name": new_queue()})

    def test_workers(self):
        queue = new_queue()
        body = {"queue_name": queue, "hostname": "h"}
        self.twice("/api/v1/workers/register", body)
        self.assertNotEqual(self.ok(post("/api/v1/workers/register", body), 201), self.ok(post("/api/v1/workers/register", body), 201))
        self.assertEqual(len([one for one in self.ok(get("/api/v1/workers")) if one["queue_name"] == queue]), 3)

    def test_bulk(self):
        queue = new_queue()
        headers = {"Idempotency-Key": queue}
        body = {"queue_name": queue, "jobs": [{"payload": 1}, {"payload": 2, "idempotency_key": queue + "own"}]}
        first = self.ok(post("/api/v1/jobs/bulk", body, headers=headers))["succeeded"]
        again = self.ok(post("/api/v1/jobs/bulk", body, headers=headers))["succeeded"]
        self.assertEqual([one["job_id"] for one in again], [one["job_id"] for one in first])
        self.assertEqual([one["created"] for one in first + again], [True, True, False, False])

    def test_at_the_same_time(self):
        queue = new_queue()
        headers = {"Idempotency-Key": queue}
        body = {"queue_name": queue, "hostname": "h"}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: post("/api/v1/workers/register", body, headers=headers), range(8)))
        self.assertEqual(sorted(reply.status for reply in replies), [200] * 7 + [201])
        self.assertEqual(len({reply.json()["id"] for reply in replies}), 1)

    def test_keys_that_make_no_sense(self):
        for key in ("x" * 256, b"\xff\xfe"):
            self.refused(post("/api/v1/queues", {"name": new_queue()}, headers={"Idempotency-Key": key}), 400, "VALIDATION_ERROR",
                         "idempotency_key")

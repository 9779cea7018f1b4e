"""The registry of workers."""

import uuid

from client import Case, NOBODY, WORKER, delete, get, new_queue, new_worker, post


class Register(Case):
    def test_answer(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/workers/register", {"queue_name": queue, "hostname": "host-1"}), 201)
        self.assertShape(body, {"id": "uuid", "queue_name": "str", "lease_duration_secs": "int",
                                "heartbeat_interval_secs": "int"})
        self.assertEqual((body["queue_name"], body["lease_duration_secs"], body["heartbeat_interval_secs"]),
                         (queue, 30, 10))
        worker = self.ok(get("/api/v1/workers/" + body["id"]))
        self.assertShape(worker, WORKER)
        self.assertEqual((worker["status"], worker["hostname"], worker["max_concurrency"],
                          worker["max_concurrent_jobs"], worker["current_jobs"], worker["metadata"],
                          worker["queue_names"]), ("healthy", "host-1", 5, 5, 0, {}, [queue]))

    def test_everything_given(self):
        queue, worker_id = new_queue(), new_worker()
        asked = {"hostname": "h", "worker_type": "python", "max_concurrency": 100, "metadata": {"a": [1]},
                 "version": "1.2.3"}
        self.assertEqual(self.ok(post("/api/v1/workers/register", dict(asked, queue_name=queue, worker_id=worker_id)),
                                 201)["id"], worker_id)
        worker = self.ok(get("/api/v1/workers/" + worker_id))
        self.assertEqual({name: worker[name] for name in asked}, asked)

    def test_again(self):
        queue, worker_id = new_queue(), new_worker()
        body = {"queue_name": queue, "hostname": "a", "worker_id": worker_id}
        self.ok(post("/api/v1/workers/register", body), 201)
        self.ok(post("/api/v1/workers/register", dict(body, hostname="b")), 201)
        self.assertEqual(self.ok(get("/api/v1/workers/" + worker_id))["hostname"], "b")

    def test_aliases(self):
        queue = new_queue()
        body = self.ok(post("/api/v1/workers/register", {"queues": [queue, "other"], "name": "n", "concurrency": 3,
                                                         "metadata": []}), 201)
        worker = self.ok(get("/api/v1/workers/" + body["id"]))
        self.assertEqual((worker["queue_name"], worker["hostname"], worker["max_concurrency"], worker["metadata"]),
                         (queue, "n", 3, {}))

    def test_hostnames_are_made_to_fit(self):
        for hostname in ("-dash-", "a b", "host_1", "x" * 300, "Müllers-Mac.local."):
            body = self.ok(post("/api/v1/workers/register", {"queue_name": "q", "hostname": hostname}), 201)
            self.assertTrue(self.ok(get("/api/v1/workers/" + body["id"]))["hostname"])

    def test_refusals(self):
        good = {"queue_name": "q", "hostname": "h"}
        for field, value in (("queue_name", "-x"), ("queue_name", "x" * 101), ("worker_id", "a b"),
                             ("worker_id", "x" * 129), ("worker_type", "x" * 51), ("version", "x" * 51),
                             ("max_concurrency", 0), ("max_concurrency", 101), ("metadata", {"x": "y" * 65536}),
                             ("hostname", 5)):
            with self.subTest(field=field):
                body = dict(good)
                body[field] = value
                self.refused(post("/api/v1/workers/register", body), 400, "VALIDATION_ERROR", field)
        for field in good:
            body = dict(good)
            del body[field]
            self.refused(post("/api/v1/workers/register", body), 400, "VALIDATION_ERROR", field, "missing_field")


class Live(Case):
    def setUp(self):
        self.queue = new_queue()
        self.worker = self.ok(post("/api/v1/workers/register", {"queue_name": self.queue, "hostname": "h"}), 201)["id"]
        self.path = "/api/v1/workers/" + self.worker

    def test_heartbeat(self):
        before = self.ok(get(self.path))["last_heartbeat"]
        reply = post(self.path + "/heartbeat", {"current_jobs": 3, "status": "degraded", "metadata": {"load": 1}})
        self.empty(reply, 200)
        worker = self.ok(get(self.path))
        self.assertEqual((worker["current_jobs"], worker["current_job_count"], worker["status"], worker["metadata"]),
                         (3, 3, "degraded", {"load": 1}))
        self.assertGreater(worker["last_heartbeat"], before)

    def test_heartbeat_of_php(self):
        for body in ([], None):
            self.empty(post(self.path + "/heartbeat", body), 200)
        self.assertEqual(self.ok(get(self.path))["current_jobs"], 0)

    def test_unknown_status_is_healthy(self):
        self.empty(post(self.path + "/heartbeat", {"current_jobs": 0, "status": "bored"}), 200)
        self.assertEqual(self.ok(get(self.path))["status"], "healthy")

    def test_draining_stays(self):
        self.empty(post(self.path + "/heartbeat", {"current_jobs": 1, "status": "draining"}), 200)
        self.empty(post(self.path + "/heartbeat", {"current_jobs": 1}), 200)
        self.assertEqual(self.ok(get(self.path))["status"], "draining")

    def test_heartbeat_bounds(self):
        for value in (-1, 1001):
            self.refused(post(self.path + "/heartbeat", {"current_jobs": value}), 400, "VALIDATION_ERROR",
                         "current_jobs")

    def test_unknown(self):
        for worker in (NOBODY, "nonsense", "a%20b", str(uuid.uuid4())):
            path = "/api/v1/workers/" + worker
            self.refused(get(path), 404, "NOT_FOUND")
            self.refused(post(path + "/heartbeat", {"current_jobs": 0}), 404, "NOT_FOUND")
            self.refused(post(path + "/deregister"), 404, "NOT_FOUND")
            self.refused(delete(path), 404, "NOT_FOUND")

    def test_deregister_releases_jobs(self):
        job_id = self.create(self.queue)
        job = self.claim_one(self.queue, self.worker)
        self.empty(post(self.path + "/deregister", headers={"Content-Type": "application/json"}))
        self.assertEqual(self.ok(get(self.path))["status"], "offline")
        seen = self.job(job_id)
        self.assertEqual((seen["status"], seen["retry_count"]), ("pending", 0))
        self.refused(self.complete(job_id, worker_id=self.worker, lease_id=job["lease_id"]), 409)
        self.assertEqual(self.claim_one(self.queue, "other")["id"], job_id)
        self.empty(post(self.path + "/deregister"))
        self.empty(delete(self.path))

    def test_list(self):
        other = self.ok(post("/api/v1/workers/register", {"queue_name": self.queue, "hostname": "h"}), 201)["id"]
        body = self.ok(get("/api/v1/workers"))
        self.assertIsInstance(body, list)
        self.assertLessEqual(len(body), 100)
        for worker in body:
            self.assertShape(worker, WORKER)
        self.assertEqual([worker["id"] for worker in body[:2]], [other, self.worker])
        self.empty(post(self.path + "/heartbeat", {"current_jobs": 0}), 200)
        self.assertEqual([worker["id"] for worker in self.ok(get("/api/v1/workers"))[:2]], [self.worker, other])

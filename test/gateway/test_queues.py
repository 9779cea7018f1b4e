"""Queues."""

import time

from client import Case, QUEUE, delete, get, new_queue, post, put

STATS = {
    "queue_name": "str", "name": "str", "pending_jobs": "int", "processing_jobs": "int", "completed_jobs_24h": "int",
    "failed_jobs_24h": "int", "avg_processing_time_ms": "int?", "max_job_age_seconds": "int?", "active_workers": "int",
    "pending": "int", "processing": "int", "scheduled": "int", "completed": "int", "failed": "int",
}


class Configure(Case):
    def test_put_makes_and_changes(self):
        queue = new_queue()
        for path in ("/api/v1/queues/%s/config" % queue, "/api/v1/queues/" + queue):
            body = self.ok(put(path, {"max_retries": 7, "default_timeout": 60, "rate_limit": 50, "enabled": True,
                                      "settings": {"description": "x"}}))
            self.assertShape(body, QUEUE)
            self.assertEqual((body["queue_name"], body["name"], body["max_retries"], body["default_timeout"],
                              body["rate_limit"], body["enabled"], body["paused"]),
                             (queue, queue, 7, 60, 50, True, False))

    def test_omitted_fields_keep_and_settings_merge(self):
        queue = new_queue()
        path = "/api/v1/queues/%s/config" % queue
        first = self.ok(put(path, {"queue_name": "ignored", "max_retries": 9, "settings": {"a": 1, "b": 2}}))
        body = self.ok(put(path, {"settings": {"b": 3}}))
        self.assertEqual(body["max_retries"], 9)
        self.assertEqual((body["settings"]["a"], body["settings"]["b"]), (1, 3))
        self.assertEqual((body["id"], body["queue_name"], body["created_at"]), (first["id"], queue, first["created_at"]))

    def test_empty_settings_of_php(self):
        self.ok(put("/api/v1/queues/%s/config" % new_queue(), {"settings": []}))
        self.ok(put("/api/v1/queues/%s/config" % new_queue(), []))

    def test_bounds(self):
        for field, value in (("max_retries", -1), ("max_retries", 101), ("default_timeout", 0),
                             ("default_timeout", 86401), ("rate_limit", 0), ("rate_limit", 100001)):
            with self.subTest(field=field, value=value):
                reply = put("/api/v1/queues/%s/config" % new_queue(), {field: value})
                self.refused(reply, 400, "VALIDATION_ERROR", field, "out_of_range")

    def test_types(self):
        for field, value in (("max_retries", "3"), ("enabled", "yes"), ("settings", "x"), ("settings", [1]),
                             ("max_retries", 1.5), ("max_retries", 2 ** 40)):
            with self.subTest(field=field, value=value):
                reply = put("/api/v1/queues/%s/config" % new_queue(), {field: value})
                self.refused(reply, 400, "VALIDATION_ERROR", field, "invalid_type")

    def test_large_settings(self):
        reply = put("/api/v1/queues/%s/config" % new_queue(), {"settings": {"x": "y" * 65536}})
        self.refused(reply, 400, "VALIDATION_ERROR", "settings")

    def test_jobs_inherit(self):
        queue = new_queue()
        self.ok(put("/api/v1/queues/%s/config" % queue, {"max_retries": 5, "default_timeout": 77}))
        job = self.job(self.create(queue))
        self.assertEqual((job["max_retries"], job["timeout_seconds"]), (5, 77))
        job = self.job(self.create(queue, max_retries=0, timeout_seconds=1))
        self.assertEqual((job["max_retries"], job["timeout_seconds"]), (0, 1))

    def test_seed_form(self):
        queue = new_queue()
        asked = {"name": queue, "max_retries": 4, "retry_delay_seconds": 60, "timeout_seconds": 120}
        body = self.ok(post("/api/v1/queues", asked), 201)
        self.assertShape(body, QUEUE)
        self.assertEqual({name: body[name] for name in asked}, asked)
        self.assertEqual(body["default_timeout"], 120)
        self.ok(post("/api/v1/queues", asked), 200)
        self.refused(post("/api/v1/queues", {}), 400, "VALIDATION_ERROR", "name", "missing_field")


class Read(Case):
    def test_get(self):
        queue = new_queue()
        self.ok(put("/api/v1/queues/" + queue, {}))
        body = self.ok(get("/api/v1/queues/" + queue))
        self.assertShape(body, QUEUE)
        self.assertShape(body, {"id": "uuid"})

    def test_implicit_queue(self):
        queue = new_queue()
        self.create(queue)
        body = self.ok(get("/api/v1/queues/" + queue))
        self.assertShape(body, QUEUE)
        self.assertEqual(body["id"], "implicit:" + queue)
        self.assertTrue(body["settings"]["implicit"])

    def test_unknown(self):
        self.refused(get("/api/v1/queues/" + new_queue()), 404, "NOT_FOUND")

    def test_bad_names(self):
        for name in (".hidden", "-dash", "a%20b", "a%2Fb", "x" * 101):
            path = "/api/v1/queues/" + name
            for reply in (get(path), get(path + "/stats"), put(path, {}), put(path + "/config", {}), delete(path),
                          post(path + "/pause"), post(path + "/resume"), post(path + "/purge")):
                self.refused(reply, 400, "BAD_REQUEST")
        self.refused(get("/api/v1/queues/a%00b"), 400)

    def test_names_of_any_script(self):
        queue = "zürich-東京." + new_queue()
        path = "/api/v1/queues/z%C3%BCrich-%E6%9D%B1%E4%BA%AC." + queue.split(".")[1]
        self.ok(put(path, {}))
        self.assertEqual(self.ok(get(path))["name"], queue)

    def test_list_is_an_array_by_name(self):
        names = sorted(new_queue() for _ in range(3))
        for name in reversed(names):
            self.ok(put("/api/v1/queues/" + name, {}))
        body = self.ok(get("/api/v1/queues"))
        self.assertIsInstance(body, list)
        self.assertLessEqual(len(body), 100)
        for queue in body:
            self.assertShape(queue, {"queue_name": "str", "name": "str", "max_retries": "int", "default_timeout": "int",
                                     "rate_limit": "int?", "enabled": "bool", "paused": "bool"})
        listed = [queue["queue_name"] for queue in body]
        self.assertEqual(listed, sorted(listed))


class Stats(Case):
    def test_numbers(self):
        queue = new_queue()
        for _ in range(3):
            self.create(queue)
        self.create(queue, delay_seconds=3600)
        self.claim_one(queue)
        done = self.claim_one(queue)
        self.ok(self.complete(done["id"]))
        self.dead_letter(queue, priority=100)
        body = self.ok(get("/api/v1/queues/%s/stats" % queue))
        self.assertShape(body, STATS)
        self.assertEqual((body["queue_name"], body["name"]), (queue, queue))
        self.assertEqual((body["pending_jobs"], body["processing_jobs"], body["scheduled"], body["completed"],
                          body["failed"], body["completed_jobs_24h"], body["failed_jobs_24h"]), (1, 1, 1, 1, 1, 1, 1))
        self.assertIsNotNone(body["max_job_age_seconds"])
        self.assertIsNotNone(body["avg_processing_time_ms"])

    def test_unknown_queue_has_zeros(self):
        body = self.ok(get("/api/v1/queues/%s/stats" % new_queue()))
        self.assertShape(body, STATS)
        self.assertEqual((body["pending_jobs"], body["max_job_age_seconds"], body["avg_processing_time_ms"]),
                         (0, None, None))

    def test_active_workers(self):
        queue = new_queue()
        self.ok(post("/api/v1/workers/register", {"queue_name": queue, "hostname": "h"}), 201)
        self.assertEqual(self.ok(get("/api/v1/queues/%s/stats" % queue))["active_workers"], 1)


class Pause(Case):
    def test_pause_stops_claims_and_resume_lets_them_go(self):
        queue = new_queue()
        job_id = self.create(queue)
        body = self.ok(post("/api/v1/queues/%s/pause" % queue, {"reason": "maintenance"}))
        self.assertShape(body, {"queue_name": "str", "paused": "bool", "paused_at": "ts", "reason": "str?"})
        self.assertEqual((body["queue_name"], body["paused"], body["reason"]), (queue, True, "maintenance"))
        self.assertEqual(self.claim(queue), [])
        config = self.ok(get("/api/v1/queues/" + queue))
        self.assertEqual((config["enabled"], config["paused"], config["settings"]["paused"],
                          config["settings"]["paused_reason"]), (False, True, True, "maintenance"))
        self.create(queue, delay_seconds=3600)  # enqueue goes on
        time.sleep(1.1)
        body = self.ok(post("/api/v1/queues/%s/resume" % queue))
        self.assertShape(body, {"queue_name": "str", "resumed": "bool", "paused_duration_secs": "int", "name": "str",
                                "paused": "bool"})
        self.assertEqual((body["resumed"], body["paused"]), (True, False))
        self.assertGreaterEqual(body["paused_duration_secs"], 1)
        self.assertEqual(self.claim_one(queue)["id"], job_id)
        self.assertNotIn("paused_at", self.ok(get("/api/v1/queues/" + queue))["settings"])

    def test_empty_bodies(self):
        queue = new_queue()
        self.create(queue)
        reply = post("/api/v1/queues/%s/pause" % queue, headers={"Content-Type": "application/json"})
        self.assertIsNone(self.ok(reply)["reason"])
        reply = post("/api/v1/queues/%s/resume" % queue, headers={"Content-Type": "application/json"})
        self.ok(reply)
        self.assertEqual(self.ok(post("/api/v1/queues/%s/resume" % queue))["paused_duration_secs"], 0)

    def test_unknown_queue(self):
        self.refused(post("/api/v1/queues/%s/pause" % new_queue(), {}), 404, "NOT_FOUND")
        self.refused(post("/api/v1/queues/%s/resume" % new_queue(), {}), 404, "NOT_FOUND")

    def test_long_reason(self):
        queue = new_queue()
        self.create(queue)
        self.refused(post("/api/v1/queues/%s/pause" % queue, {"reason": "x" * 501}), 400, "VALIDATION_ERROR", "reason")

    def test_enabled_false_pauses(self):
        queue = new_queue()
        self.create(queue)
        self.assertTrue(self.ok(put("/api/v1/queues/%s/config" % queue, {"enabled": False}))["paused"])
        self.assertEqual(self.claim(queue), [])
        self.ok(put("/api/v1/queues/%s/config" % queue, {"enabled": True}))
        self.claim_one(queue)


class Delete(Case):
    def test_without_jobs(self):
        queue = new_queue()
        self.ok(put("/api/v1/queues/" + queue, {}))
        self.empty(delete("/api/v1/queues/" + queue))
        self.refused(get("/api/v1/queues/" + queue), 404, "NOT_FOUND")
        self.refused(delete("/api/v1/queues/" + queue), 404, "NOT_FOUND")

    def test_with_jobs_that_wait(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.refused(delete("/api/v1/queues/" + queue), 409, "CONFLICT")
        self.empty(delete("/api/v1/queues/%s?delete_jobs=true" % queue))
        self.refused(get("/api/v1/jobs/" + job_id), 404, "NOT_FOUND")
        self.refused(get("/api/v1/queues/" + queue), 404, "NOT_FOUND")
        self.refused(delete("/api/v1/queues/%s?delete_jobs=true" % queue), 404, "NOT_FOUND")

    def test_only_finished_jobs(self):
        queue = new_queue()
        self.ok(self.complete(self.create(queue) and self.claim_one(queue)["id"]))
        self.refused(delete("/api/v1/queues/" + queue), 409, "CONFLICT")

    def test_dead_letters_go_too(self):
        queue = new_queue()
        job_id = self.dead_letter(queue)
        self.empty(delete("/api/v1/queues/%s?delete_jobs=true" % queue))
        self.refused(get("/api/v1/jobs/" + job_id), 404, "NOT_FOUND")


class Purge(Case):
    def test_purge_cancels_what_does_not_run(self):
        queue = new_queue()
        ids = [self.create(queue), self.create(queue, delay_seconds=3600)]
        running = self.create(queue, priority=50)
        self.assertEqual(self.claim_one(queue)["id"], running)
        body = self.ok(post("/api/v1/queues/%s/purge" % queue))
        self.assertShape(body, {"success": "bool", "queue_name": "str", "purged_count": "int"})
        self.assertEqual((body["success"], body["queue_name"], body["purged_count"]), (True, queue, 2))
        self.assertEqual([self.job(job_id)["status"] for job_id in ids], ["cancelled", "cancelled"])
        self.assertEqual(self.job(running)["status"], "processing")

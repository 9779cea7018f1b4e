"""Claim, complete, fail, heartbeat: what workers do to jobs."""

import datetime
import threading
import time

from client import Case, LEASED_JOB, NOBODY, PSQL_URL, delete, eventually, needs_psql, new_queue, new_worker, post, psql


def seconds_until(text):
    """How far in the future a time of an answer is."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


class Claim(Case):
    def test_answer(self):
        queue = new_queue()
        job_id = self.create(queue, {"a": 1}, tags={"t": "x"}, idempotency_key=queue, priority=3)
        job = self.claim_one(queue, "w-1", lease_duration_secs=60)
        self.assertShape(job, LEASED_JOB)
        self.assertNotIn("error", job)
        self.assertEqual((job["id"], job["queue_name"], job["queue"], job["status"], job["payload"], job["retry_count"],
                          job["attempts"], job["max_retries"], job["timeout_seconds"], job["priority"],
                          job["worker_id"], job["tags"], job["idempotency_key"]),
                         (job_id, queue, queue, "processing", {"a": 1}, 0, 1, 3, 300, 3, "w-1", {"t": "x"}, queue))
        self.assertEqual(job["lease_expires_at"], job["leased_until"])
        self.assertAlmostEqual(seconds_until(job["lease_expires_at"]), 60, delta=5)
        seen = self.job(job_id)
        self.assertEqual((seen["status"], seen["assigned_worker_id"], seen["lease_id"], seen["lease_expires_at"],
                          seen["attempts"]),
                         ("processing", "w-1", job["lease_id"], job["lease_expires_at"], 1))

    def test_nothing_due(self):
        self.assertEqual(self.claim(new_queue()), [])

    def test_defaults(self):
        queue = new_queue()
        for _ in range(2):
            self.create(queue)
        job = self.claim_one(queue)
        self.assertAlmostEqual(seconds_until(job["lease_expires_at"]), 30, delta=5)

    def test_order(self):
        queue = new_queue()
        ids = {p: self.create(queue, priority=p) for p in (0, 10, -10, 5)}
        again = self.create(queue, priority=10)
        self.assertEqual([job["id"] for job in self.claim(queue, limit=10)],
                         [ids[10], again, ids[5], ids[0], ids[-10]])

    def test_limit(self):
        queue = new_queue()
        self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": {}}] * 100}))
        self.assertEqual(len(self.claim(queue, limit=3)), 3)
        self.assertEqual(len(self.claim(queue, limit=100)), 97)

    def test_bounds(self):
        queue = new_queue()
        for field, value in (("limit", 0), ("limit", 101), ("lease_duration_secs", 0),
                             ("lease_duration_secs", 3601), ("wait_seconds", -1), ("wait_seconds", 21),
                             ("worker_id", ""), ("worker_id", "x" * 256)):
            with self.subTest(field=field, value=value):
                body = {"queue_name": queue, "worker_id": "w"}
                body[field] = value
                self.refused(post("/api/v1/jobs/claim", body), 400, "VALIDATION_ERROR", field)

    def test_missing_fields(self):
        self.refused(post("/api/v1/jobs/claim", {"queue_name": "q"}), 400, "VALIDATION_ERROR", "worker_id",
                     "missing_field")
        self.refused(post("/api/v1/jobs/claim", {"worker_id": "w"}), 400, "VALIDATION_ERROR", "queue_name",
                     "missing_field")

    def test_any_text_is_a_worker(self):
        queue = new_queue()
        for worker in ("a b/c", "☃" * 255, "\"quotes\""):
            self.create(queue)
            job = self.claim_one(queue, worker)
            self.ok(self.complete(job["id"], worker_id=worker, lease_id=job["lease_id"]))

    def test_one_winner(self):
        queue = new_queue()
        self.create(queue)
        won = []
        threads = [threading.Thread(target=lambda i=i: won.extend(self.claim(queue, "w%d" % i))) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(won), 1)

    def test_many_claimers_share_without_loss(self):
        queue = new_queue()
        self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": {}}] * 100}))
        won = []

        def work(worker):
            while True:
                jobs = self.claim(queue, worker, limit=7)
                if not jobs:
                    return
                won.extend(job["id"] for job in jobs)

        threads = [threading.Thread(target=work, args=("w%d" % i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(won), len(set(won))), (100, 100))

    def test_waits_for_work(self):
        queue = new_queue()
        self.ok(self.complete(self.create(queue) and self.claim_one(queue)["id"]))
        timer = threading.Timer(0.5, lambda: self.create(queue))
        begun = time.monotonic()
        timer.start()
        jobs = self.claim(queue, wait_seconds=10)
        self.assertEqual(len(jobs), 1)
        self.assertLess(time.monotonic() - begun, 5)

    def test_waits_for_a_queue_that_is_new(self):
        queue = new_queue()
        timer = threading.Timer(0.5, lambda: self.create(queue))
        timer.start()
        self.assertEqual(len(self.claim(queue, wait_seconds=10)), 1)

    def test_waits_no_longer_than_asked(self):
        begun = time.monotonic()
        self.assertEqual(self.claim(new_queue(), wait_seconds=1), [])
        self.assertAlmostEqual(time.monotonic() - begun, 1, delta=0.9)

    def test_one_of_many_waiters_gets_it(self):
        queue = new_queue()
        won = []
        threads = [threading.Thread(target=lambda i=i: won.extend(self.claim(queue, "w%d" % i, wait_seconds=2)))
                   for i in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        self.create(queue)
        for thread in threads:
            thread.join()
        self.assertEqual(len(won), 1)


class Dequeue(Case):
    def test_one_object_or_null(self):
        queue = new_queue()
        reply = post("/api/v1/jobs/dequeue", {"queue": queue, "worker_id": "w"})
        self.assertIsNone(self.ok(reply))
        self.assertEqual(reply.body.strip(), b"null")
        self.create(queue, {"a": 1})
        job = self.ok(post("/api/v1/jobs/dequeue", {"queue": queue, "worker_id": "w"}))
        self.assertShape(job, {"id": "uuid", "queue": "str", "status": "str", "payload": "obj", "attempts": "int",
                               "leased_until": "ts", "lease_id": "str", "queue_name": "str", "max_retries": "int",
                               "timeout_seconds": "int"})
        self.assertNotIn("error", job)
        self.assertEqual((job["status"], job["attempts"]), ("processing", 1))
        self.assertAlmostEqual(seconds_until(job["leased_until"]), 300, delta=5)

    def test_lease(self):
        queue = new_queue()
        self.create(queue)
        job = self.ok(post("/api/v1/jobs/dequeue", {"queue_name": queue, "worker_id": "w",
                                                    "lease_duration_secs": 10}))
        self.assertAlmostEqual(seconds_until(job["leased_until"]), 10, delta=5)
        self.refused(post("/api/v1/jobs/dequeue", {"queue": queue, "worker_id": "w", "lease_duration_secs": 4000}),
                     400, "VALIDATION_ERROR", "lease_duration_secs")


class Complete(Case):
    def test_bodies(self):
        queue = new_queue()
        for body in ({"worker_id": "w"}, {}, {"result": {"a": 1}}, {"worker_id": "w", "result": None}):
            with self.subTest(body):
                job_id = self.create(queue)
                self.claim_one(queue)
                self.assertEqual(self.ok(self.complete(job_id, **body))["success"], True)
                job = self.job(job_id)
                self.assertEqual((job["status"], job["result"]), ("completed", body.get("result")))
                self.assertIsNotNone(job["completed_at"])
                self.assertIsNotNone(job["started_at"])

    def test_no_body_at_all(self):
        queue = new_queue()
        self.create(queue)
        job = self.claim_one(queue)
        self.ok(post("/api/v1/jobs/%s/complete" % job["id"], headers={"Content-Type": "application/json"}))

    def test_large_result(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.claim_one(queue)
        self.refused(self.complete(job_id, result="x" * 1048576), 400, "VALIDATION_ERROR", "result")
        self.ok(self.complete(job_id, result="x" * 1048570))

    def test_and_claim_next(self):
        queue = new_queue()
        ids = [self.create(queue, {"i": i}) for i in range(4)]
        first = self.claim_one(queue, "w")
        body = self.ok(self.complete(first["id"], worker_id="w", lease_id=first["lease_id"],
                                     claim={"limit": 2, "lease_duration_secs": 60}))
        self.assertEqual(body["success"], True)
        self.assertEqual([job["id"] for job in body["jobs"]], ids[1:3])
        for job in body["jobs"]:
            self.assertShape(job, LEASED_JOB)
        body = self.ok(self.complete(ids[1], worker_id="w", claim={}))
        self.assertEqual([job["id"] for job in body["jobs"]], ids[3:])
        body = self.ok(self.complete(ids[2], worker_id="w", claim={"limit": 5}))
        self.assertEqual(body["jobs"], [])

    def test_refused_claim_completes_nothing(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.claim_one(queue, "w")
        for claim in ({"limit": 0}, {"limit": 101}, {"limit": 1, "lease_duration_secs": 3601}):
            self.refused(self.complete(job_id, worker_id="w", claim=claim), 400, "VALIDATION_ERROR")
        self.refused(self.complete(job_id, claim={"limit": 1}), 400, "VALIDATION_ERROR", "worker_id")
        self.assertEqual(self.job(job_id)["status"], "processing")


class Fail(Case):
    SHAPE = {"success": "bool", "status": "str", "retry_count": "int", "will_retry": "bool", "next_retry_at": "ts?"}

    def test_retries_and_dead_letter(self):
        queue = new_queue()
        job_id = self.create(queue, max_retries=1)
        self.claim_one(queue)
        body = self.ok(self.fail_job(job_id, "first", worker_id="w"))
        self.assertShape(body, self.SHAPE)
        self.assertEqual((body["success"], body["status"], body["retry_count"], body["will_retry"]),
                         (True, "pending", 1, True))
        self.assertIsNotNone(body["next_retry_at"])
        job = self.job(job_id)
        self.assertEqual((job["status"], job["last_error"], job["error"], job["scheduled_at"]),
                         ("pending", "first", "first", body["next_retry_at"]))
        self.assertEqual(self.claim(queue), [])
        claimed = eventually(lambda: self.claim(queue), 5)[0]
        self.assertEqual((claimed["retry_count"], claimed["attempts"]), (1, 2))
        self.assertNotIn("error", claimed)
        body = self.ok(self.fail_job(job_id, "second"))
        self.assertShape(body, self.SHAPE)
        self.assertEqual((body["status"], body["retry_count"], body["will_retry"], body["next_retry_at"]),
                         ("deadletter", 1, False, None))
        job = self.job(job_id)
        self.assertEqual((job["status"], job["last_error"]), ("deadletter", "second"))
        self.assertIsNotNone(job["completed_at"])

    def test_aliases(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.claim_one(queue)
        body = self.ok(post("/api/v1/jobs/%s/fail" % job_id, {"reason": "why", "no_retry": True}))
        self.assertEqual((body["status"], body["will_retry"]), ("deadletter", False))
        self.assertEqual(self.job(job_id)["last_error"], "why")

    def test_error_text(self):
        queue = new_queue()
        for error, kept in (("", "Unknown error"), ("é" * 2048, "é" * 2048)):
            job_id = self.create(queue, max_retries=0)
            self.claim_one(queue)
            self.ok(self.fail_job(job_id, error))
            self.assertEqual(self.job(job_id)["last_error"], kept)
        job_id = self.create(queue)
        self.claim_one(queue)
        self.refused(self.fail_job(job_id, "x" * 2049), 400, "VALIDATION_ERROR", "error")
        self.refused(post("/api/v1/jobs/%s/fail" % job_id, {}), 400, "VALIDATION_ERROR", "error", "missing_field")


class Heartbeat(Case):
    def test_moves_the_end(self):
        queue = new_queue()
        job_id = self.create(queue)
        job = self.claim_one(queue, lease_duration_secs=60)
        for field in ("lease_duration_secs", "extension_secs"):
            body = self.ok(self.heartbeat(job_id, worker_id="w", lease_id=job["lease_id"], **{field: 1000}))
            self.assertShape(body, {"success": "bool", "lease_expires_at": "ts"})
            self.assertAlmostEqual(seconds_until(body["lease_expires_at"]), 1000, delta=5)
        self.assertEqual(self.job(job_id)["lease_expires_at"], body["lease_expires_at"])
        body = self.ok(self.heartbeat(job_id, worker_id="w"))
        self.assertAlmostEqual(seconds_until(body["lease_expires_at"]), 30, delta=5)

    def test_bounds(self):
        queue = new_queue()
        job_id = self.create(queue)
        self.claim_one(queue)
        for value in (0, 3601):
            self.refused(self.heartbeat(job_id, worker_id="w", lease_duration_secs=value), 400, "VALIDATION_ERROR",
                         "lease_duration_secs")


class Release(Case):
    def test_gives_back_without_a_penalty(self):
        queue = new_queue()
        job_id = self.create(queue)
        job = self.claim_one(queue)
        body = self.ok(post("/api/v1/jobs/%s/release" % job_id, {"worker_id": "w", "lease_id": job["lease_id"]}))
        self.assertEqual((body["success"], body["status"], body["retry_count"]), (True, "pending", 0))
        again = self.claim_one(queue)
        self.assertEqual((again["id"], again["retry_count"]), (job_id, 0))
        self.assertNotEqual(again["lease_id"], job["lease_id"])


class Outcomes(Case):
    """The table of answers to reports that fit, repeat, or come too late; its first row that fits decides."""

    def leased(self, worker="w", **fields):
        queue = new_queue()
        self.create(queue, **fields)
        return queue, self.claim_one(queue, worker)

    def reports(self, job_id, worker, lease_id=None):
        """Complete, fail and heartbeat by that worker."""
        body = {"worker_id": worker}
        if lease_id:
            body["lease_id"] = lease_id
        return [self.complete(job_id, **body), self.fail_job(job_id, **body), self.heartbeat(job_id, **body)]

    def test_completed_again(self):
        _, job = self.leased()
        said = {"worker_id": "w", "lease_id": job["lease_id"], "result": {"a": 1}}
        for _ in range(3):
            self.assertEqual(self.ok(self.complete(job["id"], **said))["success"], True)
        self.assertEqual(self.job(job["id"])["result"], {"a": 1})

    def test_completed_again_without_lease_id(self):
        _, job = self.leased()
        self.ok(self.complete(job["id"], worker_id="w"))
        body = self.refused(self.complete(job["id"], worker_id="w"), 409, "CONFLICT")
        self.assertIn("already completed", body["message"])

    def test_failed_again(self):
        for fields in ({}, {"max_retries": 0}):
            _, job = self.leased(**fields)
            said = {"worker_id": "w", "lease_id": job["lease_id"]}
            first = self.ok(self.fail_job(job["id"], **said))
            again = self.ok(self.fail_job(job["id"], **said))
            self.assertEqual(again, first)

    def test_settled_with_the_other_verb(self):
        _, job = self.leased()
        said = {"worker_id": "w", "lease_id": job["lease_id"]}
        self.ok(self.complete(job["id"], **said))
        self.refused(self.fail_job(job["id"], **said), 409, "CONFLICT")
        self.refused(self.heartbeat(job["id"], **said), 409, "CONFLICT")
        _, job = self.leased(max_retries=0)
        said = {"worker_id": "w", "lease_id": job["lease_id"]}
        self.ok(self.fail_job(job["id"], **said))
        self.refused(self.complete(job["id"], **said), 409, "CONFLICT")

    def test_wrong_lease_id(self):
        _, job = self.leased()
        for lease_id in (NOBODY, "whatever"):
            for reply in self.reports(job["id"], "w", lease_id):
                body = self.refused(reply, 409, "LEASE_EXPIRED")
                self.assertIn("does not match", body["message"])
        self.assertEqual(self.job(job["id"])["status"], "processing")

    def test_never_this_workers(self):
        _, job = self.leased()
        for reply in self.reports(job["id"], "somebody-else") + self.reports(NOBODY, "w"):
            self.refused(reply, 404, "NOT_FOUND")

    def test_never_claimed(self):
        job_id = self.create(new_queue())
        for reply in self.reports(job_id, "w"):
            self.refused(reply, 404, "NOT_FOUND")

    def test_without_worker_id(self):
        _, job = self.leased()
        self.ok(self.heartbeat(job["id"]))
        self.refused(self.complete(job["id"], lease_id=NOBODY), 409, "LEASE_EXPIRED")
        self.ok(self.complete(job["id"]))

    def test_lengths(self):
        _, job = self.leased()
        self.refused(self.complete(job["id"], worker_id="x" * 256), 400, "VALIDATION_ERROR", "worker_id")
        self.refused(self.complete(job["id"], worker_id=""), 400, "VALIDATION_ERROR", "worker_id")
        self.refused(self.complete(job["id"], worker_id="w", lease_id="x" * 256), 400, "VALIDATION_ERROR", "lease_id")

    def test_cancelled_while_running(self):
        _, job = self.leased()
        self.ok(delete("/api/v1/jobs/" + job["id"]), 202)
        said = {"worker_id": "w", "lease_id": job["lease_id"]}
        self.ok(self.fail_job(job["id"], **said))
        self.refused(self.complete(job["id"], **said), 409, "CONFLICT")


@needs_psql
class LostLeases(Case):
    """Leases of one second, which the server's setting allows meanwhile."""

    @classmethod
    def setUpClass(cls):
        if PSQL_URL:
            psql("ALTER SYSTEM SET spooled.lease_min = '100ms'")
            psql("SELECT pg_reload_conf()")
            time.sleep(0.5)

    @classmethod
    def tearDownClass(cls):
        if PSQL_URL:
            psql("ALTER SYSTEM RESET spooled.lease_min")
            psql("SELECT pg_reload_conf()")

    def lost(self, **fields):
        queue = new_queue()
        worker = new_worker()
        job_id = self.create(queue, **fields)
        job = self.claim_one(queue, worker, lease_duration_secs=1)
        self.assertTrue(eventually(lambda: self.job(job_id)["status"] != "processing"))
        return queue, worker, job

    def test_a_lost_lease_costs_a_retry(self):
        queue, _, job = self.lost()
        seen = self.job(job["id"])
        self.assertEqual((seen["status"], seen["retry_count"], seen["last_error"]),
                         ("pending", 1, "Lease expired (worker timeout)"))
        again = eventually(lambda: self.claim(queue, "other"), 5)[0]
        self.assertEqual((again["id"], again["retry_count"]), (job["id"], 1))

    def test_the_last_one_makes_a_dead_letter(self):
        _, _, job = self.lost(max_retries=0)
        seen = self.job(job["id"])
        self.assertEqual((seen["status"], seen["retry_count"], seen["last_error"]),
                         ("deadletter", 0, "Max retries exceeded after lease expiration"))

    def test_reports_after_the_loss(self):
        _, worker, job = self.lost()
        for lease_id in (None, job["lease_id"]):
            body = {"worker_id": worker}
            if lease_id:
                body["lease_id"] = lease_id
            for reply in (self.complete(job["id"], **body), self.fail_job(job["id"], **body),
                          self.heartbeat(job["id"], **body)):
                self.refused(reply, 409, "LEASE_EXPIRED")

    def test_reports_while_another_runs_it(self):
        queue, worker, job = self.lost()
        other = eventually(lambda: self.claim(queue, "other"), 5)[0]
        for reply in (self.complete(job["id"], worker_id=worker, lease_id=job["lease_id"]),
                      self.complete(job["id"], worker_id=worker), self.heartbeat(job["id"], worker_id=worker)):
            self.refused(reply, 409, "LEASE_EXPIRED")
        self.ok(self.complete(job["id"], worker_id="other", lease_id=other["lease_id"]))

    def test_the_same_worker_again_with_the_old_lease_id(self):
        queue, worker, job = self.lost()
        again = eventually(lambda: self.claim(queue, worker), 5)[0]
        self.refused(self.complete(job["id"], worker_id=worker, lease_id=job["lease_id"]), 409, "LEASE_EXPIRED")
        self.ok(self.complete(job["id"], worker_id=worker, lease_id=again["lease_id"]))

    def test_an_expired_lease_is_over_before_the_sweep(self):
        queue = new_queue()
        job_id = self.create(queue)
        job = self.claim_one(queue, lease_duration_secs=1)
        time.sleep(1.02)
        reply = self.complete(job_id, worker_id="w", lease_id=job["lease_id"])
        self.refused(reply, 409, "LEASE_EXPIRED")

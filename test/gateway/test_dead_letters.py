"""The dead-letter queue."""

import datetime

from client import Case, JOB, NOBODY, get, new_queue, post


def days_ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).isoformat()


class List(Case):
    def test_whole_jobs(self):
        queue = new_queue()
        ids = [self.dead_letter(queue, {"job_type": "mail", "i": i}) for i in range(3)]
        body = self.ok(get("/api/v1/jobs/dlq?queue_name=" + queue))
        self.assertIsInstance(body, list)
        for job in body:
            self.assertShape(job, dict(JOB, attempt="int", job_type="str?"))
            self.assertEqual((job["status"], job["last_error"], job["job_type"], job["payload"]["job_type"]),
                             ("deadletter", "broken", "mail", "mail"))
        self.assertEqual([job["id"] for job in body], ids[::-1])
        page = self.ok(get("/api/v1/jobs/dlq?queue=%s&limit=1&offset=1" % queue))
        self.assertEqual([job["id"] for job in page], [ids[1]])

    def test_tags(self):
        queue = new_queue()
        job_id = self.dead_letter(queue, tags={"red": "1"})
        self.dead_letter(queue)
        self.assertEqual([job["id"] for job in self.ok(get("/api/v1/jobs/dlq?queue=%s&tag=red" % queue))], [job_id])

    def test_only_dead_letters(self):
        queue = new_queue()
        self.create(queue)
        self.assertEqual(self.ok(get("/api/v1/jobs/dlq?queue=" + queue)), [])

    def test_large_payloads_are_bounded(self):
        queue = new_queue()
        for _ in range(12):
            self.dead_letter(queue, "x" * 1000000)
        reply = get("/api/v1/jobs/dlq?queue=%s&limit=100" % queue)
        self.assertLess(len(reply.body), 10 * 1024 * 1024)
        self.assertGreater(len(self.ok(reply)), 0)


class Retry(Case):
    def test_by_queue_oldest_first(self):
        queue = new_queue()
        ids = [self.dead_letter(queue) for _ in range(3)]
        body = self.ok(post("/api/v1/jobs/dlq/retry", {"queue_name": queue, "limit": 2}))
        self.assertEqual((body["retried_count"], body["retried_jobs"]), (2, ids[:2]))
        jobs = self.claim(queue, limit=10)
        self.assertEqual([job["id"] for job in jobs], ids[:2])
        self.assertEqual([job["retry_count"] for job in jobs], [0, 0])

    def test_by_ids(self):
        queue = new_queue()
        ids = [self.dead_letter(queue) for _ in range(3)]
        body = self.ok(post("/api/v1/jobs/dlq/retry", {"job_ids": [ids[2], NOBODY, "nonsense"],
                                                       "queue_name": "another-queue"}))
        self.assertEqual((body["retried_count"], body["retried_jobs"]), (1, [ids[2]]))
        body = self.ok(post("/api/v1/jobs/dlq/retry", {"job_ids": []}))
        self.assertEqual((body["retried_count"], body["retried_jobs"]), (0, []))

    def test_everything_and_empty_body(self):
        queue = new_queue()
        job_id = self.dead_letter(queue)
        while self.ok(post("/api/v1/jobs/dlq/retry"))["retried_count"]:
            pass
        self.assertEqual(self.job(job_id)["status"], "pending")

    def test_bounds(self):
        for limit in (0, 101):
            self.refused(post("/api/v1/jobs/dlq/retry", {"limit": limit}), 400, None, "limit")
        self.refused(post("/api/v1/jobs/dlq/retry", {"job_ids": [NOBODY] * 101}), 400)
        self.refused(post("/api/v1/jobs/dlq/retry", {"job_ids": "x"}), 400, "VALIDATION_ERROR", "job_ids",
                     "invalid_type")

    def test_expired_jobs_live_again(self):
        queue = new_queue()
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)).isoformat()
        job_id = self.dead_letter(queue, expires_at=soon)
        self.ok(post("/api/v1/jobs/dlq/retry", {"job_ids": [job_id]}))
        self.assertIsNone(self.job(job_id)["expires_at"])


class Purge(Case):
    def test_needs_confirm(self):
        queue = new_queue()
        self.dead_letter(queue)
        for body in ({}, {"confirm": False}, {"queue_name": queue}, {"older_than_days": 1}, {"limit": 5}):
            self.refused(post("/api/v1/jobs/dlq/purge", body), 400, "BAD_REQUEST")

    def test_by_queue(self):
        queue = new_queue()
        ids = [self.dead_letter(queue) for _ in range(3)]
        body = self.ok(post("/api/v1/jobs/dlq/purge", {"confirm": True, "queue_name": queue, "limit": 2}))
        self.assertEqual(body, {"purged_count": 2})
        self.refused(get("/api/v1/jobs/" + ids[0]), 404, "NOT_FOUND")
        self.assertEqual(self.job(ids[2])["status"], "deadletter")

    def test_by_age(self):
        queue = new_queue()
        self.dead_letter(queue)
        purge = {"confirm": True, "queue_name": queue}
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", dict(purge, older_than=days_ago(1))))["purged_count"], 0)
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", dict(purge, older_than_days=1)))["purged_count"], 0)
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", dict(purge, older_than=days_ago(-1))))["purged_count"], 1)

    def test_narrowed_without_confirm(self):
        queue = new_queue()
        job_id = self.dead_letter(queue)
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", {"queue_name": queue, "older_than_days": 1})),
                         {"purged_count": 0})
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", {"job_ids": [job_id, NOBODY]})), {"purged_count": 1})

    def test_bounds(self):
        for limit in (0, 10001):
            self.refused(post("/api/v1/jobs/dlq/purge", {"confirm": True, "limit": limit}), 400, None, "limit")

    def test_children_of_what_is_purged(self):
        queue = new_queue()
        parent = self.dead_letter(queue)
        self.ok(post("/api/v1/jobs/dlq/purge", {"job_ids": [parent]}))
        self.refused(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "parent_job_id": parent}), 400)

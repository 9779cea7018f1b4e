"""Plans over REST: refusals with their bodies, many at once at the last place, usage."""

import threading
import unittest

import client
from client import Case, get, needs_psql, new_organization, post


@needs_psql
class Limits(Case):
    def enqueue(self, key, queue="q", **more):
        return post("/api/v1/jobs", dict({"queue_name": queue, "payload": {"n": 1}}, **more), key=key)

    def assertQuota(self, reply, resource, current, limit):
        self.assertStatus(reply, 429)
        self.assertEqual(reply.headers["retry-after"], "1")
        body = reply.json()
        expected = {"resource": resource, "current": current, "limit": limit, "plan": "free", "upgrade_to": "starter"}
        self.assertEqual(body["details"], expected)
        self.assertEqual({name: body[name] for name in expected}, expected)
        self.assertEqual((body["code"], body["error"]), ("QUOTA_EXCEEDED", "limit_exceeded"))
        self.assertEqual(body["message"], "%s limit reached (%d/%d). Upgrade to starter for higher limits."
                         % (resource.replace("_", " "), current, limit))

    def test_free_plan(self):
        _, key = new_organization("free")
        for n in range(9):
            self.assertStatus(self.enqueue(key, idempotency_key="k%d" % n), 201)
        bulk = post("/api/v1/jobs/bulk", {"queue_name": "q", "jobs": [{"payload": 1}, {"payload": 2}]}, key=key)
        self.assertQuota(bulk, "active_jobs", 9, 10)
        self.assertStatus(self.enqueue(key), 201)
        self.assertQuota(self.enqueue(key), "active_jobs", 10, 10)
        self.assertStatus(self.enqueue(key, idempotency_key="k3"), 200)
        self.assertStatus(post("/api/v1/queues", {"name": "second"}, key=key), 201)
        self.assertQuota(post("/api/v1/queues", {"name": "third"}, key=key), "queues", 2, 2)
        self.assertQuota(self.enqueue(key, queue="third"), "queues", 2, 2)
        worker = {"queue_name": "q", "hostname": "h"}
        self.assertStatus(post("/api/v1/workers/register", worker, key=key), 201)
        self.assertQuota(post("/api/v1/workers/register", worker, key=key), "workers", 1, 1)
        large = self.enqueue(key, payload="x" * 70000)
        self.assertStatus(large, 413)
        self.assertEqual(large.json()["details"], {"current": 70002, "limit": 65536, "plan": "free", "upgrade_to": True})
        self.usage(key)

    def usage(self, key):
        report = get("/api/v1/organizations/usage", key=key)
        self.assertStatus(report, 200)
        body = report.json()
        self.assertEqual((body["plan"], body["plan_display_name"]), ("free", "Free"))
        self.assertEqual(len(body["limits"]), 15)
        self.assertEqual(body["limits"]["max_active_jobs"], 10)
        self.assertEqual(body["usage"]["active_jobs"], {"current": 10, "limit": 10, "percentage": 100, "is_disabled": False})
        self.assertEqual(body["usage"]["jobs_today"]["current"], 10)
        self.assertEqual(body["usage"]["workflows"], {"current": 0, "limit": 0, "percentage": None, "is_disabled": True})
        self.assertEqual(set(body["usage"]), {"jobs_today", "active_jobs", "queues", "workers", "api_keys", "schedules", "workflows", "webhooks"})
        self.assertIn({"resource": "active_jobs", "message": "active jobs limit reached", "severity": "critical"}, body["warnings"])
        self.assertIn({"resource": "api_keys", "message": "api keys at 50% of limit", "severity": "warning"}, body["warnings"])
        self.assertStatus(get("/api/v1/organizations/%s/usage" % client.NOBODY, key=key), 404)

    def test_unlimited(self):
        body = get("/api/v1/organizations/usage").json()
        self.assertEqual(body["plan"], "enterprise")
        self.assertIsNone(body["usage"]["active_jobs"]["limit"])
        self.assertIsNone(body["usage"]["active_jobs"]["percentage"])

    def test_many_at_the_last_places(self):
        _, key = new_organization("free", {"max_active_jobs": 25})
        statuses = []

        def run():
            for _ in range(10):
                statuses.append(self.enqueue(key).status)

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((statuses.count(201), statuses.count(429)), (25, 55))


if __name__ == "__main__":
    unittest.main()

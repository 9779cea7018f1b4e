"""API keys: K1-K5, O14, rotation, permissions, queue scopes."""

import threading
import uuid

from client import Case, delete, get, needs_psql, new_queue, post, psql, put, request

KEY = {
    "id": "uuid", "organization_id": "uuid", "name": "str", "key_prefix": "str", "queues": "list", "permissions": "list",
    "rate_limit": "int?", "is_active": "bool", "created_at": "ts", "last_used": "ts?", "expires_at": "ts?",
}


class ApiKeys(Case):
    def make(self, **body):
        return self.ok(post("/api/v1/api-keys", dict({"name": "test key"}, **body)), 201)

    def test_create_shows_the_key_once(self):
        made = self.make(rate_limit=100, expires_at="2999-01-01T00:00:00Z")
        self.assertShape(made, dict(KEY, key="str"))
        self.assertRegex(made["key"], r"^sk_(test|live)_[A-Za-z0-9_-]{43}$")
        self.assertEqual((made["rate_limit"], made["queues"], made["permissions"]), (100, [], ["*"]))
        seen = self.ok(get("/api/v1/api-keys/" + made["id"]))
        self.assertShape(seen, KEY)
        self.assertNotIn("key", seen)
        self.assertIn(made["id"], [key["id"] for key in self.ok(get("/api/v1/api-keys"))])
        self.ok(get("/api/v1/queues", key=made["key"]))

    def test_what_is_refused(self):
        for body, field in (({}, "name"), ({"name": "a/b"}, "name"), ({"name": "k", "queues": [".q"]}, "queues"),
                            ({"name": "k", "rate_limit": 0}, "rate_limit"), ({"name": "k", "rate_limit": 10001}, "rate_limit"),
                            ({"name": "k", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
                            ({"name": "k", "permissions": ["jobs:fly"]}, "permissions"), ({"name": "k", "permissions": []}, "permissions")):
            self.refused(post("/api/v1/api-keys", body), 400, "VALIDATION_ERROR", field)
        for path in "/api/v1/api-keys/" + str(uuid.uuid4()), "/api/v1/api-keys/key_abc":
            self.refused(get(path), 404, "NOT_FOUND")
            self.refused(put(path, {"name": "x"}), 404, "NOT_FOUND")
            self.refused(delete(path), 404, "NOT_FOUND")

    def test_update_and_revoke_at_the_next_request(self):
        made = self.make()
        changed = self.ok(put("/api/v1/api-keys/" + made["id"], {"name": "renamed", "queues": ["only-this"]}))
        self.assertEqual((changed["name"], changed["queues"]), ("renamed", ["only-this"]))
        self.refused(post("/api/v1/jobs", {"queue_name": new_queue(), "payload": {}}, key=made["key"]), 403, "ACCESS_DENIED")
        self.ok(put("/api/v1/api-keys/" + made["id"], {"is_active": False}))
        self.refused(get("/api/v1/queues", key=made["key"]), 401, "UNAUTHORIZED")
        self.ok(put("/api/v1/api-keys/" + made["id"], {"is_active": True}))
        self.ok(get("/api/v1/queues", key=made["key"]))
        self.empty(delete("/api/v1/api-keys/" + made["id"]))
        self.empty(delete("/api/v1/api-keys/" + made["id"]))
        self.assertFalse(self.ok(get("/api/v1/api-keys/" + made["id"]))["is_active"])
        self.refused(get("/api/v1/queues", key=made["key"]), 401, "UNAUTHORIZED")

    def test_revocation_while_requests_run(self):
        """After the answer to the revocation no request that begins is let in, whatever is on its way."""
        made = self.make()
        queue, revoked, late = new_queue(), threading.Event(), []

        def load():
            while True:
                after = revoked.is_set()
                status = post("/api/v1/jobs", {"queue_name": queue, "payload": {}}, key=made["key"]).status
                if after:
                    late.append(status)
                    return

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.empty(delete("/api/v1/api-keys/" + made["id"]))
        revoked.set()
        for thread in threads:
            thread.join()
        self.assertEqual(late, [401] * 4)

    def test_rotation(self):
        old = self.make(permissions=["queues:read"])
        new = self.ok(post("/api/v1/api-keys/%s/rotate" % old["id"], {"overlap_secs": 3600}), 201)
        self.assertNotEqual(new["id"], old["id"])
        self.assertEqual((new["name"], new["permissions"], new["expires_at"]), (old["name"], ["queues:read"], None))
        for key in old, new:
            self.ok(get("/api/v1/queues", key=key["key"]))
        last = self.ok(post("/api/v1/api-keys/%s/rotate" % new["id"], {"overlap_secs": 0}), 201)
        self.refused(get("/api/v1/queues", key=new["key"]), 401, "UNAUTHORIZED")
        self.ok(get("/api/v1/queues", key=last["key"]))
        self.refused(post("/api/v1/api-keys/%s/rotate" % new["id"]), 409, "CONFLICT")

    def test_sent_again(self):
        headers = {"Idempotency-Key": "key-" + uuid.uuid4().hex}
        first = self.ok(post("/api/v1/api-keys", {"name": "once"}, headers=headers), 201)
        second = self.ok(post("/api/v1/api-keys", {"name": "once"}, headers=headers))
        self.assertEqual((second["id"], second["key"]), (first["id"], None))
        rotate = "/api/v1/api-keys/%s/rotate" % first["id"]
        successor = self.ok(post(rotate, headers=headers), 201)
        self.assertEqual(self.ok(post(rotate, headers=headers)), dict(successor, key=None))
        self.assertNotEqual(self.ok(post(rotate), 201)["id"], successor["id"])

    def test_of_the_organization(self):
        me = self.ok(get("/api/v1/organizations"))[0]["id"]
        made = self.ok(post("/api/v1/organizations/%s/api-keys" % me, {"name": "guide", "permissions": ["jobs:write", "jobs:read"]}), 201)
        self.assertShape(made, dict(KEY, key="str"))
        self.assertEqual(sorted(made["permissions"]), ["jobs:read", "jobs:write"])
        self.refused(post("/api/v1/organizations/%s/api-keys" % uuid.uuid4(), {"name": "guide"}), 404, "NOT_FOUND")

    def test_permissions(self):
        queue = new_queue()
        writer = self.make(permissions=["jobs:write"])["key"]
        reader = self.make(permissions=["jobs:read"])["key"]
        job = self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": {}}, key=writer), 201)["id"]
        self.ok(get("/api/v1/jobs/" + job, key=reader))
        self.refused(get("/api/v1/jobs/" + job, key=writer), 403, "ACCESS_DENIED")
        self.refused(post("/api/v1/jobs", {"queue_name": queue, "payload": {}}, key=reader), 403, "ACCESS_DENIED")
        self.refused(post("/api/v1/queues/%s/pause" % queue, key=writer), 403, "ACCESS_DENIED")
        self.refused(get("/api/v1/api-keys", key=reader), 403, "ACCESS_DENIED")
        clerk = self.make(permissions=["api_keys:write"])["key"]
        self.refused(post("/api/v1/api-keys", {"name": "more", "permissions": ["*"]}, key=clerk), 403, "ACCESS_DENIED")
        self.refused(post("/api/v1/api-keys", {"name": "more"}, key=clerk), 403, "ACCESS_DENIED")


class Scope(Case):
    """A key for one queue: 403 for another queue by name, 404 for single things of it, lists without them."""

    def setUp(self):
        self.mine, self.theirs = new_queue(), new_queue()
        self.key = self.ok(post("/api/v1/api-keys", {"name": "narrow", "queues": [self.mine]}), 201)["key"]
        self.job = self.create(self.theirs)

    def test_explicit_queue(self):
        for method, path, body in (
                ("POST", "/api/v1/jobs", {"queue_name": self.theirs, "payload": {}}),
                ("POST", "/api/v1/jobs/bulk", {"queue_name": self.theirs, "jobs": [{"payload": {}}]}),
                ("POST", "/api/v1/jobs/claim", {"queue_name": self.theirs, "worker_id": "w"}),
                ("POST", "/api/v1/jobs/dequeue", {"queue": self.theirs, "worker_id": "w"}),
                ("POST", "/api/v1/workers/register", {"queue_name": self.theirs, "hostname": "h"}),
                ("POST", "/api/v1/queues", {"name": self.theirs}),
                ("PUT", "/api/v1/queues/%s/config" % self.theirs, {"max_retries": 1}),
                ("POST", "/api/v1/queues/%s/pause" % self.theirs, None), ("POST", "/api/v1/queues/%s/resume" % self.theirs, None),
                ("DELETE", "/api/v1/queues/%s?delete_jobs=true" % self.theirs, None),
                ("POST", "/api/v1/queues/%s/purge" % self.theirs, None), ("GET", "/api/v1/queues/%s/stats" % self.theirs, None),
                ("POST", "/api/v1/jobs/dlq/retry", {"queue_name": self.theirs}), ("POST", "/api/v1/jobs/dlq/retry", {}),
                ("POST", "/api/v1/jobs/dlq/purge", {"queue_name": self.theirs, "confirm": True})):
            with self.subTest(path=path):
                reply = request(method, path, body, key=self.key)
                if path.endswith("/bulk"):
                    self.assertEqual(self.ok(reply)["success_count"], 0)
                else:
                    self.refused(reply, 403, "ACCESS_DENIED")
        self.assertEqual(self.job_count(), 1)

    def job_count(self):
        return self.ok(get("/api/v1/jobs/stats?queue_name=" + self.theirs))["total"]

    def test_single_things(self):
        worker = self.ok(post("/api/v1/workers/register", {"queue_name": self.theirs, "hostname": "h"}), 201)["id"]
        leased = self.create(self.theirs, priority=9)
        self.claim_one(self.theirs, "w")
        self.job_is_hidden(leased)
        self.job_is_hidden(self.job)
        for method, path, body in (("GET", "", None), ("POST", "/heartbeat", {"current_jobs": 1}), ("POST", "/deregister", None)):
            self.refused(request(method, "/api/v1/workers/" + worker + path, body, key=self.key), 404, "NOT_FOUND")
        self.refused(post("/api/v1/workers/register", {"queue_name": self.mine, "hostname": "h", "worker_id": worker}, key=self.key), 409)

    def job_is_hidden(self, job):
        path = "/api/v1/jobs/" + job
        for method, suffix, body in (("GET", "", None), ("DELETE", "", None), ("POST", "/retry", None), ("PUT", "/priority", {"priority": 1}),
                                     ("GET", "/history", None), ("GET", "/explain", None), ("POST", "/complete", {}),
                                     ("POST", "/fail", {"error": "e"}), ("POST", "/heartbeat", {"worker_id": "w"}),
                                     ("POST", "/release", {"worker_id": "w"})):
            with self.subTest(suffix=suffix or method):
                self.refused(request(method, path + suffix, body, key=self.key), 404, "NOT_FOUND")

    def test_lists_are_filtered(self):
        mine = self.ok(post("/api/v1/jobs", {"queue_name": self.mine, "payload": {}}, key=self.key), 201)["id"]
        self.assertEqual([job["id"] for job in self.ok(get("/api/v1/jobs", key=self.key))], [mine])
        self.assertEqual([queue["queue_name"] for queue in self.ok(get("/api/v1/queues", key=self.key))], [self.mine])
        self.assertEqual(self.ok(get("/api/v1/jobs/stats", key=self.key))["total"], 1)
        self.assertEqual([job["id"] for job in self.ok(get("/api/v1/jobs/status?ids=%s,%s" % (mine, self.job), key=self.key))], [mine])
        dashboard = self.ok(get("/api/v1/dashboard", key=self.key))
        self.assertEqual([queue["name"] for queue in dashboard["queues"]], [self.mine])
        self.assertEqual((dashboard["jobs"]["total"], dashboard["recent_activity"]["jobs_created_1h"]), (1, 1))

    def test_organization(self):
        me = self.ok(get("/api/v1/organizations", key=self.key))[0]
        self.assertNotIn("webhook_token", me["settings"])
        for method, path in (("PUT", "/%s" % me["id"]), ("DELETE", "/%s" % me["id"]), ("GET", "/%s/members" % me["id"]), ("GET", "/usage"),
                             ("GET", "/webhook-token"), ("POST", "/webhook-token/regenerate"), ("POST", "/webhook-token/clear")):
            self.refused(request(method, "/api/v1/organizations" + path, {} if method != "GET" else None, key=self.key), 403, "ACCESS_DENIED")
        for method, path in ("GET", ""), ("POST", ""), ("GET", "/" + str(uuid.uuid4())):
            self.refused(request(method, "/api/v1/api-keys" + path, {"name": "k", "queues": [self.mine]} if method == "POST" else None,
                                 key=self.key), 403, "ACCESS_DENIED")


@needs_psql
class LastKey(Case):
    def test_stays(self):
        slug = "last-" + uuid.uuid4().hex[:8]
        psql("SELECT spooled.create_organization('Last key', '%s')" % slug)
        key = psql("BEGIN; SELECT spooled.enter_organization('%s'); SELECT spooled.create_api_key('only'); COMMIT" % slug).strip()
        only = self.ok(get("/api/v1/api-keys", key=key))[0]["id"]
        self.refused(delete("/api/v1/api-keys/" + only, key=key), 409, "CONFLICT")
        self.refused(put("/api/v1/api-keys/" + only, {"is_active": False}, key=key), 409, "CONFLICT")
        self.ok(post("/api/v1/api-keys", {"name": "another"}, key=key), 201)
        self.empty(delete("/api/v1/api-keys/" + only, key=key))
        self.refused(get("/api/v1/api-keys", key=key), 401, "UNAUTHORIZED")

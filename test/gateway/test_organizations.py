"""Organizations: O1-O13, and the dashboard X1."""

import uuid

from client import Case, delete, eventually, get, needs_psql, new_queue, post, psql, put

ORGANIZATION = {
    "id": "uuid", "name": "str", "slug": "str", "plan_tier": "str", "plan": "str", "billing_email": "str?", "settings": "obj",
    "custom_limits": "any", "created_at": "ts", "updated_at": "ts", "stripe_customer_id": "str?", "stripe_subscription_id": "str?",
}
LIMITS = {
    "tier": "str", "display_name": "str", "max_jobs_per_day": "int?", "max_active_jobs": "int?", "max_queues": "int?", "max_workers": "int?",
    "max_api_keys": "int?", "max_schedules": "int?", "max_workflows": "int?", "max_webhooks": "int?", "max_payload_size_bytes": "int",
    "rate_limit_requests_per_second": "int", "rate_limit_burst": "int", "job_retention_days": "int", "history_retention_days": "int",
}
USED = "jobs_today", "active_jobs", "queues", "workers", "api_keys", "schedules", "workflows", "webhooks"


def slug():
    return "org-" + uuid.uuid4().hex[:12]


class Organizations(Case):
    def register(self, **fields):
        return self.ok(post("/api/v1/organizations", dict({"name": "Test organization", "slug": slug()}, **fields), key=None), 201)

    def test_register(self):
        address = uuid.uuid4().hex + "@example.com"
        made = self.register(billing_email=address)
        self.assertShape(made["organization"], ORGANIZATION)
        self.assertShape(made["api_key"], {"id": "uuid", "key": "str", "name": "str", "created_at": "ts"})
        self.assertEqual((made["api_key"]["name"], made["plan_tier"], made["id"], made["slug"]),
                         ("Initial Admin Key", "free", made["organization"]["id"], made["organization"]["slug"]))
        self.assertRegex(made["organization"]["settings"]["webhook_token"], r"^whk_[A-Za-z0-9_-]{32}$")
        key = made["api_key"]["key"]
        self.assertEqual([one["id"] for one in self.ok(get("/api/v1/organizations", key=key))], [made["id"]])
        self.refused(post("/api/v1/organizations", {"name": "Again", "slug": made["slug"]}, key=None), 409, "CONFLICT")
        self.refused(post("/api/v1/organizations", {"name": "Again", "slug": slug(), "billing_email": address.upper()}, key=None), 409, "CONFLICT")
        self.refused(post("/api/v1/organizations", {"slug": slug()}, key=None), 400, "VALIDATION_ERROR", "name")
        for bad in "ab", "-abc", "Abc", "a--b", "admin", "1abc":
            self.refused(post("/api/v1/organizations", {"name": "Bad slug", "slug": bad}, key=None), 400, "VALIDATION_ERROR", "slug")

    def test_sent_again(self):
        """Under its Idempotency-Key a registration makes one organization; what was shown once is null."""
        body, headers = {"name": "Sent twice", "slug": slug(), "billing_email": uuid.uuid4().hex + "@example.com"}, {"Idempotency-Key": "k"}
        first = self.ok(post("/api/v1/organizations", body, key=None, headers=headers), 201)
        again = post("/api/v1/organizations", body, key=None, headers=headers)
        token = first["settings"]["webhook_token"]
        for secret in first["api_key"]["key"], token:
            self.assertNotIn(secret.encode(), again.body)
        again = self.ok(again)
        self.assertEqual((again["api_key"].pop("key"), again["settings"].pop("webhook_token"),
                          again["organization"]["settings"].pop("webhook_token")), (None, None, None))
        for seen in first["api_key"], first["settings"], first["organization"]["settings"]:
            seen.pop("key", seen.pop("webhook_token", None))
        self.assertEqual(again, first)
        # Somebody else's request under the same key is another one, and is told nothing.
        for changed in {"name": "Another"}, {"billing_email": None}:
            self.refused(post("/api/v1/organizations", dict(body, **changed), key=None, headers=headers), 409, "CONFLICT")
        other = self.ok(post("/api/v1/organizations", dict(body, slug=slug(), billing_email=None), key=None, headers=headers), 201)
        self.assertNotEqual(other["id"], first["id"])

    def test_is_known_to_its_own_keys_only(self):
        made = self.register()
        theirs = "/api/v1/organizations/" + made["id"]
        for path in theirs, "/api/v1/organizations/" + str(uuid.uuid4()), "/api/v1/organizations/org_abc123":
            for reply in (get(path), put(path, {"name": "Mine now"}), delete(path), get(path + "/members"), get(path + "/usage"),
                          get(path + "/webhook-token"), post(path + "/webhook-token/regenerate"), delete(path + "/webhook-token")):
                self.refused(reply, 404, "NOT_FOUND")
        self.assertEqual(self.ok(get(theirs, key=made["api_key"]["key"]))["name"], "Test organization")

    def test_update(self):
        made = self.register()
        path, key = "/api/v1/organizations/" + made["id"], made["api_key"]["key"]
        token = made["organization"]["settings"]["webhook_token"]
        changed = self.ok(put(path, {"name": "Renamed", "settings": {"color": "red", "webhook_token": "mine"}, "plan_tier": "enterprise"}, key=key))
        self.assertEqual((changed["name"], changed["settings"], changed["plan_tier"]), ("Renamed", {"color": "red", "webhook_token": token}, "free"))
        self.assertEqual(self.ok(put(path, {}, key=key))["settings"]["color"], "red")
        self.assertEqual(self.ok(put(path, {"name": "null"}, key=key))["name"], "null", "a word like any other")
        self.refused(put(path, {"settings": "text"}, key=key), 400, "VALIDATION_ERROR", "settings")
        self.refused(put(path, {"settings": {"x": "y" * 70000}}, key=key), 400, "VALIDATION_ERROR", "settings")
        self.refused(put(path, {"billing_email": "nobody"}, key=key), 400, "VALIDATION_ERROR", "billing_email")

    def test_members(self):
        made = self.register(billing_email=uuid.uuid4().hex + "@example.com")
        members = self.ok(get("/api/v1/organizations/%s/members" % made["id"], key=made["api_key"]["key"]))
        self.assertEqual(len(members), 1)
        self.assertShape(members[0], {"id": "uuid", "user_id": "uuid", "email": "str", "name": "str", "role": "str", "joined_at": "ts"})
        self.assertEqual((members[0]["user_id"], members[0]["role"]), (made["api_key"]["id"], "owner"))

    def test_usage_of_a_free_organization(self):
        made = self.register()
        key = made["api_key"]["key"]
        usage = self.ok(get("/api/v1/organizations/usage", key=key))
        self.assertEqual((usage["plan"], usage["plan_display_name"]), ("free", "Free"))
        self.assertShape(usage["limits"], LIMITS)
        self.assertEqual((usage["limits"]["max_active_jobs"], usage["limits"]["max_queues"], usage["limits"]["max_workers"]), (10, 2, 1))
        self.assertEqual(set(usage["usage"]), set(USED))
        self.assertEqual(usage["usage"]["api_keys"], {"current": 1, "limit": 2, "percentage": 50.0, "is_disabled": False})
        self.assertEqual(usage["usage"]["workflows"], {"current": 0, "limit": 0, "percentage": None, "is_disabled": True})
        self.assertIn({"resource": "api_keys", "message": "api keys at 50% of limit", "severity": "warning"}, usage["warnings"])
        self.assertEqual(self.ok(get("/api/v1/organizations/%s/usage" % made["id"], key=key))["plan"], "free")
        self.ok(post("/api/v1/jobs", {"queue_name": "counted", "payload": {}}, key=key), 201)
        usage = self.ok(get("/api/v1/organizations/usage", key=key))["usage"]
        self.assertEqual([usage[name]["current"] for name in ("jobs_today", "active_jobs", "queues")], [1, 1, 1])
        self.ok(post("/api/v1/api-keys", {"name": "second"}, key=key), 201)
        refusal = self.refused(post("/api/v1/api-keys", {"name": "third"}, key=key), 429, "QUOTA_EXCEEDED")
        self.assertEqual((refusal["resource"], refusal["current"], refusal["limit"]), ("api_keys", 2, 2))

    def test_slugs(self):
        taken = self.register()["slug"]
        for path in "?slug=", "/":
            free = self.ok(get("/api/v1/organizations/check-slug" + path + slug(), key=None))
            self.assertEqual((free["available"], free["valid"]), (True, True))
            self.assertNotIn("suggestion", free)
            answer = self.ok(get("/api/v1/organizations/check-slug" + path + taken, key=None))
            self.assertEqual((answer["available"], answer["valid"]), (False, True))
            self.assertRegex(answer["suggestion"], r"^%s-[0-9a-f]{6}$" % taken)
            self.assertEqual(self.ok(get("/api/v1/organizations/check-slug" + path + "No", key=None))["valid"], False)
        self.refused(get("/api/v1/organizations/check-slug", key=None), 400)
        self.assertEqual(self.ok(post("/api/v1/organizations/generate-slug", {"name": "My %s!" % taken}, key=None))["slug"], "my-" + taken)
        self.assertRegex(self.ok(post("/api/v1/organizations/generate-slug", {"name": "9" * 200}, key=None))["slug"], r"^org-9+$")
        self.refused(post("/api/v1/organizations/generate-slug", {}, key=None), 400, "VALIDATION_ERROR", "name")

    def test_webhook_token(self):
        made = self.register()
        key, path = made["api_key"]["key"], "/api/v1/organizations/%s/webhook-token" % made["id"]
        token = made["organization"]["settings"]["webhook_token"]
        for where in "/api/v1/organizations/webhook-token", path:
            answer = self.ok(get(where, key=key))
            self.assertEqual((answer["webhook_token"], answer["token"]), (token, token))
            self.assertTrue(answer["webhook_url"].endswith("/api/v1/webhooks/%s/custom" % made["id"]))
        renewed = self.ok(post("/api/v1/organizations/webhook-token/regenerate", {}, key=key))["token"]
        self.assertNotEqual(renewed, token)
        self.assertEqual(self.ok(get(path, key=key))["token"], renewed)
        self.refused(post("/api/v1/organizations/webhook-token/clear", {"confirm": True}, key=key), 400, "BAD_REQUEST")
        self.refused(delete(path, key=key), 400, "BAD_REQUEST")

    def test_delete(self):
        made = self.register()
        key, path = made["api_key"]["key"], "/api/v1/organizations/" + made["id"]
        job = self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {}}, key=key), 201)["id"]
        self.refused(delete(path, key=key), 409, "CONFLICT")
        self.empty(delete("/api/v1/jobs/" + job, key=key))
        schedule = self.ok(post("/api/v1/schedules", {"name": "s", "cron_expression": "0 0 1 1 *", "queue_name": "q", "payload_template": {}},
                                key=key), 201)["id"]
        self.refused(delete(path, key=key), 409, "CONFLICT")
        self.ok(post("/api/v1/schedules/%s/pause" % schedule, key=key))
        self.empty(delete(path, key=key))
        body = self.refused(get(path, key=key), 401, "UNAUTHORIZED")
        self.assertEqual(body["message"], "Organization is not available")


@needs_psql
class Registration(Case):
    def tearDown(self):
        psql("ALTER SYSTEM RESET spooled.registration_mode")
        psql("SELECT pg_reload_conf()")

    def test_modes(self):
        for mode in "closed", "invite":
            psql("ALTER SYSTEM SET spooled.registration_mode = '%s'" % mode)
            psql("SELECT pg_reload_conf()")

            def is_refused():
                return post("/api/v1/organizations", {"name": "Nobody's", "slug": slug()}, key=None).status == 403

            self.assertTrue(eventually(is_refused, 60), mode)
            self.refused(post("/api/v1/organizations", {"name": "Nobody's", "slug": slug()}, key=None,
                              headers={"X-Admin-Key": "wrong"}), 403, "ACCESS_DENIED")


class Dashboard(Case):
    def test_shape(self):
        queue = new_queue()
        self.create(queue)
        board = self.ok(get("/api/v1/dashboard"))
        self.assertShape(board["system"], {"version": "str", "uptime_seconds": "int", "started_at": "ts", "database_status": "str",
                                           "cache_status": "str", "environment": "str"})
        self.assertShape(board["jobs"], {"total": "int", "pending": "int", "processing": "int", "completed_24h": "int", "failed_24h": "int",
                                         "deadletter": "int", "avg_wait_time_ms": "int?", "avg_processing_time_ms": "int?"})
        self.assertShape(board["workers"], {"total": "int", "healthy": "int", "unhealthy": "int"})
        self.assertShape(board["recent_activity"], {"jobs_created_1h": "int", "jobs_completed_1h": "int", "jobs_failed_1h": "int"})
        self.assertLessEqual(len(board["queues"]), 20)
        for one in board["queues"]:
            self.assertShape(one, {"name": "str", "pending": "int", "processing": "int", "paused": "bool"})

    def test_numbers(self):
        key = self.ok(post("/api/v1/organizations", {"name": "Dashboard", "slug": slug()}, key=None), 201)["api_key"]["key"]
        for _ in range(3):
            self.ok(post("/api/v1/jobs", {"queue_name": "board", "payload": {}}, key=key), 201)
        job = self.ok(post("/api/v1/jobs/claim", {"queue_name": "board", "worker_id": "w"}, key=key))["jobs"][0]["id"]
        self.ok(post("/api/v1/jobs/%s/complete" % job, {"worker_id": "w"}, key=key))
        self.ok(post("/api/v1/jobs/claim", {"queue_name": "board", "worker_id": "w"}, key=key))
        self.ok(post("/api/v1/workers/register", {"queue_name": "board", "hostname": "h"}, key=key), 201)
        board = self.ok(get("/api/v1/dashboard", key=key))
        jobs = board["jobs"]
        self.assertEqual((jobs["total"], jobs["pending"], jobs["processing"], jobs["completed_24h"]), (3, 1, 1, 1))
        self.assertTrue(0 <= jobs["avg_wait_time_ms"] <= 120_000, jobs)
        self.assertEqual(board["queues"], [{"name": "board", "pending": 1, "processing": 1, "paused": False}])
        self.assertEqual(board["workers"], {"total": 1, "healthy": 1, "unhealthy": 0})
        self.assertEqual(board["recent_activity"], {"jobs_created_1h": 3, "jobs_completed_1h": 1, "jobs_failed_1h": 0})

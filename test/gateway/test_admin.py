"""The installation's admin: group M, and erasure."""

import os
import unittest
import uuid

from client import Case, eventually, get, needs_psql, post, psql, request
from test_organizations import LIMITS, ORGANIZATION, slug

ADMIN = "/api/v1/admin"
KEY = os.environ.get("ADMIN_API_KEY", "")
HEADERS = {"X-Admin-Key": KEY}


def admin(method, path, body=None):
    return request(method, ADMIN + path, body, key=None, headers=HEADERS)


@needs_psql
@unittest.skipUnless(KEY, "needs ADMIN_API_KEY")
class Admin(Case):
    def create(self, **fields):
        return self.ok(admin("POST", "/organizations", dict({"name": "By an admin", "slug": slug()}, **fields)), 201)

    def test_who_is_one(self):
        for headers, error in (({}, "missing_admin_key"), ({"X-Admin-Key": "wrong"}, "invalid_admin_key"),
                               ({"X-Admin-Key": KEY[:-1]}, "invalid_admin_key"), ({"X-Admin-Key": KEY + "x"}, "invalid_admin_key"),
                               ({"X-Admin-Key": "a b"}, "invalid_header"), ({"X-Admin-Key": "x" * 5000}, "invalid_header")):
            for path in "/stats", "/plans", "/organizations", "/organizations/" + str(uuid.uuid4()):
                body = self.refused(get(ADMIN + path, key=None, headers=headers), 401, error.upper())
                self.assertEqual(body["error"], error)
        self.refused(get(ADMIN + "/stats"), 401, "MISSING_ADMIN_KEY")  # a tenant's key is none

    def test_list(self):
        mark = uuid.uuid4().hex[:10]
        names = ["%s %d" % (mark, n) for n in range(3)]
        for name in names:
            self.create(name=name)
        page = self.ok(admin("GET", "/organizations?search=%s&sort_by=name&sort_order=asc&limit=2" % mark))
        self.assertEqual(([one["name"] for one in page["organizations"]], page["total"], page["limit"], page["offset"]), (names[:2], 3, 2, 0))
        page = self.ok(admin("GET", "/organizations?search=%s&sort_by=name&sort_order=desc&offset=2" % mark.upper()))
        self.assertEqual([one["name"] for one in page["organizations"]], names[:1])
        one = page["organizations"][0]
        self.assertShape(one, ORGANIZATION)
        self.assertEqual({"jobs_today", "active_jobs", "queues", "workers", "api_keys"} - set(one["usage"]), set())
        self.assertNotIn("webhook_token", one["settings"])
        self.assertEqual(self.ok(admin("GET", "/organizations?search=%s&plan_tier=pro" % mark))["total"], 0)
        self.assertEqual(self.ok(admin("GET", "/organizations?search=%s&plan_tier=golden" % mark))["total"], 3)
        self.refused(admin("GET", "/organizations?sort_by=secret"), 400, "VALIDATION_ERROR", "sort_by")

    def test_create(self):
        made = self.create(plan_tier="pro", settings={"a": 1}, custom_limits={"max_queues": 3})
        self.assertShape(made, ORGANIZATION)
        self.assertShape(made["organization"], ORGANIZATION)
        self.assertEqual((made["plan_tier"], made["custom_limits"], made["settings"]["a"]), ("pro", {"max_queues": 3}, 1))
        key = made["api_key"]["key"]
        self.assertEqual(self.ok(get("/api/v1/organizations/usage", key=key))["limits"]["max_queues"], 3)
        self.refused(admin("POST", "/organizations", {"name": "Again", "slug": made["slug"]}), 409, "CONFLICT")
        self.ok(admin("POST", "/organizations", {"name": "Its own slug", "slug": "9--" + uuid.uuid4().hex[:10]}), 201)
        self.refused(admin("POST", "/organizations", {"name": "Bad slug", "slug": "-abc"}), 400, "VALIDATION_ERROR", "slug")
        self.refused(admin("POST", "/organizations", {"name": "Golden", "slug": slug(), "plan_tier": "golden"}), 400, "VALIDATION_ERROR", "plan_tier")

    def test_sent_again(self):
        def send(path, body):
            return request("POST", ADMIN + path, body, key=None, headers=dict(HEADERS, **{"Idempotency-Key": "k"}))

        body = {"name": "By an admin", "slug": slug(), "plan_tier": "pro"}
        first, again = self.ok(send("/organizations", body), 201), self.ok(send("/organizations", body))
        self.assertEqual((again["id"], again["api_key"]["id"], again["api_key"]["key"]), (first["id"], first["api_key"]["id"], None))
        self.refused(send("/organizations", dict(body, plan_tier="free")), 409, "CONFLICT")
        path = "/organizations/%s/api-keys" % first["id"]
        key, same = self.ok(send(path, {"name": "once"}), 201), self.ok(send(path, {"name": "once"}))
        self.assertEqual(same, dict(key, key=None))
        self.assertEqual(self.ok(admin("GET", "/organizations/" + first["id"]))["api_keys_count"], 2)

    def test_get(self):
        made = self.create()
        self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {}}, key=made["api_key"]["key"]), 201)
        seen = self.ok(admin("GET", "/organizations/" + made["id"]))
        self.assertShape(seen, ORGANIZATION)
        self.assertShape(seen["usage_info"]["limits"], LIMITS)
        self.assertEqual((seen["api_keys_count"], seen["total_jobs"], seen["usage"]["active_jobs"]), (1, 1, 1))
        for nobody in str(uuid.uuid4()), "org_abc123":
            self.refused(admin("GET", "/organizations/" + nobody), 404, "NOT_FOUND")

    def test_update(self):
        made = self.create()
        path = "/organizations/" + made["id"]
        for method in "PATCH", "PUT":
            changed = self.ok(admin(method, path, {"plan_tier": "starter", "custom_limits": {"max_workers": 7}, "stripe_customer_id": "cus_1"}))
            self.assertEqual((changed["plan_tier"], changed["custom_limits"], changed["stripe_customer_id"]), ("starter", {"max_workers": 7}, "cus_1"))
            limits = self.ok(get("/api/v1/organizations/usage", key=made["api_key"]["key"]))["limits"]
            self.assertEqual((limits["tier"], limits["max_workers"], limits["max_queues"]), ("starter", 7, 10))
            self.assertEqual(self.ok(admin(method, path, {}))["custom_limits"], {"max_workers": 7})
            changed = self.ok(admin(method, path, {"custom_limits": None, "stripe_customer_id": None, "plan_tier": "free"}))
            self.assertEqual((changed["plan_tier"], changed["custom_limits"], changed["stripe_customer_id"]), ("free", None, None))
            self.assertEqual(self.ok(admin(method, path, {"custom_limits": {}}))["custom_limits"], None)
            self.refused(admin(method, path, {"plan_tier": "deleted"}), 400, "VALIDATION_ERROR", "plan_tier")
            self.refused(admin(method, "/organizations/" + str(uuid.uuid4()), {"name": "Nobody"}), 404, "NOT_FOUND")

    def test_api_keys(self):
        made = self.create()
        more = self.ok(admin("POST", "/organizations/%s/api-keys" % made["id"], {"name": "from above", "rate_limit": 60}), 201)
        self.assertShape(more, {"id": "uuid", "key": "str", "name": "str", "created_at": "ts"})
        self.assertEqual((more["queues"], more["rate_limit"]), (["*"], 60))
        self.assertEqual(self.ok(get("/api/v1/organizations", key=more["key"]))[0]["id"], made["id"])
        self.refused(admin("POST", "/organizations/%s/api-keys" % uuid.uuid4(), {"name": "k"}), 404, "NOT_FOUND")
        tenants = "/api/v1/organizations/%s/api-keys" % made["id"]  # the tenants' route takes the admin's key as well
        key = self.ok(request("POST", tenants, {"name": "k", "permissions": ["jobs:read"]}, key=None, headers=HEADERS), 201)
        self.assertEqual((key["organization_id"], key["permissions"]), (made["id"], ["jobs:read"]))
        self.refused(request("POST", tenants, {"name": "k"}, key=None, headers={"X-Admin-Key": KEY + "x"}), 401, "INVALID_ADMIN_KEY")
        self.refused(request("POST", tenants, {"name": "k"}, key="sk_test_wrong", headers=HEADERS), 401, "UNAUTHORIZED")
        self.refused(request("POST", tenants, {"name": "k"}, headers=HEADERS), 404, "NOT_FOUND")  # a stranger's credential counts
        self.empty(admin("DELETE", "/organizations/" + made["id"]))
        self.refused(admin("POST", "/organizations/%s/api-keys" % made["id"], {"name": "k"}), 400, "BAD_REQUEST")

    def test_soft_delete(self):
        made = self.create()
        self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {}}, key=made["api_key"]["key"]), 201)
        self.empty(admin("DELETE", "/organizations/" + made["id"]))
        self.refused(get("/api/v1/queues", key=made["api_key"]["key"]), 401, "UNAUTHORIZED")
        self.assertEqual(self.ok(admin("GET", "/organizations/" + made["id"]))["plan_tier"], "deleted")
        page = self.ok(admin("GET", "/organizations?plan_tier=deleted&search=" + made["slug"]))
        self.assertEqual([one["id"] for one in page["organizations"]], [made["id"]])

    def test_schedules_of_a_deleted_organization_end(self):
        made = self.create()
        key = made["api_key"]["key"]
        body = {"name": "n", "cron_expression": "* * * * * *", "queue_name": "q", "payload_template": {}}
        schedule = self.ok(post("/api/v1/schedules", body, key=key), 201)["id"]
        runs = "SELECT count(*) FROM spooled.schedule_run WHERE schedule = '%s'" % schedule
        self.assertTrue(eventually(lambda: psql(runs) != "0", 60))
        self.empty(admin("DELETE", "/organizations/" + made["id"]))
        self.assertEqual(psql("SELECT is_active FROM spooled.schedule WHERE id = '%s'" % schedule), "f")

    def test_hard_delete_leaves_nothing(self):
        for flag in "hard_delete", "hard":
            made = self.create(plan_tier="enterprise")
            key = made["api_key"]["key"]
            org = psql("SELECT id FROM spooled.org WHERE uid = '%s'" % made["id"])
            for n in range(40):
                self.ok(post("/api/v1/jobs/bulk", {"queue_name": "q%d" % (n % 3), "jobs": [
                    {"payload": {"n": i}, "idempotency_key": "k-%d-%d" % (n, i), "tags": {"t": "x"}} for i in range(100)]}, key=key))
            for job in self.ok(post("/api/v1/jobs/claim", {"queue_name": "q0", "worker_id": "w", "limit": 20}, key=key))["jobs"]:
                self.ok(post("/api/v1/jobs/%s/complete" % job["id"], {"worker_id": "w"}, key=key))
            self.ok(post("/api/v1/jobs/claim", {"queue_name": "q1", "worker_id": "w", "limit": 20}, key=key))
            self.ok(post("/api/v1/workers/register", {"queue_name": "q1", "hostname": "h"}, key=key), 201)
            steps = [{"key": "a", "queue_name": "q3", "payload": 1}, {"key": "b", "queue_name": "q3", "payload": 2, "depends_on": ["a"]}]
            self.ok(post("/api/v1/workflows", {"name": "half done", "jobs": steps}, key=key), 201)
            self.ok(post("/api/v1/jobs/claim", {"queue_name": "q3", "worker_id": "w"}, key=key))
            self.ok(post("/api/v1/schedules", {"name": "busy", "cron_expression": "* * * * * *", "workflow_jobs": steps}, key=key), 201)
            self.empty(admin("DELETE", "/organizations/%s?%s=true" % (made["id"], flag)))
            self.refused(get("/api/v1/queues", key=key), 401, "UNAUTHORIZED")
            self.assertTrue(eventually(lambda: psql("SELECT count(*) FROM spooled.org WHERE id = " + org) == "0", 120))
            tables = psql("SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org'"
                          " WHERE c.relnamespace = 'spooled'::regnamespace AND c.relkind IN ('r', 'p')").split("\n")
            self.assertGreater(len(tables), 15)
            for table in tables:
                self.assertEqual(psql("SELECT count(*) FROM spooled.%s WHERE org = %s" % (table, org)), "0", table)
            self.refused(admin("GET", "/organizations/" + made["id"]), 404, "NOT_FOUND")
            self.ok(admin("POST", "/organizations", {"name": "The slug is free again", "slug": made["slug"]}), 201)
        self.assertEqual(psql("SELECT count(*) FROM spooled.check_integrity()"), "0")

    def test_default_organization_stays(self):
        default = psql("SELECT uid FROM spooled.org WHERE id = 1")
        self.refused(admin("DELETE", "/organizations/%s?hard_delete=true" % default), 409, "CONFLICT")
        self.ok(get("/api/v1/queues"))

    def test_plans(self):
        plans = self.ok(admin("GET", "/plans"))
        self.assertEqual([plan["tier"] for plan in plans], ["free", "starter", "pro", "enterprise"])
        for plan in plans:
            self.assertShape(plan, LIMITS)
            self.assertShape(plan["limits"], LIMITS)
            self.assertTrue(plan["description"])
        self.assertEqual((plans[0]["max_active_jobs"], plans[3]["max_active_jobs"]), (10, None))
        self.assertEqual(plans[3]["max_payload_size_bytes"], 1048576)   # no more than the server takes

    def test_stats(self):
        stats = self.ok(admin("GET", "/stats"))
        self.assertShape(stats["organizations"], {"total": "int", "by_plan": "list", "created_today": "int", "created_this_week": "int"})
        self.assertShape(stats["jobs"], {"total_active": "int", "pending": "int", "processing": "int", "completed_24h": "int", "failed_24h": "int"})
        self.assertShape(stats["workers"], {"total": "int", "healthy": "int", "degraded": "int"})
        self.assertShape(stats["system"], {"api_version": "str", "uptime_seconds": "int"})
        self.assertShape(stats, {"total_organizations": "int", "total_jobs": "int", "total_queues": "int", "total_workers": "int",
                                 "jobs_today": "int", "active_organizations": "int", "total_api_keys": "int", "jobs_by_status": "obj",
                                 "organizations_by_plan": "obj"})

    def test_stats_of_jobs_made_today(self):
        def today():
            return self.ok(admin("GET", "/stats"))["jobs_today"]

        key = self.create()["api_key"]["key"]
        before = today()
        for _ in range(3):
            self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {}}, key=key), 201)
        self.assertEqual(today(), before + 3)
        psql("SELECT spooled.recount()")
        self.assertEqual(today(), before + 3)

    def test_registration_by_an_admin_when_closed(self):
        psql("ALTER SYSTEM SET spooled.registration_mode = 'closed'")
        psql("SELECT pg_reload_conf()")
        try:
            self.assertTrue(eventually(lambda: post("/api/v1/organizations", {"name": "No", "slug": slug()}, key=None).status == 403
                                       or post("/api/v1/organizations", {"name": "Nobody", "slug": slug()}, key=None).status == 403, 60))
            made = self.ok(post("/api/v1/organizations", {"name": "By an admin", "slug": slug()}, key=None, headers=HEADERS), 201)
            self.ok(get("/api/v1/queues", key=made["api_key"]["key"]))
        finally:
            psql("ALTER SYSTEM RESET spooled.registration_mode")
            psql("SELECT pg_reload_conf()")

    def test_reset_usage(self):
        made = self.create()
        key, path = made["api_key"]["key"], "/organizations/%s/reset-usage" % made["id"]

        def today():
            return self.ok(get("/api/v1/organizations/usage", key=key))["usage"]["jobs_today"]["current"]

        for _ in range(2):
            self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {}}, key=key), 201)
        self.assertEqual(today(), 2)
        self.empty(admin("POST", path))
        self.assertEqual(today(), 0)
        psql("SELECT spooled.recount()")
        self.assertEqual(today(), 0)
        self.assertTrue(eventually(lambda: psql("SELECT count(*) FROM spooled.doctor() WHERE finding = 'counters_not_counted'") == "0", 60))
        self.assertEqual(today(), 0)
        self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {}}, key=key), 201)
        self.assertEqual(today(), 1)
        self.refused(admin("POST", "/organizations/%s/reset-usage" % uuid.uuid4()), 404, "NOT_FOUND")

    def test_audit(self):
        made = self.create()
        self.ok(admin("PATCH", "/organizations/" + made["id"], {"plan_tier": "pro"}))
        rows = psql("SELECT action, actor_kind, client FROM spooled.audit_entry WHERE org = (SELECT id FROM spooled.org WHERE uid = '%s')"
                    " ORDER BY id" % made["id"]).split("\n")
        self.assertEqual(rows, ["organization.create|admin|127.0.0.1", "organization.webhook_token_renew|admin|127.0.0.1",
                                "api_key.create|admin|127.0.0.1", "organization.update|admin|127.0.0.1"])

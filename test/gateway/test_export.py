"""An organization's rows, page by page: for its own key, and for the admin."""

import json
import unittest
import uuid

from client import Case, get, needs_psql, post, psql
from test_admin import KEY, admin
from test_organizations import slug

EXPORT = "/api/v1/organizations/export"


def lasting(rows):
    """The rows without what an export itself writes: that it was made, and up to a minute later that its key was used."""
    for row in rows:
        if row["table"] == "api_key":
            row["data"]["last_used"] = None
    return [row for row in rows if row["data"].get("action") != "organization.export"]


@needs_psql
@unittest.skipUnless(KEY, "needs ADMIN_API_KEY")
class Export(Case):
    def setUp(self):
        self.made = self.ok(admin("POST", "/organizations", {"name": "Leaves", "slug": slug(), "plan_tier": "enterprise"}), 201)
        self.key = self.made["api_key"]["key"]

    def pages(self, ask, limit=None):
        """Every page, as text."""
        after, pages = None, []
        while after is not None or not pages:
            asked = {"after": after, "limit": limit}
            reply = ask("?" + "&".join("%s=%s" % (name, value) for name, value in asked.items() if value is not None))
            body = self.ok(reply)
            self.assertEqual(set(body), {"rows", "next"})
            pages.append(reply.body.decode())
            after = body["next"]
        return pages

    def own(self, query):
        return get(EXPORT + query, key=self.key)

    def test_all_of_it(self):
        for n in range(25):
            self.ok(post("/api/v1/jobs", b'{"queue_name": "q", "payload": {"n" : %d.50,  "n":1e3}}' % n, key=self.key), 201)
        job = self.ok(post("/api/v1/jobs/claim", {"queue_name": "q", "worker_id": "w"}, key=self.key))["jobs"][0]["id"]
        self.ok(post("/api/v1/jobs/%s/complete" % job, {"worker_id": "w", "result": {"ok": True}}, key=self.key))
        one_page = self.pages(self.own)
        self.assertEqual(len(one_page), 1)
        rows = json.loads(one_page[0])["rows"]
        tables = [row["table"] for row in rows]
        self.assertEqual((tables[0], tables.count("job"), tables.count("ready"), tables.count("outcome"), tables.count("api_key")), ("org", 25, 24, 1, 1))
        self.assertEqual((rows[0]["data"]["uid"], rows[0]["data"]["slug"]), (self.made["id"], self.made["slug"]))
        queue = [row["data"] for row in rows if row["table"] == "queue" and row["data"]["name"] == "q"][0]["id"]
        self.assertEqual({row["data"]["queue"] for row in rows if row["table"] == "ready"}, {queue})
        for n in range(25):
            self.assertIn('"payload":{"n" : %d.50,  "n":1e3}' % n, one_page[0])

        for limit in 1, 10:
            pages = self.pages(self.own, limit)
            self.assertTrue(all(len(json.loads(page)["rows"]) <= limit for page in pages))
            again = [row for page in pages for row in json.loads(page)["rows"]]
            self.assertEqual(lasting(again), lasting(rows))
        noted = psql("SELECT count(*), min(actor_kind), count(client) FROM spooled.audit_entry WHERE action = 'organization.export' AND target_id = '%s'" % self.made["id"])
        self.assertEqual(noted, "3|api_key|3")  # one for each export, not for each page

        # The admin gets the same, of one that is deleted too; and then it can be erased.
        seen = {}
        for state in "living", "deleted":
            pages = self.pages(lambda query: admin("GET", "/organizations/%s/export%s" % (self.made["id"], query)), 17)
            seen[state] = {json.dumps(row["data"]) for page in pages for row in json.loads(page)["rows"] if row["table"] in ("job", "ready", "outcome")}
            self.empty(admin("DELETE", "/organizations/" + self.made["id"]))
        self.assertEqual(seen["living"], {json.dumps(row["data"]) for row in rows if row["table"] in ("job", "ready", "outcome")})
        self.assertEqual(seen["deleted"], seen["living"])
        self.refused(self.own(""), 401, "UNAUTHORIZED")

    def test_large_payloads_make_small_pages(self):
        for n in range(12):
            self.ok(post("/api/v1/jobs", {"queue_name": "q", "payload": {"n": n, "x": "y" * 900000}}, key=self.key), 201)
        pages = self.pages(self.own)
        self.assertTrue(all(len(page) < 6 * 1024 * 1024 for page in pages), [len(page) for page in pages])
        numbers = [row["data"]["payload"]["n"] for page in pages for row in json.loads(page)["rows"] if row["table"] == "job"]
        self.assertEqual(sorted(numbers), list(range(12)))
        self.assertGreater(len(pages), 2)

    def test_no_secrets(self):
        self.ok(post("/api/v1/auth/login", {"api_key": self.key}, key=None))
        self.ok(post("/api/v1/api-keys", {"name": "another"}, key=self.key), 201)
        text = "".join(self.pages(self.own))
        self.assertIn('"table":"login_session"', text)
        org = psql("SELECT id FROM spooled.org WHERE uid = '%s'" % self.made["id"])
        secrets = psql("SELECT encode(lookup_hash, 'hex') FROM spooled.api_key WHERE org = %s"
                       " UNION ALL SELECT refresh_id::text FROM spooled.login_session WHERE org = %s"
                       " UNION ALL SELECT encode(webhook_token_hash, 'hex') FROM spooled.org WHERE id = %s" % (org, org, org)).split("\n")
        self.assertEqual(len(secrets), 4)
        for secret in secrets + [self.key, self.made["organization"].get("settings", {}).get("webhook_token", "no token")]:
            self.assertNotIn(secret, text)

    def test_who_may(self):
        self.refused(get(EXPORT, key=None), 401)
        for limits in {"queues": ["q"]}, {"permissions": ["organizations:read", "jobs:read"]}:
            key = self.ok(post("/api/v1/api-keys", dict({"name": "limited"}, **limits), key=self.key), 201)["key"]
            self.refused(get(EXPORT, key=key), 403, "ACCESS_DENIED")
        self.refused(get("/api/v1/admin/organizations/%s/export" % self.made["id"], key=self.key), 401, "MISSING_ADMIN_KEY")
        for nobody in str(uuid.uuid4()), "org_abc123":
            self.refused(admin("GET", "/organizations/%s/export" % nobody), 404, "NOT_FOUND")
        for bad in "x", "%27", "Mzpqb2I", "A" * 3000:
            self.refused(self.own("?after=" + bad), 400, "VALIDATION_ERROR", "after")
        for limit in "0", "-5", "1000000":
            self.ok(self.own("?limit=" + limit))

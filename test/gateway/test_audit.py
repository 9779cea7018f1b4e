"""The audit log: an organization's own, and the admin's."""

import unittest
import uuid

from client import Case, get, needs_psql, post, psql, put
from test_admin import KEY, admin
from test_organizations import slug

LOG = "/api/v1/audit-log"
ENTRY = {"id": "int", "created_at": "ts", "organization_id": "uuid?", "action": "str", "target_kind": "str", "target_id": "str?", "actor_kind": "str",
         "actor": "str", "actor_id": "uuid?", "client": "str?", "details": "obj"}


@needs_psql
@unittest.skipUnless(KEY, "needs ADMIN_API_KEY")
class Audit(Case):
    def setUp(self):
        self.made = self.ok(admin("POST", "/organizations", {"name": "Watched", "slug": slug(), "plan_tier": "enterprise"}), 201)
        self.key = self.made["api_key"]["key"]

    def walk(self, ask, query=""):
        """All pages: the entries, and how many pages they came on."""
        entries, pages, after = [], 0, ""
        while after is not None:
            page = self.ok(ask("?" + query + (after and "&after=%d" % after)))
            self.assertEqual(set(page), {"entries", "next"})
            entries += page["entries"]
            pages, after = pages + 1, page["next"]
        return entries, pages

    def own(self, query):
        return get(LOG + query, key=self.key)

    def test_newest_first_in_pages(self):
        for n in range(7):
            self.ok(put("/api/v1/queues/q%d/config" % n, {"max_retries": 1}, key=self.key))
        entries, pages = self.walk(self.own)
        self.assertEqual(pages, 1)
        for entry in entries:
            self.assertShape(entry, ENTRY)
            self.assertEqual(entry["organization_id"], self.made["id"])
        ids = [entry["id"] for entry in entries]
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertEqual([entry["target_id"] for entry in entries if entry["target_kind"] == "queue"], ["q%d" % n for n in range(6, -1, -1)])
        newest = entries[0]
        self.assertEqual((newest["actor_kind"], newest["actor"], newest["actor_id"], newest["client"]),
                         ("api_key", self.made["api_key"]["name"], self.made["api_key"]["id"], "127.0.0.1"))
        for limit in 1, 3:
            paged, pages = self.walk(self.own, "limit=%d" % limit)
            self.assertEqual(paged, entries)
            self.assertGreaterEqual(pages, len(entries) // limit)

    def test_filters(self):
        for name in "one", "two":
            self.ok(post("/api/v1/api-keys", {"name": name}, key=self.key), 201)
        self.ok(put("/api/v1/queues/q/config", {"max_retries": 1}, key=self.key))
        key = self.ok(get("/api/v1/api-keys", key=self.key))[0]["id"]
        for query, found in (("action=api_key.create", 3), ("target_kind=queue", 1), ("target_kind=queue&target_id=q", 1), ("target_id=" + key, 1),
                             ("action=api_key.create&target_kind=queue", 0), ("action=nothing", 0), ("target_id=" + str(uuid.uuid4()), 0)):
            for limit in "", "&limit=1":
                self.assertEqual(len(self.walk(self.own, query + limit)[0]), found, query)

    def test_a_filter_that_matches_little_goes_on(self):
        org = psql("SELECT id FROM spooled.org WHERE uid = '%s'" % self.made["id"])
        psql("INSERT INTO spooled.audit_entry (at, org, action, target_kind, actor_kind, actor) SELECT now(), %s, 'x.y', 'x', 'role', 'r' FROM generate_series(1, 10001)" % org)
        page = self.ok(self.own("?action=api_key.create"))
        self.assertEqual(page["entries"], [])
        self.assertIsNotNone(page["next"])
        self.assertEqual(len(self.walk(self.own, "action=api_key.create")[0]), 1)

    def test_who_may(self):
        self.refused(get(LOG, key=None), 401)
        for limits in {"queues": ["q"]}, {"permissions": ["jobs:read", "organizations:write"]}:
            key = self.ok(post("/api/v1/api-keys", dict({"name": "limited"}, **limits), key=self.key), 201)["key"]
            self.refused(get(LOG, key=key), 403, "ACCESS_DENIED")
        key = self.ok(post("/api/v1/api-keys", {"name": "auditor", "permissions": ["organizations:read"]}, key=self.key), 201)["key"]
        self.assertGreater(len(self.ok(get(LOG, key=key))["entries"]), 2)
        for bad in "x", "1x", "99999999999999999999", "%20":
            self.refused(self.own("?after=" + bad), 400, "VALIDATION_ERROR", "after")
        self.assertEqual(len(self.ok(self.own("?limit=0"))["entries"]), 1)

    def test_admin(self):
        def everybodys(query):
            return admin("GET", "/audit-log" + query)

        theirs = lambda query: everybodys("%s&organization_id=%s" % (query, self.made["id"]))  # noqa: E731
        self.assertEqual(self.walk(theirs)[0], self.walk(self.own)[0])
        other = self.ok(admin("POST", "/organizations", {"name": "Other", "slug": slug()}), 201)
        page = self.ok(everybodys("?action=organization.create&limit=2"))
        self.assertEqual([entry["organization_id"] for entry in page["entries"]], [other["id"], self.made["id"]])
        self.assertEqual((page["entries"][0]["actor_kind"], page["next"]), ("admin", page["entries"][1]["id"]))
        self.empty(admin("DELETE", "/organizations/%s?hard_delete=true" % other["id"]))
        self.assertIn(None, [entry["organization_id"] for entry in self.ok(everybodys("?action=organization.erase"))["entries"]])
        self.refused(everybodys("?organization_id=" + str(uuid.uuid4())), 404, "NOT_FOUND")
        self.refused(get("/api/v1/admin/audit-log", key=self.key), 401, "MISSING_ADMIN_KEY")

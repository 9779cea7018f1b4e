"""What holds for every endpoint: bodies, errors, headers, credentials."""

import gzip
import json
import re
import threading

from client import (API_KEY, Case, NOBODY, UUID, delete, get, needs_psql, new_queue, post, psql, put, raw, request)


class Routing(Case):
    def test_unknown_paths(self):
        for path in ("/", "/api", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/jobs", "/api/v1/jobs/", "//",
                     "/api/v1/jobs/%s/nothing" % NOBODY, "/API/V1/JOBS", "/api/v1//jobs", "/%00", "/api/v1/jobs%2F"):
            with self.subTest(path):
                self.refused(get(path), 404, "NOT_FOUND")

    def test_wrong_methods(self):
        for method, path in (("DELETE", "/api/v1/jobs"), ("GET", "/api/v1/jobs/claim/extra/x"),
                             ("PATCH", "/api/v1/jobs"), ("PUT", "/api/v1/queues"), ("POST", "/api/v1/jobs/stats"),
                             ("GET", "/api/v1/jobs/%s/complete" % NOBODY), ("DELETE", "/metrics"), ("BREW", "/health")):
            with self.subTest(method=method, path=path):
                reply = request(method, path)
                self.assertIn(reply.status, (404, 405))
                self.refused(reply, reply.status)
        self.refused(request("DELETE", "/api/v1/jobs"), 405, "METHOD_NOT_ALLOWED")

    def test_head(self):
        reply = request("HEAD", "/health", key=None)
        self.assertIn(reply.status, (200, 405))
        self.assertEqual(reply.body, b"")

    def test_static_segments_win(self):
        self.assertIn("total", self.ok(get("/api/v1/jobs/stats")))
        self.assertEqual(self.ok(get("/api/v1/jobs/status?ids=")), [])
        self.assertIsInstance(self.ok(get("/api/v1/jobs/dlq")), list)

    def test_percent_encoding(self):
        queue = "enc." + new_queue()
        self.ok(put("/api/v1/queues/" + queue, {}))
        self.ok(get("/api/v1/queues/" + queue.replace(".", "%2E").replace("-", "%2d")))
        for bad in ("%", "%4", "%zz", "%ff%fe"):
            self.assertIn(get("/api/v1/queues/" + bad).status, (400, 404))


class Bodies(Case):
    def test_content_type_does_not_matter(self):
        queue = new_queue()
        for kind in ("application/x-www-form-urlencoded", "text/plain", "", "multipart/form-data; boundary=x",
                     "application/json; charset=utf-8"):
            with self.subTest(kind):
                reply = post("/api/v1/jobs", json.dumps({"queue_name": queue, "payload": {}}),
                             headers={"Content-Type": kind})
                self.ok(reply, 201)

    def test_broken_json(self):
        for body in ("{", "{]", "nope", '{"a":1,}', "{'a':1}", '{"queue_name":"q","payload":{}}x', '"text', "\ufeff{}",
                     '{"a":"\n"}', '{"queue_name":"q","payload":{"a":NaN}}', '{"queue_name":"q" "payload":1}'):
            with self.subTest(body):
                self.refused(post("/api/v1/jobs", body), 400, "INVALID_JSON")

    def test_not_an_object(self):
        for body in ("5", '"text"', "true", "[1]", "null"):
            with self.subTest(body):
                self.refused(post("/api/v1/jobs", body), 400)

    def test_empty_array_is_an_empty_object(self):
        self.refused(post("/api/v1/jobs", "[]"), 400, "VALIDATION_ERROR", "queue_name", "missing_field")
        self.ok(post("/api/v1/jobs/dlq/retry", "[ ]"))

    def test_white_space_is_an_empty_body(self):
        self.assertIn(post("/api/v1/jobs/dlq/retry", "  \n ").status, (200, 400))

    def test_invalid_utf8(self):
        for text in (b'{"queue_name":"\xff","payload":{}}', b'{"queue_name":"q","payload":"\xc3"}',
                     b'{"queue_name":"q","payload":"\xed\xa0\x80"}', b'{"queue_name":"q","payload":"\xc0\x80"}'):
            self.refused(post("/api/v1/jobs", text), 400)

    def test_nul_bytes(self):
        self.refused(post("/api/v1/jobs", b'{"queue_name":"q","payload":"\x00"}'), 400, "INVALID_JSON")
        self.refused(post("/api/v1/jobs", b'{"queue_name":"q\\u0000","payload":1}'), 400)
        self.refused(post("/api/v1/jobs", b'\x00'), 400)

    def test_lone_surrogates(self):
        queue = new_queue()
        reply = post("/api/v1/jobs", '{"queue_name":"%s","payload":"\\ud800"}' % queue)
        self.assertIn(reply.status, (201, 400))  # passes through as text, or is refused; never an error of ours
        self.refused(post("/api/v1/jobs", '{"queue_name":"\\ud800","payload":1}'), 400)

    def test_equal_names_last_or_first_but_one(self):
        queue = new_queue()
        reply = post("/api/v1/jobs", '{"queue_name":"%s","payload":1,"priority":1,"priority":2}' % queue)
        self.assertIn(reply.status, (201, 400))

    def test_escaped_names(self):
        queue = new_queue()
        self.ok(post("/api/v1/jobs", '{"queue\\u005fname":"%s","payload":1}' % queue), 201)

    def test_body_sizes(self):
        queue = new_queue()
        padding = " " * (4 * 1024 * 1024)
        self.ok(post("/api/v1/jobs", '{"queue_name":"%s","payload":1}%s' % (queue, padding)), 201)
        self.refused(post("/api/v1/jobs", '{"queue_name":"%s","payload":1}%s' % (queue, " " * 20 * 1024 * 1024)), 413,
                     "PAYLOAD_TOO_LARGE")

    def test_get_with_a_body(self):
        self.ok(request("GET", "/api/v1/jobs/stats", "{}"))

    def test_chunked(self):
        queue = new_queue()
        text = json.dumps({"queue_name": queue, "payload": {}}).encode()
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(text[i:i + 7]), text[i:i + 7]) for i in range(0, len(text), 7))
        answer = raw(b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                     b"Authorization: Bearer " + API_KEY.encode() + b"\r\n\r\n" + chunks + b"0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 201"), answer[:200])

    def test_expect_continue(self):
        text = json.dumps({"queue_name": new_queue(), "payload": {}}).encode()
        answer = raw(b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
                     b"Content-Length: %d\r\nAuthorization: Bearer %s\r\n\r\n%s" % (len(text), API_KEY.encode(), text))
        self.assertIn(b"201 Created", answer)


class Errors(Case):
    def test_details_are_objects_and_error_is_there(self):
        for reply in (post("/api/v1/jobs", {}), get("/api/v1/jobs/" + NOBODY), get("/nothing"),
                      get("/api/v1/jobs", key=None), post("/api/v1/jobs", "{"),
                      post("/api/v1/jobs/dlq/purge", {}), request("DELETE", "/api/v1/jobs")):
            body = self.refused(reply, reply.status)
            self.assertIsInstance(body.get("error"), str)

    def test_several_fields_at_once(self):
        body = self.refused(post("/api/v1/jobs", {"priority": "x", "max_retries": []}), 400, "VALIDATION_ERROR")
        names = {one["field"] for one in body["details"]["fields"]}
        self.assertLessEqual({"priority", "max_retries"}, names)

    def test_messages_tell_no_payload(self):
        body = post("/api/v1/jobs", '{"queue_name":"q","payload":{"password":"hunter2" "x"}}').body
        self.assertNotIn(b"hunter2", body)


class Headers(Case):
    def test_request_id(self):
        for path in ("/health", "/nothing", "/api/v1/jobs", "/metrics"):
            reply = get(path, headers={"X-Request-Id": "abc-123"})
            self.assertEqual(reply.headers.get("x-request-id"), "abc-123", path)
            self.assertRegex(get(path).headers.get("x-request-id", ""), UUID)

    def test_strange_request_ids(self):
        for value in ("x" * 5000, "a\tb", "é"):
            reply = get("/health", headers={"X-Request-Id": value.encode("latin-1")})
            self.assertNotIn("\n", reply.headers.get("x-request-id", ""))
            self.assertLess(len(reply.headers.get("x-request-id", "")), 300)

    def test_version(self):
        self.assertEqual(get("/api/v1/jobs").headers.get("x-api-version"), "1")
        self.ok(get("/api/v1/jobs/stats", headers={"X-API-Version": "1"}))
        self.assertStatus(get("/api/v1/jobs/stats", headers={"X-API-Version": "99"}), 400)
        self.ok(get("/api/v1/jobs/stats", headers={"X-API-Version": "x" * 17}))

    def test_security(self):
        for reply in (get("/api/v1/jobs"), get("/nothing")):
            for name, value in (("x-frame-options", "DENY"), ("x-content-type-options", "nosniff"),
                                ("x-xss-protection", "1; mode=block"),
                                ("referrer-policy", "strict-origin-when-cross-origin"),
                                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                                ("permissions-policy", "accelerometer=(), camera=(), geolocation=(), microphone=()")):
                self.assertEqual(reply.headers.get(name), value, name)
            self.assertNotIn("strict-transport-security", reply.headers)

    def test_cors(self):
        wanted = ["authorization", "content-type", "x-api-key", "x-request-id", "x-admin-key", "x-organization-id",
                  "x-api-version", "idempotency-key", "last-event-id"]
        reply = request("OPTIONS", "/api/v1/jobs", key=None, headers={
            "Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": ",".join(wanted)})
        self.assertIn(reply.status, (200, 204))
        self.assertIn(reply.headers.get("access-control-allow-origin"), ("*", "http://localhost:3000"))
        self.assertIn("PATCH", reply.headers.get("access-control-allow-methods", ""))
        allowed = reply.headers.get("access-control-allow-headers", "").lower()
        for name in wanted:
            self.assertTrue(name in allowed or allowed == "*", name)
        self.assertNotIn("access-control-allow-credentials", reply.headers)
        reply = get("/api/v1/jobs/stats", headers={"Origin": "http://localhost:3000"})
        self.assertIn(reply.headers.get("access-control-allow-origin"), ("*", "http://localhost:3000"))
        self.assertIn("x-request-id", reply.headers.get("access-control-expose-headers", "").lower())

    def test_gzip(self):
        queue = new_queue()
        self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": {}}] * 50}))
        reply = get("/api/v1/jobs?queue=" + queue, headers={"Accept-Encoding": "gzip"})
        self.assertEqual(reply.headers.get("content-encoding"), "gzip")
        self.assertEqual(len(json.loads(gzip.decompress(reply.body))), 50)
        self.assertNotIn("content-encoding", get("/api/v1/jobs?queue=" + queue).headers)
        reply = get("/api/v1/jobs?queue=" + queue, headers={"Accept-Encoding": "gzip;q=0"})
        self.assertNotIn("content-encoding", reply.headers)

    def test_keep_alive(self):
        head = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = raw(head * 20 + last)
        self.assertEqual(len(re.findall(rb"HTTP/1\.1 200", answer)), 21)

    def test_http_1_0(self):
        self.assertIn(b" 200 ", raw(b"GET /health HTTP/1.0\r\n\r\n").split(b"\r\n")[0])


class Credentials(Case):
    PLACES = (("GET", "/api/v1/jobs"), ("POST", "/api/v1/jobs"), ("GET", "/api/v1/queues"),
              ("POST", "/api/v1/jobs/claim"), ("GET", "/api/v1/workers"), ("GET", "/api/v1/jobs/" + NOBODY),
              ("POST", "/api/v1/jobs/bulk"), ("GET", "/api/v1/jobs/dlq"), ("DELETE", "/api/v1/queues/x"))

    def test_none(self):
        for method, path in self.PLACES:
            with self.subTest(method=method, path=path):
                self.refused(request(method, path, key=None), 401, "UNAUTHORIZED")

    def test_wrong(self):
        for key in ("sk_test_" + "x" * 43, "nonsense", "", " ", API_KEY + "x", API_KEY[:-1], API_KEY.upper(),
                    "x" * 8000, "' OR 1=1 --"):
            with self.subTest(key[:20]):
                self.refused(get("/api/v1/jobs", key=key), 401, "UNAUTHORIZED")

    def test_other_schemes_and_places(self):
        for headers in ({"Authorization": "Basic " + API_KEY}, {"Authorization": API_KEY}, {"Authorization": "Bearer"},
                        {"X-API-Key": API_KEY}, {"Cookie": "key=" + API_KEY}):
            self.refused(get("/api/v1/jobs", key=None, headers=headers), 401, "UNAUTHORIZED")
        for query in ("token=", "api_key="):
            self.refused(get("/api/v1/jobs?" + query + API_KEY, key=None), 401, "UNAUTHORIZED")
        self.ok(get("/api/v1/jobs/stats", key=None, headers={"Authorization": "bearer " + API_KEY}))

    def test_neighbours_in_time_keep_their_own_credential(self):
        """Requests that arrive together share transactions, and a bad key must not reach a neighbour."""
        queue = new_queue()
        answers = []

        def ask(i):
            key = API_KEY if i % 2 else "sk_test_wrong%d" % i
            answers.append((i % 2, post("/api/v1/jobs", {"queue_name": queue, "payload": i}, key=key).status))

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(answers), {(1, 201), (0, 401)})
        self.assertEqual(self.ok(get("/api/v1/jobs/stats?queue=" + queue))["total"], 20)


@needs_psql
class Tenants(Case):
    """A second organization, and a key for some queues only."""

    @classmethod
    def setUpClass(cls):
        name = new_queue()
        psql("INSERT INTO spooled.org (name, slug) VALUES ('Other', '%s')" % name)
        psql("CREATE ROLE \"%s\" IN ROLE spooled_operator" % name)
        psql("INSERT INTO spooled.role_binding SELECT '\"%s\"'::regrole, id FROM spooled.org WHERE slug = '%s'" % (name, name))
        cls.other = psql("SET SESSION AUTHORIZATION \"%s\"; SELECT spooled.create_api_key('other')" % name)
        cls.queue = new_queue()
        cls.scoped = psql("SELECT spooled.create_api_key('scoped', ARRAY['%s'])" % cls.queue)

    def test_jobs_of_others_do_not_exist(self):
        queue = new_queue()
        job_id = self.create(queue)
        path = "/api/v1/jobs/" + job_id
        for reply in (get(path, key=self.other), delete(path, key=self.other), post(path + "/retry", key=self.other),
                      put(path + "/priority", {"priority": 1}, key=self.other),
                      get(path + "/history", key=self.other), get(path + "/explain", key=self.other)):
            self.refused(reply, 404, "NOT_FOUND")
        self.assertEqual(self.ok(get("/api/v1/jobs?queue=" + queue, key=self.other)), [])
        self.assertEqual(self.ok(get("/api/v1/jobs/status?ids=" + job_id, key=self.other)), [])
        self.assertEqual(self.ok(get("/api/v1/jobs/stats", key=self.other))["total"], 0)
        self.assertEqual(self.ok(get("/api/v1/queues", key=self.other)), [])
        self.refused(get("/api/v1/queues/" + queue, key=self.other), 404)
        claim = {"queue_name": queue, "worker_id": "w"}
        self.assertEqual(self.ok(post("/api/v1/jobs/claim", claim, key=self.other)), {"jobs": []})
        self.claim_one(queue)
        for verb, body in (("complete", {"worker_id": "w"}), ("fail", {"worker_id": "w", "error": "e"}),
                           ("heartbeat", {"worker_id": "w"}), ("release", {"worker_id": "w"})):
            self.refused(post(path + "/" + verb, body, key=self.other), 404, "NOT_FOUND")
        self.assertEqual(self.job(job_id)["status"], "processing")

    def test_the_same_names_are_apart(self):
        queue = new_queue()
        for key in (API_KEY, self.other):
            body = {"queue_name": queue, "payload": {}, "idempotency_key": queue}
            self.ok(post("/api/v1/jobs", body, key=key), 201)
            self.ok(post("/api/v1/workers/register", {"queue_name": queue, "hostname": "h", "worker_id": queue}, key=key),
                    201)
        self.assertEqual(len(self.claim(queue, limit=10)), 1)
        self.empty(delete("/api/v1/workers/" + queue, key=self.other))
        self.assertEqual(self.ok(get("/api/v1/workers/" + queue))["status"], "healthy")

    def test_parents_of_others(self):
        queue = new_queue()
        parent = self.create(queue)
        self.refused(post("/api/v1/jobs", {"queue_name": queue, "payload": {}, "parent_job_id": parent},
                          key=self.other), 400)

    def test_dead_letters_of_others(self):
        queue = new_queue()
        job_id = self.dead_letter(queue)
        body = {"job_ids": [job_id]}
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/retry", body, key=self.other))["retried_count"], 0)
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", body, key=self.other))["purged_count"], 0)
        self.assertEqual(self.ok(post("/api/v1/jobs/dlq/purge", {"confirm": True}, key=self.other))["purged_count"], 0)
        self.assertEqual(self.job(job_id)["status"], "deadletter")

    def test_scope(self):
        inside, outside = self.queue, new_queue()
        mine = self.ok(post("/api/v1/jobs", {"queue_name": inside, "payload": {}}, key=self.scoped), 201)["id"]
        foreign = self.create(outside)
        for reply in (post("/api/v1/jobs", {"queue_name": outside, "payload": {}}, key=self.scoped),
                      post("/api/v1/jobs/claim", {"queue_name": outside, "worker_id": "w"}, key=self.scoped),
                      post("/api/v1/jobs/dequeue", {"queue_name": outside, "worker_id": "w"}, key=self.scoped),
                      post("/api/v1/workers/register", {"queue_name": outside, "hostname": "h"}, key=self.scoped),
                      post("/api/v1/jobs/dlq/retry", {}, key=self.scoped)):
            self.refused(reply, 403, "ACCESS_DENIED")
        path = "/api/v1/jobs/" + foreign
        for reply in (get(path, key=self.scoped), delete(path, key=self.scoped), post(path + "/retry", key=self.scoped),
                      put(path + "/priority", {"priority": 1}, key=self.scoped),
                      get(path + "/history", key=self.scoped)):
            self.refused(reply, 404, "NOT_FOUND")
        listed = self.ok(get("/api/v1/jobs?limit=100", key=self.scoped))
        self.assertEqual({job["queue_name"] for job in listed}, {inside})
        self.assertEqual([queue["name"] for queue in self.ok(get("/api/v1/queues", key=self.scoped))], [inside])
        self.assertEqual([job["id"] for job in self.ok(get("/api/v1/jobs/status?ids=%s,%s" % (mine, foreign),
                                                           key=self.scoped))], [mine])
        self.assertLessEqual(self.ok(get("/api/v1/jobs/stats", key=self.scoped))["total"], len(listed))

    def test_revoked_keys_end_at_once(self):
        name = new_queue()
        key = psql("SELECT spooled.create_api_key('%s')" % name)
        self.ok(get("/api/v1/jobs/stats", key=key))
        psql("SELECT spooled.revoke_api_key(id) FROM spooled.api_key WHERE name = '%s'" % name)
        self.refused(get("/api/v1/jobs/stats", key=key), 401, "UNAUTHORIZED")

"""The HTTP edge in production: who may read answers, how a request may be written, and that credentials stay secret."""

import base64
import os
import random
import re
import secrets
import socket
import subprocess
import time

from client import (API_KEY, Case, Gateway, HOST, NOBODY, PORT, PSQL_URL, eventually, get, needs_gateway, needs_psql, new_queue, post, psql,
                    raw, request)

HEAD = b"Host: x\r\nConnection: close\r\n"
AUTHORIZED = HEAD + b"Authorization: Bearer " + API_KEY.encode() + b"\r\n"


@needs_gateway
class Production(Case):
    """Only pages of listed origins may read answers."""

    LISTED = "https://app.example.com"

    @classmethod
    def setUpClass(cls):
        origins = "https://other.example.com, " + cls.LISTED
        # Without a database: that of the tests is one for development, which a production gateway refuses to serve.
        cls.gateway = Gateway(RUST_ENV="production", CORS_ALLOWED_ORIGINS=origins, ENABLE_HSTS="1",
                              DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing").__enter__()
        cls.addClassCleanup(cls.gateway.__exit__)

    def preflight(self, origin, headers="x-anything"):
        return request("OPTIONS", "/api/v1/jobs", key=None, port=self.gateway.port, headers={
            "Origin": origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": headers})

    def test_listed(self):
        reply = self.preflight(self.LISTED)
        self.assertStatus(reply, 204)
        self.assertEqual(reply.headers["access-control-allow-origin"], self.LISTED)
        self.assertEqual(set(reply.headers["access-control-allow-methods"].split(", ")),
                         {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
        self.assertEqual(set(reply.headers["access-control-allow-headers"].split(", ")),
                         {"authorization", "content-type", "x-api-key", "x-request-id", "x-admin-key", "x-organization-id",
                          "x-api-version", "idempotency-key", "last-event-id"})
        for path in ("/api/v1/jobs/stats", "/nothing", "/api/v1/jobs/" + NOBODY, "/health"):
            reply = self.gateway.get(path, headers={"Origin": self.LISTED})
            self.assertEqual(reply.headers["access-control-allow-origin"], self.LISTED)
            self.assertLessEqual({"x-request-id", "x-api-version", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining",
                                  "x-ratelimit-reset"}, set(reply.headers["access-control-expose-headers"].split(", ")))
            self.assertNotIn("access-control-allow-credentials", reply.headers)

    def test_others(self):
        for origin in ("https://evil.example.com", "null", "", self.LISTED + ".evil.com", self.LISTED[:-1], self.LISTED.upper(),
                       "http://app.example.com", "https://other.example.com, " + self.LISTED, "*", ","):
            for reply in (self.preflight(origin), self.gateway.get("/api/v1/jobs/stats", headers={"Origin": origin})):
                self.assertFalse([name for name in reply.headers if name.startswith("access-control")], origin)
                self.assertIn("origin", reply.headers["vary"])

    def test_caches_are_told(self):
        """An answer without CORS headers must not be served to a listed page later."""
        for path in ("/api/v1/jobs/stats", "/nothing"):
            self.assertIn("origin", self.gateway.get(path).headers["vary"])

    def test_hsts(self):
        for path in ("/health", "/nothing", "/api/v1/jobs/stats"):
            self.assertEqual(self.gateway.get(path).headers["strict-transport-security"],
                             "max-age=31536000; includeSubDomains; preload")


class Targets(Case):
    """How a request may be written."""

    def first(self, data, **more):
        """The status of the first answer."""
        answer = raw(data, wait=20, **more)
        return int(answer.split(b" ", 2)[1]) if answer else None

    def test_head(self):
        for path in ("/health", "/api/v1/jobs/stats", "/api/v1/queues", "/metrics"):
            reply, whole = request("HEAD", path), get(path)
            self.assertStatus(reply, 200)
            self.assertEqual(reply.body, b"")
            self.assertEqual(reply.headers["content-type"], whole.headers["content-type"])
        self.assertStatus(request("HEAD", "/nothing"), 404)
        self.assertStatus(request("HEAD", "/api/v1/jobs", key=None), 401)
        self.assertStatus(request("HEAD", "/api/v1/jobs/claim"), 405)

    def test_options(self):
        for path in ("/health", "/api/v1/jobs", "/nothing", "*"):
            reply = request("OPTIONS", path, key=None)
            self.assertStatus(reply, 204)
            self.assertEqual(reply.body, b"")

    def test_allow(self):
        self.assertEqual(set(request("PUT", "/api/v1/jobs").headers["allow"].split(", ")), {"GET", "POST"})
        self.assertEqual(request("GET", "/api/v1/jobs/%s/complete" % NOBODY).headers["allow"], "POST")

    def test_trace_shows_nothing(self):
        reply = request("TRACE", "/health")
        self.assertIn(reply.status, (404, 405))
        self.assertNotIn(API_KEY.encode(), reply.body)

    def test_connect(self):
        self.assertIn(self.first(b"CONNECT example.com:443 HTTP/1.1\r\n" + HEAD + b"\r\n"), (400, 404, 405, None))

    def test_whole_urls(self):
        for target in (b"http://x/health", b"HTTPS://example.com:8080/health", b"http://x/health?a=b"):
            self.assertEqual(self.first(b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n"), 200)
        for target in (b"http://x", b"http://", b"http://x?/health", b"ftp://x/health", b"//x/health"):
            self.assertIn(self.first(b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n"), (400, 404))

    def test_no_host(self):
        self.assertEqual(self.first(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"), 400)

    def test_two_credentials(self):
        """Whichever counts, nobody gets in with a bad one beside none."""
        bad = b"Authorization: Bearer nonsense\r\n"
        self.assertEqual(self.first(b"GET /api/v1/jobs/stats HTTP/1.1\r\n" + HEAD + bad + bad + b"\r\n"), 401)

    def test_lengths_that_make_no_sense(self):
        for length in (b"-1", b"+5", b"0x10", b"5, 5", b"5 5", b"9" * 40, b"\xb2", b""):
            answer = raw(b"POST /api/v1/jobs HTTP/1.1\r\n" + AUTHORIZED + b"Content-Length: " + length + b"\r\n\r\n{}   ",
                         wait=3, half_close=True)
            for status in re.findall(rb"HTTP/1\.1 (\d+)", answer):
                self.assertIn(status, (b"400", b"413"), length)

    def test_chunks_that_make_no_sense(self):
        good = b'{"queue_name":"%s","payload":1}' % new_queue().encode()
        for chunks in (b"zz\r\n", b"-5\r\n" + good, b"fffffffffffffffff\r\n" + good, b"5;" + b"x" * 70000, b"\r\n0\r\n\r\n",
                       b"%x\r\n%sX\r\n0\r\n\r\n" % (len(good), good), b"%x \r\n%s\r\n" % (len(good) + 9, good)):
            answer = raw(b"POST /api/v1/jobs HTTP/1.1\r\n" + AUTHORIZED + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
                         wait=3, half_close=True)
            self.assertNotIn(b"HTTP/1.1 201", answer, chunks[:20])

    def cpu_seconds(self, gateway):
        with open("/proc/%d/stat" % gateway.process.pid) as stat:
            return sum(map(int, stat.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    @needs_gateway
    def test_lines_that_never_end(self):
        """What fits no buffer ends the connection in time, keeps nobody busy and leaves nothing: a request that was forgotten
        is found when the gateway ends, which it could not do at once."""
        head = b"POST /api/v1/jobs HTTP/1.1\r\n" + AUTHORIZED + b"Transfer-Encoding: chunked\r\n\r\n"
        with Gateway(BODY_TIMEOUT_SECS="3", SHUTDOWN_TIMEOUT_SECS="50") as gateway:
            for line in (b"5;" + b"x" * 70000, b"0" * 70000, b"0\r\nX: " + b"x" * 70000):
                cpu, began = self.cpu_seconds(gateway), time.monotonic()
                answer = raw(head + line, wait=60, port=gateway.port)
                self.assertIn(answer[:12], (b"", b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 431"))
                cpu, passed = self.cpu_seconds(gateway) - cpu, time.monotonic() - began
                self.assertLess(cpu, 0.5 + passed / 4, "in %s s" % passed)
            ended = time.monotonic()
        self.assertLess(time.monotonic() - ended, 45, "it waited for a request that was over")

    def test_two_requests_out_of_one(self):
        """A proxy and we must not see different ends of a body."""
        inner = b"GET /api/v1/queues HTTP/1.1\r\n" + AUTHORIZED + b"\r\n"
        for headers in (b"Content-Length: 5\r\nContent-Length: 0\r\n", b"Content-Length : 0\r\n",
                        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"Transfer-Encoding:\x0bchunked\r\n",
                        b"Transfer-Encoding: gzip, chunked\r\n", b"X: y\r\n Transfer-Encoding: chunked\r\n"):
            answer = raw(b"POST /health/live HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n" + b"0\r\n\r\n" + inner, wait=2,
                         half_close=True)
            # However it is read, what follows is a request of the same client with its own credential, or an error.
            # 501 is how newer libraries refuse a transfer coding they don't know.
            for status in re.findall(rb"HTTP/1\.1 (\d+)", answer):
                self.assertTrue(int(status) < 500 or status == b"501", headers)

    def test_readers_that_never_read(self):
        """A client that asks for much and takes nothing holds only its own connection."""
        queue = new_queue()
        self.ok(post("/api/v1/jobs/bulk", {"queue_name": queue, "jobs": [{"payload": "x" * 10000}] * 100}))
        lazy = []
        for _ in range(20):
            connection = socket.create_connection((HOST, PORT), timeout=10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(0.2)
            try:
                connection.sendall((b"GET /api/v1/jobs?limit=100&queue=" + queue.encode() + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                                    + API_KEY.encode() + b"\r\n\r\n") * 200)
            except OSError:
                pass
            lazy.append(connection)
        self.ok(get("/api/v1/jobs/stats"))
        for connection in lazy:
            connection.close()


@needs_psql
@needs_gateway
class Secrets(Case):
    """Credentials are neither in logs nor in answers, however a request goes wrong."""

    def provoke(self, gateway, key):
        """Uses a credential in every way that comes to mind; returns all answers."""
        bearer = b"Authorization: Bearer " + key.encode()
        heads = [b"GET /api/v1/jobs HTTP/1.1\r\n" + HEAD + bearer + b"\r\n\r\n",
                 b"GET /api/v1/jobs/" + key.encode() + b" HTTP/1.1\r\n" + HEAD + bearer + b"\r\n\r\n",
                 b"GET /api/v1/jobs?token=" + key.encode() + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
                 b"GET /api/v1/jobs?api_key=" + key.encode() + b" HTTP/1.1\r\n" + HEAD + bearer + b"\r\n\r\n",
                 b"GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization Bearer " + key.encode() + b"\r\n\r\n",
                 b"GET /api/v1/jobs HTTP/1.1\r\n" + bearer + b"\r\n\r\n",
                 b"BREW /api/v1/jobs HTTP/9.9\r\n" + bearer + b"\r\n\r\n",
                 bearer + b"\r\n\r\n",
                 b"GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\n" + bearer + b"\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
                 b"POST /api/v1/jobs HTTP/1.1\r\n" + HEAD + bearer + b"\r\nContent-Length: 9\r\n\r\n{\"a\": \xff}x",
                 b"POST /api/v1/jobs HTTP/1.1\r\n" + HEAD + bearer + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                 b"POST /api/v1/jobs HTTP/1.1\r\n" + HEAD + bearer + b"\r\nContent-Length: 1000\r\n\r\n{",
                 b"GET /api/v1/jobs HTTP/1.1\r\n" + HEAD + b"X-API-Key: " + key.encode() + b"\r\n\r\n",
                 b"GET /metrics HTTP/1.1\r\n" + HEAD + b"X-Admin-Key: " + key.encode() + b"\r\n\r\n"]
        answers = b"".join(raw(head, wait=3, half_close=True, port=gateway.port) for head in heads)
        for path, body in (("/api/v1/jobs", {}), ("/api/v1/jobs/claim", {"queue_name": "!", "worker_id": "w"}),
                           ("/api/v1/jobs/%s/complete" % NOBODY, {"worker_id": "w"})):
            answers += gateway.post(path, body, key=key).body
        return answers

    def server_log(self):
        with open(os.path.join(os.environ["PGHOST"], "data", "server.log"), "rb") as log:
            return log.read()

    def test_nowhere(self):
        """Our own log at its most talkative, and PostgreSQL's, with the role as README.md says."""
        good = psql("SELECT spooled.create_api_key('secret')")
        bad = "sk_test_" + secrets.token_urlsafe(32)
        psql("ALTER ROLE gateway SET log_statement = 'all'; ALTER ROLE gateway SET log_min_duration_statement = 0;"
             "ALTER ROLE gateway SET log_parameter_max_length_on_error = 0")
        psql("ALTER SYSTEM SET log_error_verbosity = 'verbose'")
        psql("SELECT pg_reload_conf()")
        try:
            with Gateway(LOG_LEVEL="trace", JSON_LOGS="true") as gateway:
                answers = self.provoke(gateway, good) + self.provoke(gateway, bad)
                self.assertTrue(eventually(lambda: b"spooled.enter(" in self.server_log()))
                log = gateway.log().encode()
            self.assertIn(b"/api/v1/jobs", log)
            for key in (good, bad):
                secret = key.split("_", 2)[2].encode()
                self.assertNotIn(secret, answers)
                self.assertNotIn(secret, log)
                self.assertNotIn(secret, self.server_log())
        finally:
            psql("ALTER ROLE gateway RESET log_statement; ALTER ROLE gateway RESET log_min_duration_statement")
            psql("ALTER SYSTEM RESET log_error_verbosity")
            psql("SELECT pg_reload_conf()")

    def test_printed_settings(self):
        environment = dict(os.environ, METRICS_TOKEN="do-not-print", DATABASE_URL="postgresql://u:do-not-print@h/d")
        for option in ("--print-config", "--help", "--routes"):
            done = subprocess.run([os.environ["GATEWAY_BIN"], option], env=environment, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("do-not-print", done.stdout + done.stderr)
        self.assertTrue(PSQL_URL)

    def test_not_in_queries(self):
        for query in ("token=" + API_KEY, "limit=1&api_key=" + API_KEY, "token="):
            for key in (None, API_KEY):
                self.refused(get("/api/v1/jobs?" + query, key=key), 401, "UNAUTHORIZED")
        self.ok(get("/api/v1/jobs?tokens=1&my_token=2&limit=1"))


@needs_gateway
class Log(Case):
    def test_a_client_can_not_write_lines_or_control_characters(self):
        with Gateway() as gateway:
            raw(b"G\x1bT /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", port=gateway.port)
            self.ok(gateway.get("/health", key=None))
            self.assertTrue(eventually(lambda: "method=GET" in gateway.log()))
            self.assertNotIn("\x1b", gateway.log())


class Fuzz(Case):
    """Credentials that are almost right.  FUZZ_CREDENTIALS says how many, FUZZ_SEED which."""

    def mutations(self, random):
        """Endless variations of a good key and of things that look like credentials."""
        alphabet = bytes(range(1, 256))
        jwt = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in
                       (b'{"alg":"none"}', b'{"sub":"1","token_type":"access","exp":9999999999}', b"")).encode()
        seeds = [API_KEY.encode(), jwt, jwt + b"AAAA", b"eyJ", b"sk_live_" + API_KEY[8:].encode(), b"sp_test_" + b"A" * 43]
        while True:
            key = bytearray(random.choice(seeds))
            for _ in range(random.randrange(1, 4)):
                at = random.randrange(len(key) + 1)
                what = random.randrange(5)
                if what == 0 and at < len(key):
                    key[at] = random.choice(alphabet)
                elif what == 1 and at < len(key):
                    key[at] ^= 1 << random.randrange(8)
                elif what == 2:
                    del key[at:at + random.randrange(1, 9)]
                elif what == 3:
                    key[at:at] = bytes(random.choice(alphabet) for _ in range(random.randrange(1, 30)))
                else:
                    key = key * random.randrange(1, 4)
            key = bytes(byte for byte in key if byte not in b"\r\n\0")
            # Spaces around a value don't belong to it.
            if key.strip(b" \t") != API_KEY.encode():
                yield key

    def test_malformed(self):
        """None gets in, whatever is on the wire beside it."""
        count = int(os.environ.get("FUZZ_CREDENTIALS", "3000"))
        seed = int(os.environ.get("FUZZ_SEED", "0")) or secrets.randbelow(10**9)
        print("FUZZ_SEED=%d ... " % seed, end="", flush=True)
        keys = self.mutations(random.Random(seed))
        allowed = {b"400", b"401", b"429", b"431"}
        while count > 0:
            sent = [next(keys) for _ in range(min(count, 200))]
            count -= len(sent)
            answers = []
            # A head that libmicrohttpd refuses ends the connection: go on behind it on a new one.
            while len(answers) < len(sent):
                todo = sent[len(answers):]
                got = raw(b"".join(b"GET /api/v1/queues HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n"
                                   % (key, b"Connection: close\r\n" if i == len(todo) - 1 else b"")
                                   for i, key in enumerate(todo)), wait=120)
                statuses = re.findall(rb"HTTP/1\.1 (\d+)", got)
                self.assertTrue(statuses, "no answer; FUZZ_SEED=%d" % seed)
                answers += statuses
            self.assertLessEqual(set(answers), allowed, "FUZZ_SEED=%d" % seed)
        self.ok(get("/api/v1/jobs/stats"))

"""Request rates: headers, refusals, and one bucket for all gateways."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import unittest
import uuid

import client
from client import Case, eventually, get, needs_psql, new_organization, psql


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def rates(value):
    """Runs with spooled.rate_limits set; every session of the server has read it before and after."""

    def change(statement, expected):
        psql(statement)
        psql("SELECT pg_reload_conf()")
        # Sessions read the file at their next statement; a new one tells that the postmaster has.
        assert eventually(lambda: psql("SHOW spooled.rate_limits") == expected)
        assert eventually(lambda: ("x-ratelimit-limit" in get("/api/v1/queues").headers) == (expected == "on"))

    change("ALTER SYSTEM SET spooled.rate_limits = '%s'" % value, value)
    try:
        yield
    finally:
        change("ALTER SYSTEM RESET spooled.rate_limits", "auto")


@needs_psql
class RateLimits(Case):
    def test_off_in_development(self):
        reply = get("/api/v1/queues")
        self.assertStatus(reply, 200)
        self.assertNotIn("x-ratelimit-limit", reply.headers)

    def test_headers_and_refusal(self):
        # Three at once, then one a second: soon some request comes too early, however slow the machine is.
        _, key = new_organization("enterprise", {"rate_limit_requests_per_second": 1, "rate_limit_burst": 3})
        with rates("on"):
            self.one_organization(key)

    def one_organization(self, key):
        first = get("/api/v1/queues", key=key)
        self.assertStatus(first, 200)
        self.assertEqual(first.headers["x-ratelimit-limit"], "3")
        self.assertEqual(first.headers["x-ratelimit-remaining"], "2")
        self.assertGreaterEqual(int(first.headers["x-ratelimit-reset"]), int(time.time()) - 5)
        # A request that fails is a request, and tells what is left, too.
        self.assertIn("x-ratelimit-remaining", get("/api/v1/jobs/" + client.NOBODY, key=key).headers)
        refused = None
        for _ in range(200):
            refused = get("/api/v1/queues", key=key)
            if refused.status == 429:
                break
        self.assertStatus(refused, 429)
        body = refused.json()
        self.assertEqual(body["code"], "RATE_LIMIT_EXCEEDED")
        self.assertEqual(body["error"], "Rate limit exceeded")
        self.assertEqual(body["message"], "Rate limit exceeded")
        self.assertEqual((body["limit"], body["remaining"]), (3, 0))
        self.assertEqual(body["retry_after_secs"], body["details"]["retry_after_seconds"])
        self.assertEqual(int(refused.headers["retry-after"]), body["retry_after_secs"])
        self.assertEqual(refused.headers["x-ratelimit-limit"], "3")
        self.assertEqual(refused.headers["x-ratelimit-remaining"], "0")
        self.assertEqual(int(refused.headers["x-ratelimit-reset"]), body["reset_at"])
        # Somebody else is not touched.
        self.assertStatus(get("/api/v1/queues"), 200)

    def test_two_gateways_share_one_bucket(self):
        # A key's own limit is in requests per minute, so hardly any comes back while this runs.
        _, key = new_organization("enterprise", {})
        psql("UPDATE spooled.api_key SET rate_limit = 40 WHERE lookup_hash = sha256('%s')" % key)
        with rates("on"), second_gateway() as port:
            statuses = flood("POST", "/api/v1/jobs", [client.PORT, port], 4, 30, json.dumps({"queue_name": "rates", "payload": 1}), key)
        allowed = statuses.count(200)
        self.assertEqual(len(statuses), 120)
        self.assertEqual(set(statuses), {200, 429})
        # 40 at once, and those that came back while the flood went on: two thirds of one a second.
        self.assertGreaterEqual(allowed, 40)
        self.assertLessEqual(allowed, 40 + flood.seconds * 40 / 60 + 1)

    def test_a_transaction_of_an_admin_stands_for_as_many_requests_as_it_says(self):
        def enter(requests):
            psql("SELECT spooled.enter_admin('%s', '192.0.2.77', %d)" % (os.environ["ADMIN_API_KEY"], requests))

        with rates("on"):
            enter(59)
            enter(0)    # charged before
            with self.assertRaisesRegex(RuntimeError, "Rate limit exceeded"):
                enter(60)

    def test_questions_whether_a_name_is_taken(self):
        # Ten addresses and sixty slugs a minute for whoever asks, whatever the gateway and the way of asking.
        address = "/api/v1/auth/email/check?email=nobody-%s@example.com" % uuid.uuid4().hex
        for path, at_once in (address, 10), ("/api/v1/organizations/check-slug?slug=some-slug", 60):
            with rates("on"), second_gateway() as port:
                statuses = flood("GET", path, [client.PORT, port], 3, at_once // 2)
                refused = next((reply for reply in (get(path, key=None) for _ in range(200)) if reply.status == 429), None)
            allowed = statuses.count(200)
            self.assertEqual(set(statuses), {200, 429})
            self.assertGreaterEqual(allowed, at_once)
            self.assertLessEqual(allowed, at_once + flood.seconds * at_once / 60 + 1)
            self.refused(refused, 429, "RATE_LIMIT_EXCEEDED")
            self.assertEqual(refused.json()["limit"], at_once)
            self.assertIn("retry-after", refused.headers)


def flood(method, path, ports, threads, each, body=None, key=None):
    """Asks from many threads, alternating between ports, and returns all statuses."""
    statuses = []
    begun = time.monotonic()

    def run(number):
        for i in range(each):
            connection = http.client.HTTPConnection("127.0.0.1", ports[(number + i) % len(ports)], timeout=60)
            connection.request(method, path, body, {} if key is None else {"Authorization": "Bearer " + key})
            status = connection.getresponse().status
            statuses.append(200 if status in (200, 201) else status)
            connection.close()

    workers = [threading.Thread(target=run, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    flood.seconds = time.monotonic() - begun
    return statuses


@contextlib.contextmanager
def second_gateway():
    port = free_port()
    environment = dict(os.environ, HOST="127.0.0.1", PORT=str(port), METRICS_PORT=str(free_port()), RUST_ENV="development")
    process = subprocess.Popen([os.environ["GATEWAY_BIN"]], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return True
        except OSError:
            return False

    try:
        assert eventually(answers, 60)
        yield port
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    unittest.main()

"""What the tests share: a small HTTP client, psql, and checks of shapes."""

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import uuid

URL = os.environ.get("SPOOLED_URL", "http://127.0.0.1:8080")
API_KEY = os.environ.get("SPOOLED_API_KEY", "")
PSQL_URL = os.environ.get("PSQL_URL", "")
HOST = urllib.parse.urlsplit(URL).hostname
PORT = urllib.parse.urlsplit(URL).port or 80
TIMEOUT = 30

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
NOBODY = "00000000-0000-7000-8000-000000000000"  # an id that no job has


class Reply:
    """An answer, whole."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %r" % (self.status, self.body[:300])


def request(method, path, body=None, key=API_KEY, headers=None, port=PORT):
    """Sends one request.  A body that is not bytes or text is sent as JSON; key None sends no credential."""
    sent = {"Connection": "close"}
    if key is not None:
        sent["Authorization"] = "Bearer " + key
    if body is not None:
        sent["Content-Type"] = "application/json"
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
    sent.update(headers or {})
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)
    try:
        connection.request(method, path, body=body, headers=sent)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def get(path, **more):
    return request("GET", path, **more)


def post(path, body=None, **more):
    return request("POST", path, body, **more)


def put(path, body=None, **more):
    return request("PUT", path, body, **more)


def delete(path, **more):
    return request("DELETE", path, **more)


def raw(data, wait=5.0, half_close=False, port=PORT):
    """Sends bytes as they are; returns what came back until the server closed or was silent for "wait" seconds."""
    with socket.create_connection((HOST, port), timeout=wait) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    return answer
                answer += more
        except OSError:
            return answer


def psql(sql):
    """Runs SQL as the superuser and returns its output."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", PSQL_URL, "-c", sql],
                          capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gateway:
    """A gateway of one's own, on the same database, with the settings given."""

    def __init__(self, **settings):
        self.port = free_port()
        self.settings = dict(HOST="127.0.0.1", PORT=str(self.port), METRICS_PORT=str(free_port()),
                             GRPC_PORT=str(free_port()), GATEWAY_THREADS="1",
                             GRPC_TLS_ENABLED="false", RUST_ENV="development", LOG_LEVEL="debug")
        self.settings.update(settings)

    def __enter__(self):
        self.log_file = tempfile.TemporaryFile()
        environment = dict(os.environ, **self.settings)
        self.process = subprocess.Popen([environment["GATEWAY_BIN"]], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log_file, stderr=self.log_file)
        if not eventually(self.answers, 60):
            self.process.kill()
            self.process.wait()
            raise RuntimeError("the gateway did not start: " + self.log())
        return self

    def answers(self):
        try:
            health = self.get("/health", key=None).json()
            return health["database"] or "DATABASE_URL" in self.settings
        except OSError:
            return False

    def log(self):
        """What it has written so far."""
        self.log_file.seek(0)
        return self.log_file.read().decode(errors="replace")

    def get(self, path, **more):
        return request("GET", path, port=self.port, **more)

    def post(self, path, body=None, **more):
        return request("POST", path, body, port=self.port, **more)

    def __exit__(self, *failed):
        self.process.terminate()
        self.process.wait(60)
        log = self.log()
        self.log_file.close()
        if "Sanitizer" in log or "runtime error:" in log:
            raise RuntimeError(log[-4000:])


def refused_start(**settings):
    """What a gateway says that does not start with these settings."""
    environment = dict(os.environ, HOST="127.0.0.1", PORT=str(free_port()), METRICS_PORT=str(free_port()),
                       GRPC_PORT=str(free_port()))
    environment.update(settings)
    done = subprocess.run([os.environ["GATEWAY_BIN"]], env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode == 0:
        raise RuntimeError("it started")
    return done.stderr


def printed_config(**settings):
    """The values that a gateway would start with."""
    return subprocess.run([os.environ["GATEWAY_BIN"], "--print-config"], env=dict(os.environ, **settings), check=True,
                          capture_output=True, text=True, timeout=60).stdout


needs_gateway = unittest.skipUnless(os.environ.get("GATEWAY_BIN"), "needs GATEWAY_BIN")
needs_psql = unittest.skipUnless(PSQL_URL, "needs PSQL_URL")


def new_queue():
    return "t-" + uuid.uuid4().hex[:16]


def new_worker():
    return "w-" + uuid.uuid4().hex[:8]


def new_organization(plan, limits=None):
    """Makes an organization, perhaps with limits of its own; returns its slug and a key of it."""
    slug = "org-" + uuid.uuid4().hex[:10]
    psql("SELECT spooled.create_organization('Test', '%s', '%s')" % (slug, plan))
    if limits is not None:
        psql("UPDATE spooled.org SET custom_limits = '%s' WHERE slug = '%s'" % (json.dumps(limits), slug))
    return slug, psql("BEGIN; SELECT spooled.enter_organization('%s'); SELECT spooled.create_api_key('test'); COMMIT"
                      % slug).split("\n")[-1]


def eventually(condition, seconds=10.0):
    """Asks until the answer is true; returns the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.05)


def fits(value, kind):
    """Whether a value is of a kind: str, int, bool, obj, list, ts, uuid, any; with ? also null."""
    if kind.endswith("?"):
        if value is None:
            return True
        kind = kind[:-1]
    if kind == "any":
        return True
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "ts":
        return isinstance(value, str) and bool(TIME.match(value))
    if kind == "uuid":
        return isinstance(value, str) and bool(UUID.match(value))
    return isinstance(value, {"str": str, "bool": bool, "obj": dict, "list": list}[kind])


class Case(unittest.TestCase):
    """A test with words for what answers look like."""

    def assertShape(self, value, shape):
        self.assertIsInstance(value, dict)
        for name, kind in shape.items():
            self.assertIn(name, value)
            self.assertTrue(fits(value[name], kind), "%s is %r, not %s" % (name, value[name], kind))

    def assertStatus(self, reply, status):
        self.assertEqual(reply.status, status, repr(reply))
        return reply

    def ok(self, reply, status=200):
        """The JSON of a success."""
        self.assertStatus(reply, status)
        self.assertIn("application/json", reply.headers.get("content-type", ""))
        return reply.json()

    def empty(self, reply, status=204):
        self.assertStatus(reply, status)
        self.assertEqual(reply.body, b"")

    def refused(self, reply, status, code=None, field=None, reason=None):
        """An error body in the one shape that all clients read; returns it."""
        self.assertStatus(reply, status)
        self.assertIn("application/json", reply.headers.get("content-type", ""))
        body = reply.json()
        self.assertShape(body, {"code": "str", "message": "str"})
        self.assertTrue(body["message"])
        self.assertIsInstance(body.get("details", {}), dict, "clients can't read details that are no object")
        self.assertIsInstance(body.get("error", ""), str)
        if code:
            self.assertEqual(body["code"], code, body)
        if field:
            fields = body["details"]["fields"]
            for one in fields:
                self.assertShape(one, {"field": "str", "message": "str", "code": "str"})
            self.assertIn(field, [one["field"] for one in fields])
            if reason:
                self.assertIn(reason, [one["code"] for one in fields])
        return body

    def create(self, queue, payload=None, **fields):
        """Adds a job and returns its id."""
        body = {"queue_name": queue, "payload": {} if payload is None else payload}
        body.update(fields)
        return self.ok(post("/api/v1/jobs", body), 201)["id"]

    def job(self, job_id):
        return self.ok(get("/api/v1/jobs/" + job_id))

    def claim(self, queue, worker="w", **fields):
        body = {"queue_name": queue, "worker_id": worker}
        body.update(fields)
        return self.ok(post("/api/v1/jobs/claim", body))["jobs"]

    def claim_one(self, queue, worker="w", **fields):
        jobs = self.claim(queue, worker, **fields)
        self.assertEqual(len(jobs), 1)
        return jobs[0]

    def complete(self, job_id, **body):
        return post("/api/v1/jobs/%s/complete" % job_id, body)

    def fail_job(self, job_id, error="broken", **body):
        return post("/api/v1/jobs/%s/fail" % job_id, dict(body, error=error))

    def heartbeat(self, job_id, **body):
        return post("/api/v1/jobs/%s/heartbeat" % job_id, body)

    def dead_letter(self, queue, payload=None, **fields):
        """Makes a dead letter and returns its id."""
        job_id = self.create(queue, payload, max_retries=0, **fields)
        self.claim_one(queue, "undertaker")
        self.ok(self.fail_job(job_id, worker_id="undertaker"))
        return job_id


# The bodies, as the clients' strictest readers need them.
JOB = {
    "id": "uuid", "organization_id": "uuid", "queue_name": "str", "status": "str", "payload": "any", "result": "any",
    "retry_count": "int", "max_retries": "int", "last_error": "str?", "created_at": "ts", "scheduled_at": "ts?",
    "started_at": "ts?", "completed_at": "ts?", "expires_at": "ts?", "priority": "int", "tags": "any",
    "timeout_seconds": "int", "parent_job_id": "uuid?", "completion_webhook": "str?", "assigned_worker_id": "str?",
    "lease_id": "str?", "lease_expires_at": "ts?", "idempotency_key": "str?", "updated_at": "ts",
    "workflow_id": "uuid?", "dependency_mode": "str?", "dependencies_met": "bool?", "queue": "str", "attempts": "int",
    "error": "str?",
}
JOB_SUMMARY = {
    "id": "uuid", "organization_id": "uuid", "queue_name": "str", "queue": "str", "status": "str", "priority": "int",
    "retry_count": "int", "attempt": "int", "max_retries": "int", "job_type": "str?", "last_error": "str?",
    "created_at": "ts", "scheduled_at": "ts?", "started_at": "ts?", "completed_at": "ts?", "tags": "any",
}
LEASED_JOB = {
    "id": "uuid", "queue_name": "str", "queue": "str", "payload": "any", "retry_count": "int", "attempts": "int",
    "max_retries": "int", "timeout_seconds": "int", "lease_expires_at": "ts", "leased_until": "ts", "lease_id": "str",
    "created_at": "ts", "priority": "int", "status": "str", "worker_id": "str", "tags": "any",
    "idempotency_key": "str?",
}
QUEUE = {
    "id": "str", "organization_id": "uuid", "queue_name": "str", "name": "str", "max_retries": "int",
    "default_timeout": "int", "rate_limit": "int?", "enabled": "bool", "paused": "bool", "settings": "obj",
    "created_at": "ts", "updated_at": "ts",
}
WORKER = {
    "id": "str", "organization_id": "uuid", "queue_name": "str", "queue_names": "list", "hostname": "str",
    "worker_type": "str?", "max_concurrency": "int", "max_concurrent_jobs": "int", "current_jobs": "int",
    "current_job_count": "int", "status": "str", "last_heartbeat": "ts", "metadata": "any", "version": "str?",
    "registered_at": "ts", "created_at": "ts", "updated_at": "ts",
}

"""One client of a gateway that is killed, for test/t/050_gateway_crash.pl.

    rest_load.py URL KEY LEDGER NAME SEED MODE

What happened is appended to the ledger, a table of tabs: what, client, key, job, lease, detail.  An intent is written
before its request is sent, everything else after the whole answer has arrived.  Modes:

    work    enqueue, claim, heartbeat, complete and fail; whatever is not answered is asked again, until SIGTERM
    once    enqueue, and ask nothing twice, until the gateway can't be reached
    wait    one claim that waits for work which never comes
"""

import http.client
import json
import os
import random
import signal
import sys
import time
import urllib.parse

QUEUES = ("crash-a", "crash-b")
LEASE_SECS = 2


class Ledger:
    def __init__(self, path, client):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.client = client

    def note(self, what, key=None, job=None, lease=None, detail=None):
        columns = (what, self.client, key, job, lease, detail)
        text = "\t".join("\\N" if column is None else str(column).replace("\\", "/").replace("\t", " ").replace("\n", " ")
                         for column in columns)
        os.write(self.file, (text + "\n").encode())


class Gateway:
    """A kept-alive connection that is opened anew when it breaks."""

    def __init__(self, url, key):
        self.address = urllib.parse.urlsplit(url)
        self.headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
        self.connection = None

    def connect(self):
        if self.connection is None:
            connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30)
            connection.connect()
            self.connection = connection

    def ask(self, path, body):
        """Asks once; returns status and answer, and raises OSError or HTTPException when there was none."""
        self.connect()
        try:
            self.connection.request("POST", "/api/v1" + path, json.dumps(body), self.headers)
            response = self.connection.getresponse()
            answer = json.loads(response.read())
            return response.status, answer
        except BaseException:
            self.connection.close()
            self.connection = None
            raise


class Client:
    def __init__(self, gateway, ledger, name, seed):
        self.gateway = gateway
        self.ledger = ledger
        self.name = name
        self.dice = random.Random("%s %s" % (seed, name))
        self.number = 0
        self.stop = False
        signal.signal(signal.SIGTERM, self.on_term)

    def on_term(self, *_):
        self.stop = True

    def must(self, path, body):
        """Asks until the answer is neither silence nor "not now"."""
        while True:
            try:
                status, answer = self.gateway.ask(path, body)
                if status not in (429, 503):
                    break
                self.ledger.note("later", detail=status)
            except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                self.ledger.note("silence", detail=type(error).__name__)
            time.sleep(0.02 + 0.08 * self.dice.random())
        if status >= 300 and not (status == 409 and answer.get("code") in ("LEASE_EXPIRED", "CONFLICT")):
            self.ledger.note("unexpected", detail="%s %d %s" % (path, status, answer))
        return status, answer

    def next_job(self):
        """Most keys are this client's own; some are those of all clients, which reach them at about the same time."""
        self.number += 1
        key = "all-%d" % self.number if self.number % 5 == 0 else "%s-%d" % (self.name, self.number)
        self.ledger.note("intent", key)
        return {"payload": {"key": key}, "idempotency_key": key, "priority": self.dice.randint(-2, 2),
                "max_retries": 50}

    def enqueue(self):
        job = self.next_job()
        status, answer = self.must("/jobs", dict(job, queue_name=self.dice.choice(QUEUES)))
        if status < 300:
            self.ledger.note("created" if answer["created"] else "exists", job["idempotency_key"], answer["id"])

    def enqueue_many(self):
        jobs = [self.next_job() for _ in range(self.dice.randint(2, 10))]
        status, answer = self.must("/jobs/bulk", {"queue_name": self.dice.choice(QUEUES), "jobs": jobs})
        if status >= 300:
            return
        for item in answer["succeeded"]:
            self.ledger.note("created" if item["created"] else "exists", jobs[item["index"]]["idempotency_key"], item["job_id"])
        for item in answer["failed"]:
            self.ledger.note("unexpected", detail=item)

    def work(self):
        status, answer = self.must("/jobs/claim", {"queue_name": self.dice.choice(QUEUES), "worker_id": self.name,
                                                   "limit": self.dice.randint(1, 8), "lease_duration_secs": LEASE_SECS,
                                                   "wait_seconds": self.dice.choice((0, 0, 1))})
        jobs = answer["jobs"] if status < 300 else []
        while jobs:
            job = jobs.pop(0)
            self.ledger.note("claimed", job["payload"]["key"], job["id"], job["lease_id"])
            jobs += self.run(job, more=not jobs)

    def run(self, job, more):
        """Runs a job one way or another; returns what was claimed with its completion."""
        luck = self.dice.random()
        path = "/jobs/%s/" % job["id"]
        body = {"worker_id": self.name, "lease_id": job["lease_id"]}
        claimed = []

        if luck < 0.05:
            return []                   # forgotten: its lease runs out
        if luck < 0.3:
            status, answer = self.must(path + "heartbeat", dict(body, lease_duration_secs=LEASE_SECS))
            self.note("heartbeat", job, status, answer.get("lease_expires_at"))
        if luck > 0.85:
            status, answer = self.must(path + "fail", dict(body, error="on purpose", no_retry=luck > 0.98))
            self.note("failed", job, status)
            return []
        if more and luck > 0.6:
            body["claim"] = {"limit": 2, "lease_duration_secs": LEASE_SECS}
        status, answer = self.must(path + "complete", dict(body, result={"by": self.name}))
        self.note("completed", job, status)
        if status < 300:
            claimed = answer.get("jobs", [])
        return claimed if not self.stop else []

    def note(self, what, job, status, detail=None):
        if status < 300:
            self.ledger.note(what, job["payload"]["key"], job["id"], job["lease_id"], detail)
        else:
            self.ledger.note("refused", job["payload"]["key"], job["id"], job["lease_id"], what)

    def work_until_stopped(self):
        while not self.stop:
            self.dice.choice((self.enqueue, self.enqueue, self.enqueue_many, self.work, self.work, self.work))()

    def enqueue_once(self):
        """An intent that is followed by nothing was not answered."""
        while True:
            try:
                self.gateway.connect()
            except OSError:
                return
            job = self.next_job()
            try:
                status, answer = self.gateway.ask("/jobs", dict(job, queue_name="once"))
            except (OSError, http.client.HTTPException):
                continue
            if status < 300:
                self.ledger.note("created" if answer["created"] else "exists", job["idempotency_key"], answer["id"])
            elif status != 503:
                self.ledger.note("unexpected", detail="%d %s" % (status, answer))

    def wait(self):
        status, answer = self.gateway.ask("/jobs/claim", {"queue_name": "never", "worker_id": self.name, "wait_seconds": 20})
        self.ledger.note("waited", detail="%d %s" % (status, len(answer.get("jobs", []))))


def main():
    url, key, path, name, seed, mode = sys.argv[1:]
    client = Client(Gateway(url, key), Ledger(path, name), name, seed)
    {"work": client.work_until_stopped, "once": client.enqueue_once, "wait": client.wait}[mode]()


main()

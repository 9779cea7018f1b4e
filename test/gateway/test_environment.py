"""A gateway whose environment differs from what the database decides does not start, and says why."""

import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

from client import Case, needs_psql

GATEWAY_BIN = os.environ.get("GATEWAY_BIN", "")
needs_gateway = unittest.skipUnless(GATEWAY_BIN, "needs GATEWAY_BIN")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment(**changed):
    """What the gateway under test was started with, and changes; None takes a variable away."""
    variables = dict(os.environ, HOST="127.0.0.1", PORT=str(free_port()), METRICS_PORT=str(free_port()), GRPC_PORT=str(free_port()),
                     RUST_ENV="development", GATEWAY_THREADS="1")
    variables.update(changed)
    return {name: value for name, value in variables.items() if value is not None}


class Gateway:
    """A gateway of one's own; its end is a part of the test."""

    def __init__(self, **changed):
        self.variables = environment(**changed)
        self.process = subprocess.Popen([GATEWAY_BIN], env=self.variables, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def answers(self, path="/health/ready"):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%s%s" % (self.variables["PORT"], path), timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def wait_until_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if self.answers():
                return True
            time.sleep(0.05)
        return False

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output


@needs_psql
@needs_gateway
class Environment(Case):
    def refuses(self, *words, **changed):
        gateway = Gateway(**changed)
        try:
            gateway.process.wait(60)
        except subprocess.TimeoutExpired:
            pass
        status, output = gateway.end()
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)
        return output

    def test_agrees(self):
        for changed in ({}, {"JWT_SECRET": None, "ADMIN_API_KEY": None}, {"REGISTRATION_MODE": "open"},
                        {"JWT_EXPIRATION_HOURS": "24", "EMAIL_SIGNUP_ENABLED": "true"}, {"RUST_ENV": "dev"}):
            with self.subTest(changed):
                gateway = Gateway(**changed)
                ready = gateway.wait_until_ready()
                status, output = gateway.end()
                self.assertTrue(ready, output)
                self.assertEqual(status, 0, output)
                for secret in ("JWT_SECRET", "ADMIN_API_KEY"):
                    self.assertNotIn(os.environ[secret], output)

    def test_differs(self):
        self.refuses("RUST_ENV", RUST_ENV="production")
        self.refuses("RUST_ENV", RUST_ENV=None)
        self.refuses("RUST_ENV", "preview", RUST_ENV="preview")
        self.refuses("RUST_ENV", "development,dev", RUST_ENV="development,dev")
        self.refuses("JWT_EXPIRATION_HOURS", '"25"', JWT_EXPIRATION_HOURS="25")
        self.refuses("JWT_EXPIRATION_HOURS", '"day"', JWT_EXPIRATION_HOURS="day")
        self.refuses("REGISTRATION_MODE", "closed", REGISTRATION_MODE="closed")
        self.refuses("EMAIL_SIGNUP_ENABLED", EMAIL_SIGNUP_ENABLED="false")

    def test_plans(self):
        for changed in ({"SPOOLED_PLAN_FREE_MAX_QUEUES": "2", "SPOOLED_PLAN_LIMITS_JSON": '{"free": {"max_queues": 4}}'},
                        {"SPOOLED_PLAN_PRO_MAX_JOBS_PER_DAY": "100000", "SPOOLED_PLAN_PRO_MAX_QUEUES": ""}):
            gateway = Gateway(**changed)
            ready = gateway.wait_until_ready()
            _, output = gateway.end()
            self.assertTrue(ready, output)
        self.refuses("SPOOLED_PLAN_FREE_MAX_QUEUES", "max_queues", "free", "3", SPOOLED_PLAN_FREE_MAX_QUEUES="3")
        self.refuses("SPOOLED_PLAN_FREE_LIMITS_JSON", "max_workers", SPOOLED_PLAN_FREE_LIMITS_JSON='{"max_workers": null}')
        self.refuses("SPOOLED_PLAN_LIMITS_JSON", SPOOLED_PLAN_LIMITS_JSON="{")
        self.refuses("SPOOLED_PLAN_GOLD_MAX_QUEUES", SPOOLED_PLAN_GOLD_MAX_QUEUES="3")

    def test_secrets_are_named_but_not_shown(self):
        for variable in ("JWT_SECRET", "ADMIN_API_KEY"):
            other = "another-" + "0123456789abcdef" * 3
            output = self.refuses(variable, **{variable: other})
            self.assertNotIn(other, output)
            self.assertNotIn(os.environ[variable], output)

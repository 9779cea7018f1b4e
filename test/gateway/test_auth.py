"""Login, refresh, validation, /auth/me and logout; tokens as credentials."""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
import unittest
import uuid

from client import API_KEY, Case, NOBODY, get, needs_psql, new_queue, post, psql

AUTH = "/api/v1/auth/"
TOKENS = {"access_token": "str", "refresh_token": "str", "token_type": "str", "expires_in": "int",
          "refresh_expires_in": "int"}
ME = {"organization_id": "uuid", "api_key_id": "uuid", "queues": "list", "issued_at": "ts", "expires_at": "ts",
      "organization": "obj"}


def encode(data):
    if not isinstance(data, bytes):
        data = json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def sign(claims, header=None, secret=None):
    """A token by somebody else's hand."""
    text = encode(header or {"alg": "HS256", "typ": "JWT"}) + "." + encode(claims)
    secret = os.environ["JWT_SECRET"] if secret is None else secret
    return text + "." + encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


class Auth(Case):
    def login(self, key=API_KEY):
        return self.ok(post(AUTH + "login", {"api_key": key}, key=None))

    def refresh(self, token):
        return post(AUTH + "refresh", {"refresh_token": token}, key=None)

    def logout(self, token, body=None):
        return post(AUTH + "logout", body, key=token)

    def works(self, token):
        self.ok(get("/api/v1/queues", key=token))

    def ended(self, token, message="Token has been revoked"):
        body = self.refused(get("/api/v1/queues", key=token), 401, "UNAUTHORIZED")
        self.assertEqual(body["message"], message)


class Login(Auth):
    def test_tokens(self):
        tokens = self.login()
        self.assertShape(tokens, TOKENS)
        self.assertEqual((tokens["token_type"], tokens["expires_in"], tokens["refresh_expires_in"]),
                         ("Bearer", 86400, 2073600))
        for token, kind in ((tokens["access_token"], "access"), (tokens["refresh_token"], "refresh")):
            self.assertTrue(token.startswith("eyJ"))
            claims = claims_of(token)
            self.assertEqual(claims["token_type"], kind)
            self.assertEqual(claims["sub"], claims["org_id"])
            self.assertLess(abs(claims["iat"] - time.time()), 600)
        self.works(tokens["access_token"])

    def test_refused(self):
        self.refused(post(AUTH + "login", {}, key=None), 400, "VALIDATION_ERROR", "api_key", "missing_field")
        self.refused(post(AUTH + "login", {"api_key": "short"}, key=None), 400, "VALIDATION_ERROR", "api_key")
        self.refused(post(AUTH + "login", {"api_key": 12345678901}, key=None), 400, "VALIDATION_ERROR")
        for key in ("invalid-key", "sk_test_" + "A" * 43, "eyJhbGciOiJIUzI1NiJ9.e30.", "x" * 4000):
            body = self.refused(post(AUTH + "login", {"api_key": key}, key=None), 401, "UNAUTHORIZED")
            self.assertEqual((body["error"], body["message"]), ("unauthorized", "Invalid credentials"))

    def test_failures_are_limited(self):
        """Five a minute of one key from one address; others, and successes, are not counted."""
        key = "sk_test_" + uuid.uuid4().hex
        for _ in range(5):
            self.refused(post(AUTH + "login", {"api_key": key}, key=None), 401, "UNAUTHORIZED")
        reply = post(AUTH + "login", {"api_key": key}, key=None)
        self.assertEqual(self.refused(reply, 429, "RATE_LIMIT_EXCEEDED")["error"], "rate_limit_exceeded")
        self.assertIn("retry-after", reply.headers)
        self.refused(post(AUTH + "login", {"api_key": key + "x"}, key=None), 401, "UNAUTHORIZED")
        for _ in range(8):
            self.login()

    def test_a_token_does_what_a_key_does(self):
        token = self.login()["access_token"]
        queue = new_queue()
        job = self.ok(post("/api/v1/jobs", {"queue_name": queue, "payload": {"n": 1}}, key=token), 201)["id"]
        self.assertEqual(self.ok(get("/api/v1/jobs/" + job))["payload"], {"n": 1})
        claimed = self.ok(post("/api/v1/jobs/claim", {"queue_name": queue, "worker_id": "w"}, key=token))["jobs"]
        self.assertEqual([one["id"] for one in claimed], [job])
        self.ok(post("/api/v1/jobs/%s/complete" % job, {"worker_id": "w"}, key=token))

    def test_a_refresh_token_authorises_nothing(self):
        token = self.login()["refresh_token"]
        for reply in (get("/api/v1/queues", key=token), post("/api/v1/jobs", {"queue_name": "q", "payload": 1}, key=token),
                      get(AUTH + "me", key=token), self.logout(token)):
            self.assertEqual(self.refused(reply, 401, "UNAUTHORIZED")["message"], "Invalid token type")
        self.ok(self.refresh(token))


class Refresh(Auth):
    def test_rotation(self):
        first = self.login()
        second = self.ok(self.refresh(first["refresh_token"]))
        self.assertShape(second, TOKENS)
        self.assertNotEqual(first["access_token"], second["access_token"])
        self.assertNotEqual(first["refresh_token"], second["refresh_token"])
        self.works(first["access_token"])
        self.works(second["access_token"])

    def test_the_old_token_is_good_until_its_successor_is_used(self):
        first = self.login()["refresh_token"]
        for _ in range(3):      # a client that ignores the successor
            second = self.ok(self.refresh(first))["refresh_token"]
        third = self.ok(self.refresh(second))
        self.refused(self.refresh(first), 401, "UNAUTHORIZED")
        # that was somebody's copy: nothing of the session is good any more
        self.refused(self.refresh(third["refresh_token"]), 401, "UNAUTHORIZED")
        self.ended(third["access_token"])

    def test_refused(self):
        tokens = self.login()
        self.refused(post(AUTH + "refresh", {}, key=None), 400, "VALIDATION_ERROR", "refresh_token", "missing_field")
        self.refused(self.refresh("short"), 400, "VALIDATION_ERROR")
        for token in (tokens["access_token"], API_KEY, "eyJ" + "x" * 60, "x" * 4000):
            body = self.refused(self.refresh(token), 401, "UNAUTHORIZED")
            self.assertEqual((body["error"], body["message"]), ("unauthorized", "Invalid credentials"))

    def test_at_the_same_time(self):
        token = self.login()["refresh_token"]
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(self.refresh(token))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bodies = [self.ok(reply) for reply in replies]
        self.assertEqual(len({claims_of(body["refresh_token"])["jti"] for body in bodies}), 1)
        self.assertEqual(len({body["access_token"] for body in bodies}), 8)


class Validate(Auth):
    def validate(self, token):
        return self.ok(post(AUTH + "validate", {"token": token}, key=None))

    def test_valid(self):
        tokens = self.login()
        for name in ("access_token", "refresh_token"):
            body = self.validate(tokens[name])
            claims = claims_of(tokens[name])
            self.assertIs(body["valid"], True)
            self.assertNotIn("error", body)
            self.assertShape(body, {"organization_id": "uuid", "api_key_id": "uuid", "expires_at": "ts", "claims": "obj"})
            self.assertEqual(body["organization_id"], claims["org_id"])
            self.assertEqual({key: body["claims"][key] for key in claims}, claims)
            self.assertEqual(body["claims"]["organization_id"], claims["org_id"])

    def test_invalid(self):
        tokens = self.login()
        for token in ("", "x", API_KEY, tokens["access_token"][:-2], "a.b.c"):
            body = self.validate(token)
            self.assertEqual(body, {"valid": False, "error": "Invalid token", "message": "Invalid token"})
        self.empty(self.logout(tokens["access_token"]))
        for token in (tokens["access_token"], tokens["refresh_token"]):
            body = self.validate(token)
            self.assertEqual((body["valid"], body["error"]), (False, "Token has been revoked"))
            self.assertNotIn("claims", body)
        self.refused(post(AUTH + "validate", {}, key=None), 400, "VALIDATION_ERROR", "token", "missing_field")


class Me(Auth):
    def test_me(self):
        token = self.login()["access_token"]
        claims = claims_of(token)
        body = self.ok(get(AUTH + "me", key=token))
        self.assertShape(body, ME)
        self.assertEqual((body["organization_id"], body["api_key_id"], body["queues"]),
                         (claims["org_id"], claims["api_key_id"], ["*"]))
        self.assertEqual(body["organization"]["slug"], "default")

    def test_tokens_only(self):
        for key in (API_KEY, self.login()["refresh_token"], None, "eyJ"):
            self.refused(get(AUTH + "me", key=key), 401, "UNAUTHORIZED")


class Logout(Auth):
    def test_ends_the_session(self):
        tokens = self.login()
        later = self.ok(self.refresh(tokens["refresh_token"]))
        self.empty(self.logout(tokens["access_token"]))
        self.ended(tokens["access_token"])
        self.ended(later["access_token"])
        self.refused(self.refresh(tokens["refresh_token"]), 401, "UNAUTHORIZED")
        self.refused(self.refresh(later["refresh_token"]), 401, "UNAUTHORIZED")
        self.refused(self.logout(tokens["access_token"]), 401, "UNAUTHORIZED")

    def test_with_another_refresh_token(self):
        first, second = self.login(), self.login()
        self.empty(self.logout(first["access_token"], {"refresh_token": second["refresh_token"]}))
        self.ended(second["access_token"])

    def test_bodies(self):
        for body in (None, {}, "[]", {"refresh_token": None}, {"refresh_token": "nonsense"}):
            self.empty(self.logout(self.login()["access_token"], body))

    def test_tokens_only(self):
        self.refused(self.logout(API_KEY), 401, "UNAUTHORIZED")
        self.refused(self.logout(None), 401, "UNAUTHORIZED")

    def test_while_requests_run(self):
        """After the answer to the logout, no request of the session succeeds."""
        token = self.login()["access_token"]
        gone = threading.Event()
        late = []

        def ask():
            while True:
                after = gone.is_set()
                status = get("/api/v1/queues", key=token).status
                if after:
                    late.append(status)
                    return

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        self.empty(self.logout(token))
        gone.set()
        for thread in threads:
            thread.join()
        self.assertEqual(late, [401] * 6)


@needs_psql
@unittest.skipUnless(os.environ.get("JWT_SECRET"), "needs JWT_SECRET")
class Forged(Auth):
    """Whoever has the secret makes tokens; whoever has not, and whoever has an old one, does not."""

    def claims(self, **changed):
        claims = claims_of(self.login()["access_token"])
        claims.update(changed)
        return {key: value for key, value in claims.items() if value is not None}

    def test_by_another_hand(self):
        self.works(sign(self.claims()))
        self.works(sign(self.claims(), {"typ": "JWT", "alg": "HS256"}))
        now = int(time.time())
        self.works(sign(self.claims(iat=now + 5, nbf=now + 5)))
        self.works(sign(self.claims(exp=now - 1)))     # the leeway of a minute

    def test_refused(self):
        now = int(time.time())
        some = self.claims()
        for token in (
                sign(some, secret="another-secret-with-more-than-32-characters"), sign(some, secret=""),
                sign(some, {"alg": "none", "typ": "JWT"}), encode({"alg": "none"}) + "." + encode(some) + ".",
                sign(some, {"alg": "HS384", "typ": "JWT"}), sign(some, {"alg": "HS256", "jku": "http://127.0.0.1/"}),
                sign(self.claims(exp=now - 600)), sign(self.claims(nbf=now + 600)), sign(self.claims(iat=now + 600)),
                sign(self.claims(exp=None)), sign(self.claims(jti=None)), sign(self.claims(sid=None)),
                sign(self.claims(token_type="admin")), sign(self.claims(sub=NOBODY)), sign(self.claims(exp="never")),
                sign(self.claims(admin=True)), sign([some]), sign(b"{}"), sign(b'{"a":"\xff"}'),
                sign(self.claims(queues=["x" * 4000]))):
            self.ended(token, "Invalid token")
        self.ended(sign(self.claims(sid=str(uuid.uuid4()))), "Token has been revoked")
        self.ended(sign(self.claims(token_type="refresh")), "Invalid token type")

    def test_the_organization_is_the_sessions(self):
        """The claims name an organization, but the session decides."""
        token = sign(self.claims(org_id=NOBODY, sub=NOBODY, api_key_id=NOBODY, queues=["nothing"]))
        body = self.ok(get(AUTH + "me", key=token))
        self.assertNotEqual(body["organization_id"], NOBODY)
        self.assertEqual(body["queues"], ["*"])


@needs_psql
class Key(Auth):
    def test_a_revoked_key_takes_its_tokens_along(self):
        name = "auth-" + uuid.uuid4().hex[:8]
        key = psql("SELECT spooled.create_api_key('%s')" % name)
        tokens = self.login(key)
        self.works(tokens["access_token"])
        psql("UPDATE spooled.api_key SET is_active = false WHERE name = '%s'" % name)
        self.ended(tokens["access_token"], "API key has been revoked")
        self.refused(self.refresh(tokens["refresh_token"]), 401, "UNAUTHORIZED")
        self.refused(post(AUTH + "login", {"api_key": key}, key=None), 401, "UNAUTHORIZED")

    def test_queues_are_the_keys_of_now(self):
        name = "auth-" + uuid.uuid4().hex[:8]
        mine, other = new_queue(), new_queue()
        key = psql("SELECT spooled.create_api_key('%s', ARRAY['%s'])" % (name, mine))
        token = self.login(key)["access_token"]
        self.assertEqual(claims_of(token)["queues"], [mine])
        self.refused(post("/api/v1/jobs", {"queue_name": other, "payload": 1}, key=token), 403, "ACCESS_DENIED")
        psql("UPDATE spooled.api_key SET queues = '{%s}' WHERE name = '%s'" % (other, name))
        self.ok(post("/api/v1/jobs", {"queue_name": other, "payload": 1}, key=token), 201)
        self.refused(post("/api/v1/jobs", {"queue_name": mine, "payload": 1}, key=token), 403, "ACCESS_DENIED")
        self.assertEqual(self.ok(get(AUTH + "me", key=token))["queues"], [other])

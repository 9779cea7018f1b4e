"""Login by e-mail: a gateway of one's own, and a real SMTP server on this machine."""

import http.client
import json
import os
import re
import unittest
import uuid

from client import Case, Reply, TIMEOUT, eventually, get, needs_psql, post, psql
from test_auth import TOKENS, claims_of
from test_environment import Gateway, free_port, needs_gateway

try:
    from aiosmtpd.controller import Controller
except ImportError:
    Controller = None

AUTH = "/api/v1/auth/"


class MailServer:
    """Keeps what it accepts; "refuse" answers an RCPT with something else."""

    def __init__(self, port):
        self.mails = []
        self.refuse = None
        self.refused = 0
        self.controller = Controller(self, hostname="127.0.0.1", port=port)
        self.controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            self.refused += 1
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content.decode()))
        return "250 Message accepted for delivery"

    def stop(self):
        self.controller.stop()

    def to(self, address):
        return [text for _, to, text in self.mails if to == [address]]


def new_address():
    return "user-%s@example.com" % uuid.uuid4().hex[:12]


@needs_psql
@needs_gateway
@unittest.skipUnless(Controller, "needs python3-aiosmtpd")
class EmailLogin(Case):
    def setUp(self):
        self.smtp_port = free_port()
        self.server = MailServer(self.smtp_port)
        self.gateway = Gateway(EMAIL_PROVIDER="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT=str(self.smtp_port),
                               SMTP_TLS="false", EMAIL_FROM_ADDRESS="login@example.org", LOG_LEVEL="debug")
        self.secrets = []
        self.assertTrue(self.gateway.wait_until_ready())

    def tearDown(self):
        """What was secret is in no line of the gateway's log."""
        status, output = self.gateway.end()
        self.server.stop()
        self.assertEqual(status, 0, output)
        self.assertNotRegex(output, "ERROR: (Address|Leak)Sanitizer|runtime error:")
        for secret in self.secrets + [os.environ.get("JWT_SECRET", "-"), "eyJ"]:
            self.assertNotRegex(output, "(?<![0-9a-f])" + re.escape(secret))

    def ask(self, method, path, body=None, key=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.gateway.variables["PORT"]), timeout=TIMEOUT)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body),
                               headers=dict(headers or {}, **({"Authorization": "Bearer " + key} if key else {})))
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def start(self, address):
        return self.ask("POST", AUTH + "email/start", {"email": address})

    def verify(self, address, code):
        return self.ask("POST", AUTH + "email/verify", {"email": address, "code": code})

    def code_for(self, address, mails=1):
        """The code in the last of so many mails."""
        self.assertTrue(eventually(lambda: len(self.server.to(address)) >= mails, 90), "the mail came")
        code = re.search(r"login code is (\d{6})", self.server.to(address)[-1]).group(1)
        self.secrets.append(code)
        return code

    def test_login(self):
        address = new_address()
        org = psql("SELECT spooled.create_organization('Mail', 'mail-%s', billing_email => '%s')"
                   % (uuid.uuid4().hex[:12], address))
        body = self.ok(self.start(" %s " % address.upper()))
        self.assertShape(body, {"success": "bool", "sent": "bool", "message": "str", "email_sent_to": "str",
                                "email_to": "str", "expires_in": "int", "code_expires_in": "int"})
        self.assertEqual((body["email_sent_to"][:4], body["expires_in"]), ("u***", 600))
        code = self.code_for(address)
        sender, _, text = self.server.mails[0]
        self.assertEqual(sender, "login@example.org")
        for header in ("From: \"Spooled\" <login@example.org>", "To: <%s>" % address, "Subject: ", "Date: ", "Message-ID: <"):
            self.assertIn(header, text)
        wrong = "%06d" % ((int(code) + 1) % 1000000)
        self.assertEqual(self.refused(self.verify(address, wrong), 401, "AUTHENTICATION_FAILED")["message"], "Invalid code")
        body = self.ok(self.verify(address, code))
        self.assertEqual(body["type"], "login")
        self.assertShape(body, dict(TOKENS, user_id="uuid", email="str", organizations="list"))
        self.assertEqual(claims_of(body["access_token"])["email"], address)
        me = self.ok(self.ask("GET", AUTH + "me", key=body["access_token"]))
        self.assertEqual((me["organization_id"], me["queues"]), (org, ["*"]))
        self.ok(self.ask("POST", AUTH + "refresh", {"refresh_token": body["refresh_token"]}))
        self.refused(self.verify(address, code), 401, "AUTHENTICATION_FAILED")
        self.empty(self.ask("POST", AUTH + "logout", key=body["access_token"]))
        self.refused(self.ask("GET", AUTH + "me", key=body["access_token"]), 401, "UNAUTHORIZED")

    def test_signup(self):
        address = new_address()
        slug = "signup-" + uuid.uuid4().hex[:12]
        self.ok(self.start(address))
        body = self.ok(self.verify(address, self.code_for(address)))
        self.assertEqual((body["type"], body["email"], body["expires_in"]), ("signup", address, 900))
        token = body["signup_token"]
        self.refused(self.ask("GET", "/api/v1/queues", key=token), 401, "UNAUTHORIZED")

        def complete(**more):
            return self.ask("POST", AUTH + "signup/complete", dict(more, signup_token=token), headers={"Idempotency-Key": "k"})

        self.refused(complete(name="Signed up"), 400, "VALIDATION_ERROR", "slug", "missing_field")
        self.refused(complete(name="Signed up", slug="default"), 409, "CONFLICT")
        body = self.ok(complete(name="Signed up", slug=slug), 201)
        self.assertShape(body, dict(TOKENS, organization="obj", api_key="str"))
        self.assertEqual((body["organization"]["slug"], body["organization"]["billing_email"]), (slug, address))
        self.secrets.append(body["api_key"])
        for key in (body["api_key"], body["access_token"]):
            self.ok(self.ask("GET", "/api/v1/queues", key=key))
        again = self.ok(complete(name="Signed up", slug=slug))
        self.assertEqual(again, dict(body, api_key=None, access_token=None, refresh_token=None))
        self.refused(complete(name="Signed up", slug=slug + "2"), 409, "CONFLICT")

    @unittest.skipUnless(os.environ.get("ADMIN_API_KEY"), "needs ADMIN_API_KEY")
    def test_signup_while_registration_is_closed(self):
        address = new_address()
        self.ok(self.start(address))
        wish = {"name": "Signed up", "slug": "closed-" + uuid.uuid4().hex[:12],
                "signup_token": self.ok(self.verify(address, self.code_for(address)))["signup_token"]}

        def complete(**headers):
            return self.ask("POST", AUTH + "signup/complete", wish, headers=headers)

        def is_refused():
            return self.ask("POST", "/api/v1/organizations", {"name": "Closed", "slug": "closed-" + uuid.uuid4().hex[:12]}).status == 403

        psql("ALTER SYSTEM SET spooled.registration_mode = 'closed'")
        try:
            psql("SELECT pg_reload_conf()")
            self.assertTrue(eventually(is_refused, 60))
            self.refused(complete(), 403, "ACCESS_DENIED")
            self.refused(complete(**{"X-Admin-Key": "wrong"}), 403, "ACCESS_DENIED")
            body = self.ok(complete(**{"X-Admin-Key": os.environ["ADMIN_API_KEY"]}), 201)
        finally:
            psql("ALTER SYSTEM RESET spooled.registration_mode")
            psql("SELECT pg_reload_conf()")
        self.assertEqual(body["organization"]["billing_email"], address)
        self.secrets.append(body["api_key"])
        self.ok(self.ask("GET", "/api/v1/queues", key=body["access_token"]))

    def test_check(self):
        address = new_address()
        for reply in (self.ask("GET", AUTH + "check-email?email=" + address), self.ask("GET", AUTH + "email/check?email=" + address),
                      self.ask("POST", AUTH + "email/check", {"email": address})):
            self.assertEqual(self.ok(reply), {"available": True, "exists": False, "signup_enabled": True,
                                              "can_register": True, "has_organizations": False})
        self.refused(self.ask("GET", AUTH + "check-email?email=nonsense"), 400, "VALIDATION_ERROR", "email")
        self.refused(self.ask("GET", AUTH + "check-email"), 400, "VALIDATION_ERROR", "email")

    def test_refused(self):
        address = new_address()
        for email in ("nonsense", "a@b", "a@example.com\r\nBcc: b@example.com", "", 5):
            self.refused(self.start(email), 400, "VALIDATION_ERROR")
        self.refused(self.verify(address, "12345"), 400, "VALIDATION_ERROR", "code")
        self.refused(self.verify(address, "123456"), 401, "AUTHENTICATION_FAILED")
        for _ in range(5):
            self.ok(self.start(address))
        sixth = self.start(address)
        self.refused(sixth, 429, "RATE_LIMIT_EXCEEDED")
        self.assertIn("retry-after", sixth.headers)
        self.assertTrue(eventually(lambda: len(self.server.to(address)) == 5, 90))

    def test_a_busy_mail_server_is_tried_again(self):
        address = new_address()
        self.server.refuse = "451 Try again later"
        self.ok(self.start(address))
        self.assertTrue(eventually(lambda: self.server.refused > 0, 60))
        self.server.refuse = None
        self.ok(self.verify(address, self.code_for(address)))

    def test_a_mail_server_that_is_down_is_tried_again(self):
        address = new_address()
        self.server.stop()
        self.ok(self.start(address))
        self.assertTrue(eventually(lambda: psql("SELECT sends > 0 FROM spooled.email_code WHERE email = '%s'" % address) == "t", 60))
        self.server = MailServer(self.smtp_port)
        self.ok(self.verify(address, self.code_for(address)))

    def test_a_refused_address_is_given_up(self):
        address = new_address()
        self.server.refuse = "550 No such user"
        self.secrets.append(address.split("@")[0])
        self.ok(self.start(address))
        self.assertTrue(eventually(lambda: psql("SELECT due IS NULL FROM spooled.email_code WHERE email = '%s'" % address) == "t", 60))
        self.assertEqual(self.server.refused, 1)


@needs_gateway
class NotConfigured(Case):
    def test_start(self):
        reply = post(AUTH + "email/start", {"email": "a@example.com"}, key=None)
        self.assertIn("not configured", self.refused(reply, 503, "SERVICE_UNAVAILABLE")["message"])
        self.ok(get(AUTH + "check-email?email=a@example.com", key=None))

    def test_settings(self):
        for words, changed in ((("SMTP_HOST",), {"EMAIL_PROVIDER": "smtp"}), (("EMAIL_PROVIDER",), {"EMAIL_PROVIDER": "pigeon"}),
                               (("EMAIL_PROVIDER", "RUST_ENV"), {"EMAIL_PROVIDER": "console", "RUST_ENV": "production"}),
                               (("EMAIL_FROM_NAME",), {"EMAIL_FROM_NAME": "a\nb"}), (("SMTP_PORT",), {"SMTP_PORT": "smtp"})):
            gateway = Gateway(**changed)
            gateway.process.wait(60)
            status, output = gateway.end()
            self.assertEqual(status, 1, output)
            for word in words:
                self.assertIn(word, output)

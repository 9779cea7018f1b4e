"""Behind a proxy: whose address counts, and what is believed about the way of a request."""

import re

from client import Case, Gateway, eventually, needs_gateway, raw, refused_start


@needs_gateway
class Proxies(Case):
    def client_of(self, gateway, request_id, *headers):
        """The address that the gateway takes a request's client to have, as its log tells."""
        head = b"GET /api/v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: %s\r\n" % request_id.encode()
        raw(head + b"".join(header + b"\r\n" for header in headers) + b"\r\n", port=gateway.port)
        pattern = re.compile(r"client=(\S+) .*request_id=%s\b" % request_id)
        return eventually(lambda: pattern.search(gateway.log())).group(1)

    def test_nobody_is_believed_unless_named(self):
        with Gateway() as gateway:
            self.assertEqual(self.client_of(gateway, "a", b"X-Forwarded-For: 192.0.2.1", b"X-Real-IP: 192.0.2.2"),
                             "127.0.0.1")
        with Gateway(TRUSTED_PROXIES="10.0.0.0/8", TRUSTED_PROXY_HOPS="1") as gateway:
            self.assertEqual(self.client_of(gateway, "a", b"X-Forwarded-For: 192.0.2.1"), "127.0.0.1")

    def test_hops(self):
        with Gateway(TRUSTED_PROXIES="127.0.0.1", TRUSTED_PROXY_HOPS="2") as gateway:
            self.assertEqual(self.client_of(gateway, "a", b"X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.1"), "192.0.2.1")
            self.assertEqual(self.client_of(gateway, "b", b"X-Forwarded-For: 1.1.1.1, 192.0.2.2",
                                            b"x-forwarded-for: 10.0.0.1"), "192.0.2.2")
            self.assertEqual(self.client_of(gateway, "c", b"X-Forwarded-For: 1.1.1.1, ' OR 1=1, x"), "127.0.0.1")
            self.assertEqual(self.client_of(gateway, "d", b"X-Real-IP: 192.0.2.1"), "127.0.0.1")
            self.assertEqual(self.client_of(gateway, "e", b"X-Forwarded-For: " + b"," * 4000), "127.0.0.1")

    def test_header(self):
        with Gateway(TRUSTED_PROXIES="private", TRUSTED_CLIENT_IP_HEADER="CF-Connecting-IP") as gateway:
            self.assertEqual(self.client_of(gateway, "a", b"CF-Connecting-IP: 2001:DB8::1",
                                            b"X-Forwarded-For: 192.0.2.1"), "2001:db8::1")
            self.assertEqual(self.client_of(gateway, "b", b"X-Forwarded-For: 192.0.2.1"), "127.0.0.1")

    def test_https_is_required(self):
        https = {"X-Forwarded-Proto": "https"}
        with Gateway(TRUSTED_PROXIES="127.0.0.1", REQUIRE_HTTPS="true") as gateway:
            self.ok(gateway.get("/api/v1/jobs/stats", headers=https))
            self.ok(gateway.get("/health"))
            for headers in ({}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https,http"}):
                self.refused(gateway.get("/api/v1/jobs/stats", headers=headers), 400, "BAD_REQUEST")
        with Gateway(FORCE_HTTPS="true") as gateway:
            self.refused(gateway.get("/api/v1/jobs/stats", headers=https), 400, "BAD_REQUEST")

    def test_settings_that_make_no_sense(self):
        self.assertIn("TRUSTED_PROXIES", refused_start(TRUSTED_PROXIES="10.0.0.0/64", TRUSTED_PROXY_HOPS="1"))
        self.assertIn("TRUSTED_PROXIES", refused_start(TRUSTED_PROXY_HOPS="1"))
        self.assertIn("TRUSTED_PROXIES", refused_start(TRUSTED_CLIENT_IP_HEADER="X-Real-IP"))
        self.assertIn("TRUSTED_PROXY_HOPS", refused_start(TRUSTED_PROXIES="private", TRUSTED_PROXY_HOPS="17"))

"""Clients that are slow, greedy or broken: the server answers or hangs up, and goes on serving others."""

import concurrent.futures
import random
import resource
import socket
import time

from client import API_KEY, Case, Gateway, HOST, PORT, eventually, get, needs_gateway, new_queue, post, raw

HEAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + API_KEY.encode() + b"\r\n"


def connect(port=PORT):
    connection = socket.socket()
    connection.settimeout(10)
    connection.connect((HOST, port))
    return connection


class Hostile(Case):
    def tearDown(self):
        """Whatever happened, somebody else is served at once."""
        begun = time.monotonic()
        self.ok(get("/api/v1/jobs/stats"))
        self.assertLess(time.monotonic() - begun, 5)

    def test_slow_head(self):
        """One byte at a time for longer than any request may take."""
        slow = [connect() for _ in range(20)]
        end = time.monotonic() + 75
        for connection in slow:
            connection.sendall(b"GET /health HTTP/1.1\r\n")
        open_ones = set(slow)
        while open_ones and time.monotonic() < end:
            for connection in list(open_ones):
                try:
                    connection.sendall(b"X")
                    connection.settimeout(0.001)
                    if connection.recv(1000) == b"":
                        open_ones.discard(connection)
                except TimeoutError:
                    pass
                except OSError:
                    open_ones.discard(connection)
            time.sleep(0.5)
        for connection in slow:
            connection.close()
        self.assertFalse(open_ones, "%d connections still wait" % len(open_ones))

    def test_slow_body(self):
        connection = connect()
        connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
        begun = time.monotonic()
        answer = b""
        try:
            while time.monotonic() - begun < 75:
                connection.sendall(b" ")
                connection.settimeout(0.5)
                try:
                    answer = connection.recv(4000)
                    break
                except TimeoutError:
                    pass
        except OSError:
            pass
        connection.close()
        self.assertLess(time.monotonic() - begun, 70)
        if answer:
            self.assertIn(b" 408 ", answer.split(b"\r\n")[0])

    def test_body_of_100_megabytes(self):
        """It is read and forgotten, or not read at all; a gateway that kept it would need the memory."""
        for length in (b"Content-Length: 104857600\r\n", b"Transfer-Encoding: chunked\r\n"):
            megabyte = b" " * 1048576
            if b"chunked" in length:
                megabyte = b"100000\r\n" + megabyte + b"\r\n"
            connection = connect()
            sent = 0
            answer = b""
            try:
                connection.sendall(HEAD + length + b"\r\n")
                for sent in range(1, 101):
                    connection.sendall(megabyte)
                if b"chunked" in length:
                    connection.sendall(b"0\r\n\r\n")
                answer = connection.recv(4000)
            except OSError:
                pass
            connection.close()
            self.assertTrue(sent < 100 or b" 413 " in answer.split(b"\r\n")[0], answer[:100])

    def test_promised_body_of_100_megabytes(self):
        """The head says enough: the refusal comes without waiting for the body."""
        answer = raw(HEAD + b"Content-Length: 104857600\r\n\r\n")
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])

    def test_body_that_never_comes(self):
        connections = [connect() for _ in range(50)]
        for connection in connections:
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        for connection in connections:
            connection.close()

    def hold(self, count):
        """Opens connections that never say a word, as many as are accepted and this process may have."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY:
            count = min(count, hard - 200)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        held = []
        for _ in range(count):
            connection = socket.socket()
            connection.settimeout(2)
            try:
                connection.connect((HOST, PORT))
            except OSError:
                connection.close()
                break
            held.append(connection)
        print("%d idle connections ... " % len(held), end="", flush=True)
        return held

    def release(self, held):
        for connection in held:
            connection.close()
        self.assertTrue(eventually(self.is_healthy, 15))

    def is_healthy(self):
        try:
            return get("/health", key=None).status == 200
        except OSError:
            return False

    @needs_gateway
    def test_memory_for_bodies_is_bounded(self):
        """Who fills it with bodies that do not end keeps others from large ones, until he leaves."""
        body = {"queue_name": new_queue(), "payload": "x" * 3000000}    # too large a payload, but only the database says so

        def filled(gateway):
            greedy = [connect(gateway.port) for _ in range(4)]
            try:
                for connection in greedy:
                    connection.sendall(HEAD + b"Content-Length: 4500000\r\n\r\n" + b" " * 4000000)
                time.sleep(0.2)     # if they have not all arrived, they are tried again
                return gateway.post("/api/v1/jobs", body).status == 503 and self.ok(gateway.get("/api/v1/jobs/stats"))
            finally:
                for connection in greedy:
                    connection.close()

        with Gateway(BODY_MEMORY_MB="16") as gateway:
            self.refused(gateway.post("/api/v1/jobs", body), 400)
            self.assertTrue(eventually(lambda: filled(gateway), 60))
            self.assertTrue(eventually(lambda: gateway.post("/api/v1/jobs", body).status == 400, 60))

    def test_idle_connections(self):
        """Fewer than MAX_CONNECTIONS: nobody notices."""
        held = self.hold(3000)
        try:
            begun = time.monotonic()
            self.ok(get("/api/v1/jobs/stats"))
            self.assertLess(time.monotonic() - begun, 2)
        finally:
            self.release(held)

    def test_more_connections_than_there_may_be(self):
        """New clients may have to wait, but when the crowd leaves everything is as before."""
        self.release(self.hold(10000))

    def test_pipelined_garbage(self):
        good = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        for garbage in (b"\x00" * 100, b"GET\r\n\r\n", b"\r\n\r\n\r\n", b"\xff" * 1000, b"GET / HTTP/9.9\r\n\r\n",
                        b"GET /health HTTP/1.1\r\nContent-Length: x\r\n\r\n", b": : :\r\n\r\n",
                        b"POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
                        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            answer = raw(good + garbage + good, wait=3, half_close=True)
            # A connection that is reset may take the good answer with it.
            self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 200"), garbage[:20])

    def test_request_smuggling(self):
        """Two lengths, or a length and chunks: never two requests out of one."""
        inner = b"GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n"
        for head in (b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(inner),
                     b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(inner)):
            answer = raw(b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n" +
                         b"0\r\n\r\n" + inner, wait=3, half_close=True)
            self.assertLessEqual(answer.count(b"HTTP/1.1 "), 2)

    def test_long_paths_and_heads(self):
        for data in (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"b" * 100000 + b"\r\n\r\n",
                     b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20000 + b"\r\n",
                     b"GET /health?" + b"a=b&" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"):
            answer = raw(data, wait=3, half_close=True)
            self.assertTrue(answer == b"" or re_status(answer) in range(400, 500) or re_status(answer) == 200, answer[:100])

    def test_random_bytes(self):
        random.seed(7)
        for _ in range(100):
            raw(random.randbytes(random.randrange(1, 2000)), wait=0.2, half_close=True)

    def test_mutated_requests(self):
        """A good request with some bytes changed gets an answer below 500."""
        random.seed(8)
        body = b'{"queue_name":"%s","payload":{"a":[1,2,{"b":"c"}]},"priority":5}' % new_queue().encode()
        good = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        for _ in range(300):
            data = bytearray(good)
            for _ in range(random.randrange(1, 6)):
                data[random.randrange(len(HEAD), len(data))] = random.randrange(256)
            answer = raw(bytes(data), wait=1, half_close=True)
            self.assertTrue(not answer or re_status(answer) < 500, answer[:300])

    def test_many_names_and_elements(self):
        queue = new_queue()
        many = ",".join('"k%d":%d' % (i, i) for i in range(100000))
        self.ok(post("/api/v1/jobs", '{"queue_name":"%s","payload":1,%s}' % (queue, many)), 201)
        self.assertIn(post("/api/v1/jobs/bulk", '{"queue_name":"%s","jobs":[%s]}' % (queue, ",".join(["1"] * 500000)))
                      .status, (400, 413))
        self.assertIn(post("/api/v1/jobs/dlq/retry", '{"job_ids":[%s]}' % ",".join(['"x"'] * 500000)).status, (400, 413))

    def test_clients_that_leave_while_they_wait(self):
        queue = new_queue()
        body = b'{"queue_name":"%s","worker_id":"w","wait_seconds":20}' % queue.encode()
        head = HEAD.replace(b"/jobs ", b"/jobs/claim ") + b"Content-Length: %d\r\n\r\n" % len(body)
        for _ in range(50):
            connection = connect()
            connection.sendall(head + body)
            time.sleep(0.01)
            connection.close()
        time.sleep(0.5)
        job_id = self.create(queue)
        time.sleep(0.5)
        # Nobody is left who could have got it.
        self.assertEqual(self.job(job_id)["status"], "pending")

    def test_half_closed(self):
        body = b'{"queue_name":"%s","payload":1}' % new_queue().encode()
        answer = raw(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body, half_close=True)
        self.assertTrue(answer == b"" or re_status(answer) == 201, answer[:100])

    def test_a_burst(self):
        """Everybody at once is served or told to come back, and nobody is forgotten."""
        queue = new_queue()

        def one(i):
            return post("/api/v1/jobs", {"queue_name": queue, "payload": i}).status

        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            statuses = list(pool.map(one, range(1000)))
        self.assertLessEqual(set(statuses), {201, 429, 503})
        self.assertEqual(self.ok(get("/api/v1/jobs/stats?queue=" + queue))["total"], statuses.count(201))


def re_status(answer):
    return int(answer.split(b" ", 2)[1])

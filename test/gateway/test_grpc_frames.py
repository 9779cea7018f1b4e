"""gRPC: what only somebody sends who writes HTTP/2 by hand.  Whatever comes, others are served, and the sanitizers are silent."""

import gzip
import os
import socket
import struct
import subprocess

import client
from rpc import ADDRESS, Case, Code, pb

ENQUEUE = "/spooled.v1.QueueService/Enqueue"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
SECONDS = 60


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    return struct.pack(">I", len(payload) if length is None else length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(data):
    """A string of HPACK, as it is: no Huffman code."""
    prefix, rest = [], len(data)
    if rest < 127:
        return bytes([rest]) + data
    prefix, rest = [127], rest - 127
    while rest > 127:
        prefix.append(rest & 127 | 128)
        rest >>= 7
    return bytes(prefix + [rest]) + data


def header_block(*changes):
    """The headers of a call, as literals; a change replaces a header, (name, None) takes it away."""
    headers = {b":method": b"POST", b":scheme": b"http", b":path": ENQUEUE.encode(), b":authority": b"localhost",
               b"te": b"trailers", b"content-type": b"application/grpc", b"x-api-key": client.API_KEY.encode()}
    headers.update(changes)
    return b"".join(b"\x00" + text(name) + text(value) for name, value in headers.items() if value is not None)


def message(data, flag=0, length=None):
    return bytes([flag]) + struct.pack(">I", len(data) if length is None else length) + data


class Connection:
    """A connection over which anything can be sent; frames that come are kept."""

    def __init__(self, address=ADDRESS):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=SECONDS)
        self.left = b""
        self.pings = 0
        self.send(PREFACE + frame(SETTINGS))

    def send(self, data):
        """Sends, unless the server has closed the connection, of which next() tells."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass

    def next(self):
        """The next frame that is not the connection's own business: (kind, flags, stream, payload); None: it was closed."""
        while True:
            while len(self.left) < 9 or len(self.left) < 9 + int.from_bytes(self.left[:3], "big"):
                try:
                    more = self.socket.recv(65536)
                except ConnectionError:
                    more = b""
                if not more:
                    return None
                self.left += more
            size = int.from_bytes(self.left[:3], "big")
            kind, flags, stream = self.left[3], self.left[4], int.from_bytes(self.left[5:9], "big")
            payload, self.left = self.left[9:9 + size], self.left[9 + size:]
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK))
            elif kind == PING and not flags & ACK:
                self.pings += 1
                self.send(frame(PING, ACK, 0, payload))
            elif kind not in (SETTINGS, PING, WINDOW_UPDATE):
                return kind, flags, stream, payload

    def end_of(self, stream):
        """How the server ended a stream: its status, "reset", "goaway" or "closed"."""
        while True:
            came = self.next()
            if came is None:
                return "closed"
            kind, flags, number, payload = came
            if kind == GOAWAY:
                return "goaway"
            if number == stream and kind == RST_STREAM:
                return "reset"
            if number == stream and kind == HEADERS and flags & END_STREAM:
                at = payload.find(b"grpc-status")
                return int(payload[at + len("grpc-status"):][1:][:payload[at + len("grpc-status")]]) if at >= 0 else "ended"

    def close(self):
        self.socket.close()


def status_of(code):
    return code.value[0]


class Frames(Case):
    def connect(self):
        connection = Connection()
        self.addCleanup(connection.close)
        return connection

    def request(self, **fields):
        return pb.EnqueueRequest(queue_name=self.queue, **fields).SerializeToString()

    def unary(self, *changes, data=None):
        """How a unary call ends that is sent by hand."""
        connection = self.connect()
        connection.send(frame(HEADERS, END_HEADERS, 1, header_block(*changes))
                        + frame(DATA, END_STREAM, 1, message(self.request()) if data is None else data))
        try:
            return connection.end_of(1)
        finally:
            connection.close()

    def broken(self, *frames):
        """Sends frames on a connection of their own; it may be closed meanwhile."""
        connection = self.connect()
        try:
            for one in frames:
                connection.send(one)
            connection.send(frame(PING, 0, 0, b"12345678"))
            connection.socket.shutdown(socket.SHUT_WR)
            while connection.next() is not None:
                pass
        except OSError:
            pass
        finally:
            connection.close()
        self.enqueue()  # others are served

    def test_a_call_by_hand(self):
        self.assertEqual(self.unary(), 0)
        self.assertEqual(self.unary((b"x-api-key", b"sk_test_nobody")), status_of(Code.UNAUTHENTICATED))

    def test_messages(self):
        for data in (message(self.request(), flag=7), message(self.request(), length=4000), message(self.request(), length=2),
                     message(b"", length=0xffffffff), message(self.request())[:3], b"\0"):
            self.assertNotEqual(self.unary(data=data), 0, data)
        self.assertEqual(self.unary(data=message(b"x" * 100, flag=1)), status_of(Code.INVALID_ARGUMENT))

    def test_encodings(self):
        packed, plain = gzip.compress(self.request()), self.request()
        self.assertEqual(self.unary((b"grpc-encoding", b"gzip"), data=message(packed, flag=1)), 0)
        self.assertEqual(self.unary((b"grpc-encoding", b"gzip"), data=message(plain)), 0)
        for encoding, data in ((b"gzip", plain), (b"gzip", packed[:-9]), (b"deflate", packed), (b"gzip", b"")):
            self.assertEqual(self.unary((b"grpc-encoding", encoding), data=message(data, flag=1)),
                             status_of(Code.INVALID_ARGUMENT), (encoding, data))
        # gRPC keeps from us what it does not know; as protobuf it makes no sense.
        self.assertEqual(self.unary((b"grpc-encoding", b"br"), data=message(packed, flag=1)), status_of(Code.INVALID_ARGUMENT))

    def test_how_many_messages(self):
        request = pb.EnqueueRequest(queue_name=self.queue)
        for count, code in ((0, Code.INVALID_ARGUMENT), (1, None), (2, None)):
            method = self.channel.stream_unary(ENQUEUE, lambda x: x.SerializeToString(), pb.EnqueueResponse.FromString)
            with self.subTest(count):
                if code is None:
                    self.assertTrue(self.call(method, iter([request] * count)).created)
                else:
                    self.refused_with(code, method, iter([]))

    def test_metadata(self):
        for changes in (((b":method", b"GET"),), ((b":path", None),), ((b":path", b"nonsense"),),
                        ((b":path", b"/" + b"x" * 9000),), ((b"grpc-timeout", b"0n"),), ((b"x-api-key", b"y" * 20000),),
                        ((b"x-api-key", None), (b"x-api-key-bin", b"!!!")), ((b"x-api-key", b"a\0b"),), ((b"x-api-key", b"\xff\xfe"),),
                        ((b"x-api-key", b""),), ((b"X-Api-Key", b"upper"), (b"x-api-key", None))):
            self.assertNotEqual(self.unary(*changes), 0, changes)
        self.enqueue()

    def test_timeouts(self):
        for timeout in (b"99999999H", b"60S", b"60000m"):
            self.assertEqual(self.unary((b"grpc-timeout", timeout)), 0, timeout)
        for timeout in (b"", b"abc", b"-1S", b"1", b"S", b"999999999999999999999S", b"1 S"):
            self.unary((b"grpc-timeout", timeout))  # what it makes of them is gRPC's business
        self.enqueue()

    def test_frames_that_make_no_sense(self):
        open_stream = frame(HEADERS, END_HEADERS, 1, header_block())
        for frames in ((frame(DATA, 0, 0, b"x"),), (frame(DATA, 0, 9, b"x"),), (frame(HEADERS, END_HEADERS, 0, header_block()),),
                       (frame(HEADERS, END_HEADERS, 2, header_block()),), (frame(SETTINGS, 0, 0, b"12345"),),
                       (frame(SETTINGS, ACK, 0, b"123456"),), (frame(PING, 0, 0, b"1"),), (frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0"),),
                       (frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"),) * 2, (frame(CONTINUATION, END_HEADERS, 1, header_block()),),
                       (frame(PUSH_PROMISE, END_HEADERS, 1, header_block()),), (frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),),
                       (frame(HEADERS, END_HEADERS, 1, b"\x80"),), (frame(HEADERS, END_HEADERS, 1, b"\x00\x7f\xff\xff\xff\x7f"),),
                       (frame(HEADERS, 0, 1, header_block()[:20]),), (frame(HEADERS, 0, 1, b""), frame(DATA, 0, 1, b"x")),
                       (open_stream, open_stream), (open_stream, frame(RST_STREAM, 0, 1, b"1")), (frame(77, 255, 1, b"what"),),
                       (frame(DATA, 0, 1, b"", length=0xffffff),), (frame(PRIORITY, 0, 1, b"\0\0\0\1\0"),),
                       (open_stream, frame(DATA, 8, 1, b"\xff")), (frame(GOAWAY, 0, 0, b""),), (b"\xff" * 4096,), (os.urandom(4096),)):
            with self.subTest(frames):
                self.broken(*frames)

    def test_floods(self):
        """Streams that are reset as soon as they are opened, pings, settings, and headers that never end."""
        headers = header_block()
        self.broken(*(frame(HEADERS, END_HEADERS, 2 * number + 1, headers) + frame(RST_STREAM, 0, 2 * number + 1, b"\0\0\0\x08")
                      for number in range(2000)))
        self.broken(*(frame(PING, 0, 0, b"12345678") for _ in range(3000)))
        self.broken(*(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, number)) for number in range(1, 3000)))
        self.broken(frame(HEADERS, 0, 1, headers), *(frame(CONTINUATION, 0, 1, b"\x00" + text(b"x-%d" % number) + text(b"y" * 1000))
                                                     for number in range(1000)))

    def test_connections_that_are_left(self):
        """After the preface, within a frame, within a message, with calls open."""
        for data in (b"", frame(HEADERS, END_HEADERS, 1, header_block())[:30], frame(HEADERS, END_HEADERS, 1, header_block()),
                     frame(HEADERS, END_HEADERS, 1, header_block()) + frame(DATA, 0, 1, message(self.request())[:7]),
                     frame(HEADERS, END_HEADERS, 1, header_block((b":path", b"/spooled.v1.QueueService/ProcessJobs")))):
            for _ in range(10):
                connection = Connection()
                connection.send(data)
                connection.close()
        self.enqueue()


@client.needs_psql
@client.needs_gateway
class FirstResponses(Case):
    """gRPC holds back what it was told another message follows; nothing of a stream may wait for the server's next ping to leave."""

    def held_job(self):
        """A job that is being processed, and a session that keeps it from being completed until it is told to let go."""
        self.enqueue()
        job = self.dequeue_one()
        session = subprocess.Popen(["psql", "-XqAt", client.PSQL_URL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(session.wait)
        self.addCleanup(session.stdout.close)
        self.addCleanup(session.stdin.close)
        session.stdin.write("BEGIN; SELECT 'held' FROM spooled.lease WHERE job_id = '%s' FOR UPDATE;\n" % job.id)
        session.stdin.flush()
        self.assertEqual(session.stdout.readline(), "held\n")
        return job, session

    def received(self, gateway):
        lines = self.assertStatus(gateway.get("/metrics", key=None), 200).body.decode().splitlines()
        return [line.rsplit(" ", 1)[1] for line in lines if line.startswith('spooled_grpc_stream_messages_total{direction="received"}')]

    def responses(self, connection, count):
        """Reads so many responses of stream 1."""
        data = b""
        while len(data) < 5 or count > 0:
            kind, _, stream, payload = connection.next()
            self.assertEqual((kind in (HEADERS, DATA), stream), (True, 1))
            data += payload if kind == DATA else b""
            while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[1:5], "big"):
                yield pb.ProcessResponse.FromString(data[5:5 + int.from_bytes(data[1:5], "big")])
                data, count = data[5 + int.from_bytes(data[1:5], "big"):], count - 1
                if count == 0:
                    return

    def pings_until_answered(self):
        """How many pings come before two responses that are ready together, the first ones of their stream."""
        job, session = self.held_job()
        address = "127.0.0.1:%d" % client.free_port()
        with client.Gateway(GRPC_PORT=address.partition(":")[2], DB_LOCK_TIMEOUT_MS="60000") as gateway:
            connection = Connection(address)
            self.addCleanup(connection.close)
            complete = pb.ProcessRequest(complete=pb.CompleteRequest(job_id=job.id, worker_id=self.worker))
            connection.send(frame(HEADERS, END_HEADERS, 1, header_block((b":path", b"/spooled.v1.QueueService/ProcessJobs")))
                            + frame(DATA, 0, 1, message(complete.SerializeToString())) + frame(DATA, 0, 1, message(b"")))
            # The second is answered at once, and its response waits for the first one's.
            self.assertTrue(client.eventually(lambda: self.received(gateway) == ["2"], 60))
            session.stdin.write("ROLLBACK;\n")
            session.stdin.flush()
            first, second = self.responses(connection, 2)
            self.assertTrue(first.complete.success, first)
            self.assertEqual(second.error.code, "INVALID_REQUEST")
            return connection.pings

    def test_that_are_ready_together(self):
        """Pings come every 10 s, so on a slow machine one may be under way for its own sake; not each time."""
        self.assertTrue(any(self.pings_until_answered() == 0 for _ in range(3)))

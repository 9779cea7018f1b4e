"""gRPC: limits, deadlines, compression, health, reflection, TLS, and what only a hostile client sends."""

import os
import socket
import subprocess
import sys
import tempfile
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

import client
from certificates import Certificates
from client import needs_gateway, needs_psql
from rpc import ADDRESS, BIG, MADE, PROTO, Case, Code, Stub, health, metadata, pb, queue_service, reflection, reflection_alpha

ENQUEUE = "/spooled.v1.QueueService/Enqueue"


def field(number, data):
    """A length-delimited field."""
    size, prefix = len(data), b""
    while size > 127:
        prefix += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + prefix + bytes([size]) + data


class Hostile(Case):
    options = BIG

    def raw(self, data, **more):
        method = self.channel.unary_unary(ENQUEUE, lambda x: x, lambda x: x)
        return self.call(method, data, **more)

    def refused(self, data, code=Code.INVALID_ARGUMENT, message=None, **more):
        with self.assertRaises(grpc.RpcError) as caught:
            self.raw(data, **more)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        if message:
            self.assertIn(message, caught.exception.details())

    def request(self, payload=b""):
        return field(1, self.queue.encode()) + field(2, payload)

    def test_malformed(self):
        for data in (b"\xff", b"\x0a\xff", b"\x0b", b"\x0a\x05abc", b"\x00", b"\x0a" + b"\x80" * 11, b"\x12\x02\x0a\x7f"):
            self.refused(data, message="not valid protobuf")

    def test_texts(self):
        self.refused(field(1, b"\xff\xfe"), message="UTF-8")
        self.refused(field(1, b"a\0b"), message="UTF-8")
        key = field(1, b"k\0") + field(2, b"")
        self.refused(self.request(field(1, key)), message="UTF-8")

    def test_depth(self):
        def nested(levels):
            value = field(3, b"x")
            for _ in range(levels):
                value = field(5, field(1, field(1, b"k") + field(2, value)))
            return self.request(field(1, field(1, b"k") + field(2, value)))

        self.raw(nested(19))
        self.refused(nested(25), message="nested too deeply")
        self.refused(nested(3000), message="nested too deeply")
        lists = field(3, b"x")
        for _ in range(100000):
            lists = field(6, field(1, lists)) if len(lists) < 3000000 else lists
        self.refused(self.request(field(1, field(1, b"k") + field(2, lists))), message="nested too deeply")

    def test_many_tiny_values(self):
        many = field(6, b"\x0a\x00" * 1000000)
        self.refused(self.request(field(1, field(1, b"k") + field(2, many))), message="too many values")

    def test_no_numbers(self):
        for number, name in ((float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "Infinity")):
            request = pb.EnqueueRequest(queue_name=self.queue)
            request.payload["deep"] = {"er": [number]}
            self.refused_with(Code.INVALID_ARGUMENT, self.queues.Enqueue, request, '"er" is ' + name)

    def test_too_large(self):
        self.refused(self.request(b"\x00" * (4 * 1024 * 1024)), Code.RESOURCE_EXHAUSTED)
        self.enqueue()  # the connection lives

    def test_gzip(self):
        request = pb.EnqueueRequest(queue_name=self.queue)
        request.payload["text"] = "x" * 100000
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            job_id = self.call(self.queues.Enqueue, request, compression=compression).job_id
            self.assertEqual(self.get_job(job_id).payload["text"], "x" * 100000)

    def test_decompression_bomb(self):
        self.refused(self.request(b"\x00" * (200 * 1024 * 1024)), Code.RESOURCE_EXHAUSTED,
                     compression=grpc.Compression.Gzip)
        self.enqueue()

    def test_answers_that_do_not_fit_are_not_lost(self):
        for _ in range(6):
            request = pb.EnqueueRequest(queue_name=self.queue)
            request.payload["text"] = "x" * 1000000
            self.call(self.queues.Enqueue, request)
        got = 0
        while got < 6:
            jobs = client.eventually(lambda: self.dequeue(batch_size=100), 60)
            self.assertGreater(len(jobs), 0)
            self.assertLessEqual(sum(job.ByteSize() for job in jobs), 4 * 1024 * 1024)
            self.assertTrue(all(job.retry_count == 0 for job in jobs))
            got += len(jobs)
        self.assertEqual(got, 6)

    def test_a_payload_that_no_message_can_carry(self):
        body = '{"queue_name": "%s", "payload": {"zeros": [%s]}}' % (self.queue, ",".join("0" * 500000))
        job_id = self.ok(client.post("/api/v1/jobs", body), 201)["id"]
        job = self.dequeue_one()
        self.assertEqual((job.id, job.HasField("payload")), (job_id, False))

    def test_noise_on_the_port(self):
        host, port = ADDRESS.split(":")
        for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200,
                      os.urandom(1000)):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(noise)
                connection.settimeout(10)
                try:
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass
        self.enqueue()

    def test_metadata(self):
        self.call(self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name=self.queue),
                  metadata=metadata() + (("x-request-id", "1"), ("unknown-bin", b"\x00\xff")))
        self.refused_with(Code.UNAUTHENTICATED, self.queues.GetQueueStats,
                          pb.GetQueueStatsRequest(queue_name=self.queue), metadata=(("x-api-key-bin", b"\x00\xff"),))


class Deadlines(Case):
    @needs_psql
    def test_a_deadline_passes_and_others_do_not_notice(self):
        """A statement waits for a lock; its caller's deadline passes; the others on its connection get their answers."""
        key = "deadline-" + self.queue
        locker = subprocess.Popen(["psql", "-XqAt", client.PSQL_URL], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        self.addCleanup(locker.wait)
        self.addCleanup(locker.stdin.close)
        locker.stdin.write("BEGIN; SELECT spooled.enqueue('%s', '{}', idempotency_key => '%s');\n" % (self.queue, key))
        locker.stdin.flush()
        locker.stdout.readline()
        stuck = [self.queues.Enqueue.future(pb.EnqueueRequest(queue_name=self.queue, idempotency_key=key),
                                            metadata=metadata(), timeout=1) for _ in range(10)]
        for _ in range(20):
            self.enqueue()
        for one in stuck:
            self.assertEqual(one.exception().code(), Code.DEADLINE_EXCEEDED)
        locker.stdin.write("ROLLBACK;\n")
        locker.stdin.flush()
        self.enqueue(idempotency_key=key)

    def test_of_a_waiting_dequeue(self):
        self.refused_with(Code.DEADLINE_EXCEEDED, self.queues.Dequeue,
                          pb.DequeueRequest(queue_name=self.queue, worker_id="w", wait_secs=20), timeout=1)
        job_id = self.enqueue()
        self.assertEqual(client.eventually(lambda: [job.id for job in self.dequeue()], 60), [job_id])


class Concurrency(Case):
    def test_many_at_once(self):
        """Each job is enqueued once, claimed once and completed once, on several connections."""
        channels = [grpc.insecure_channel(ADDRESS, options=[("x", number)]) for number in range(4)]
        for channel in channels:
            self.addCleanup(channel.close)
        services = [queue_service(channel) for channel in channels]
        calls = [services[number % 4].Enqueue.future(pb.EnqueueRequest(queue_name=self.queue), metadata=metadata(),
                                                     timeout=120) for number in range(400)]
        ids = {call.result().job_id for call in calls}
        self.assertEqual(len(ids), 400)
        calls = [services[number % 4].Dequeue.future(
            pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker, batch_size=10), metadata=metadata(),
            timeout=120) for number in range(80)]
        jobs = [job for call in calls for job in call.result().jobs]
        self.assertEqual(sorted(job.id for job in jobs), sorted(ids))
        calls = [services[number % 4].Complete.future(
            pb.CompleteRequest(job_id=job.id, worker_id=self.worker, lease_id=job.lease_id), metadata=metadata(),
            timeout=120) for number, job in enumerate(jobs)]
        self.assertTrue(all(call.result().success for call in calls))


class Health(Case):
    def setUp(self):
        super().setUp()
        self.health = Stub(self.channel, health.DESCRIPTOR.services_by_name["Health"])

    def test_check(self):
        for name in ("", "spooled.v1.QueueService", "spooled.v1.WorkerService"):
            answer = self.call(self.health.Check, health.HealthCheckRequest(service=name), metadata=())
            self.assertEqual(answer.status, health.HealthCheckResponse.SERVING)
        self.refused_with(Code.NOT_FOUND, self.health.Check, health.HealthCheckRequest(service="nonsense"))

    def test_watch(self):
        for name, status in (("", health.HealthCheckResponse.SERVING),
                             ("nonsense", health.HealthCheckResponse.SERVICE_UNKNOWN)):
            call = self.health.Watch(health.HealthCheckRequest(service=name))
            self.assertEqual(next(call).status, status)
            call.cancel()

    @needs_psql
    @needs_gateway
    def test_follows_the_database(self):
        """A gateway of its own, as a role that may not connect for a while."""
        name = "role" + self.queue.replace("-", "")
        client.psql("CREATE ROLE %s LOGIN IN ROLE spooled_gateway" % name)
        port = client.free_port()
        with client.Gateway(GRPC_PORT=str(port), DATABASE_URL=os.environ["DATABASE_URL"].replace("user=gateway", "user=" + name)):
            channel = grpc.insecure_channel("127.0.0.1:%d" % port)
            self.addCleanup(channel.close)
            watch = Stub(channel, health.DESCRIPTOR.services_by_name["Health"]).Watch(health.HealthCheckRequest())
            self.assertEqual(next(watch).status, health.HealthCheckResponse.SERVING)
            client.psql("ALTER ROLE %s NOLOGIN" % name)
            client.psql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '%s'" % name)
            self.assertEqual(next(watch).status, health.HealthCheckResponse.NOT_SERVING)
            self.refused_with(Code.UNAVAILABLE, queue_service(channel).Enqueue,
                              pb.EnqueueRequest(queue_name=self.queue))
            client.psql("ALTER ROLE %s LOGIN" % name)
            self.assertEqual(next(watch).status, health.HealthCheckResponse.SERVING)
            self.call(queue_service(channel).Enqueue, pb.EnqueueRequest(queue_name=self.queue))
            watch.cancel()


class Reflection(Case):
    def check(self, module):
        service = Stub(self.channel, module.DESCRIPTOR.services_by_name["ServerReflection"])

        def ask(**request):
            return next(service.ServerReflectionInfo(iter([module.ServerReflectionRequest(**request)])))

        names = [one.name for one in ask(list_services="*").list_services_response.service]
        self.assertEqual(sorted(names), ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                         "grpc.reflection.v1alpha.ServerReflection", "spooled.v1.QueueService",
                                         "spooled.v1.WorkerService"])
        for symbol in names + ["spooled.v1.Job", "spooled.v1.QueueService.Enqueue", "spooled.v1.EnqueueRequest.TagsEntry",
                               "spooled.v1.JobStatus", "grpc.health.v1.HealthCheckResponse.ServingStatus",
                               "google.protobuf.Struct"]:
            files = ask(file_containing_symbol=symbol).file_descriptor_response.file_descriptor_proto
            pool = descriptor_pool.DescriptorPool()
            for data in files:
                pool.Add(descriptor_pb2.FileDescriptorProto.FromString(data))
            if symbol in names:
                self.assertTrue(pool.FindServiceByName(symbol).methods)
        job = pool.FindMessageTypeByName  # the last pool has Struct
        self.assertTrue(job("google.protobuf.Struct"))
        files = ask(file_by_filename="spooled.proto").file_descriptor_response.file_descriptor_proto
        self.assertIn("spooled.proto", [descriptor_pb2.FileDescriptorProto.FromString(data).name for data in files])
        for request in ({"file_containing_symbol": "spooled.v1.Nonsense"}, {"file_by_filename": "x"},
                        {"file_containing_symbol": "spooled"}, {"all_extension_numbers_of_type": "x"}, {}):
            self.assertEqual(ask(**request).error_response.error_code, 5)

    def test_v1(self):
        self.check(reflection)

    def test_v1alpha(self):
        self.check(reflection_alpha)

    def test_several_on_one_stream(self):
        service = Stub(self.channel, reflection.DESCRIPTOR.services_by_name["ServerReflection"])
        asked = [reflection.ServerReflectionRequest(list_services="*")] * 5
        self.assertEqual(len(list(service.ServerReflectionInfo(iter(asked)))), 5)


@needs_gateway
class Tls(Case):
    def setUp(self):
        super().setUp()
        self.files = Certificates()
        self.addCleanup(self.files.remove)
        self.port = client.free_port()

    def connect(self, **more):
        credentials = grpc.ssl_channel_credentials(self.files.read("ca.pem"), **more)
        channel = grpc.secure_channel("localhost:%d" % self.port, credentials)
        self.addCleanup(channel.close)
        return queue_service(channel)

    def gateway(self, **settings):
        return client.Gateway(GRPC_PORT=str(self.port), **self.files.settings(), **settings)

    def serial(self):
        done = subprocess.run(["openssl", "s_client", "-connect", "localhost:%d" % self.port, "-alpn", "h2"],
                              input=b"", capture_output=True, timeout=60)
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=done.stdout, capture_output=True).stdout

    def test_a_new_certificate_is_used(self):
        self.files.make("server")
        request = pb.EnqueueRequest(queue_name=self.queue)
        with self.gateway():
            self.call(self.connect().Enqueue, request)
            self.refused_with(Code.UNAVAILABLE, queue_service(grpc.insecure_channel("127.0.0.1:%d" % self.port)).Enqueue,
                              request)
            before = self.serial()
            self.files.make("server")
            self.assertTrue(client.eventually(lambda: self.serial() not in (b"", before), 60))
            self.call(self.connect().Enqueue, request)

    def test_client_certificates(self):
        self.files.make("server")
        self.files.make("client", subject="worker")
        request = pb.EnqueueRequest(queue_name=self.queue)
        with self.gateway(GRPC_TLS_CLIENT_CA_PATH=self.files.path("ca.pem")):
            self.call(self.connect(private_key=self.files.read("client.key"),
                                   certificate_chain=self.files.read("client.pem")).Enqueue, request)
            self.refused_with(Code.UNAVAILABLE, self.connect().Enqueue, request)

    def test_start_without_files(self):
        said = client.refused_start(GRPC_TLS_ENABLED="true", RUST_ENV="development",
                                    GRPC_TLS_CERT_PATH="/nowhere/grpc-cert.pem")
        for word in ("/nowhere/grpc-cert.pem", "GRPC_TLS_CERT_PATH", "GRPC_TLS_ENABLED=false"):
            self.assertIn(word, said)

    def test_start_with_another_key(self):
        self.files.make("server")
        self.files.make("other")
        said = client.refused_start(RUST_ENV="development", **self.files.settings("server", "other"))
        self.assertIn("make no pair", said)

    def test_production_has_it_unless_told_otherwise(self):
        # Without a database: that of the tests is one for development.
        nothing = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "GRPC_TLS_CERT_PATH": "/nowhere/cert.pem"}
        self.assertIn("/nowhere/cert.pem", client.refused_start(RUST_ENV="production", **nothing))
        for environment in ("staging", "development"):
            self.assertIn("GRPC_TLS_ENABLED=false\n", client.printed_config(RUST_ENV=environment))
        self.assertIn("GRPC_TLS_ENABLED=true\n", client.printed_config(RUST_ENV="production"))
        self.assertIn("GRPC_TLS_ENABLED=false\n",
                      client.printed_config(RUST_ENV="production", GRPC_TLS_ENABLED="false"))


@needs_gateway
class Port(Case):
    def test_a_taken_port(self):
        with socket.socket() as other:
            other.bind(("0.0.0.0", 0))
            other.listen()
            port = other.getsockname()[1]
            said = client.refused_start(GRPC_PORT=str(port), RUST_ENV="development")
        self.assertIn("GRPC_PORT", said)
        self.assertIn(str(port), said)

    def test_switched_off(self):
        with client.Gateway(GRPC_ENABLED="false") as gateway:
            self.assertEqual(gateway.get("/health").status, 200)


@needs_gateway
class Observed(Case):
    """A gateway of its own, so that nobody else's calls are counted."""

    def counted(self, gateway):
        lines = self.assertStatus(gateway.get("/metrics", key=None), 200).body.decode().splitlines()
        return {name: value for name, value in (line.rsplit(" ", 1) for line in lines)
                if name.startswith(("spooled_grpc_requests_total", "spooled_grpc_request_duration_seconds_count",
                                    "spooled_grpc_stream_messages_total"))}

    def test_calls_are_counted_and_logged(self):
        port = client.free_port()
        with client.Gateway(GRPC_PORT=str(port)) as gateway, grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
            queues = queue_service(channel)
            for _ in range(2):
                self.call(queues.Enqueue, pb.EnqueueRequest(queue_name=self.queue))
            self.refused_with(Code.NOT_FOUND, queues.GetJob, pb.GetJobRequest(job_id=client.NOBODY))
            self.refused_with(Code.UNAUTHENTICATED, queues.GetJob, pb.GetJobRequest(job_id=client.NOBODY), metadata=())
            unknown = channel.unary_unary("/spooled.v1.QueueService/Nonsense", lambda x: x, lambda x: x)
            self.refused_with(Code.UNIMPLEMENTED, unknown, b"")
            stream = queues.StreamJobs(pb.StreamJobsRequest(queue_name=self.queue, worker_id=self.worker),
                                       metadata=metadata())
            self.assertEqual(len({next(stream).id, next(stream).id}), 2)
            stream.cancel()
            name = 'spooled_grpc_requests_total{code="%s"}'
            expected = {name % "OK": "2", name % "CANCELLED": "1", name % "NOT_FOUND": "1", name % "UNIMPLEMENTED": "1",
                        name % "UNAUTHENTICATED": "1", "spooled_grpc_request_duration_seconds_count": "4",
                        'spooled_grpc_stream_messages_total{direction="received"}': "1",
                        'spooled_grpc_stream_messages_total{direction="sent"}': "2"}
            client.eventually(lambda: self.counted(gateway) == expected, 60)
            self.assertEqual(self.counted(gateway), expected)
            log = gateway.log()
        for method, status in (("/spooled.v1.QueueService/Enqueue", 0), ("/spooled.v1.QueueService/GetJob", 5),
                               ("/spooled.v1.QueueService/StreamJobs", 1), ("unknown", 12)):
            self.assertRegex(log, r"gRPC call method=%s status=%d ms=[0-9.e+-]+ client=127\.0\.0\.1" % (method, status))


@needs_gateway
class Memory(Case):
    """Many calls of every sort take no more memory than few; bench/run says so of a million."""

    CALLS = 4000

    def resident_kb(self, gateway):
        with open("/proc/%d/status" % gateway.process.pid) as status:
            return int(status.read().partition("VmRSS:")[2].split()[0])

    def make_calls(self, channel, count):
        queues, nonsense = queue_service(channel), channel.unary_unary(ENQUEUE, lambda x: x, lambda x: x)
        sorts = ((queues.Enqueue, pb.EnqueueRequest(queue_name=self.queue)),
                 (queues.Dequeue, pb.DequeueRequest(queue_name=self.queue, worker_id="w", batch_size=2)),
                 (queues.Complete, pb.CompleteRequest(job_id=client.NOBODY, worker_id="w")),
                 (nonsense, b"\xff"))
        for first in range(0, count, 100):
            calls = []
            for number in range(first, first + 100):
                method, request = sorts[number % len(sorts)]
                calls.append(method.future(request, metadata=metadata("" if number % 7 == 0 else None), timeout=60))
                if number % 10 == 0:
                    calls[-1].cancel()
            streams = [queues.StreamJobs(pb.StreamJobsRequest(queue_name="none", worker_id="w"), metadata=metadata())
                       for _ in range(5)]
            for stream in streams:
                stream.cancel()
            for call in calls:
                if not call.cancelled():
                    call.exception()

    @unittest.skipUnless(os.environ.get("GATEWAY_PLAIN"), "needs GATEWAY_PLAIN")
    def test_it_is_flat(self):
        port = client.free_port()
        # Without the sanitizer, whose allocator takes more and more for a while.
        with client.Gateway(GRPC_PORT=str(port), LOG_LEVEL="error", GATEWAY_BIN=os.environ["GATEWAY_PLAIN"]) as gateway, \
                grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
            self.make_calls(channel, self.CALLS)
            before = self.resident_kb(gateway)
            self.make_calls(channel, 2 * self.CALLS)
            self.assertLess(self.resident_kb(gateway) - before, 2000, "a quarter of a kB for each call")


    @needs_psql
    def test_it_is_bounded_for_requests(self):
        """Requests that wait for the database have only so much memory; those that do not fit are refused."""
        port = client.free_port()
        locker = subprocess.Popen(["psql", "-XqAt", client.PSQL_URL], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        self.addCleanup(locker.wait)
        self.addCleanup(locker.stdin.close)
        locker.stdin.write("BEGIN; SELECT spooled.enqueue('%s', '{}', idempotency_key => 'room');\n" % self.queue)
        locker.stdin.flush()
        locker.stdout.readline()
        request = pb.EnqueueRequest(queue_name=self.queue, idempotency_key="room")
        request.payload["text"] = "x" * 900000
        wanted = pb.ProcessRequest(complete=pb.CompleteRequest(job_id=client.NOBODY, worker_id="w"))
        wanted.complete.result["text"] = "x" * 1000000
        with client.Gateway(GRPC_PORT=str(port), BODY_MEMORY_MB="16", DB_LOCK_TIMEOUT_MS="0", DB_STATEMENT_TIMEOUT_MS="0",
                            DB_READERS="1") as gateway, grpc.insecure_channel("127.0.0.1:%d" % port, BIG) as channel:
            queues = queue_service(channel)
            calls = []

            def refuses():
                """Keeps 19 calls open, which do not fit, until the gateway refuses some of every sort."""
                while sum(not call.done() for call in calls) < 19:
                    calls.append(queues.Enqueue.future(request, metadata=metadata(), timeout=120))
                try:
                    answer = next(queues.ProcessJobs(iter([wanted]), metadata=metadata(), timeout=60))
                except grpc.RpcError:
                    return False
                return answer.error.code == "UNAVAILABLE" and Code.UNAVAILABLE in {call.code() for call in calls if call.done()}

            self.assertTrue(client.eventually(refuses, 60), gateway.log())
            small = queues.GetJob.future(pb.GetJobRequest(job_id=client.NOBODY), metadata=metadata(), timeout=60)
            self.assertEqual(small.exception().code(), Code.NOT_FOUND)
            locker.stdin.write("ROLLBACK;\n")
            locker.stdin.flush()
            self.assertEqual(len({call.result().job_id for call in calls if call.exception() is None}), 1)
            for error in (call.exception() for call in calls if call.exception()):
                # gRPC's own bound, which is as large, ends calls with a status of its own.
                self.assertIn(error.code(), (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED))
                self.assertEqual("large requests" in error.details(), error.code() == Code.UNAVAILABLE)
            answer = next(queues.ProcessJobs(iter([wanted]), metadata=metadata(), timeout=60))
            self.assertEqual(answer.error.code, "NOT_FOUND", "room that was taken is given back")


class Readme(Case):
    def test_the_example(self):
        """The Python example of README.md, with stubs made as it says."""
        with open(os.path.join(PROTO, "..", "README.md")) as file:
            example = file.read().split("```python\n")[1].split("```")[0]
        with tempfile.TemporaryDirectory(prefix="spooled-readme.") as folder:
            subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I", PROTO, "-I", "/usr/include",
                            "--grpc_python_out", folder, "spooled.proto"], check=True)
            done = subprocess.run([sys.executable, "-c", example.replace("letter", self.queue)], capture_output=True,
                                  text=True, timeout=120, env=dict(os.environ, PYTHONPATH=folder + ":" + MADE))
        self.assertEqual(done.stdout, "to a@example.com\n", done.stderr)

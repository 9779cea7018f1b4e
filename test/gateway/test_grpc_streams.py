"""gRPC: StreamJobs and ProcessJobs."""

import os
import queue
import threading
import time

import grpc

import client
from client import needs_gateway, needs_psql
from rpc import ADDRESS, TIMEOUT, Case, Code, metadata, pb, queue_service, worker_service


class Requests:
    """The client's side of a stream: what is put in goes out; close() half-closes."""

    def __init__(self):
        self.queue = queue.Queue()

    def __iter__(self):
        return iter(self.queue.get, None)

    def put(self, **request):
        self.queue.put(pb.ProcessRequest(**request))

    def close(self):
        self.queue.put(None)


class Reader:
    """Reads a stream of jobs in a thread."""

    def __init__(self, call):
        self.call = call
        self.jobs = []
        self.error = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for job in self.call:
                self.jobs.append(job)
        except grpc.RpcError as error:
            self.error = error


class StreamCase(Case):
    def stream(self, worker=None, **fields):
        request = pb.StreamJobsRequest(queue_name=self.queue, worker_id=worker or self.worker, **fields)
        call = self.queues.StreamJobs(request, metadata=metadata())
        self.addCleanup(call.cancel)
        return call

    def states(self, queue_name=None):
        stats = self.call(self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name=queue_name or self.queue))
        return stats.pending, stats.processing, stats.completed

    def register(self, concurrency):
        return self.call(worker_service(self.channel).Register, pb.RegisterWorkerRequest(
            queue_name=self.queue, max_concurrency=concurrency)).worker_id


class StreamJobs(StreamCase):
    def test_pushes_what_is_there_and_what_comes(self):
        first = self.enqueue({"n": 1})
        reader = Reader(self.stream(lease_duration_secs=60))
        self.assertTrue(client.eventually(lambda: len(reader.jobs) == 1, 60))
        job = reader.jobs[0]
        self.assertEqual((job.id, job.status, job.assigned_worker_id, job.payload["n"]),
                         (first, pb.JOB_STATUS_PROCESSING, self.worker, 1))
        self.assertIn(job.lease_expires_at.ToSeconds() - job.started_at.ToSeconds(), (59, 60, 61))
        self.complete_rpc(job, lease_id=job.lease_id)
        second = self.enqueue({"n": 2})
        self.assertTrue(client.eventually(lambda: len(reader.jobs) == 2, 60))
        self.assertEqual(reader.jobs[1].id, second)

    def test_refusals(self):
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.StreamJobs, pb.StreamJobsRequest(queue_name=self.queue),
                          "worker_id")
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.StreamJobs,
                          pb.StreamJobsRequest(queue_name="-x", worker_id="w"), "queue_name")
        request = pb.StreamJobsRequest(queue_name=self.queue, worker_id="w")
        self.refused_with(Code.UNAUTHENTICATED, self.queues.StreamJobs, request, metadata=())
        self.refused_with(Code.UNAUTHENTICATED, self.queues.StreamJobs, request, metadata=metadata("sk_test_no"))

    def in_flight(self, worker, most):
        """The stream stops at "most" unsettled jobs and goes on with each that is settled."""
        total = most + 4
        for _ in range(total):
            self.enqueue()
        reader = Reader(self.stream(worker))
        self.assertTrue(client.eventually(lambda: len(reader.jobs) == most, 60))
        self.assertEqual(self.states(), (total - most, most, 0))
        done = 0
        while done < total:
            self.assertTrue(client.eventually(lambda: len(reader.jobs) > done, 60))
            job = reader.jobs[done]
            pending, processing, completed = self.states()
            self.assertLessEqual(processing, most)
            if done % 2:
                self.call(self.queues.Complete, pb.CompleteRequest(job_id=job.id, worker_id=worker))
            else:  # by another way than gRPC: the stream has to find out
                self.ok(self.complete(job.id, worker_id=worker))
            done += 1
        self.assertEqual(len(reader.jobs), total)

    def test_in_flight_is_bounded_by_what_the_worker_registered(self):
        self.in_flight(self.register(2), 2)

    def test_in_flight_of_a_worker_that_did_not_register(self):
        self.in_flight(self.worker, 5)

    def test_a_lease_that_expires_makes_room(self):
        worker = self.register(1)
        self.enqueue()
        self.enqueue()
        reader = Reader(self.stream(worker, lease_duration_secs=5))
        self.assertTrue(client.eventually(lambda: len(reader.jobs) >= 2, 90))

    def test_cancelled_while_waiting(self):
        for _ in range(5):
            call = self.stream("gone")
            call.cancel()
        job_id = self.enqueue()
        self.assertEqual(client.eventually(lambda: [job.id for job in self.dequeue()], 60), [job_id])

    def test_a_deadline(self):
        self.refused_with(Code.DEADLINE_EXCEEDED, self.queues.StreamJobs,
                          pb.StreamJobsRequest(queue_name=self.queue, worker_id="late"), timeout=1)
        job_id = self.enqueue()
        self.assertEqual(client.eventually(lambda: [job.id for job in self.dequeue()], 60), [job_id])

    def test_many_streams_share_what_comes(self):
        readers = [Reader(self.stream("w-%d" % number)) for number in range(20)]
        ids = {self.enqueue({"n": number}) for number in range(60)}
        got = lambda: [job for reader in readers for job in reader.jobs]  # noqa: E731
        self.assertTrue(client.eventually(lambda: len(got()) == 60, 90))
        self.assertEqual({job.id for job in got()}, ids)

    @needs_psql
    @needs_gateway
    def test_idle_streams_cost_no_queries(self):
        """Of 200 streams that wait for the same queue one looks for itself now and then, and not each."""
        role = "idle" + self.queue.replace("-", "")
        client.psql("CREATE ROLE %s LOGIN IN ROLE spooled_gateway" % role)
        client.psql("ALTER ROLE %s SET track_functions = 'all'" % role)
        self.enqueue()
        self.dequeue_one()  # the queue has a number
        port = client.free_port()
        with client.Gateway(GRPC_PORT=str(port), DATABASE_URL=os.environ["DATABASE_URL"].replace("user=gateway", "user=" + role)):
            channel = grpc.insecure_channel("127.0.0.1:%d" % port)
            self.addCleanup(channel.close)
            service = queue_service(channel)
            readers = [Reader(service.StreamJobs(pb.StreamJobsRequest(queue_name=self.queue, worker_id="w-%d" % number),
                                                 metadata=metadata())) for number in range(200)]

            def claims():
                return int(client.psql("SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = '_grpc_stream_claim'"))

            self.assertTrue(client.eventually(lambda: claims() >= 400, 90), "each looks twice before it waits")
            before, began = claims(), time.monotonic()
            client.eventually(lambda: claims() > before + 4, 60)
            spent, seconds = claims() - before, time.monotonic() - began
            self.assertLess(spent, 20 + 10 * seconds)
            job_id = self.enqueue()
            self.assertTrue(client.eventually(lambda: any(reader.jobs for reader in readers), 60))
            self.assertEqual([job.id for reader in readers for job in reader.jobs], [job_id])


class Endings(StreamCase):
    """What was claimed and not delivered comes back, without a penalty."""

    def check_all_comes_back(self, count, received):
        """Every job is with somebody who has seen it, or claimable again."""
        def settled():
            pending, processing, _ = self.states()
            return pending + processing == count and processing <= received()
        self.assertTrue(client.eventually(settled, 60), (self.states(), received()))
        pending, _, _ = self.states()
        again = self.dequeue(batch_size=100) if pending else []
        self.assertEqual(len(again), pending)
        for job in again:
            self.assertEqual(job.retry_count, 0)

    def test_cancelled_in_the_middle(self):
        worker = self.register(1000)
        for _ in range(200):
            self.enqueue({"text": "x" * 1000})
        call = self.stream(worker)
        seen = [next(call) for _ in range(10)]
        call.cancel()
        rest = 0
        try:
            for _ in call:
                rest += 1
        except grpc.RpcError:
            pass
        # What was in the client's window counts as received: gRPC had taken it.
        self.assertTrue(client.eventually(lambda: sum(self.states()[:2]) == 200, 60))
        self.assertGreaterEqual(self.states()[1], len(seen))

    def test_the_worker_s_connection_breaks(self):
        worker = self.register(1)
        for _ in range(5):
            self.enqueue()
        channel = grpc.insecure_channel(ADDRESS)
        call = queue_service(channel).StreamJobs(pb.StreamJobsRequest(queue_name=self.queue, worker_id=worker),
                                                 metadata=metadata())
        next(call)
        channel.close()
        self.check_all_comes_back(5, lambda: 1)

    def test_a_client_that_does_not_read(self):
        worker = self.register(1000)
        self.enqueue()
        big = {"text": "x" * 100000}
        for _ in range(30):
            self.enqueue(big)
        channel = grpc.insecure_channel(ADDRESS, options=[("grpc.http2.lookahead_bytes", 65536),
                                                          ("grpc.http2.bdp_probe", 0)])
        call = queue_service(channel).StreamJobs(pb.StreamJobsRequest(queue_name=self.queue, worker_id=worker),
                                                 metadata=metadata())
        next(call)
        client.eventually(lambda: self.states()[1] > 20, 3)
        self.assertLess(self.states()[1], 20, "jobs are claimed only while the transport takes them")
        before = self.states()[1]
        call.cancel()
        channel.close()
        self.assertTrue(client.eventually(lambda: self.states()[1] < before, 60), "the job that was stuck is released")

    @needs_gateway
    def test_the_gateway_stops(self):
        port = client.free_port()
        gateway = client.Gateway(GRPC_PORT=str(port), SHUTDOWN_TIMEOUT_SECS="5")
        with gateway:
            channel = grpc.insecure_channel("127.0.0.1:%d" % port)
            self.addCleanup(channel.close)
            queues = queue_service(channel)
            streams = [Reader(queues.StreamJobs(pb.StreamJobsRequest(queue_name=self.queue, worker_id="w-%d" % number),
                                                metadata=metadata())) for number in range(10)]
            waiting = queues.Dequeue.future(pb.DequeueRequest(queue_name=client.new_queue(), worker_id="w",
                                                              wait_secs=20), metadata=metadata())
            requests = Requests()
            process = Reader(queues.ProcessJobs(iter(requests), metadata=metadata()))
            requests.put(dequeue=pb.DequeueRequest(queue_name=self.queue, worker_id="p"))
            self.assertTrue(client.eventually(lambda: process.jobs, 60))
            self.enqueue()
            self.assertTrue(client.eventually(lambda: any(reader.jobs for reader in streams), 60))
        requests.close()
        self.assertEqual(len(waiting.result().jobs), 0)
        for reader in streams + [process]:
            reader.thread.join(60)
            self.assertEqual(reader.error.code(), Code.UNAVAILABLE)


class ProcessJobs(StreamCase):
    def setUp(self):
        super().setUp()
        self.requests = Requests()
        self.addCleanup(self.requests.close)
        self.responses = self.queues.ProcessJobs(iter(self.requests), metadata=metadata())
        self.addCleanup(self.responses.cancel)

    def ask(self, **request):
        self.requests.put(**request)
        return next(self.responses)

    def take(self):
        return self.ask(dequeue=pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker, batch_size=50))

    def error(self, response):
        self.assertEqual(response.WhichOneof("response"), "error", response)
        return response.error.code, response.error.message

    def test_life(self):
        self.assertEqual(self.error(self.take()), ("NO_JOBS", "No jobs available"))
        ids = [self.enqueue() for _ in range(3)]
        jobs = [self.take().job for _ in range(3)]
        self.assertEqual([job.id for job in jobs], ids)
        renewed = self.ask(renew_lease=pb.RenewLeaseRequest(job_id=jobs[0].id, worker_id=self.worker))
        self.assertTrue(renewed.renew_lease.success)
        done = self.ask(complete=pb.CompleteRequest(job_id=jobs[0].id, worker_id=self.worker,
                                                    lease_id=jobs[0].lease_id))
        self.assertTrue(done.complete.success)
        failed = self.ask(fail=pb.FailRequest(job_id=jobs[1].id, worker_id=self.worker, error="e", retry=True))
        self.assertTrue(failed.fail.will_retry)
        self.requests.close()
        self.assertEqual(list(self.responses), [])
        self.assertEqual(self.responses.code(), Code.OK)

    def test_errors_are_in_band(self):
        self.assertEqual(self.error(self.ask()), ("INVALID_REQUEST", "Empty request"))
        self.assertEqual(self.error(self.ask(complete=pb.CompleteRequest(job_id=client.NOBODY, worker_id="w"))),
                         ("NOT_FOUND", "Job not found or not authorized"))
        self.assertEqual(self.error(self.ask(dequeue=pb.DequeueRequest(queue_name=self.queue)))[0], "INVALID_ARGUMENT")
        job_id = self.enqueue()
        self.take()
        self.assertEqual(self.error(self.ask(complete=pb.CompleteRequest(
            job_id=job_id, worker_id=self.worker, lease_id=client.NOBODY))), ("LEASE_EXPIRED", "Lease expired"))
        self.assertTrue(self.ask(complete=pb.CompleteRequest(job_id=job_id, worker_id=self.worker)).complete.success)
        self.assertEqual(self.error(self.ask(fail=pb.FailRequest(job_id=job_id, worker_id=self.worker))),
                         ("CONFLICT", "Job is already completed"))

    def test_pipelined_in_order(self):
        """A thousand requests go out before the first response is read."""
        count = 1000
        ids = []
        for _ in range(count // 100):
            results = self.call(self.queues.EnqueueBatch, pb.EnqueueBatchRequest(
                jobs=[pb.EnqueueRequest(queue_name=self.queue)] * 100)).results
            ids += [result.job_id for result in results]
        for number in range(count):
            self.requests.put(dequeue=pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker))
            if number % 10 == 0:
                self.requests.put()
        jobs = []
        for number in range(count):
            jobs.append(next(self.responses).job.id)
            if number % 10 == 0:
                self.assertEqual(self.error(next(self.responses))[0], "INVALID_REQUEST")
        self.assertEqual(sorted(jobs), sorted(ids))
        for number, job_id in enumerate(jobs):
            self.requests.put(complete=pb.CompleteRequest(job_id=job_id, worker_id=self.worker))
            if number % 7 == 0:
                self.requests.put(complete=pb.CompleteRequest(job_id=client.NOBODY, worker_id=self.worker))
        for number in range(count):
            self.assertTrue(next(self.responses).complete.success)
            if number % 7 == 0:
                self.assertEqual(self.error(next(self.responses))[0], "NOT_FOUND")
        self.assertEqual(self.states(), (0, 0, count))

    def test_half_closed_with_much_under_way(self):
        """Every request is answered, in order, before the stream ends."""
        ids = [self.enqueue() for _ in range(20)]
        take = pb.ProcessRequest(dequeue=pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker))
        responses = self.queues.ProcessJobs(iter([take] * 30 + [pb.ProcessRequest()]), metadata=metadata(), timeout=TIMEOUT)
        kinds = [response.job.id or response.error.code for response in responses]
        self.assertEqual(sorted(kinds[:-1]), sorted(ids + ["NO_JOBS"] * 10))
        self.assertEqual((kinds[-1], responses.code()), ("INVALID_REQUEST", Code.OK))

    def test_closed_without_a_request(self):
        self.requests.close()
        self.assertEqual((list(self.responses), self.responses.code()), ([], Code.OK))

    def test_cancelled_with_much_under_way(self):
        for _ in range(100):
            self.enqueue()
        for _ in range(60):
            self.requests.put(dequeue=pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker))
        seen = next(self.responses)
        self.assertTrue(seen.job.id, seen)
        self.responses.cancel()
        self.assertTrue(client.eventually(lambda: sum(self.states()) == 100, 60))
        for job in self.dequeue(batch_size=100):
            self.assertEqual(job.retry_count, 0)

    def test_an_invalid_key_ends_the_stream(self):
        requests = Requests()
        self.addCleanup(requests.close)
        responses = self.queues.ProcessJobs(iter(requests), metadata=metadata("sk_test_nobody"))
        requests.put(dequeue=pb.DequeueRequest(queue_name=self.queue, worker_id="w"))
        self.assertEqual(self.error(next(responses))[0], "UNAUTHENTICATED")
        with self.assertRaises(grpc.RpcError) as caught:
            next(responses)
        self.assertEqual(caught.exception.code(), Code.UNAUTHENTICATED)

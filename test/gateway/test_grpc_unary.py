"""gRPC: the unary methods, as a client in another language sees them."""

import os
import time

import grpc
from google.protobuf import json_format

import client
from client import NOBODY, needs_psql, new_organization
from test_rate_limit import rates
from rpc import Case, Code, metadata, pb, queue_service


class Enqueue(Case):
    def test_everything_given(self):
        payload = {"to": "a@example.com", "n": 42, "half": 0.5, "list": [1, None, True, {"x": []}], "text": "ü\n\"\\"}
        request = pb.EnqueueRequest(queue_name=self.queue, priority=7, max_retries=5, timeout_seconds=60,
                                    idempotency_key="k-" + self.queue, tags={"a": "b"})
        request.payload.update(payload)
        answer = self.call(self.queues.Enqueue, request)
        self.assertTrue(answer.created)
        again = self.call(self.queues.Enqueue, request)
        self.assertEqual((again.job_id, again.created), (answer.job_id, False))
        rest = self.job(answer.job_id)
        self.assertEqual((rest["payload"], rest["priority"], rest["max_retries"], rest["timeout_seconds"],
                          rest["idempotency_key"], rest["tags"], rest["status"]),
                         (payload, 7, 5, 60, "k-" + self.queue, {"a": "b"}, "pending"))
        self.assertRegex(client.get("/api/v1/jobs/" + answer.job_id).body.decode(), '"n":42[,}]')
        job = self.get_job(answer.job_id)
        self.assertEqual(json_format.MessageToDict(job.payload), payload)
        self.assertEqual((job.id, job.queue_name, job.status, job.priority, job.max_retries, job.timeout_seconds,
                          job.idempotency_key, job.organization_id),
                         (answer.job_id, self.queue, pb.JOB_STATUS_PENDING, 7, 5, 60, "k-" + self.queue,
                          rest["organization_id"]))
        self.assertLess(abs(job.created_at.ToSeconds() - time.time()), 600)
        for field in ("result", "scheduled_at", "started_at", "completed_at", "lease_expires_at"):
            self.assertFalse(job.HasField(field), field)

    def test_zero_means_not_given(self):
        for fields in ({}, {"max_retries": -3, "timeout_seconds": -1}):
            job = self.job(self.enqueue(**fields))
            self.assertEqual((job["payload"], job["max_retries"], job["timeout_seconds"], job["tags"],
                              job["idempotency_key"], job["scheduled_at"]), ({}, 3, 300, None, None, None))

    def test_numbers_are_brought_into_their_bounds(self):
        job = self.job(self.enqueue(max_retries=101, timeout_seconds=2 ** 31 - 1))
        self.assertEqual((job["max_retries"], job["timeout_seconds"]), (100, 86400))
        request = pb.EnqueueBatchRequest()
        request.jobs.add(queue_name=self.queue, max_retries=1000, timeout_seconds=86401)
        job = self.get_job(self.call(self.queues.EnqueueBatch, request).results[0].job_id)
        self.assertEqual((job.max_retries, job.timeout_seconds), (100, 86400))

    def test_scheduled(self):
        request = pb.EnqueueRequest(queue_name=self.queue)
        request.scheduled_at.FromSeconds(int(time.time()) + 3600)
        request.scheduled_at.nanos = 123456789
        job = self.get_job(self.call(self.queues.Enqueue, request).job_id)
        self.assertEqual(job.status, pb.JOB_STATUS_SCHEDULED)
        self.assertEqual((job.scheduled_at.seconds, job.scheduled_at.nanos),
                         (request.scheduled_at.seconds, 123456000))

    def test_refusals(self):
        for queue in ("", "-x", "x" * 101):
            self.refused_with(Code.INVALID_ARGUMENT, self.queues.Enqueue, pb.EnqueueRequest(queue_name=queue),
                              "queue_name")
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.Enqueue,
                          pb.EnqueueRequest(queue_name=self.queue, priority=101), "priority")
        late = pb.EnqueueRequest(queue_name=self.queue)
        late.scheduled_at.seconds = 1 << 60
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.Enqueue, late)
        large = pb.EnqueueRequest(queue_name=self.queue)
        large.payload["x"] = "y" * (1 << 20)
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.Enqueue, large)

    def test_batch(self):
        request = pb.EnqueueBatchRequest()
        for number in range(100):
            job = request.jobs.add(queue_name=self.queue if number != 50 else "-bad")
            job.payload["number"] = number
        results = self.call(self.queues.EnqueueBatch, request).results
        self.assertEqual(len(results), 100)
        self.assertEqual((results[50].job_id, results[50].error.code), ("", "INVALID_ARGUMENT"))
        self.assertIn("queue_name", results[50].error.message)
        for number, result in enumerate(results):
            if number != 50:
                self.assertTrue(result.created)
                self.assertFalse(result.HasField("error"))
                self.assertEqual(self.get_job(result.job_id).payload["number"], number)
        for count in (0, 101):
            self.refused_with(Code.INVALID_ARGUMENT, self.queues.EnqueueBatch, pb.EnqueueBatchRequest(
                jobs=[pb.EnqueueRequest(queue_name=self.queue)] * count))

    def test_batch_with_a_key_twice(self):
        request = pb.EnqueueBatchRequest(jobs=[pb.EnqueueRequest(queue_name=self.queue, idempotency_key=self.queue),
                                               pb.EnqueueRequest(queue_name=self.queue, idempotency_key=self.queue)])
        first, second = self.call(self.queues.EnqueueBatch, request).results
        self.assertEqual(first.job_id, second.job_id)
        self.assertEqual({first.created, second.created}, {True, False})


class Work(Case):
    def test_life(self):
        job_id = self.enqueue({"a": 1}, idempotency_key="life-" + self.queue)
        job = self.dequeue_one()
        self.assertEqual((job.id, job.status, job.queue_name, job.assigned_worker_id, job.payload["a"],
                          job.idempotency_key), (job_id, pb.JOB_STATUS_PROCESSING, self.queue, self.worker, 1,
                                                 "life-" + self.queue))
        self.assertEqual(job.organization_id, self.job(job_id)["organization_id"])
        self.assertTrue(job.lease_id)
        self.assertTrue(job.HasField("started_at"))
        left = job.lease_expires_at.ToSeconds() - job.started_at.ToSeconds()
        self.assertIn(left, (299, 300, 301))
        request = pb.CompleteRequest(job_id=job.id, worker_id=self.worker, lease_id=job.lease_id)
        request.result.update({"sent": True})
        self.assertTrue(self.call(self.queues.Complete, request).success)
        self.assertTrue(self.call(self.queues.Complete, request).success, "saying it twice is no error")
        done = self.get_job(job_id)
        self.assertEqual((done.status, done.result["sent"]), (pb.JOB_STATUS_COMPLETED, True))
        self.assertTrue(done.HasField("completed_at"))

    def test_empty_queue(self):
        self.assertEqual(len(self.dequeue()), 0)

    def test_batch_size_and_lease_are_brought_within_bounds(self):
        for _ in range(3):
            self.enqueue()
        job = self.dequeue_one(batch_size=-5, lease_duration_secs=1)
        self.assertIn(job.lease_expires_at.ToSeconds() - job.started_at.ToSeconds(), (4, 5, 6))
        jobs = self.dequeue(batch_size=1000, lease_duration_secs=1 << 30)
        self.assertEqual(len(jobs), 2)
        self.assertIn(jobs[0].lease_expires_at.ToSeconds() - jobs[0].started_at.ToSeconds(), (3599, 3600, 3601))

    @needs_psql
    def test_the_queue_s_lease_goes_before_the_default(self):
        self.enqueue()
        client.psql("SELECT spooled.configure_queue('%s', lease => '1 min')" % self.queue)
        job = self.dequeue_one()
        self.assertIn(job.lease_expires_at.ToSeconds() - job.started_at.ToSeconds(), (59, 60, 61))

    def test_refusals(self):
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.Dequeue, pb.DequeueRequest(queue_name=self.queue),
                          "worker_id")
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.Dequeue, pb.DequeueRequest(worker_id="w"), "queue_name")
        self.refused_with(Code.INVALID_ARGUMENT, self.queues.Complete, pb.CompleteRequest(worker_id="w"), "id")

    def test_paused(self):
        self.enqueue()
        self.ok(client.post("/api/v1/queues/%s/pause" % self.queue, {}))
        self.assertEqual(len(self.dequeue()), 0)

    def test_fail(self):
        job_id = self.enqueue()
        self.dequeue_one()
        answer = self.call(self.queues.Fail, pb.FailRequest(job_id=job_id, worker_id=self.worker, error="broken",
                                                            retry=True))
        self.assertTrue(answer.success and answer.will_retry)
        self.assertIn(answer.next_retry_delay_secs, (1, 2, 3))
        job = self.get_job(job_id)
        self.assertEqual((job.status, job.retry_count, job.last_error), (pb.JOB_STATUS_PENDING, 1, "broken"))

    def test_fail_without_retry_makes_a_dead_letter(self):
        job_id = self.enqueue()
        self.dequeue_one()
        answer = self.call(self.queues.Fail, pb.FailRequest(job_id=job_id, worker_id=self.worker))
        self.assertEqual((answer.success, answer.will_retry, answer.next_retry_delay_secs), (True, False, 0))
        job = self.get_job(job_id)
        self.assertEqual((job.status, job.retry_count, job.last_error), (pb.JOB_STATUS_DEADLETTER, 0, "Unknown error"))

    def test_a_long_error_is_cut_at_a_character(self):
        job_id = self.enqueue()
        self.dequeue_one()
        self.call(self.queues.Fail, pb.FailRequest(job_id=job_id, worker_id=self.worker, error="ü" * 5000))
        error = self.get_job(job_id).last_error
        self.assertLessEqual(len(error.encode()), 4096)
        self.assertGreater(len(error.encode()), 4090)
        self.assertTrue(error.endswith("ü... [truncated]"))

    def test_renew(self):
        job_id = self.enqueue()
        job = self.dequeue_one(lease_duration_secs=30)
        for asked, given in ((0, 300), (-1, 300), (60, 60), (1, 5), (100000, 3600)):
            answer = self.call(self.queues.RenewLease, pb.RenewLeaseRequest(
                job_id=job_id, worker_id=self.worker, lease_id=job.lease_id, extension_secs=asked))
            self.assertTrue(answer.success)
            self.assertFalse(answer.cancel_requested)
            self.assertLess(abs(answer.new_expires_at.ToSeconds() - time.time() - given), 30 if given < 60 else 45)
        client.delete("/api/v1/jobs/" + job_id)
        self.assertTrue(self.call(self.queues.RenewLease, pb.RenewLeaseRequest(
            job_id=job_id, worker_id=self.worker)).cancel_requested)

    def test_waiting(self):
        started = time.monotonic()
        self.assertEqual(len(self.dequeue(wait_secs=1)), 0)
        self.assertGreaterEqual(time.monotonic() - started, 0.9)
        waiting = self.queues.Dequeue.future(
            pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker, wait_secs=20), metadata=metadata(),
            timeout=60)
        job_id = self.enqueue()
        self.assertEqual([job.id for job in waiting.result().jobs], [job_id])

    def test_a_waiter_that_hangs_up_gets_nothing(self):
        waiting = self.queues.Dequeue.future(
            pb.DequeueRequest(queue_name=self.queue, worker_id="gone", wait_secs=20), metadata=metadata(), timeout=60)
        self.call(self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name=self.queue))
        waiting.cancel()
        self.enqueue()
        jobs = client.eventually(lambda: self.dequeue(), 20)
        self.assertEqual(jobs[0].assigned_worker_id, self.worker)


class Fencing(Case):
    def setUp(self):
        super().setUp()
        self.job_id = self.enqueue()
        self.leased = self.dequeue_one()

    def settle(self, worker, lease_id=""):
        return pb.CompleteRequest(job_id=self.job_id, worker_id=worker, lease_id=lease_id)

    def test_another_lease(self):
        self.refused_with(Code.FAILED_PRECONDITION, self.queues.Complete, self.settle(self.worker, NOBODY),
                          "Lease expired")

    def test_the_details_of_a_refusal(self):
        """grpc-status-details-bin is a google.rpc.Status with an ErrorInfo: REST's code, and the SQLSTATE."""
        with self.assertRaises(grpc.RpcError) as caught:
            self.call(self.queues.Complete, self.settle(self.worker, NOBODY))
        details = dict(caught.exception.trailing_metadata())["grpc-status-details-bin"]
        self.assertTrue(details.startswith(b"\x08\x09\x12\x0dLease expired\x1a"), details)
        for part in (b"google.rpc.ErrorInfo", b"LEASE_EXPIRED", b"spooled", b"sqlstate", b"SP002"):
            self.assertIn(part, details)

    def test_another_worker(self):
        self.refused_with(Code.NOT_FOUND, self.queues.Complete, self.settle("somebody"),
                          "Job not found or not authorized")

    def test_another_end(self):
        self.call(self.queues.Complete, self.settle(self.worker, self.leased.lease_id))
        self.refused_with(Code.FAILED_PRECONDITION, self.queues.Fail,
                          pb.FailRequest(job_id=self.job_id, worker_id=self.worker, lease_id=self.leased.lease_id),
                          "Job is already completed")

    def test_unknown(self):
        for job_id in (NOBODY, "nonsense"):
            for method, request in ((self.queues.Complete, pb.CompleteRequest), (self.queues.Fail, pb.FailRequest),
                                    (self.queues.RenewLease, pb.RenewLeaseRequest)):
                self.refused_with(Code.NOT_FOUND, method, request(job_id=job_id, worker_id=self.worker),
                                  "Job not found or not authorized")
            self.refused_with(Code.NOT_FOUND, self.queues.GetJob, pb.GetJobRequest(job_id=job_id))

    @needs_psql
    def test_a_lease_that_is_over(self):
        self.call(self.queues.RenewLease, pb.RenewLeaseRequest(job_id=self.job_id, worker_id=self.worker,
                                                               extension_secs=5))
        client.eventually(lambda: self.get_job(self.job_id).status != pb.JOB_STATUS_PROCESSING, 60)
        self.refused_with(Code.FAILED_PRECONDITION, self.queues.Complete,
                          self.settle(self.worker, self.leased.lease_id), "Lease expired")


class Look(Case):
    def test_stats(self):
        for _ in range(4):
            self.enqueue()
        request = pb.EnqueueRequest(queue_name=self.queue)
        request.scheduled_at.FromSeconds(int(time.time()) + 3600)
        self.call(self.queues.Enqueue, request)
        self.complete_rpc(self.dequeue_one())
        failed = self.dequeue_one()
        self.call(self.queues.Fail, pb.FailRequest(job_id=failed.id, worker_id=self.worker))
        self.dequeue_one()
        stats = self.call(self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name=self.queue))
        self.assertEqual((stats.queue_name, stats.pending, stats.scheduled, stats.processing, stats.completed,
                          stats.failed, stats.deadletter, stats.total), (self.queue, 1, 1, 1, 1, 0, 1, 5))
        self.assertGreater(stats.max_age_ms, 0)

    def test_stats_of_nothing(self):
        stats = self.call(self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name=self.queue))
        self.assertEqual((stats.total, stats.max_age_ms), (0, 0))

    def test_what_is_no_object_is_left_out(self):
        for payload in ([1, 2], "text", 7, None):
            self.assertFalse(self.get_job(self.create(self.queue, payload) if payload is not None else self.ok(
                client.post("/api/v1/jobs", '{"queue_name": "%s", "payload": null}' % self.queue), 201)["id"])
                .HasField("payload"))
        deep = {}
        for _ in range(60):
            deep = {"x": deep}
        self.assertFalse(self.get_job(self.create(self.queue, deep)).HasField("payload"))
        self.assertEqual(len(self.dequeue(batch_size=100)), 5)

    def test_numbers(self):
        text = '{"queue_name": "%s", "payload": {"a": 9007199254740992, "b": 1e100, "c": -0.1, "d": 1.5e-7}}' % self.queue
        job = self.get_job(self.ok(client.post("/api/v1/jobs", text), 201)["id"])
        self.assertEqual(json_format.MessageToDict(job.payload),
                         {"a": 9007199254740992.0, "b": 1e100, "c": -0.1, "d": 1.5e-7})
        numbers = {"a": 9007199254740992, "b": 1e100, "c": -0.1, "d": 1.5e-7, "e": -3, "f": 1 / 3}
        self.assertEqual(self.job(self.enqueue(numbers))["payload"], numbers)


class Workers(Case):
    def register(self, **fields):
        return self.call(self.workers.Register, pb.RegisterWorkerRequest(queue_name=self.queue, **fields))

    def test_register(self):
        answer = self.register(hostname="h", worker_type="python", max_concurrency=7, version="1", metadata={"a": "b"})
        self.assertEqual((answer.lease_duration_secs, answer.heartbeat_interval_secs), (300, 10))
        worker = self.ok(client.get("/api/v1/workers/" + answer.worker_id))
        self.assertEqual((worker["hostname"], worker["worker_type"], worker["max_concurrency"], worker["version"],
                          worker["metadata"]), ("h", "python", 7, "1", {"a": "b"}))
        self.assertNotEqual(self.register(hostname="h").worker_id, answer.worker_id)

    def test_concurrency(self):
        for asked, given in ((0, 5), (-1, 1), (1000, 1000), (100000, 1000)):
            worker_id = self.register(max_concurrency=asked).worker_id
            self.assertEqual(self.ok(client.get("/api/v1/workers/" + worker_id))["max_concurrency"], given)

    def test_heartbeat(self):
        worker_id = self.register().worker_id

        def beat(**fields):
            answer = self.call(self.workers.Heartbeat, pb.HeartbeatRequest(worker_id=worker_id, **fields))
            return answer.acknowledged, answer.should_drain

        self.assertEqual(beat(current_jobs=3, metadata={"load": "1"}), (True, False))
        worker = self.ok(client.get("/api/v1/workers/" + worker_id))
        self.assertEqual((worker["current_jobs"], worker["metadata"]), (3, {"load": "1"}))
        self.assertEqual(beat(status="nonsense", current_jobs=-1), (True, False))
        self.assertEqual(beat(status="draining"), (True, True))
        self.assertEqual(beat(), (True, True))
        answer = self.call(self.workers.Heartbeat, pb.HeartbeatRequest(worker_id="nobody"))
        self.assertEqual((answer.acknowledged, answer.should_drain), (False, False))
        self.refused_with(Code.INVALID_ARGUMENT, self.workers.Heartbeat, pb.HeartbeatRequest(), "worker_id")

    def test_deregister(self):
        self.worker = self.register().worker_id
        job_id = self.enqueue()
        self.dequeue_one()
        self.assertTrue(self.call(self.workers.Deregister, pb.DeregisterRequest(worker_id=self.worker)).success)
        job = self.get_job(job_id)
        self.assertEqual((job.status, job.retry_count), (pb.JOB_STATUS_PENDING, 0))
        self.assertFalse(self.call(self.workers.Deregister, pb.DeregisterRequest(worker_id="nobody")).success)


class Credentials(Case):
    def test_where_it_may_stand(self):
        request = pb.GetQueueStatsRequest(queue_name=self.queue)
        for header in (("x-api-key", client.API_KEY), ("authorization", "Bearer " + client.API_KEY),
                       ("authorization", "bearer " + client.API_KEY), ("authorization", client.API_KEY)):
            self.call(self.queues.GetQueueStats, request, metadata=(header,))

    def test_refusals(self):
        request = pb.GetQueueStatsRequest(queue_name=self.queue)
        self.refused_with(Code.UNAUTHENTICATED, self.queues.GetQueueStats, request,
                          "Missing x-api-key or authorization header", metadata=())
        for key in ("sk_test_nobody", "x" * 5000, "a b"):
            self.refused_with(Code.UNAUTHENTICATED, self.queues.GetQueueStats, request, metadata=metadata(key))

    @needs_psql
    def test_scope(self):
        key = client.psql("SELECT spooled.create_api_key('scoped', ARRAY['only'])")
        other = self.enqueue()
        self.refused_with(Code.PERMISSION_DENIED, self.queues.Enqueue, pb.EnqueueRequest(queue_name=self.queue),
                          metadata=metadata(key))
        self.refused_with(Code.PERMISSION_DENIED, self.queues.Dequeue,
                          pb.DequeueRequest(queue_name=self.queue, worker_id="w"), metadata=metadata(key))
        self.refused_with(Code.NOT_FOUND, self.queues.GetJob, pb.GetJobRequest(job_id=other), metadata=metadata(key))
        self.call(self.queues.Enqueue, pb.EnqueueRequest(queue_name="only"), metadata=metadata(key))

    @needs_psql
    def test_scope_of_work(self):
        """What a key may not touch is forbidden where the queue is named, and not there where the job is."""
        key = metadata(client.psql("SELECT spooled.create_api_key('scoped', ARRAY['only'])"))
        self.enqueue()
        job = self.dequeue_one()
        for method, request in ((self.queues.Complete, pb.CompleteRequest), (self.queues.Fail, pb.FailRequest),
                                (self.queues.RenewLease, pb.RenewLeaseRequest)):
            self.refused_with(Code.NOT_FOUND, method, request(job_id=job.id, worker_id=self.worker), metadata=key)
        self.refused_with(Code.PERMISSION_DENIED, self.queues.GetQueueStats,
                          pb.GetQueueStatsRequest(queue_name=self.queue), metadata=key)
        self.refused_with(Code.PERMISSION_DENIED, self.queues.StreamJobs,
                          pb.StreamJobsRequest(queue_name=self.queue, worker_id="w"), metadata=key)
        self.refused_with(Code.PERMISSION_DENIED, self.workers.Register,
                          pb.RegisterWorkerRequest(queue_name=self.queue), metadata=key)
        answers = self.queues.ProcessJobs(iter([pb.ProcessRequest(dequeue=pb.DequeueRequest(
            queue_name=self.queue, worker_id="w"))]), metadata=key)
        self.assertEqual([answer.error.code for answer in answers], ["PERMISSION_DENIED"])
        batch = self.call(self.queues.EnqueueBatch, pb.EnqueueBatchRequest(jobs=[
            pb.EnqueueRequest(queue_name=self.queue), pb.EnqueueRequest(queue_name="only")]), metadata=key).results
        self.assertEqual([result.error.code for result in batch], ["PERMISSION_DENIED", ""])

    @needs_psql
    def test_keys_that_are_over(self):
        """Expired, revoked, of an organization that is deleted: refused at the next call, and a stream ends."""
        slug, key = new_organization("enterprise")
        stream = self.call(self.queues.StreamJobs, pb.StreamJobsRequest(queue_name="q", worker_id="w"), metadata=metadata(key))
        self.call(self.queues.Enqueue, pb.EnqueueRequest(queue_name="q"), metadata=metadata(key))
        next(stream)
        for change in ("expires_at = now() - interval '1 s'", "expires_at = NULL, is_active = false"):
            client.psql("UPDATE spooled.api_key SET %s WHERE org = (SELECT id FROM spooled.org WHERE slug = '%s')" % (change, slug))
            self.is_over(key)
        with self.assertRaises(grpc.RpcError) as caught:
            next(stream)
        self.assertEqual(caught.exception.code(), Code.UNAUTHENTICATED)
        slug, key = new_organization("enterprise")
        self.empty(client.delete("/api/v1/organizations/" + client.psql(
            "SELECT uid FROM spooled.org WHERE slug = '%s'" % slug), key=key))
        self.is_over(key)

    def is_over(self, key):
        for method, request in ((self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name="q")),
                                (self.workers.Deregister, pb.DeregisterRequest(worker_id="w"))):
            self.refused_with(Code.UNAUTHENTICATED, method, request, metadata=metadata(key))

    def test_unknown_method(self):
        method = self.channel.unary_unary("/spooled.v1.QueueService/Nonsense", lambda x: x, lambda x: x)
        self.refused_with(Code.UNIMPLEMENTED, method, b"")
        self.refused_with(Code.UNIMPLEMENTED, self.channel.unary_unary("/a/b", lambda x: x, lambda x: x), b"")


@needs_psql
class Limits(Case):
    """What a plan does not allow is RESOURCE_EXHAUSTED, in band too."""

    def test_plan(self):
        _, key = new_organization("free")
        key = metadata(key)
        large = pb.EnqueueRequest(queue_name="q")
        large.payload["text"] = "x" * 70000
        self.refused_with(Code.RESOURCE_EXHAUSTED, self.queues.Enqueue, large, metadata=key)
        request = pb.EnqueueRequest(queue_name="q")
        results = self.call(self.queues.EnqueueBatch, pb.EnqueueBatchRequest(jobs=[request] * 12), metadata=key).results
        self.assertEqual([result.error.code for result in results], [""] * 10 + ["QUOTA_EXCEEDED"] * 2)
        self.refused_with(Code.RESOURCE_EXHAUSTED, self.queues.Enqueue, request, "active jobs limit reached (10/10)",
                          metadata=key)
        register = pb.RegisterWorkerRequest(queue_name="q")
        self.call(self.workers.Register, register, metadata=key)
        self.refused_with(Code.RESOURCE_EXHAUSTED, self.workers.Register, register, metadata=key)

    def test_request_rate(self):
        """One request a second: sooner or later one comes too early, however slow the machine is."""
        _, key = new_organization("enterprise", {"rate_limit_requests_per_second": 1, "rate_limit_burst": 2})
        request = pb.GetQueueStatsRequest(queue_name="q")
        with rates("on"):
            with self.assertRaises(grpc.RpcError) as caught:
                for _ in range(100):
                    self.call(self.queues.GetQueueStats, request, metadata=metadata(key))
            self.assertEqual(caught.exception.code(), Code.RESOURCE_EXHAUSTED, caught.exception.details())
            asked = [pb.ProcessRequest(dequeue=pb.DequeueRequest(queue_name="q", worker_id="w"))] * 20
            codes = {answer.error.code for answer in self.queues.ProcessJobs(iter(asked), metadata=metadata(key))}
            self.assertIn("RATE_LIMIT_EXCEEDED", codes)
            self.assertLessEqual(codes, {"RATE_LIMIT_EXCEEDED", "NO_JOBS"})


@needs_psql
class Strict(Case):
    def test_settling_needs_worker_and_lease(self):
        """spooled.strict_fencing, for the sessions of a role."""
        role = "strict" + self.queue.replace("-", "")
        client.psql("CREATE ROLE %s LOGIN IN ROLE spooled_gateway" % role)
        client.psql("ALTER ROLE %s SET spooled.strict_fencing = on" % role)
        self.enqueue()
        job = self.dequeue_one()
        port = client.free_port()
        url = os.environ["DATABASE_URL"].replace("user=gateway", "user=" + role)
        with client.Gateway(GRPC_PORT=str(port), DATABASE_URL=url), grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
            queues = queue_service(channel)
            for method, request in ((queues.Complete, pb.CompleteRequest), (queues.Fail, pb.FailRequest),
                                    (queues.RenewLease, pb.RenewLeaseRequest)):
                for fields in ({"worker_id": self.worker}, {"lease_id": job.lease_id}, {}):
                    self.refused_with(Code.INVALID_ARGUMENT, method, request(job_id=job.id, **fields))
            self.call(queues.Complete, pb.CompleteRequest(job_id=job.id, worker_id=self.worker, lease_id=job.lease_id))


class SecondTenant(Case):
    @needs_psql
    def test_sees_nothing(self):
        client.psql("INSERT INTO spooled.org (name, slug) VALUES ('grpc', '%s') ON CONFLICT DO NOTHING" % self.queue)
        role = "r" + self.queue.replace("-", "")
        client.psql("CREATE ROLE %s IN ROLE spooled_operator; SELECT spooled.bind_role('%s', '%s')" %
                    (role, role, self.queue))
        key = client.psql("SET SESSION AUTHORIZATION %s; SELECT spooled.create_api_key('other')" % role)
        mine = self.enqueue({"secret": 1})
        other = queue_service(self.channel)
        self.refused_with(Code.NOT_FOUND, other.GetJob, pb.GetJobRequest(job_id=mine), metadata=metadata(key))
        request = pb.DequeueRequest(queue_name=self.queue, worker_id=self.worker)
        self.assertEqual(len(self.call(other.Dequeue, request, metadata=metadata(key)).jobs), 0)
        self.dequeue_one()
        self.refused_with(Code.NOT_FOUND, other.Complete, pb.CompleteRequest(job_id=mine, worker_id=self.worker),
                          metadata=metadata(key))

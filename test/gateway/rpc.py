"""A gRPC client for the tests: Debian's grpcio, and messages that protoc makes of proto/ when the tests start."""

import atexit
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

import grpc

import client

ADDRESS = os.environ.get("SPOOLED_GRPC", "127.0.0.1:50051")
PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")
TIMEOUT = 60
BIG = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]

MADE = tempfile.mkdtemp(prefix="spooled-proto.")
atexit.register(shutil.rmtree, MADE, True)
subprocess.run(["protoc", "-I", PROTO, "-I", "/usr/include", "--python_out", MADE]
               + [name for name in os.listdir(PROTO) if name.endswith(".proto")], check=True)
sys.path.insert(0, MADE)
pb = importlib.import_module("spooled_pb2")
health = importlib.import_module("health_pb2")
reflection = importlib.import_module("reflection_pb2")
reflection_alpha = importlib.import_module("reflection_v1alpha_pb2")

Code = grpc.StatusCode


def metadata(key=None):
    return (("x-api-key", client.API_KEY if key is None else key),)


class Stub:
    """A service's methods by their names, as the generated stubs would have them."""

    def __init__(self, channel, service):
        for method in service.methods:
            kind = "%s_%s" % ("stream" if method.client_streaming else "unary",
                              "stream" if method.server_streaming else "unary")
            make = getattr(channel, kind)
            setattr(self, method.name, make(
                "/%s/%s" % (service.full_name, method.name),
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=message_class(method.output_type).FromString))


def message_class(descriptor):
    from google.protobuf import message_factory
    return message_factory.MessageFactory().GetPrototype(descriptor)


def queue_service(channel):
    return Stub(channel, pb.DESCRIPTOR.services_by_name["QueueService"])


def worker_service(channel):
    return Stub(channel, pb.DESCRIPTOR.services_by_name["WorkerService"])


class Case(client.Case):
    """A test with a channel of its own."""

    options = ()

    def setUp(self):
        self.channel = grpc.insecure_channel(ADDRESS, options=list(self.options))
        self.addCleanup(self.channel.close)
        self.queues = queue_service(self.channel)
        self.workers = worker_service(self.channel)
        self.queue = client.new_queue()
        self.worker = client.new_worker()

    def call(self, method, request, **more):
        more.setdefault("metadata", metadata())
        more.setdefault("timeout", TIMEOUT)
        return method(request, **more)

    def refused_with(self, code, method, request, message=None, **more):
        """The call ends with this status; returns its message."""
        with self.assertRaises(grpc.RpcError) as caught:
            answer = self.call(method, request, **more)
            if hasattr(answer, "__next__"):
                list(answer)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        if message is not None:
            self.assertIn(message, caught.exception.details())
        return caught.exception.details()

    def enqueue(self, payload=None, **fields):
        request = pb.EnqueueRequest(queue_name=fields.pop("queue_name", self.queue), **fields)
        if payload is not None:
            request.payload.update(payload)
        return self.call(self.queues.Enqueue, request).job_id

    def dequeue(self, **fields):
        fields.setdefault("queue_name", self.queue)
        fields.setdefault("worker_id", self.worker)
        return self.call(self.queues.Dequeue, pb.DequeueRequest(**fields)).jobs

    def dequeue_one(self, **fields):
        jobs = self.dequeue(**fields)
        self.assertEqual(len(jobs), 1)
        return jobs[0]

    def complete_rpc(self, job, **fields):
        fields.setdefault("worker_id", self.worker)
        return self.call(self.queues.Complete, pb.CompleteRequest(job_id=job.id, **fields))

    def get_job(self, job_id):
        return self.call(self.queues.GetJob, pb.GetJobRequest(job_id=job_id)).job

"""gRPC with another client than C core: Node.js's own, which speaks HTTP/2 and protobuf by itself.

It comes from the npm registry into a scratch folder (grpc_js/package-lock.json says which).
"""

import json
import os
import shutil
import subprocess
import tempfile

import client
from certificates import Certificates
from client import needs_gateway
from rpc import ADDRESS, PROTO, Case, Code, pb

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grpc_js")
PAYLOAD_TEXT = "grüße"


def run(command, folder, seconds, **environment):
    """What a command printed; its complaints when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds,
                          env=dict(os.environ, **environment))
    if done.returncode:
        raise RuntimeError("%s: %s" % (command[0], done.stderr[-4000:]))
    return done.stdout


class NodeClient(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="spooled-grpc-js.")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        for name in os.listdir(SOURCES):
            if name != "node_modules":
                shutil.copy(os.path.join(SOURCES, name), cls.folder)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cls.folder, 300)

    def make_calls(self, address, **environment):
        said = json.loads(run(["node", "calls.mjs", address, os.path.join(PROTO, "spooled.proto"), self.queue, self.worker],
                              self.folder, 300, **environment))
        self.judge_unary(said)
        self.judge_refusal(said["refused"])
        self.judge_streams(said)
        self.judge_what_is_left(said)
        self.assertEqual(said["too_large"]["code"], Code.RESOURCE_EXHAUSTED.value[0])
        return said

    def test_unary_calls_and_streams(self):
        said = self.make_calls(ADDRESS)
        self.assertNotIn("decompressed", said["too_large"]["message"])

    @needs_gateway
    def test_over_tls_and_compressed(self):
        files = Certificates()
        self.addCleanup(files.remove)
        files.make("server")
        port = client.free_port()
        with client.Gateway(GRPC_PORT=str(port), **files.settings()):
            said = self.make_calls("localhost:%d" % port, SPOOLED_CA=files.path("ca.pem"))
        self.assertIn("decompressed", said["too_large"]["message"], "it was compressed")

    def judge_unary(self, said):
        enqueued, job = said["enqueued"], said["dequeued"]
        self.assertTrue(enqueued["created"])
        self.assertEqual(said["again"], {"job_id": enqueued["job_id"], "created": False})
        self.assertEqual((job["id"], job["status"], job["assigned_worker_id"]),
                         (enqueued["job_id"], "JOB_STATUS_PROCESSING", self.worker))
        fields = job["payload"]["fields"]
        self.assertEqual((fields["n"]["numberValue"], fields["text"]["stringValue"]), (1, PAYLOAD_TEXT))
        self.assertEqual(said["completed"], {"success": True})
        self.assertEqual((said["failed"]["success"], said["failed"]["will_retry"]), (True, True))
        self.assertGreater(said["failed"]["next_retry_delay_secs"], 0)

    def judge_refusal(self, refused):
        self.assertEqual((refused["code"], refused["message"]), (Code.FAILED_PRECONDITION.value[0], "Lease expired"))
        self.assertEqual(len(refused["details"]), 1)
        for part in ("google.rpc.ErrorInfo", "LEASE_EXPIRED", "sqlstate", "SP002"):
            self.assertIn(part, refused["details"][0])

    def judge_streams(self, said):
        self.assertEqual(said["streamed"], [3, 4])
        self.assertEqual(said["hung_up"]["code"], Code.CANCELLED.value[0])
        self.assertEqual(said["process_job"]["payload"]["fields"]["n"]["numberValue"], 5)
        self.assertEqual(said["process_complete"]["complete"], {"success": True})
        self.assertEqual(said["process_none"]["error"]["code"], "NO_JOBS")
        self.assertEqual(said["process_end"], {"done": True, "code": Code.OK.value[0]})

    def judge_what_is_left(self, said):
        """The database has what the client believes."""
        job = self.get_job(said["enqueued"]["job_id"])
        self.assertEqual((job.status, job.result["n"], job.result["text"]), (pb.JOB_STATUS_COMPLETED, 10, PAYLOAD_TEXT))
        stats = self.call(self.queues.GetQueueStats, pb.GetQueueStatsRequest(queue_name=self.queue))
        self.assertEqual((stats.completed, stats.total), (3, 3))
        job = self.get_job(said["to_fail"]["job_id"])
        self.assertEqual((job.queue_name, job.retry_count, job.last_error), (self.queue + "-retry", 1, "once more"))

"""A gateway in front of the private cluster."""
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from cluster import TOP

PROGRAM = TOP / "gateway" / "build" / "spooled-gateway"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def prepare_role(cluster, database):
    """Makes the gateway's role, if it is not there, and returns a new API key."""
    cluster.sql("""DO $$ BEGIN
                       IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gateway') THEN CREATE ROLE gateway LOGIN; END IF;
                   END $$;
                   GRANT spooled_gateway TO gateway;""", database)
    return cluster.sql("SELECT spooled.create_api_key('bench');", database)[0][0]


class Gateway:
    """with Gateway(cluster, database) as gateway: ... serves on 127.0.0.1 with a new API key until the end."""

    def __init__(self, cluster, database):
        self.cluster = cluster
        self.database = database
        self.port = free_port()
        self.grpc_port = free_port()
        self.process = None
        self.api_key = prepare_role(cluster, database)

    def __enter__(self):
        program = self.cluster.folder / PROGRAM.name
        shutil.copy(PROGRAM, program)
        program.chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(self.port), "METRICS_PORT": str(free_port()),
                       "GRPC_PORT": str(self.grpc_port), "GRPC_TLS_ENABLED": "false", "LOG_LEVEL": "error",
                       "DATABASE_URL": f"postgresql://gateway@/{self.database}?host={self.cluster.folder}"}
        other = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
        with open(self.cluster.folder / "gateway.log", "ab") as log:
            self.process = subprocess.Popen([program], env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            **other)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def _wait_until_ready(self):
        for _ in range(100):
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the gateway did not start:\n" + (self.cluster.folder / "gateway.log").read_text()[-2000:])

    def memory_kb(self):
        """Resident memory of the process, in kB."""
        status = Path("/proc", str(self.process.pid), "status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

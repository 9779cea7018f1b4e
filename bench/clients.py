"""Load by programs of others: pgbench, and h2load for HTTP/2.  Both leave a log with a line for each call."""
import json
import subprocess
from pathlib import Path

from gateway import Gateway, prepare_role

SCRIPTS = Path(__file__).resolve().parent / "systems"
NOTE = "x" * 135
PAYLOAD = {"to": "someone@example.com", "template": "order-shipped", "note": NOTE}      # 200 bytes, as in the drivers
CONNECTIONS = 8


def report(load, jobs_ever, seconds, latencies_ms):
    """What a driver of ours would have printed; empty and refused calls end these programs, or are seen by the caller."""
    ordered = sorted(latencies_ms)
    calls = len(ordered)
    return {"workload": load, "seconds": seconds, "jobs_ever": jobs_ever, "empty": 0, "refused": 0, "dry": False, "jobs": calls,
            "jobs_per_s": calls / seconds,
            "ops": {"enqueue": {"calls": calls, "p50_ms": ordered[calls // 2], "p99_ms": ordered[calls * 99 // 100],
                                "max_ms": ordered[-1]}}}


def run(command, environment=None):
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")


def run_pgbench(cluster, turn, seconds):
    """Runs a script of systems/ in prepared statements."""
    prefix = cluster.folder / "pgbench_log"
    for log in cluster.folder.glob(prefix.name + ".*"):
        log.unlink()
    run([cluster.bin / "pgbench", "-n", "-M", "prepared", "-c", turn.clients, "-j", min(turn.clients, 2),
         "-T", round(turn.warmup + seconds + 0.5), "-l", "--log-prefix", prefix,
         "-D", "key=" + prepare_role(cluster, turn.system), "-D", "payload=" + json.dumps(PAYLOAD, separators=(",", ":")),
         "-f", SCRIPTS / f"pgbench_{turn.load}.sql", turn.system], cluster.environment(turn.system))
    # client, transaction, microseconds, script, and when it ended: seconds, microseconds
    rows = [line.split() for log in cluster.folder.glob(prefix.name + ".*") for line in log.read_text().splitlines()]
    ended = [(int(row[4]) + int(row[5]) / 1e6, int(row[2]) / 1000) for row in rows]
    start = min(at - ms / 1000 for at, ms in ended) + turn.warmup
    return report(turn.load, len(ended), seconds,
                  [ms for at, ms in ended if at - ms / 1000 >= start and at <= start + seconds])


def field(number, data):
    """A length-delimited field of protobuf."""
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def enqueue_message():
    """The EnqueueRequest of PAYLOAD, as a frame of gRPC."""
    entries = [field(1, field(1, name.encode()) + field(2, field(3, text.encode()))) for name, text in PAYLOAD.items()]
    message = field(1, b"q0") + field(2, b"".join(entries))
    return b"\0" + len(message).to_bytes(4, "big") + message


def run_h2load(cluster, turn, seconds):
    """Unary Enqueue over gRPC: turn.clients calls in flight, over eight connections."""
    log, body = cluster.folder / "h2load_log", cluster.folder / "h2load_body"
    log.unlink(missing_ok=True)
    body.write_bytes(enqueue_message())
    with Gateway(cluster, turn.system) as gateway:
        run(["h2load", "-c", CONNECTIONS, "-m", turn.clients // CONNECTIONS, "-D", f"{seconds * 1000:.0f}ms",
             f"--warm-up-time={turn.warmup * 1000:.0f}ms", "-d", body, f"--log-file={log}", "-H", "te: trailers",
             "-H", "content-type: application/grpc", "-H", "x-api-key: " + gateway.api_key,
             f"http://127.0.0.1:{gateway.grpc_port}/spooled.v1.QueueService/Enqueue"])
    rows = [line.split() for line in log.read_text().splitlines()]      # when it began, HTTP status, microseconds
    jobs = int(cluster.sql("SELECT count(*) FROM spooled.job;", turn.system)[0][0])
    if jobs < len(rows):
        raise RuntimeError(f"{len(rows)} calls were answered, and there are {jobs} jobs")     # an error of gRPC is a 200, too
    return report(turn.load, jobs, seconds, [int(row[2]) / 1000 for row in rows])

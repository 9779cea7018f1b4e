"""Runs one turn: one system under one load, with what it cost the server.

A turn starts from freshly made tables, so it doesn't inherit what an earlier one left; a checkpoint before it keeps the
previous turn's dirty pages out of its time, and what preparing it wrote is on disk when its time begins.  WAL, CPU and
buffers are differences over the driver's run (warm-up included) and are divided by all jobs of that run.

Two turns whose ratio has to be right within a few percent run in slices: both at the same time, in databases of
their own, each for 200 ms while the other one sleeps.  Then a machine's slow moments meet both alike.  What they cost the
server cannot be told apart, so such turns have rates and latencies only.
"""
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from clients import run_h2load, run_pgbench
from cluster import pg_config
from gateway import Gateway

HERE = Path(__file__).resolve().parent
FILL_BATCH = 500
SLICE_SECONDS = 0.2
SLICED_START_SECONDS = 2                # until both drivers have connected


@dataclass(frozen=True)
class Turn:
    """One system under one load.  fill: jobs pending at the start; None: as many as the load will consume."""
    name: str
    system: str
    load: str
    clients: int = 8
    batch: int = 1
    queues: int = 1
    tenants: int = 0                    # organizations beside the one that works, see systems/tenants.sql
    fill: int | None = 0
    exactly: int | None = None          # jobs pending at the start, whatever the load will consume
    analyze: bool = True
    autovacuum: bool = True
    listeners: int = 0
    seconds: float | None = None        # None: what the command line says
    window: float | None = None
    warmup: float = 0.3
    total: int = 0                      # operations of the memory test, jobs of a drain
    begin: str = ""                     # a section of the system's file that is run before
    old_snapshot: bool = False
    through: str = "SQL"                # or pgbench; REST (clients are keep-alive connections); gRPC or, with another client,
                                        # h2load (clients are calls, or requests on one stream, in flight)
    options: str = ""                   # server settings of the driver's sessions
    settings: dict = field(default_factory=dict, hash=False, compare=False)    # settings changed for this turn


def sections(system):
    """The named parts of a system's file."""
    parts, name = {}, None
    for line in (HERE / "systems" / f"{system}.sql").read_text().splitlines(keepends=True):
        if line.startswith("--@ "):
            name = line[4:].strip()
            parts[name] = ""
        elif name and not line.startswith("--"):
            parts[name] += line
    return parts


class OldSnapshot:
    """A session that holds a REPEATABLE READ snapshot for as long as it is open."""

    def __init__(self, cluster, database):
        self.psql = subprocess.Popen([str(cluster.bin / "psql"), "-Xq"], env=cluster.environment(database), text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.psql.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 'held' FROM pg_class LIMIT 1;\n")
        self.psql.stdin.flush()
        while "held" not in self.psql.stdout.readline():
            pass

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Measurer:
    def __init__(self, cluster, seconds, briefly=False):
        self.cluster = cluster
        self.seconds = seconds
        self.briefly = briefly          # a backlog that doesn't last is good enough
        self.programs = {}
        self.consumed = {}              # turn name -> jobs a second that a fill should allow for
        self.databases = set()

    def _made(self, database):
        if database not in self.databases:
            self.cluster.sql(f"CREATE DATABASE {database};")
            self.databases.add(database)
        return database

    def drive(self, system, load, *, options="", database=None, **flags):
        """Runs the driver; flags are its one-letter options."""
        command = [str(self.driver("driver"))]
        for flag, value in flags.items():
            command += [f"-{flag}"] if value is True else [] if value is False else [f"-{flag}", str(value)]
        command += [str(HERE / "systems" / f"{system}.sql"), load]
        environment = self.cluster.environment(self._made(database or system))
        if options:
            environment["PGOPTIONS"] = options
        return report_of(command, environment)

    def drive_gateway(self, turn, seconds):
        """Runs the REST or the gRPC driver against a gateway that lives as long as this turn."""
        with Gateway(self.cluster, turn.system) as gateway:
            name, port = ("grpc_driver", gateway.grpc_port) if turn.through == "gRPC" else ("rest_driver", gateway.port)
            command = [str(self.driver(name)), "127.0.0.1", str(port), turn.load, str(turn.clients)]
            environment = dict(os.environ, SPOOLED_API_KEY=gateway.api_key)
            if not turn.total:
                return report_of(command + [str(seconds)], environment)
            memory = []
            for calls in (turn.total // 10, turn.total):
                report = report_of(command + [str(calls)], environment)
                memory.append(gateway.memory_kb())
            return dict(report, memory_first_kb=memory[0], memory_last_kb=memory[1])

    def driver(self, name):
        """The path of a load driver, built when first asked for."""
        if name not in self.programs:
            self.programs[name] = compile_driver(self.cluster.folder, name)
        return self.programs[name]

    def reset(self, system, database=None):
        self.cluster.sql("SET client_min_messages = warning;" + sections(system)["setup"], self._made(database or system))

    def _prepare(self, turn, jobs, database):
        """Makes a turn's tables and what is in them at its start."""
        self.reset(turn.system, database)
        if turn.tenants:
            self.cluster.sql(sections("tenants")["setup"].replace(":tenants", str(turn.tenants)), database)
        self.cluster.sql("CHECKPOINT;")
        if jobs:
            batch = min(FILL_BATCH, max(1, jobs // turn.queues))
            self.drive(turn.system, "fill", database=database, c=2, b=batch, n=jobs, q=turn.queues)
            if turn.analyze and "analyze" in sections(turn.system):
                self.cluster.sql(sections(turn.system)["analyze"], database)
        if turn.begin:
            self.cluster.sql(sections(turn.system)[turn.begin], database)

    def _server_marks(self, system):
        lsn, buffers = self.cluster.sql(
            "SELECT pg_current_wal_insert_lsn() - '0/0', blks_hit + blks_read FROM pg_stat_database"
            f" WHERE datname = '{system}';")[0]
        return int(lsn), int(buffers), self.cluster.cpu_seconds()

    def _jobs_to_fill(self, turn, seconds):
        if turn.load in ("enqueue", "enter_enqueue", "calls", "cycle", "wake", "wait", "memory", "drain"):
            return turn.fill or 0
        if turn.exactly:
            return 20_000 if self.briefly else turn.exactly
        guess = 20_000 if self.briefly else 250_000 if turn.load == "batches" else 6000 if turn.batch == 1 else 60_000
        needed = int(self.consumed.get(turn.name, guess) * (seconds + turn.warmup) * 1.5) + 2000
        return needed if turn.fill is None else turn.fill + (needed if turn.load != "query" else 0)

    def run(self, turn):
        """Runs a turn until the backlog lasted; returns the driver's report with wal, cpu_us and buffers for each job."""
        if turn.settings or not turn.autovacuum:
            changed = dict(turn.settings, **({} if turn.autovacuum else {"autovacuum": "off"}))
            self.cluster.change_setting(**changed)
            try:
                return self._run_until_enough(turn)
            finally:
                self.cluster.sql("\n".join(f"ALTER SYSTEM RESET {name};" for name in changed) + "SELECT pg_reload_conf();")
        return self._run_until_enough(turn)

    def _run_until_enough(self, turn):
        for _ in range(4):
            report = self._run_once(turn)
            if not report["dry"] or self.briefly:
                self.consumed[turn.name] = max(self.consumed.get(turn.name, 0), report["jobs_per_s"])
                break
            self.consumed[turn.name] = 3 * max(report["jobs_per_s"], report["filled"] / (turn.seconds or self.seconds))
        if report["refused"]:
            raise RuntimeError(f"{turn.name}: {report['refused']} completions were refused")
        return report

    def run_sliced(self, *turns):
        """Runs two turns by slices of time, and returns the driver's report of each."""
        seconds = 2 * (turns[0].seconds or self.seconds)
        databases = [f"{turn.system}_{number}" for number, turn in enumerate(turns)]
        self.driver("driver")
        self.cluster.change_setting(autovacuum="off")
        try:
            for turn, database in zip(turns, databases):
                self._prepare(turn, self._jobs_to_fill(turn, seconds), database)
            if not self.briefly:
                os.sync()
            start = time.monotonic() + SLICED_START_SECONDS
            with ThreadPoolExecutor() as threads:
                runs = [threads.submit(self.drive, turn.system, turn.load, database=database, a=SLICE_SECONDS, t=start,
                                       **{"2": number == 1}, **self._flags(turn, seconds))
                        for number, (turn, database) in enumerate(zip(turns, databases))]
            reports = [run.result() for run in runs]
        finally:
            self.cluster.sql("ALTER SYSTEM RESET autovacuum; SELECT pg_reload_conf();")
        if any(report["dry"] for report in reports) and not self.briefly:
            raise RuntimeError(f"{turns[0].name}: the backlog did not last")
        return reports

    @staticmethod
    def _flags(turn, seconds):
        flags = {"c": turn.clients, "b": turn.batch, "s": seconds, "u": turn.warmup, "q": turn.queues, "l": turn.listeners}
        if turn.window:
            flags["w"] = turn.window
        if turn.total:
            flags["n"] = turn.total
        return flags

    def _run_once(self, turn):
        seconds = turn.seconds or self.seconds
        jobs = self._jobs_to_fill(turn, seconds)
        self._prepare(turn, jobs, turn.system)
        if not self.briefly:
            os.sync()                   # else the kernel writes hundreds of MB of the fill back while flushes are timed
        flags = self._flags(turn, seconds)
        held = OldSnapshot(self.cluster, turn.system) if turn.old_snapshot else None
        try:
            wal, buffers, cpu = self._server_marks(turn.system)
            if turn.through == "SQL":
                report = self.drive(turn.system, turn.load, options=turn.options, **flags)
            elif turn.through == "pgbench":
                report = run_pgbench(self.cluster, turn, seconds)
            elif turn.through == "h2load":
                report = run_h2load(self.cluster, turn, seconds)
            else:
                report = self.drive_gateway(turn, seconds)
            time.sleep(0.1)             # backends report their buffer counts when they end
            wal_after, buffers_after, cpu_after = self._server_marks(turn.system)
        finally:
            if held:
                held.close()
        done = max(report["jobs_ever"], 1)
        report.update(filled=jobs, wal=(wal_after - wal) / done, buffers=(buffers_after - buffers) / done,
                      cpu_us=(cpu_after - cpu) * 1e6 / done)
        return report

    def wal_of_jobs(self, system, jobs, batch_in, batch_out, full_page_writes):
        """WAL bytes for each job: enqueue, then claim and complete, of a fixed number of jobs, without autovacuum."""
        changed = {"autovacuum": "off", "full_page_writes": "on" if full_page_writes else "off"}
        self.cluster.change_setting(**changed)
        try:
            self.reset(system)
            self.cluster.sql("CHECKPOINT;")
            start = self._server_marks(system)
            if batch_in == 1:
                jobs = self.drive(system, "enqueue", c=1, b=1, s=jobs / 1000, u=0)["jobs_ever"]
            else:
                self.drive(system, "fill", c=1, b=batch_in, n=jobs)
            middle = self._server_marks(system)
            report = self.drive(system, "consume", c=1, b=batch_out, s=120, u=0)
            time.sleep(0.1)
            end = self._server_marks(system)
        finally:
            self.cluster.sql("\n".join(f"ALTER SYSTEM RESET {name};" for name in changed) + "SELECT pg_reload_conf();")
        done = report["jobs_ever"]
        if done != jobs:
            raise RuntimeError(f"{system}: {done} jobs came out of {jobs}")
        return {"jobs": done, "enqueue": (middle[0] - start[0]) / done, "consume": (end[0] - middle[0]) / done,
                "total": (end[0] - start[0]) / done, "buffers": (end[1] - start[1]) / done}

    def memory_of_tenants(self, tenants):
        """Private memory of one backend that works for every organization in turn, again and again; and what they all take in tables."""
        self._prepare(Turn("", "spooled", "", tenants=tenants), 0, "spooled")
        rows = self.cluster.sql(sections("tenants")["memory"].replace(":tenants", str(tenants)), "spooled")
        return {name: int(value) for name, value in (row for row in rows if len(row) == 2)}


def report_of(command, environment):
    """Runs a driver and returns what it printed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
    return json.loads(done.stdout)


def compile_driver(folder, name):
    """Builds a load driver into a scratch folder and returns its path."""
    program = Path(folder) / name
    sources = [str(path) for path in sorted(HERE.glob(f"{name}*.c"))]
    libraries = ["-lgrpc", "-lgpr"] if name == "grpc_driver" else ["-lpq"]
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-Wall", "-Wextra", "-pthread", "-I" + pg_config("includedir"),
                    *sources, "-o", str(program), *libraries], check=True)
    return program

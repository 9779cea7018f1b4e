"""A private PostgreSQL cluster with this extension, for benchmarks and footprint tests.

The extension is installed below the cluster's own folder where the server can find it there (scripts/lib.sh), so what is
measured is this working tree.  postgres refuses to run as root, so root acts as the user postgres.  Durability is on,
always: a benchmark without fsync measures something else.
"""
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "min_wal_size": "8GB",              # segments of the log are used again, not removed, see make_log
    "checkpoint_timeout": "30min",      # a timed checkpoint would hit one system of a comparison and not the other
    "max_connections": "200",
    "shared_preload_libraries": "spooled",
    "spooled.rate_limits": "off",
}


def pg_config(what):
    return subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--" + what],
                          check=True, capture_output=True, text=True).stdout.strip()


class Cluster:
    """with Cluster() as cluster: ... starts a server and removes it, data and all, at the end."""

    def __init__(self, settings=None, folder=None, extension=True):
        self.folder = Path(tempfile.mkdtemp(prefix="spooled-bench-", dir=folder))
        self.settings = dict(SETTINGS, **(settings or {}))
        self.extension = extension
        self.bin = Path(pg_config("bindir"))
        self.data = self.folder / "data"
        self.stage = self.folder / "stage"
        if not extension:
            self.settings["shared_preload_libraries"] = ""

    def __enter__(self):
        try:
            if os.getuid() == 0:
                shutil.chown(self.folder, "postgres", "postgres")
            self.folder.chmod(0o755)
            self._as_owner([self.bin / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync",
                            "-E", "UTF8", "--no-locale"])
            if self.extension:
                self._install_extension()
            self._write_settings()
            self._as_owner([self.bin / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.folder / "log", "start"])
        except BaseException:
            log = self.folder / "log"
            if log.exists():
                print(log.read_text()[-4000:])
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if (self.data / "postmaster.pid").exists():
            self._as_owner([self.bin / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(self.folder, ignore_errors=True)

    def _as_owner(self, command):
        user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        done = subprocess.run(user + [str(word) for word in command], cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE if "start" not in command else subprocess.DEVNULL,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout or ''}")
        return done.stdout

    def _install_extension(self):
        """scripts/lib.sh builds and installs it, and prints the settings with which this server finds it."""
        lines = subprocess.run(["sh", "-eu", "-c", '. scripts/lib.sh; stage_extension "$1"', "sh", str(self.stage)], cwd=TOP,
                               env=dict(os.environ, TOP=str(TOP)), check=True, stdout=subprocess.PIPE, text=True).stdout
        subprocess.run(["chmod", "-R", "a+rX", str(self.folder / "stage")], check=False)
        for line in lines.splitlines():
            name, _, value = line.partition(" = ")
            self.settings[name] = value.strip("'")

    def _write_settings(self):
        self.settings["unix_socket_directories"] = str(self.folder)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            for name, value in self.settings.items():
                conf.write(f"{name} = '{value}'\n")
            if self.extension:
                conf.write(f"spooled.jwt_secret = '{secrets.token_hex(32)}'\n")    # in no report

    def environment(self, database="postgres"):
        """What libpq needs to connect to this cluster and to nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return dict(kept, PGHOST=str(self.folder), PGUSER="postgres", PGDATABASE=database)

    def sql(self, text, database="postgres"):
        """Runs statements, each in its own transaction, and returns the rows of all as lists of text."""
        done = subprocess.run([str(self.bin / "psql"), "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1"], input=text, text=True,
                              env=self.environment(database), capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{done.stderr}\nin database {database}: {text[:500]}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def make_log(self, gigabytes):
        """Makes segments of the log that are then used again, as those of a server are that has been up for a while.

        A new one is filled with zeros and flushed before it is written: twice the writing, and a pause of every session.
        """
        for _ in range(10 * gigabytes):
            self.sql("SELECT pg_logical_emit_message(false, 'log', repeat('0', 100 << 20));")
        self.sql("CHECKPOINT;")

    def change_setting(self, **values):
        """Changes settings that a reload applies."""
        self.sql("\n".join(f"ALTER SYSTEM SET {name} = '{value}';" for name, value in values.items())
                 + "SELECT pg_reload_conf();")

    def postmaster_pid(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def cpu_seconds(self):
        """CPU time of the server's processes, those that have ended included."""
        postmaster = self.postmaster_pid()
        ticks = 0
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # after the name: 1 ppid, 11 utime, 12 stime, 13 and 14 the same of children that have been waited for
            if int(entry) == postmaster:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == postmaster:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

"""Keeps what was measured, compares it, and writes it down: JSON for machines, Markdown for people."""
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import time
from pathlib import Path

from cluster import TOP

TENANT_MEMORY = "T2 memory"             # among the turns, though its figures are not a turn's


def latencies(measured):
    """The main latencies of one turn, as text."""
    return "  ".join(f"{op} p50 {of['p50_ms']:.2f} p99 {of['p99_ms']:.2f} ms" for op, of in measured.get("ops", {}).items())


def without_values(measured):
    """A report without the long lists from which percentiles over all rounds are made."""
    ops = {op: {key: value for key, value in of.items() if key != "values_ms"} for op, of in measured.get("ops", {}).items()}
    return dict(measured, ops=ops) if ops else measured


def describe_machine(cluster):
    def first_match(path, pattern):
        found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
        return found.group(1).strip() if found else "unknown"

    file_system = subprocess.run(["df", "--output=fstype", str(cluster.folder)], capture_output=True, text=True).stdout
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")) / 2 ** 20),
        "os": first_match("/etc/os-release", r'^PRETTY_NAME="(.*)"$'),
        "kernel": platform.release(),
        "file_system": (file_system.split() or ["", "unknown"])[-1],
        "flush_ms": round(flush_ms(cluster.folder), 3),
        "postgresql": cluster.sql("SELECT current_setting('server_version');")[0][0].split(" ")[0],
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TOP, capture_output=True, text=True).stdout.strip(),
        "date": datetime.date.today().isoformat(),
        "settings": {name: value for name, value in cluster.settings.items() if "/" not in value},
    }


def flush_ms(folder):
    """Median time of writing 8 kB and flushing it, which bounds a single client's commits."""
    path = Path(folder) / "flush-test"
    times = []
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    for number in range(200):
        os.pwrite(file, b"x" * 8192, (number % 64) * 8192)
        began = time.monotonic()
        os.fdatasync(file)
        times.append(time.monotonic() - began)
    os.close(file)
    path.unlink()
    return statistics.median(times[64:]) * 1000


class Results:
    def __init__(self, machine, arguments):
        self.machine = machine
        self.arguments = arguments
        self.turns = {}                 # turn name -> {round: report}

    def add(self, name, number, measured):
        self.turns.setdefault(name, {})[number] = measured

    def median(self, name, read):
        if name not in self.turns:
            return None
        return statistics.median(read(report) for report in self.turns[name].values())

    def median_of_first(self, names, read):
        return next((self.median(name, read) for name in names if name in self.turns), None)

    def _ratios(self, name, base, read, base_read):
        one, other = self.turns.get(name, {}), self.turns.get(base, {})
        return [read(one[number]) / base_read(other[number]) for number in one if number in other and base_read(other[number])]

    def median_ratio(self, name, base, read, base_read):
        ratios = self._ratios(name, base, read, base_read)
        return statistics.median(ratios) if ratios else None

    def median_difference(self, name, base, read):
        one, other = self.turns.get(name, {}), self.turns.get(base, {})
        differences = [read(one[number]) - read(other[number]) for number in one if number in other]
        return statistics.median(differences) if differences else None

    def median_ratio_of_first(self, names, base, read):
        return next((self.median_ratio(name, base, read, read) for name in names if name in self.turns), None)

    def worst_ratio(self, name, base, read):
        return min(self._ratios(name, base, read, read), default=None)

    def pooled_quantile(self, name, op, share):
        """The value below which this share of the values of all rounds lies."""
        values = sorted(value for report in self.turns.get(name, {}).values() for value in report["ops"][op]["values_ms"])
        wanted = sum(count for _, count in values) * share
        for value, count in values:
            wanted -= count
            if wanted < 0:
                return value
        return None

    def pooled_ratio(self, name, base, op, share):
        one, other = (self.pooled_quantile(turn, op, share) for turn in (name, base))
        return one / other if one and other else None

    def machine_line(self):
        m = self.machine
        return (f"{m['cores']} x {m['cpu']}, {m['memory_gb']} GB, {m['os']}, Linux {m['kernel']}, {m['file_system']}"
                f" (flush {m['flush_ms']:.2f} ms), PostgreSQL {m['postgresql']}, {m['date']}, commit {m['commit']}")

    def compared(self, criteria):
        """(criterion, value) of every criterion that this run can judge."""
        return [(criterion, value) for criterion in criteria if (value := criterion.value(self)) is not None]

    def print_criteria(self, criteria):
        print()
        for row in criteria_rows(self.compared(criteria)):
            print(f"{row[0]:<62} must {row[1]:>10}  aim {row[2]:>8}  reached {row[3]:>8}  {row[4]}")

    def write(self, folder, criteria):
        folder.mkdir(parents=True, exist_ok=True)
        compared = self.compared(criteria)
        (folder / "latest.json").write_text(json.dumps({
            "machine": self.machine,
            "rounds": self.arguments.rounds, "seconds": self.arguments.seconds,
            "criteria": [{"what": c.what, "must": c.must, "aim": c.aim, "at_most": c.at_most, "value": round(value, 4),
                          "reached": c.reached(value)} for c, value in compared],
            "turns": {name: list(map(without_values, rounds.values())) for name, rounds in self.turns.items()},
        }, indent=1) + "\n")
        (folder / "latest.md").write_text(self.markdown(compared))
        print(f"\nwritten: {folder}/latest.md and latest.json")

    def markdown(self, compared):
        lines = ["# Benchmark results", "", f"Written by `make bench`. {self.machine_line()}.", "",
                 f"Medians of {self.arguments.rounds} rounds of {self.arguments.seconds:g} s; all systems turn by turn, or in slices of time, in one"
                 " run, so only ratios carry over to other machines. Server settings: "
                 + ", ".join(f"`{name} = {value}`" for name, value in self.machine["settings"].items() if value) + ".", "",
                 "## What must be reached", "", "| Measure | Must | Aim | Reached | | What holds it |",
                 "| --- | --: | --: | --: | --- | --- |"]
        lines += [f"| {' | '.join(row)} | {criterion.bound(self)} |"
                  for row, (criterion, _) in zip(criteria_rows(compared), compared)]
        lines += ["", "A ratio is the median of the ratios of the rounds.", "", "## Measured", "",
                  "Latencies in milliseconds for one call. WAL, buffers and CPU time of the server's processes are per job, of"
                  " the named load only (a job that is consumed was enqueued before).", "",
                  "| Turn | jobs/s | p50 / p99 | WAL bytes | Buffers | CPU µs |", "| --- | --: | --- | --: | --: | --: |"]
        lines += [self._turn_row(name) for name, rounds in self.turns.items() if "ops" in rounds[0]]
        wal = [name for name in self.turns if name.startswith("WAL ")]
        if wal:
            lines += ["", "## WAL bytes for a job, from enqueue to its end", "",
                      "No autovacuum. Batches: 100 jobs in an enqueue, 50 in a claim and in a completion.", "",
                      "| System | Enqueue | Claim and complete | Both |", "| --- | --: | --: | --: |"]
            lines += [f"| {name[4:]} | " + " | ".join(f"{self.median(name, lambda r, part=part: r[part]):,.0f}"
                                                    for part in ("enqueue", "consume", "total")) + " |" for name in wal]
        if TENANT_MEMORY in self.turns:
            lines += self._tenant_memory(self.turns[TENANT_MEMORY][0])
        return "\n".join(lines) + "\n"

    @staticmethod
    def _tenant_memory(kb):
        return ["", "## Memory with 10,000 organizations of ten queues", "",
                "One backend, as a gateway's, works for each in turn: enters, and enqueues, claims and completes a job in each queue.", "",
                "| | kB |", "| --- | --: |",
                f"| private memory of the backend, before | {kb['backend_fresh_kb']:,} |",
                f"| after two turns for each organization | {kb['backend_second_kb']:,} |",
                f"| after four | {kb['backend_fourth_kb']:,} |",
                f"| shared memory of the extension, fixed at start | {kb['shared_kb']:,} |",
                f"| tables and indexes of all organizations, API keys and queues | {kb['tables_kb']:,} |"]

    def _turn_row(self, name):
        def middle(read):
            return self.median(name, read)
        any_round = next(iter(self.turns[name].values()))
        ops = any_round["ops"]
        times = ", ".join(f"{op} {middle(lambda r, op=op: r['ops'].get(op, {}).get('p50_ms', 0)):.2f} /"
                          f" {middle(lambda r, op=op: r['ops'].get(op, {}).get('p99_ms', 0)):.2f}" for op in ops)
        windows = ""
        if "windows" in any_round:
            count = min(len(report["windows"]) for report in self.turns[name].values())
            shown = range(count) if count <= 3 else (0, count - 1)
            windows = " (" + ", ".join(f"{middle(lambda r, w=w: r['windows'][w]['jobs_per_s']):,.0f}" for w in shown) + ")"
        costs = ("wal", ",.0f"), ("buffers", ",.1f"), ("cpu_us", ",.0f")
        return (f"| {name} | {middle(lambda r: r['jobs_per_s']):,.0f}{windows} | {times} | "
                + " | ".join(f"{middle(lambda r, key=key: r[key]):{form}}" if key in any_round else "" for key, form in costs) + " |")


def criteria_rows(compared):
    def number(value, unit):
        return f"{value:,.0f}{unit}" if unit in (" B", " /s") else f"{value:.2f}{unit}"
    rows = []
    for criterion, value in compared:
        sign = "≤" if criterion.at_most else "≥"
        rows.append((criterion.what, f"{sign} {number(criterion.must, criterion.unit)}",
                     number(criterion.aim, criterion.unit) if criterion.aim is not None else "",
                     number(value, criterion.unit), "yes" if criterion.reached(value) else "**no**"))
    return rows

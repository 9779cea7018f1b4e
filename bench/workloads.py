"""What is measured, in blocks whose turns alternate within each round, and what the figures are compared with."""
from dataclasses import dataclass, replace
from typing import Callable

from measure import Turn
from report import TENANT_MEMORY

MILLION = 1_000_000
TENANTS = 10_000
W4_AT_MOST = 220_000                    # jobs a second for which the backlog of W4 in slices lasts


def sliced(turn, base, **changes):
    """Two turns once more, in slices, for the ratio of their rates.  What a job costs stands with the turns themselves."""
    names = sliced_names(turn.name, base.name)
    return tuple(replace(one, name=name, **changes) for one, name in zip((turn, base), names))


def sliced_names(turn, base):
    return f"{turn}, sliced with {base}", f"{base}, sliced with {turn}"


def at_most(seconds):
    """A backlog that W4 does not use up."""
    return int(W4_AT_MOST * (seconds + 0.5))


def enqueue_block(name, clients, batch, systems):
    return [Turn(f"{name}@{clients} {system}", system, "enqueue", clients=clients, batch=batch) for system in systems]


def w9_block():
    return [(Turn("W9@32 spooled, nobody listens", "spooled", "enqueue", clients=32),
             Turn("W9@32 spooled, listener", "spooled", "enqueue", clients=32, listeners=1)),
            Turn("W9@32 plain, nobody listens", "plain", "enqueue", clients=32),
            Turn("W9@32 plain, NOTIFY", "plain_notify", "enqueue", clients=32, listeners=1)]


def w3_block():
    ours = Turn("W3 spooled", "spooled", "consume", fill=None)
    chain = Turn("W3n spooled", "spooled", "chain", fill=None)
    plain = Turn("W3 plain", "plain", "consume", fill=None)
    floors = [Turn("W3 floor, INSERT and DELETE", "floor", "consume", fill=None), Turn("W3n floor, INSERT", "floor", "chain", fill=None)]
    return [*(sliced(turn, plain) for turn in (ours, chain, *floors)), ours, plain, chain, *floors,
            Turn("W3 spooled, asynchronous claims", "spooled", "consume", fill=None, options="-c spooled.async_claims=on")]


def w7_block():
    return [Turn(f"W7 {system}", system, "consume", queues=1000, fill=None) for system in ("spooled", "plain")]


def w4_block(seconds):
    ours = Turn("W4 spooled", "spooled", "consume", batch=50, fill=None)
    plain = Turn("W4 plain", "plain", "consume", batch=50, fill=None)
    return [sliced(ours, plain, exactly=at_most(seconds)), ours, plain,
            Turn("W4 floor, INSERT and DELETE", "floor", "consume", batch=50, fill=None),
            Turn("W4s plain", "plain", "consume", batch=50, fill=None, analyze=False, autovacuum=False),
            Turn("W4 pgq", "pgq", "batches", clients=1, fill=None, seconds=1, warmup=0.1)]


def w4s_block(seconds):
    """W4 and W4s in slices, with the same jobs; what runs in slices has nobody who would make statistics in the meantime."""
    same = dict(system="spooled", load="consume", batch=50, seconds=seconds, exactly=at_most(seconds))
    return [(Turn("W4s reference W4", **same), Turn("W4s spooled", **same, analyze=False))]


def w5_block(depth, label, systems):
    """Each load with its reference beside it: filling takes minutes, in which a machine drifts."""
    return [turn for load, batch in (("W3", 1), ("W4", 50)) for turn in (
        *(Turn(f"W5 {label} {system}, {load}", system, "consume", batch=batch, fill=depth, seconds=18, window=6) for system in systems),
        Turn(f"W5 {label} reference {load}", "spooled", "consume", batch=batch, fill=None, seconds=6))]


def w6_block(seconds, systems):
    return [Turn(f"W6 {system}, {'snapshot held' if held else 'free'}", system, "cycle", seconds=seconds, window=seconds / 18,
                 old_snapshot=held) for system in systems for held in (False, True)]


def w8_block(seconds):
    return [Turn("W8 spooled", "spooled", "wake", clients=1, seconds=seconds),
            Turn("W8 plain_notify", "plain_notify", "wake", clients=1, seconds=seconds),
            Turn("W8 spooled, wait_for_jobs", "spooled", "wait", clients=1, seconds=seconds)]


def w10_block(jobs, label, systems):
    return [Turn(f"W10 {label} {system}", system, "query", clients=1, fill=jobs, seconds=2) for system in systems]


def f1_block():
    """
    10,001 jobs behind each other (one, 9,999 that wait for it, one that waits for them) beside as many that wait for nothing.
    In batches that takes a tenth of a second, so eight such workflows run one after the other.
    """
    return [turn for load, batch, begin, total in (("singles", 1, "fan", 10_001), ("batches", 50, "fans", 80_008)) for turn in (
        Turn(f"F1 fan, {load}", "workflow", "drain", batch=batch, total=total, begin=begin),
        Turn(f"F1 independent, {load}", "spooled", "drain", batch=batch, total=total, fill=total))]


def f2_block():
    return [Turn("F2 workflow of 100 jobs", "workflow", "enqueue", clients=1, batch=100)]


def f3_block(seconds):
    return [Turn("F3 release", "workflow", "wake", clients=1, seconds=seconds, begin="pairs")]


def t1_block(tenants):
    """Entering: what a request pays before its operation.  The rate of requests is charged, as it is in production."""
    charged = {"spooled.rate_limits": "on"}
    return [Turn("T1 SELECT 1", "select_one", "query", clients=1),
            Turn("T1 enter", "enter", "query", clients=1, tenants=1, settings=charged),
            Turn("T1 enter, any of 10,000", "enter", "query", clients=1, tenants=tenants, queues=tenants, settings=charged)]


def t2_block(tenants):
    """One organization works in its ten queues, alone or beside the others."""
    loads = (("W1", "enqueue", 1), ("W3", "consume", 1), ("W4", "consume", 50))
    return [Turn(f"T2 {name}, {label}", "spooled", load, batch=batch, queues=10, tenants=count,
                 fill=1000 if load == "enqueue" else None,    # so that the queues are there
                 autovacuum=False)                            # nothing is left of making the others
            for name, load, batch in loads for label, count in (("alone", 0), ("one of 10,000", tenants))]


def gateway_block():
    return [Turn("pgbench enter and enqueue@1", "spooled", "enter_enqueue", clients=1, through="pgbench"),
            Turn("REST enqueue@1", "spooled", "enqueue", clients=1, through="REST"),
            Turn("gRPC enqueue@1", "spooled", "enqueue", clients=1, through="gRPC"),
            Turn("pgbench enqueue@8", "spooled", "enqueue", clients=8, through="pgbench"),
            Turn("gRPC enqueue@128", "spooled", "enqueue", clients=128, through="h2load"),
            Turn("REST enqueue@128", "spooled", "enqueue", clients=128, through="REST"),
            Turn("SQL enqueue@32", "spooled", "enqueue", clients=32),
            Turn("REST enqueue@64", "spooled", "enqueue", clients=64, through="REST"),
            Turn("SQL claim and complete@32", "spooled", "consume", clients=32, fill=None),
            Turn("REST claim and complete@64", "spooled", "consume", clients=64, fill=None, through="REST"),
            Turn("gRPC one stream@256", "spooled", "process", clients=256, fill=None, through="gRPC")]


def gateway_memory_block(calls):
    return [Turn("gRPC calls of every sort@32", "spooled", "calls", clients=32, total=calls, through="gRPC")]


def memory_block(operations):
    return [Turn("memory spooled", "spooled", "memory", clients=1, total=operations, options="-c synchronous_commit=off")]


@dataclass(frozen=True)
class Criterion:
    """A number to reach.  value takes the results and may return None: not measured in this run."""
    what: str
    must: float
    aim: float | None
    value: Callable
    at_most: bool = False
    unit: str = ""
    bound: Callable = lambda results: ""        # what holds it, with this run's figures

    def reached(self, value):
        return value <= self.must if self.at_most else value >= self.must


def ratio(turn, base, read=lambda report: report["jobs_per_s"]):
    """Median over the rounds of one turn's figure against another turn's of the same round."""
    return lambda results: results.median_ratio(turn, base, read, read)


def sliced_ratio(turn, base):
    """The same of turns that ran in slices."""
    return ratio(*sliced_names(turn, base))


def worst_ratio(turn, base):
    """The lowest of the rounds' ratios."""
    return lambda results: results.worst_ratio(turn, base, lambda report: report["jobs_per_s"])


def window_rate(number):
    return lambda report: report["windows"][number]["jobs_per_s"]


def window_p99(number, op="claim"):
    return lambda report: report["windows"][number]["ops"][op]["p99_ms"]


def latency(op, quantile):
    return lambda report: report["ops"][op][quantile]


def difference(turn, base, read):
    """Median over the rounds of what one turn's figure is more than another turn's of the same round."""
    return lambda results: results.median_difference(turn, base, read)


def cpu_us(report):
    return report["cpu_us"]


def within(turn, read, base_read):
    """Two figures of the same turn."""
    return lambda results: results.median_ratio(turn, turn, read, base_read)


def median(turn, read):
    return lambda results: results.median(turn, read)


def added(turn, base, op, quantile):
    """Median over the rounds of how much longer a call takes than another one of the same round."""
    return lambda results: results.median_difference(turn, base, latency(op, quantile))


def wake_ratio(turn, share):
    """All wake-ups of all rounds together: the 99th percentile of one round hangs on a few of them."""
    return lambda results: results.pooled_ratio(turn, "W8 plain_notify", "wake", share)


def first_against_free(number, read=window_rate):
    return lambda results: results.median_ratio("W6 spooled, snapshot held", "W6 spooled, free", read(number), read(number))


def cpu_bound(*turns):
    """CPU time of the server for a job, beside that of what it is compared with."""
    def text(results):
        times = (f"{results.median(turn, lambda report: report['cpu_us']):.0f} µs ({turn})" for turn in turns)
        return "CPU of the server for a job: " + ", ".join(times)
    return text


def floor_bound(floor, base, statements):
    """What a bare table reaches with as many flushed commits, on the same scale."""
    def text(results):
        reached = sliced_ratio(floor, base)(results)
        return f"the flush: {statements} of a bare table's row reach {reached:.2f}"
    return text


def criteria():
    rows = [
        Criterion("W1, 32 clients: of the bare INSERT", 0.85, 0.95, ratio("W1@32 spooled", "W1@32 bare"),
                  bound=cpu_bound("W1@32 spooled", "W1@32 bare")),
        Criterion("W2, 8 clients: x textbook", 1.2, 1.6, ratio("W2@8 spooled", "W2@8 plain"),
                  bound=cpu_bound("W2@8 spooled", "W2@8 plain")),
        Criterion("W3, 8 clients: x textbook", 1.6, 2.0, sliced_ratio("W3 spooled", "W3 plain"),
                  bound=floor_bound("W3 floor, INSERT and DELETE", "W3 plain", "INSERT and DELETE, each committed,")),
        Criterion("W3n, 8 clients: x textbook W3", 2.5, 3.5, sliced_ratio("W3n spooled", "W3 plain"),
                  bound=floor_bound("W3n floor, INSERT", "W3 plain", "INSERTs")),
        Criterion("W4, 8 clients: x textbook", 3.0, 4.0, sliced_ratio("W4 spooled", "W4 plain"),
                  bound=cpu_bound("W4 spooled", "W4 plain", "W4 floor, INSERT and DELETE")),
        Criterion("W4s: of W4, worst round", 0.95, 1.0, worst_ratio("W4s spooled", "W4s reference W4")),
    ]
    for label in ("10^6", "10^7"):
        for load in ("W3", "W4"):
            turn = f"W5 {label} spooled, {load}"
            rows += [Criterion(f"W5, {label} pending: {load}, of {load}", 0.9, 1.0, ratio(turn, f"W5 {label} reference {load}")),
                     Criterion(f"W5, {label} pending: {load}, third 6 s of the first", 0.9, 1.0,
                               within(turn, window_rate(2), window_rate(0)))]
    rows += [
        Criterion("W6, snapshot held: first window, of the free run", 0.8, 0.95, first_against_free(0)),
        Criterion("W6, snapshot held: last window, of the free run", 0.8, 0.95, first_against_free(-1)),
        Criterion("W6, snapshot held: claim p99 of the last window, x free run", 2.0, None,
                  first_against_free(-1, window_p99), at_most=True),
        Criterion("W7: of W3", 0.8, 0.95, ratio("W7 spooled", "W3 spooled"),
                  bound=cpu_bound("W7 spooled", "W3 spooled")),
        Criterion("W8 p50, LISTEN: x LISTEN on the textbook table", 0.6 / 0.55, 0.55, wake_ratio("W8 spooled", 0.5), at_most=True),
        Criterion("W8 p99, LISTEN: x LISTEN on the textbook table", 4 / 4.2, 0.48, wake_ratio("W8 spooled", 0.99), at_most=True),
        Criterion("W8 p50, wait_for_jobs: x LISTEN on the textbook table", 0.6 / 0.55, 0.55,
                  wake_ratio("W8 spooled, wait_for_jobs", 0.5), at_most=True),
        Criterion("W8 p99, wait_for_jobs: x LISTEN on the textbook table", 4 / 4.2, 0.48,
                  wake_ratio("W8 spooled, wait_for_jobs", 0.99), at_most=True),
        Criterion("W9, 32 clients: listener, of nobody", 0.9, 1.0,
                  ratio("W9@32 spooled, listener", "W9@32 spooled, nobody listens")),
        Criterion("W10: larger size, p50 ms", 1.0, None,
                  lambda results: results.median_of_first(("W10 10^7 spooled", "W10 10^6 spooled"), latency("query", "p50_ms")),
                  at_most=True, unit=" ms"),
        Criterion("W10: larger size, x the smaller", 1.2, 1.0,
                  lambda results: results.median_ratio_of_first(("W10 10^7 spooled", "W10 10^6 spooled"), "W10 10^4 spooled",
                                                                latency("query", "p50_ms")), at_most=True),
        Criterion("F1, 8 clients, one by one: fan of 10,001, of independent jobs", 0.8, 1.0,
                  ratio("F1 fan, singles", "F1 independent, singles")),
        Criterion("F1, 8 clients, batches of 50: fan of 10,001, of independent jobs", 0.8, 1.0,
                  ratio("F1 fan, batches", "F1 independent, batches")),
        Criterion("F2: creating a workflow of 100 jobs, p50 with its commit", 5, None,
                  median("F2 workflow of 100 jobs", latency("enqueue", "p50_ms")), at_most=True, unit=" ms"),
        Criterion("F3 p99: last parent completed to child in the hands of a waiting worker", 20, None,
                  median("F3 release", latency("wake", "p99_ms")), at_most=True, unit=" ms"),
        Criterion("T1: CPU of entering by API key, over SELECT 1", 30, None,
                  difference("T1 enter", "T1 SELECT 1", cpu_us), at_most=True, unit=" µs"),
        Criterion("T1: the same for any of 10,000 organizations", 30, None,
                  difference("T1 enter, any of 10,000", "T1 SELECT 1", cpu_us), at_most=True, unit=" µs"),
    ]
    rows += [Criterion(f"T2 {load}: one of 10,000 organizations, of alone", 0.9, 1.0, ratio(f"T2 {load}, one of 10,000", f"T2 {load}, alone"))
             for load in ("W1", "W3", "W4")]
    rows += [
        Criterion("T2: backend memory after four turns for each of 10,000, x after two", 1.05, 1.0,
                  within(TENANT_MEMORY, lambda report: report["backend_fourth_kb"], lambda report: report["backend_second_kb"]),
                  at_most=True),
        Criterion("WAL bytes a job, batches, full-page images off", 1000, 800,
                  median("WAL spooled, batches, no full-page images", lambda report: report["total"]), at_most=True, unit=" B"),
        Criterion("REST, 64 connections: enqueue, of SQL at 32 clients", 0.8, 1.0, ratio("REST enqueue@64", "SQL enqueue@32")),
        Criterion("REST, 64 connections: claim and complete, of SQL at 32 clients", 0.8, 1.0,
                  ratio("REST claim and complete@64", "SQL claim and complete@32")),
        Criterion("REST, 64 connections: p99 of an enqueue", 20, None,
                  median("REST enqueue@64", latency("enqueue", "p99_ms")), at_most=True, unit=" ms"),
        Criterion("REST, 64 connections: p99 of a claim", 20, None,
                  median("REST claim and complete@64", latency("claim", "p99_ms")), at_most=True, unit=" ms"),
        Criterion("REST, 128 requests in flight: enqueues acknowledged, per second", 12_000, 20_000,
                  median("REST enqueue@128", lambda report: report["jobs_per_s"]), unit=" /s"),
        Criterion("REST, 1 connection: p50 added to the SQL call", 0.5, None,
                  added("REST enqueue@1", "pgbench enter and enqueue@1", "enqueue", "p50_ms"), at_most=True, unit=" ms"),
        Criterion("gRPC, 1 call at a time: p50 added to the SQL call", 0.5, None,
                  added("gRPC enqueue@1", "pgbench enter and enqueue@1", "enqueue", "p50_ms"), at_most=True, unit=" ms"),
        Criterion("gRPC, 8 connections x 16 calls: enqueue, of pgbench with 8 clients", 0.8, 1.0,
                  ratio("gRPC enqueue@128", "pgbench enqueue@8")),
        Criterion("gRPC, one stream: jobs claimed and completed per second", 5_000, None,
                  median("gRPC one stream@256", lambda report: report["jobs_per_s"]), unit=" /s"),
        Criterion("Gateway memory after all gRPC calls, x after the first tenth", 1.05, 1.0,
                  within("gRPC calls of every sort@32", lambda report: report["memory_last_kb"],
                         lambda report: report["memory_first_kb"]), at_most=True),
        Criterion("Backend memory after all operations, x after 1,000", 1.05, 1.0,
                  within("memory spooled", lambda report: report["memory_last_kb"], lambda report: report["memory_first_kb"]),
                  at_most=True),
    ]
    return rows

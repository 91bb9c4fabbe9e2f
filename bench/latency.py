"""How long a message takes from the instant it was due at the device, at half of the maximum rate.

Open loop: every message is due at a fixed instant, so that a stall is seen by each message that
was due in it. The maximum rate is measured first, flooded, with the same store behind.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from bench.ingest_process import How
from bench.progress import say
from bench.result import BenchFailed, BenchResult, Goal
from bench.rig import run_rig, running_rig
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from bench.rig import RigRun

__all__ = ["LatencyRun", "measure", "steady_plan"]

STORES: Final = ("duckdb", "null")
SECONDS = 10.0
PROBE_S = 3.0
RUNS = 3
# What a process does once, on its first messages, is not what a city waits for every day.
WARM_S = 2.0
WARM_MS = 1_000_000
MS = 1_000
CONNECTIONS = 200
STORE_P99_MS = 250.0
PUBACK_P99_MS = 60.0


class LatencyRun(msgspec.Struct, frozen=True):
    """One open-loop run, milliseconds.

    Attributes:
        store_p50, store_p99, store_max: From due at the device until committed.
        puback_p50, puback_p99: From due at the device until its PUBACK.
    """

    store: str
    rate_per_s: float
    messages: int
    store_p50: float
    store_p99: float
    store_max: float
    puback_p50: float
    puback_p99: float


def measure(seconds: float | None) -> BenchResult:
    """Measure into DuckDB and into the null store."""
    seconds = seconds or SECONDS
    by_store = {store: _runs(How(store=store, delays=True), seconds) for store in STORES}
    runs = by_store["duckdb"]
    value = median(each.store_p99 for each in runs)
    puback = median(each.puback_p99 for each in runs)
    return BenchResult(
        bench="latency",
        unit="ms, p99 device to store (DuckDB)",
        value=value,
        samples=[msgspec.to_builtins(each) for each in (*runs, *by_store["null"])],
        goals=[
            Goal("latency", value, f"<= {STORE_P99_MS:g} ms", value <= STORE_P99_MS),
            Goal("puback_p99", puback, f"<= {PUBACK_P99_MS:g} ms", puback <= PUBACK_P99_MS),
        ],
        extra={
            "puback_p99": puback,
            "p50": median(each.store_p50 for each in runs),
            "rate_per_s": runs[0].rate_per_s,
            "null_store": {
                "p99": median(each.store_p99 for each in by_store["null"]),
                "p50": median(each.store_p50 for each in by_store["null"]),
                "puback_p99": median(each.puback_p99 for each in by_store["null"]),
                "rate_per_s": by_store["null"][0].rate_per_s,
            },
        },
    )


def steady_plan(rate_per_s: float, seconds: float) -> LoadPlan:
    """Return an open loop at about a rate, whose times are its schedule in whole milliseconds."""
    step_ms = max(1, math.ceil(CONNECTIONS * MS / rate_per_s))
    return LoadPlan(
        port=0,
        connections=CONNECTIONS,
        in_flight=1_000,
        seconds=seconds,
        rate_per_s=CONNECTIONS * MS / step_ms,
        step_ms=step_ms,
    )


def _runs(how: How, seconds: float) -> list[LatencyRun]:
    flooded = run_rig(LoadPlan(port=0, seconds=PROBE_S, connections=CONNECTIONS), how)
    most_per_s = flooded.report.sent / flooded.seconds
    say(f"{how.store}: {most_per_s:.0f} messages a second at most")
    plan = steady_plan(most_per_s / 2, seconds)
    return [_run(how, plan) for _ in range(RUNS)]


def _run(how: How, plan: LoadPlan) -> LatencyRun:
    warm = msgspec.structs.replace(plan, seconds=WARM_S, first_ms=plan.first_ms - WARM_MS)
    with running_rig(plan, how) as rig:
        rig.run(warm)
        run = rig.run(plan)
    found = _summary(how.store, run)
    say(
        f"{how.store} at {found.rate_per_s:.0f}/s: store p99 {found.store_p99:.0f} ms,"
        f" PUBACK p99 {found.puback_p99:.0f} ms"
    )
    return found


def _summary(store: str, run: RigRun) -> LatencyRun:
    report, delay = run.report, run.facts.delay
    if report.sent != report.scheduled or delay.count != report.sent * report.plan.observations:
        raise BenchFailed(
            f"{report.scheduled} messages were due, {report.sent} were sent,"
            f" {delay.count} observations have a delay"
        )
    assert report.plan.rate_per_s is not None
    return LatencyRun(
        store=store,
        rate_per_s=report.plan.rate_per_s,
        messages=report.sent,
        store_p50=delay.p50_ms,
        store_p99=delay.p99_ms,
        store_max=delay.max_ms,
        puback_p50=report.latency.p50_ms,
        puback_p99=report.latency.p99_ms,
    )

"""What the endpoint and its log cost: a message, a connection, an idle fleet.

Goals G3, G9, G11, G14, G20. Nothing behind the log runs while CPU is taken, so this is what a
message costs until it is safe.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from bench.endpoint_rig import idle_nats, idle_ours, record_cost, run_nats, run_ours
from bench.overload import memory_under_overload
from bench.pairs import measure_pairs
from bench.progress import say
from bench.result import BenchResult, Goal
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.endpoint_rig import Idle

__all__ = ["measure", "slope"]

SECONDS = 5.0
MOST_OF_NATS = 1 / 4
MOST_BYTES = 6_000.0
MOST_IDLE = 0.01
MOST_SLOPE = 0.15
LEAST_FRAMING = 5.0
LINGER_MS = 20.0
MOST_MEMORY = 1.5
IDLE_CONNECTIONS = (5_000, 15_000)
IDLE_FLEET = 10_000
IDLE_S = 30.0
BY_CONNECTIONS = (100, 500, 2_500, 10_000)
SLOPE_RATE_PER_S = 5_000.0
SLOPE_RUNS = 3
RECORDS = 50_000
SPARSE_RATE_PER_S = 100.0
SPARSE_S = 10.0


def measure(seconds: float | None) -> BenchResult:
    """Measure 200 connections x 20 in flight in pairs, then connections, idling and framing."""
    seconds = seconds or SECONDS
    say("our endpoint and nats-server's own")
    plan = LoadPlan(port=0, seconds=seconds)
    paired = measure_pairs(lambda: run_ours(plan), lambda: run_nats(plan))
    ratio = paired.ratio()
    by_connections = _by_connections(seconds)
    exponent = slope(by_connections.items())
    idle = [_idle(count) for count in IDLE_CONNECTIONS]
    nats_idle = idle_nats(_fleet(IDLE_CONNECTIONS[0]))
    fleet = idle_ours(_fleet(IDLE_FLEET), min(IDLE_S, seconds * 6))
    say("one record a message")
    record_us = record_cost(RECORDS)
    framing = record_us / paired.median_of("log")
    sparse = _sparse(min(SPARSE_S, seconds * 2))
    memory = memory_under_overload(seconds)
    busiest = max(fleet.cpu.values())
    bytes_each = max(each.bytes_a_connection for each in idle)
    return BenchResult(
        bench="endpoint",
        unit="us CPU a message, endpoint + log",
        value=paired.cost(),
        baseline=paired.baseline(),
        ratio=ratio,
        samples=paired.samples,
        goals=[
            Goal("G3", 1 / ratio, "<= 1/4 of it", not paired.noisy and 1 / ratio <= MOST_OF_NATS),
            Goal("G9", memory.ratio, f"<= {MOST_MEMORY:g}", memory.ratio <= MOST_MEMORY),
            Goal("G11", exponent, f"<= {MOST_SLOPE:g}", exponent <= MOST_SLOPE),
            Goal("G14", framing, f">= {LEAST_FRAMING:g}", framing >= LEAST_FRAMING),
            Goal("G14 delay", sparse, "<= 2 x linger, ms", sparse <= 2 * LINGER_MS),
            Goal("G20", busiest, f"<= {MOST_IDLE:g} of a core", busiest <= MOST_IDLE),
            Goal("connection", bytes_each, f"<= {MOST_BYTES:g} bytes", bytes_each <= MOST_BYTES),
        ],
        extra={
            "by_process": {name: paired.median_of(name) for name in ("gateway", "log")},
            "by_connections": by_connections,
            "exponent": exponent,
            "bytes_a_connection": {str(each.connections): each.bytes_a_connection for each in idle},
            "nats_bytes_a_connection": nats_idle.bytes_a_connection,
            "idle_cpu": fleet.cpu,
            "record_us": record_us,
            "framing": framing,
            "sparse_puback_p99_ms": sparse,
            "memory": msgspec.to_builtins(memory),
            "messages_per_s": paired.median_of("per_s"),
            "control": paired.control,
            "noisy": paired.noisy,
        },
    )


def slope(costs: Iterable[tuple[int, float]]) -> float:
    """Return the exponent of growth: the slope of log(cost) on log(size)."""
    sizes, values = zip(*costs, strict=True)
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def _by_connections(seconds: float) -> dict[int, float]:
    """Return the cost of a message by how many connections share one rate."""
    costs: dict[int, float] = {}
    for count in BY_CONNECTIONS:
        plan = LoadPlan(port=0, seconds=seconds, connections=count, rate_per_s=SLOPE_RATE_PER_S)
        costs[count] = median(run_ours(plan).cost for _ in range(SLOPE_RUNS))
        say(f"{count} connections: {costs[count]:.2f} us a message")
    return costs


def _fleet(connections: int) -> LoadPlan:
    return LoadPlan(port=0, seconds=0.0, connections=connections, in_flight=1)


def _idle(connections: int) -> Idle:
    found = idle_ours(_fleet(connections), 0.0)
    say(f"{connections} idle connections: {found.bytes_a_connection:.0f} bytes each")
    return found


def _sparse(seconds: float) -> float:
    """Return the 99th percentile of PUBACK where most frames hold one message, milliseconds."""
    plan = LoadPlan(port=0, seconds=seconds, connections=100, rate_per_s=SPARSE_RATE_PER_S)
    return run_ours(plan).parts["puback_p99_ms"]

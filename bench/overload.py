"""Memory when devices send ten times as much and the store stands still meanwhile (G9)."""

from __future__ import annotations

import signal
import threading

import msgspec

from bench.cpu import peak_rss_bytes, rss_bytes
from bench.generator import all_acknowledged, connected_load
from bench.progress import say
from bench.result import BenchFailed
from bench.rig import Rig, running_rig, verify_applied
from loadtest.plan import LoadPlan

__all__ = ["Overload", "memory_under_overload"]

RATE_PER_S = 1_000.0
TIMES = 10
# The store stands still for the middle third.
THIRDS = 3
MS = 1_000
CONNECTIONS = 200


class Overload(msgspec.Struct, frozen=True):
    """Peak memory under overload over memory at the ordinary rate.

    Attributes:
        ratio: The worst of our processes.
        by_process: Of all of them, the log's server included.
    """

    ratio: float
    by_process: dict[str, float]
    standstill_s: float
    messages: int


def memory_under_overload(seconds: float) -> Overload:
    """Send at an ordinary rate, then at ten times that while ingest is stopped for a while.

    Args:
        seconds: Of the ordinary part, and of the standstill in the other one.

    Raises:
        BenchFailed: If a message that was acknowledged was lost.
    """
    ordinary = _plan(RATE_PER_S, seconds, 0)
    overload = _plan(RATE_PER_S * TIMES, seconds * THIRDS, round(seconds * MS) * 2)
    with running_rig(ordinary) as rig:
        gate = rig.programs["gateway"]
        with connected_load(msgspec.structs.replace(ordinary, port=gate.port)) as load:
            first = all_acknowledged(load.send())
            before = {name: rss_bytes(each.process.pid) for name, each in rig.programs.items()}
        with connected_load(msgspec.structs.replace(overload, port=gate.port)) as load:
            timers = _standstill(rig, seconds)
            second = all_acknowledged(load.send())
            for timer in timers:
                timer.join()
        verify_applied(rig.programs["ingest"], first, second)
        peak = {name: peak_rss_bytes(each.process.pid) for name, each in rig.programs.items()}
    by_process = {name: peak[name] / before[name] for name in peak}
    found = Overload(
        max(by_process["gateway"], by_process["ingest"]), by_process, seconds, second.sent
    )
    say(f"memory under overload: {found.by_process}")
    if second.sent != second.scheduled:
        raise BenchFailed(f"of {second.scheduled} messages {second.sent} were sent")
    return found


def _plan(rate_per_s: float, seconds: float, after_ms: int) -> LoadPlan:
    plan = LoadPlan(
        port=0, connections=CONNECTIONS, in_flight=1_000, rate_per_s=rate_per_s, seconds=seconds
    )
    return msgspec.structs.replace(plan, first_ms=plan.first_ms + after_ms)


def _standstill(rig: Rig, seconds: float) -> list[threading.Timer]:
    """Stop ingest after some seconds, and let it go on after as many more."""
    process = rig.programs["ingest"].process
    timers = [
        threading.Timer(seconds, process.send_signal, [signal.SIGSTOP]),
        threading.Timer(2 * seconds, process.send_signal, [signal.SIGCONT]),
    ]
    for timer in timers:
        timer.start()
    return timers

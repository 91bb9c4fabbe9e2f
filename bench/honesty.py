"""`honesty`: a server is stopped for a second, and the report must say what the schedule says (G8).

An open loop at a fifth of what the windows allow, 20 s. Of the messages due in the stop, each
waited until its end: p99 = S - 0.01 T, p99.9 = S - 0.001 T, longest = S. The control is the same
run scored from sending: a closed loop would have said that hardly anybody waited.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from bench.processes import gateway, log_server, mosquitto
from bench.progress import say
from bench.result import BenchFailed, BenchResult, Goal
from loadtest.outcome.run import FleetOutcome, fleet_outcomes
from loadtest.rig.crew import crew_of
from loadtest.rig.order import Order
from loadtest.scenario.model import FleetRule, Hold, Scenario

if TYPE_CHECKING:
    from bench.processes import Program

__all__ = ["measure"]

SECONDS = 20.0
STOP_AT_S = 8.0
STOP_S = 1.0
LINGER_S = 0.002
NOW_MS = 1_772_600_000_000
# Of the control: below it a closed loop says that all was well.
LIE_MS = 100.0


class Told(msgspec.Struct, frozen=True):
    """What a report said, against what the schedule says.

    Attributes:
        error: The largest of the errors of p99, p99.9 and the longest, as a share.
        lie_ms: p99 as a closed loop scores it.
    """

    server: str
    stop_s: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float
    error: float
    lie_ms: float


def measure(seconds: float | None) -> BenchResult:
    """Measure; see docs/bench.md."""
    run_s = max(10.0, seconds or SECONDS)
    with tempfile.TemporaryDirectory(prefix="madina-bench-") as name:
        folder = Path(name)
        told = [_gateway(folder, run_s), _mosquitto(folder, run_s)]
    goals = [
        goal
        for each in told
        for goal in (
            Goal(f"G8 {each.server}", each.error, "within 0.1", each.error <= 0.1),
            Goal(
                f"G8 {each.server}, control", each.lie_ms, f"< {LIE_MS:g} ms",
                each.lie_ms < LIE_MS,
            ),
        )
    ]  # fmt: skip
    return BenchResult(
        bench="honesty",
        unit="largest error of p99, p99.9 and the longest, share",
        value=max(each.error for each in told),
        samples=[msgspec.to_builtins(each) for each in told],
        goals=goals,
    )


def _gateway(folder: Path, run_s: float) -> Told:
    with contextlib.ExitStack() as block:
        log = block.enter_context(log_server(folder))
        # Its linger is most of a PUBACK's way, and what a window can carry afterwards is not asked.
        gate = block.enter_context(gateway(folder, log, frame_linger=LINGER_S))
        return asyncio.run(_stopped("gateway", gate, run_s))


def _mosquitto(folder: Path, run_s: float) -> Told:
    with mosquitto(folder) as broker:
        return asyncio.run(_stopped("mosquitto", broker, run_s))


async def _stopped(name: str, server: Program, run_s: float) -> Told:
    """Stop a server for a second of a run."""
    # 20 connections x 100 messages a second; the windows together hold 0.4 % of all messages.
    scenario = Scenario(
        name="honesty",
        fleets=[FleetRule("own", 20, 0.01, in_flight=8)],
        phases=[Hold(run_s)],
    )
    order = Order(
        scenario=scenario, host="127.0.0.1", port=server.port, worker=0, workers=1, now_ms=NOW_MS,
        stems={"own": "own"},
    )  # fmt: skip
    signalled_s: list[float] = []

    def send(number: signal.Signals) -> None:
        os.kill(server.process.pid, number)
        signalled_s.append(perf_counter())

    async with crew_of([order]) as crew:
        await crew.connect()
        crew.begin()
        loop = asyncio.get_running_loop()
        for after_s, number in ((0.0, signal.SIGSTOP), (STOP_S, signal.SIGCONT)):
            loop.call_later(crew.started_s - perf_counter() + STOP_AT_S + after_s, send, number)
        results = await crew.send(lambda _: None)
    (fleet,) = fleet_outcomes(scenario, [each for result in results for each in result.fleets])
    return _told(name, fleet, signalled_s[1] - signalled_s[0], run_s)


def _told(name: str, fleet: FleetOutcome, stop_s: float, run_s: float) -> Told:
    found = fleet.latency.summary()
    if found.count != fleet.scheduled or fleet.acked != fleet.sent:
        raise BenchFailed(f"{found.count} of {fleet.scheduled} scheduled messages were scored")
    expected = {
        found.p99_ms: stop_s - 0.01 * run_s,
        found.p99_9_ms: stop_s - 0.001 * run_s,
        found.max_ms: stop_s,
    }
    error = max(abs(told / 1_000 / wanted - 1) for told, wanted in expected.items())
    lie_ms = fleet.service.summary().p99_ms
    say(f"{name}: p99 {found.p99_ms:.0f} ms, error {error:.1%}; closed loop {lie_ms:.0f} ms")
    return Told(name, stop_s, found.p99_ms, found.p99_9_ms, found.max_ms, error, lie_ms)

"""`loadgen`: what the load generator itself costs, against a sink that keeps nothing (G5, G6).

Every message is verified: the sink's count and sum of checks are those of what was to be sent.
Ours against paho with a client a device, the same messages, connections and windows.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from bench.generator import all_acknowledged, connected_load
from bench.mqtt_sink import Sums
from bench.pairs import Sample, measure_pairs
from bench.processes import Program, free_port, program, until
from bench.progress import say
from bench.result import ROOT, BenchFailed, BenchResult, Goal
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.report import LoadReport

__all__ = ["measure"]

CONNECTIONS = 200
IN_FLIGHT = 20
MICROS = 1e6
# Messages of one run where it lasts as long as the goal wants: 2 s of CPU.
MESSAGES_A_SECOND = 100_000
PAHO_A_SECOND = 10_000
MANY = 15_000
MULTIPLEXED = {"connections": 10, "devices_per_connection": 10_000}
PAHO_S = 300


def measure(seconds: float | None) -> BenchResult:
    """Measure; see docs/bench.md."""
    run_s = seconds or 3.0
    paired = measure_pairs(lambda: _ours(run_s), lambda: _paho(run_s))
    qos0 = _run(_plan(run_s, MESSAGES_A_SECOND, qos=0))
    multiplexed = _run(_plan(run_s, 4 * MESSAGES_A_SECOND, qos=0, **MULTIPLEXED))
    many = _connect(MANY)
    say(f"{MANY:,} connections: {many.bytes_a_connection} bytes each")
    quiet = not paired.noisy
    us, ratio = paired.cost(), paired.ratio()
    goals = [
        Goal("G5 QoS 1", us, "<= 30 us", us <= 30 and quiet),
        Goal("G5 QoS 0", qos0.cpu_us, "<= 10 us", qos0.cpu_us <= 10),
        Goal("connections", MANY, ">= 15,000 in one process", MANY >= 15_000),
        Goal("G6", many.bytes_a_connection, "<= 4096 bytes", many.bytes_a_connection <= 4096),
        Goal(
            "multiplexed", multiplexed.rate_per_s, ">= 300,000 msg/s",
            multiplexed.rate_per_s >= 300_000,
        ),
    ]  # fmt: skip
    return BenchResult(
        bench="loadgen",
        unit="us CPU a message, QoS 1, 200 connections",
        value=us,
        baseline=paired.baseline(),
        ratio=ratio,
        samples=paired.samples,
        goals=goals,
        extra={
            "qos0": qos0.cpu_us,
            "bytes_a_connection": many.bytes_a_connection,
            "connections": MANY,
            "connects_per_s": MANY / many.connect_seconds,
            "multiplexed_per_s": multiplexed.rate_per_s,
            "multiplexed_us": multiplexed.cpu_us,
            "control": paired.control,
            "noisy": paired.noisy,
        },
    )


def _plan(run_s: float, a_second: int, **changes: object) -> LoadPlan:
    messages = int(run_s * a_second) // CONNECTIONS * CONNECTIONS
    plan = LoadPlan(port=1, connections=CONNECTIONS, in_flight=IN_FLIGHT, messages=messages)
    return msgspec.structs.replace(plan, **changes)


def _ours(run_s: float) -> Sample:
    report = _run(_plan(run_s, MESSAGES_A_SECOND))
    return Sample("ours", report.cpu_us, report.sent, {"per_s": report.rate_per_s})


def _paho(run_s: float) -> Sample:
    with _sink() as sink:
        plan = msgspec.structs.replace(_plan(run_s, PAHO_A_SECOND), port=sink.port)
        assert plan.messages is not None
        done = subprocess.run(
            [sys.executable, "-m", "bench.textbook.paho_load"],
            cwd=ROOT,
            input=msgspec.json.encode(plan) + b"\ngo\n",
            capture_output=True,
            timeout=PAHO_S,
            check=False,
        )
        if done.returncode:
            raise BenchFailed(f"paho: {done.stderr.decode(errors='replace')[-300:]}")
        each = [plan.messages // plan.connections] * plan.connections
        _verify(sink, plan, each)
    return Sample("paho", float(done.stdout) * MICROS / plan.messages, plan.messages)


def _run(plan: LoadPlan) -> LoadReport:
    with _sink() as sink:
        plan = msgspec.structs.replace(plan, port=sink.port)
        with connected_load(plan) as load:
            report = all_acknowledged(load.send())
        _verify(sink, plan, report.sent_by_connection)
    return report


def _connect(connections: int) -> LoadReport:
    """Open connections, send a message on each, and close them."""
    plan = LoadPlan(port=1, connections=connections, in_flight=1, messages=connections)
    return _run(plan)


def _verify(sink: Program, plan: LoadPlan, sent: list[int]) -> None:
    """Make sure that everything came, as it was made.

    Raises:
        BenchFailed: It did not.
    """
    wanted = _wanted(plan, sent)
    until(lambda: _sums(sink).messages >= wanted.messages, f"{wanted.messages} messages", sink)
    found = _sums(sink)
    if found != wanted:
        raise BenchFailed(f"the sink has {found}, sent was {wanted}")


def _wanted(plan: LoadPlan, sent: list[int]) -> Sums:
    fleet, sums = Fleet(plan), Sums()
    middle = fleet.middles[0]
    for connection, count in enumerate(sent):
        packet = fleet.packets(connection)
        for number in range(count):
            # One head for all: type and flags, two bytes of length, two of the topic's length.
            data = packet(number, middle)
            topic_end = 5 + (data[3] << 8 | data[4])
            payload = data[topic_end + len(middle) :]
            sums.checks += crc32(payload, crc32(data[5:topic_end]))
        sums.messages += count
    return sums


def _sums(sink: Program) -> Sums:
    return msgspec.json.decode(sink.ask("sums"), type=Sums)


@contextlib.contextmanager
def _sink() -> Generator[Program]:
    with tempfile.TemporaryDirectory(prefix="madina-bench-") as name:
        port = free_port()
        command = [sys.executable, "-m", "bench.mqtt_sink", str(port)]
        with program("sink", command, Path(name), port=port, talks=True) as sink:
            yield sink

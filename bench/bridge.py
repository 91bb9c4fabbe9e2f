"""What a message costs that comes from a broker: our bridge against aiomqtt, both behind Mosquitto.

The bridge acknowledges what the log has, and an ingest process verifies the log afterwards; aiomqtt
acknowledges what it has read, and only counts it, which asks less of it.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.generator import all_acknowledged, connected_load
from bench.pairs import Sample, measure_pairs
from bench.processes import bridge, log_server, mosquitto, program, until
from bench.progress import say
from bench.result import BenchFailed, BenchResult, Goal
from bench.rig import CATCH_UP_S, MICROS, running_ingest, verify_applied, wait_until_applied
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from bench.processes import Program

__all__ = ["measure", "run_aiomqtt", "run_bridge"]

SECONDS = 5.0
MOST_US = 6.0


def measure(seconds: float | None) -> BenchResult:
    """Measure in pairs: 200 connections x 20 in flight, QoS 1."""
    plan = LoadPlan(port=0, seconds=seconds or SECONDS)
    say("the bridge and aiomqtt, behind Mosquitto")
    paired = measure_pairs(lambda: run_bridge(plan), lambda: run_aiomqtt(plan))
    cost = paired.cost()
    return BenchResult(
        bench="bridge",
        unit="us CPU a message through Mosquitto, QoS 1, bridge only",
        value=cost,
        baseline=paired.baseline(),
        ratio=paired.ratio(),
        samples=paired.samples,
        goals=[Goal("bridge", cost, f"<= {MOST_US:g} us", not paired.noisy and cost <= MOST_US)],
        extra={
            "by_process": {name: paired.median_of(name) for name in ("bridge", "log", "broker")},
            "messages_per_s": paired.median_of("per_s"),
            "messages_per_s_aiomqtt": paired.median_of("per_s", paired.theirs),
            "control": paired.control,
            "noisy": paired.noisy,
        },
    )


def run_bridge(plan: LoadPlan) -> Sample:
    """Send a load to Mosquitto, wait until it is applied, and verify it.

    Raises:
        BenchFailed: If anything was lost, doubled or changed.
    """
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        broker = block.enter_context(mosquitto(folder))
        log = block.enter_context(log_server(folder))
        url = f"mqtt://127.0.0.1:{broker.port}?topic=madina/v1/%23"
        door = block.enter_context(bridge(folder, log, url))
        programs = {"bridge": door, "log": log, "broker": broker}
        with running_ingest(folder, log, plan) as ingest:
            plan = msgspec.structs.replace(plan, port=broker.port)
            with connected_load(plan) as load:
                before = {name: each.cpu_s() for name, each in programs.items()}
                began_s = time.monotonic()
                report = all_acknowledged(load.send())
                wait_until_applied(ingest, report.sent, ingest, *programs.values())
                seconds = time.monotonic() - began_s
                used = _used(programs, before, report.sent)
            verify_applied(ingest, report)
    return Sample("bridge", used["bridge"], report.sent, used | {"per_s": report.sent / seconds})


def run_aiomqtt(plan: LoadPlan) -> Sample:
    """Send a load to Mosquitto and wait until aiomqtt has read all of it."""
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        broker = block.enter_context(mosquitto(folder))
        command = [sys.executable, "-m", "bench.aiomqtt_reader", "--port", str(broker.port)]
        reader = block.enter_context(
            program("aiomqtt", command, folder, says_ready=True, talks=True)
        )
        programs = {"reader": reader, "broker": broker}
        plan = msgspec.structs.replace(plan, port=broker.port)
        with connected_load(plan) as load:
            before = {name: each.cpu_s() for name, each in programs.items()}
            began_s = time.monotonic()
            report = all_acknowledged(load.send())
            until(
                lambda: int(reader.ask("count")) >= report.sent,
                f"{report.sent} messages at aiomqtt",
                *programs.values(),
                patience_s=CATCH_UP_S,
            )
            seconds = time.monotonic() - began_s
            used = _used(programs, before, report.sent)
        if int(reader.ask("count")) != report.sent:
            raise BenchFailed("aiomqtt has read another number of messages than were sent")
    return Sample("aiomqtt", used["reader"], report.sent, used | {"per_s": report.sent / seconds})


def _used(programs: dict[str, Program], before: dict[str, float], sent: int) -> dict[str, float]:
    """Return microseconds a message by program."""
    return {name: (each.cpu_s() - before[name]) * MICROS / sent for name, each in programs.items()}

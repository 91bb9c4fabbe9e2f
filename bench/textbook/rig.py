"""One verified run of a stack behind Mosquitto: broker, consumer, sink, each its own process."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from bench.digest import Digest, check, expected_digest
from bench.generator import all_acknowledged, connected_load
from bench.influxd import count_of_rows, digest_of_rows, running_influxd
from bench.pairs import Sample
from bench.processes import Program, free_port, mosquitto, program, until
from bench.result import BenchFailed
from bench.textbook.line_sink import SinkFacts

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.plan import LoadPlan
    from loadtest.report import LoadReport

__all__ = ["Stack", "run_stack", "run_stack_into_influx", "running_sink"]

MICROS = 1e6
CATCH_UP_S = 300.0
Stack = Literal["textbook", "tuned"]


def run_stack(stack: Stack, plan: LoadPlan) -> Sample:
    """Send a load through Mosquitto and a consumer, and verify what its sink got.

    CPU counts from before the first message until the last row is in the sink.

    Raises:
        BenchFailed: If anything was lost, doubled or changed.
    """
    with _running(stack) as (broker, consumer, sink):
        plan = msgspec.structs.replace(plan, port=broker.port)
        with connected_load(plan) as load:
            before = (consumer.cpu_s(), broker.cpu_s())
            began_s = time.monotonic()
            report = all_acknowledged(load.send())
            rows = report.sent * plan.observations
            until(
                lambda: _facts(sink).rows >= rows,
                f"{rows} rows in the sink",
                broker,
                consumer,
                sink,
                patience_s=CATCH_UP_S,
            )
            seconds = time.monotonic() - began_s
            after = (consumer.cpu_s(), broker.cpu_s())
        if _facts(sink).unread:
            raise BenchFailed(f"{_facts(sink).unread} lines of {stack} are none of ours")
        check(expected_digest(report), _digest(sink), f"sink of {stack}")
    used = {"consumer": after[0] - before[0], "broker": after[1] - before[1]}
    return _sample(stack, report, used, seconds)


def run_stack_into_influx(stack: Stack, plan: LoadPlan) -> Sample:
    """Send a load through Mosquitto and a consumer into an InfluxDB 1.x, and verify every row.

    Raises:
        BenchFailed: If anything was lost, doubled or changed.
    """
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        broker = block.enter_context(mosquitto(folder))
        server, address = block.enter_context(running_influxd(folder))
        command = [sys.executable, "-m", f"bench.textbook.{stack}"]
        command += ["--broker-port", str(broker.port), "--influx-port", str(server.port)]
        consumer = block.enter_context(program(stack, command, folder, says_ready=True))
        programs = {"consumer": consumer, "broker": broker, "influxd": server}
        plan = msgspec.structs.replace(plan, port=broker.port)
        with connected_load(plan) as load:
            before = {name: each.cpu_s() for name, each in programs.items()}
            began_s = time.monotonic()
            report = all_acknowledged(load.send())
            until(
                lambda: count_of_rows(address) >= report.sent * plan.observations,
                f"{report.sent * plan.observations} rows in the database",
                *programs.values(),
                patience_s=CATCH_UP_S,
            )
            seconds = time.monotonic() - began_s
            used = {name: each.cpu_s() - before[name] for name, each in programs.items()}
        check(expected_digest(report), digest_of_rows(address, plan.provider), stack)
    return _sample(stack, report, used, seconds)


def _sample(stack: Stack, report: LoadReport, used_s: dict[str, float], seconds: float) -> Sample:
    parts = {name: used * MICROS / report.sent for name, used in used_s.items()}
    parts["all_in"] = parts["consumer"] + parts["broker"]
    parts |= {"generator": report.cpu_us, "per_s": report.sent / seconds}
    return Sample(stack, parts["consumer"], report.sent, parts)


@contextlib.contextmanager
def running_sink(folder: Path) -> Generator[Program]:
    """Run the sink."""
    port = free_port()
    command = [sys.executable, "-m", "bench.textbook.line_sink", "--port", str(port)]
    with program("sink", command, folder, port=port, says_ready=True) as running:
        yield running


@contextlib.contextmanager
def _running(stack: Stack) -> Generator[tuple[Program, Program, Program]]:
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        broker = block.enter_context(mosquitto(folder))
        sink = block.enter_context(running_sink(folder))
        command = [sys.executable, "-m", f"bench.textbook.{stack}"]
        command += ["--broker-port", str(broker.port)]
        if stack == "textbook":
            command += ["--url", f"http://127.0.0.1:{sink.port}"]
        else:
            command += ["--sink-port", str(sink.port)]
        consumer = block.enter_context(program(stack, command, folder, says_ready=True))
        yield broker, consumer, sink


def _facts(sink: Program) -> SinkFacts:
    return msgspec.json.decode(_get(sink, "facts"), type=SinkFacts)


def _digest(sink: Program) -> Digest:
    return msgspec.json.decode(_get(sink, "digest"), type=Digest)


def _get(sink: Program, what: str) -> bytes:
    url = f"http://127.0.0.1:{sink.port}/{what}"
    with urllib.request.urlopen(url, timeout=CATCH_UP_S) as answer:
        read: bytes = answer.read()
        return read

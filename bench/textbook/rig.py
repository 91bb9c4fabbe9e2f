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
from bench.pairs import Sample
from bench.processes import Program, free_port, mosquitto, program, until
from bench.result import BenchFailed
from bench.textbook.line_sink import SinkFacts

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.plan import LoadPlan

__all__ = ["Stack", "run_stack", "running_sink"]

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
    own, brokers = (
        (late - early) * MICROS / report.sent for late, early in zip(after, before, strict=True)
    )
    parts = {
        "consumer": own,
        "broker": brokers,
        "all_in": own + brokers,
        "generator": report.cpu_us,
        "per_s": report.sent / seconds,
    }
    return Sample(stack, own, report.sent, parts)


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

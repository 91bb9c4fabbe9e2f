"""Runs of an endpoint and its log alone: ours, and nats-server's own MQTT listener.

A message of ours is verified by an ingest process that reads the log once the CPU was taken; one of
theirs by the count of a stream that takes everything published, which asks less of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from nats.aio.client import Client

from bench.generator import all_acknowledged, connected_load
from bench.pairs import Sample
from bench.processes import LogServer, Program, gateway, log_server, until
from bench.result import BenchFailed
from bench.rig import CATCH_UP_S, MICROS, running_ingest, verify_applied

if TYPE_CHECKING:
    from collections.abc import Generator

    from loadtest.plan import LoadPlan
    from loadtest.report import LoadReport

__all__ = ["Idle", "idle_nats", "idle_ours", "record_cost", "run_nats", "run_ours"]

STREAM = "BENCH"
# Memory and housekeeping settle before an idle endpoint is looked at.
SETTLE_S = 1.0
KEEP_ALIVE_S = 60
RECORD = b"x" * 140
RECORDS_AT_ONCE = 2_000


class Idle(msgspec.Struct, frozen=True):
    """Connections that only stay.

    Attributes:
        bytes_a_connection: By how much the endpoint grew, a connection.
        cpu: Share of one core by program while idle.
    """

    connections: int
    bytes_a_connection: float
    cpu: dict[str, float] = {}


def run_ours(plan: LoadPlan) -> Sample:
    """Send a load to a gateway, take its CPU and the log's, then verify what is on the log."""
    with _ours() as (folder, log, gate):
        report, used, seconds = _send(plan, gate.port, {"gateway": gate, "log": log})
        with running_ingest(folder, log, plan) as ingest:
            verify_applied(ingest, report)
    return _sample("ours", report, used, seconds)


def run_nats(plan: LoadPlan) -> Sample:
    """Send a load to nats-server's MQTT, which stores every message in JetStream."""
    with _nats() as log:
        report, used, seconds = _send(plan, log.mqtt_port, {"nats-server": log})
        until(
            lambda: asyncio.run(_stored(log.url)) >= report.sent,
            f"{report.sent} messages in nats-server's stream",
            log,
            patience_s=CATCH_UP_S,
        )
    return _sample("nats-server", report, used, seconds)


def idle_ours(plan: LoadPlan, seconds: float) -> Idle:
    """Connect to a gateway beside a running ingest, and look at all of them for a while."""
    with _ours() as (folder, log, gate), running_ingest(folder, log, plan) as ingest:
        return _idle(plan, gate.port, {"gateway": gate, "log": log, "ingest": ingest}, seconds)


def idle_nats(plan: LoadPlan) -> Idle:
    """Connect to nats-server's MQTT."""
    with _nats() as log:
        return _idle(plan, log.mqtt_port, {"nats-server": log}, 0.0)


def record_cost(messages: int) -> float:
    """Return the log's CPU for one record a message, microseconds: what frames save."""
    with _nats() as log:
        before_s = log.cpu_s()
        asyncio.run(_publish(log.url, messages))
        used_s = log.cpu_s() - before_s
        if asyncio.run(_stored(log.url)) != messages:
            raise BenchFailed(f"of {messages} records not all are stored")
    return used_s * MICROS / messages


@contextlib.contextmanager
def _ours() -> Generator[tuple[Path, LogServer, Program]]:
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        log = block.enter_context(log_server(folder))
        yield folder, log, block.enter_context(gateway(folder, log))


@contextlib.contextmanager
def _nats() -> Generator[LogServer]:
    with contextlib.ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="madina-bench-")))
        log = block.enter_context(log_server(folder, mqtt=True))
        asyncio.run(_make_stream(log.url))
        yield log


def _send(
    plan: LoadPlan, port: int, programs: dict[str, Program]
) -> tuple[LoadReport, dict[str, float], float]:
    with connected_load(msgspec.structs.replace(plan, port=port)) as load:
        before = {name: each.cpu_s() for name, each in programs.items()}
        began_s = time.monotonic()
        report = all_acknowledged(load.send())
        seconds = time.monotonic() - began_s
        used = {name: each.cpu_s() - before[name] for name, each in programs.items()}
    return report, used, seconds


def _sample(side: str, report: LoadReport, used: dict[str, float], seconds: float) -> Sample:
    parts = {name: each * MICROS / report.sent for name, each in used.items()}
    cost = sum(parts.values())
    parts |= {
        "generator": report.cpu_us,
        "per_s": report.sent / seconds,
        "puback_p99_ms": report.latency.p99_ms,
    }
    return Sample(side, cost, report.sent, parts)


def _idle(plan: LoadPlan, port: int, programs: dict[str, Program], seconds: float) -> Idle:
    plan = msgspec.structs.replace(
        plan, port=port, rate_per_s=0, seconds=0, keep_alive_s=KEEP_ALIVE_S
    )
    endpoint = next(iter(programs.values()))
    before_bytes = endpoint.rss_bytes()
    with connected_load(plan):
        time.sleep(SETTLE_S)
        grown = endpoint.rss_bytes() - before_bytes
        before = {name: each.cpu_s() for name, each in programs.items()}
        began_s = time.monotonic()
        time.sleep(seconds)
        passed_s = time.monotonic() - began_s
        used = {name: each.cpu_s() - before[name] for name, each in programs.items()}
    cpu = {name: each / passed_s for name, each in used.items()} if seconds else {}
    return Idle(plan.connections, grown / plan.connections, cpu)


async def _make_stream(url: str) -> None:
    client = Client()
    await client.connect(url)
    config = {"name": STREAM, "subjects": ["madina.v1.>"], "storage": "file", "max_msgs": -1}
    await client.request(f"$JS.API.STREAM.CREATE.{STREAM}", msgspec.json.encode(config), timeout=10)
    await client.close()


async def _stored(url: str) -> int:
    client = Client()
    await client.connect(url)
    jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
    messages = (await jetstream.stream_info(STREAM)).state.messages
    await client.close()
    return messages


async def _publish(url: str, messages: int) -> None:
    client = Client()
    await client.connect(url)
    for start in range(0, messages, RECORDS_AT_ONCE):
        some = range(start, min(start + RECORDS_AT_ONCE, messages))
        await asyncio.gather(
            *(client.request(f"madina.v1.load.{n % 200}", RECORD, timeout=60) for n in some)
        )
    await client.close()

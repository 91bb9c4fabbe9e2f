"""A store or a log that takes nothing more: devices wait, people are told why, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest
from nats.aio.client import Client

from bench.cpu import peak_rss_bytes, rss_bytes
from bench.generator import connected_load
from bench.mortal import MortalCity, Part, running_city
from bench.verdict import judge
from city.clock import MachineClock
from city.gateway_state import GATEWAY_STATES, GatewayState, LogState, decode_state
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future
    from pathlib import Path

    from loadtest.report import LoadReport

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

MIB = 1 << 20
# The smallest log there may be; it takes some 100,000 messages.
LOG_BYTES = 16 * MIB
# Held by the gateway until the log has it. A window of all connections together is larger.
UNACKED_BYTES = 4 * MIB
GROWTH_BYTES = 48 * MIB
RESERVE_BYTES = 64 * MIB
# Room for the registry, and not for the store.
STORE_FILE_BYTES = 2 * MIB
MESSAGES, CONNECTIONS, IN_FLIGHT = 180_000, 50, 2_000
# Slow enough for a disk to be full before it is over.
RATE_PER_S = 15_000.0
PATIENCE_S = 120.0


class Gateway(msgspec.Struct):
    waiting: bool
    unacked_bytes: int
    reason: str


class Log(msgspec.Struct):
    state: str


class Reason(msgspec.Struct):
    part: str
    words: str


class Status(msgspec.Struct):
    """The part of `/v1/status` that tells of waiting."""

    ready: bool
    reasons: list[Reason]
    gateways: list[Gateway]
    log: Log

    def says(self, part: str, words: str) -> bool:
        """Whether a reason names this part with these words."""
        return any(each.part == part and words in each.words for each in self.reasons)


def status(city: MortalCity) -> Status:
    answer = city.ask("/v1/status")
    empty = Status(ready=False, reasons=[], gateways=[], log=Log(""))
    return empty if answer is None else msgspec.json.decode(answer, type=Status)


def applied(city: MortalCity) -> int:
    balance = city.balance()
    return 0 if balance is None else balance.messages.accepted


@contextlib.contextmanager
def load(city: MortalCity, rate_per_s: float | None = None) -> Generator[Future[LoadReport]]:
    """Send beside the test, as fast as windows allow unless a rate is given."""
    plan = LoadPlan(
        port=city.mqtt_port,
        connections=CONNECTIONS,
        in_flight=IN_FLIGHT,
        messages=MESSAGES,
        # Messages of long ago would have ingest tell in the registry, whose file is full as well.
        first_ms=MachineClock().now_us() // 1_000 - 60_000,
        rate_per_s=rate_per_s,
        drain_s=PATIENCE_S,
    )
    with connected_load(plan) as connected, ThreadPoolExecutor(1) as beside:
        yield beside.submit(connected.send)


def flooding(city: MortalCity) -> LoadPlan:
    """Return as much as sockets take, sent without waiting for anything."""
    return LoadPlan(
        port=city.mqtt_port,
        connections=4,
        qos=0,
        seconds=1,
        drain_s=1,
        provider="flood",
        client_prefix="flood",
    )


def log_is_full(city: MortalCity) -> bool:
    """Ask the gateway itself, on the log's server: the page's process may stand still."""

    async def ask() -> GatewayState:
        client = Client()
        await client.connect(city.nats_url)
        try:
            states = await client.subscribe(GATEWAY_STATES)  # pyright: ignore[reportUnknownMemberType] - nats-py
            return decode_state((await states.next_msg(5)).data)
        finally:
            await client.close()

    state = asyncio.run(ask())
    return state.waiting and state.log is LogState.FULL


@contextlib.contextmanager
def stopped(part: Part) -> Generator[None]:
    os.kill(part.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(part.pid, signal.SIGCONT)


@contextlib.contextmanager
def no_larger_files(part: Part, size_bytes: int) -> Generator[None]:
    """Let a process that runs make no file larger: what a full disk is to it, for everybody."""
    soft, hard = resource.prlimit(part.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(part.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.prlimit(part.pid, resource.RLIMIT_FSIZE, (soft, hard))


def assert_nothing_lost(city: MortalCity, report: LoadReport) -> None:
    assert report.acked == MESSAGES, report.last_refusal
    # Waiting is nothing that a device has to notice.
    assert (report.lost_connections, report.resent) == (0, 0)
    city.until(city.is_drained, "everything to be applied", PATIENCE_S)
    city.until(lambda: status(city).ready, "everything to be well again", PATIENCE_S)
    balance = city.balance()
    assert balance is not None
    assert balance.difference.messages == balance.difference.observations == 0
    for part in reversed(city.all):
        part.stop()
    verdict = judge(city.database, [report])
    assert (verdict.lost, verdict.doubled, verdict.strange) == (0, 0, 0)
    assert verdict.stored == MESSAGES


def test_a_store_that_is_full_fills_the_log_and_then_devices_wait(tmp_path: Path) -> None:
    with running_city(
        tmp_path,
        MADINA_LOG_MAX_BYTES=str(LOG_BYTES),
        MADINA_UNACKED_BYTES=str(UNACKED_BYTES),
    ) as city:
        gateway = city.parts["gateway-0"]
        before = rss_bytes(gateway.pid)
        with connected_load(flooding(city)) as flood, load(city) as sending:
            with no_larger_files(city.parts["node"], STORE_FILE_BYTES):
                city.until(
                    lambda: status(city).says("store", "file size limit reached"),
                    "the store to say why it waits",
                    PATIENCE_S,
                )
                city.until(
                    lambda: (
                        (now := status(city)).says("log", "the log is full")
                        and all(each.waiting for each in now.gateways)
                    ),
                    "the log to be full and devices to wait",
                    PATIENCE_S,
                )
                # The page and the probe answer, and say why.
                assert city.ask("/readyz") is None
                now = status(city)
                assert not now.ready
                assert now.gateways[0].reason
                assert now.gateways[0].unacked_bytes < 2 * UNACKED_BYTES
                assert not sending.done()
                # QoS 0 knows no acknowledgement: only not reading keeps it out of memory.
                flood.send()
                assert peak_rss_bytes(gateway.pid) - before < GROWTH_BYTES
            report = sending.result(PATIENCE_S)
        assert peak_rss_bytes(gateway.pid) - before < GROWTH_BYTES
        assert_nothing_lost(city, report)


def test_a_node_that_stands_still_is_caught_up_with(tmp_path: Path) -> None:
    with running_city(
        tmp_path,
        MADINA_LOG_MAX_BYTES=str(LOG_BYTES),
        MADINA_UNACKED_BYTES=str(UNACKED_BYTES),
    ) as city:
        gateway = city.parts["gateway-0"]
        before = rss_bytes(gateway.pid)
        with load(city) as sending:
            with stopped(city.parts["node"]):
                city.until(lambda: log_is_full(city), "the log to be full", PATIENCE_S)
                assert not sending.done()
                assert peak_rss_bytes(gateway.pid) - before < GROWTH_BYTES
            report = sending.result(PATIENCE_S)
        assert_nothing_lost(city, report)


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """Return a file system of 256 MiB, in memory; who may install packages may mount it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=256m,uid={os.geteuid()}"
    mount = [*as_root, "mount", "-t", "tmpfs", "-o", options, "none", folder]
    done = subprocess.run(mount, capture_output=True, check=False)
    assert done.returncode == 0, f"run as root, or with sudo: {done.stderr.decode().strip()}"
    yield folder
    subprocess.run([*as_root, "umount", "--lazy", folder], check=True)


def test_a_disk_that_is_nearly_full_makes_devices_wait(small_disk: Path) -> None:
    with running_city(
        small_disk,
        MADINA_LOG_MAX_BYTES=str(64 * MIB),
        MADINA_DISK_RESERVE=str(RESERVE_BYTES),
    ) as city:
        with load(city, RATE_PER_S) as sending:
            city.until(lambda: applied(city) > 0, "the first messages", PATIENCE_S)
            ballast = small_disk / "ballast"
            with ballast.open("wb") as file:
                free = shutil.disk_usage(small_disk).free
                os.posix_fallocate(file.fileno(), 0, free - RESERVE_BYTES // 2)
            city.until(
                lambda: (
                    (now := status(city)).says("gateway", "MiB of disk are free")
                    and now.says("store", "disk full")
                ),
                "gateway and store to say why they wait",
                PATIENCE_S,
            )
            assert city.ask("/readyz") is None
            assert not sending.done()
            ballast.unlink()
            report = sending.result(PATIENCE_S)
        assert_nothing_lost(city, report)

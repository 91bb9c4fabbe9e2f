"""The generator against a real Mosquitto: everything arrives, outages are survived and told."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from loadtest.generator import LoadError, generate, run
from loadtest.packets import DISCONNECT, PINGREQ
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from conftest import Mosquitto, Subscriber

    from loadtest.packets import Version
    from loadtest.report import LoadProgress, LoadReport

pytestmark = pytest.mark.live


def expected(report: LoadReport) -> Counter[tuple[str, str]]:
    """Return topic and message id of everything that was acknowledged."""
    fleet = Fleet(report.plan)
    found: Counter[tuple[str, str]] = Counter()
    for connection, sent in enumerate(report.sent_by_connection):
        for number in set(range(sent)) - set(report.unacked.get(connection, [])):
            device, sequence = fleet.message_of(connection, number)
            topic = f"madina/v1/{report.plan.provider}/{fleet.device_name(device)}/up"
            found[topic, str(report.plan.first_ms + sequence)] += 1
    return found


def arrived(messages: list[tuple[str, bytes]]) -> Counter[tuple[str, str]]:
    ids = ((topic, payload.split(b'"id":"')[1][:13].decode()) for topic, payload in messages)
    return Counter(ids)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_subscriber_gets_everything_that_was_reported(
    mosquitto: Mosquitto, subscriber: Subscriber, qos: int, version: Version
) -> None:
    plan = LoadPlan(
        port=mosquitto.port,
        connections=20,
        in_flight=5,
        messages=3_001,
        devices_per_connection=3,
        qos=1 if qos else 0,
        version=version,
    )
    report = run(plan)
    assert report.sent == 3_001
    assert (report.acked, report.unacked) == (3_001 if qos else 0, {})
    assert report.latency.count == report.acked
    assert arrived(subscriber.wait_for(3_001)) == expected(report)


def test_a_rate_is_kept_and_a_time_is_enough(mosquitto: Mosquitto) -> None:
    plan = LoadPlan(port=mosquitto.port, connections=7, rate_per_s=500.0, seconds=1.0)
    report = run(plan)
    assert report.scheduled == report.sent == report.acked == 501
    assert 1.0 <= report.seconds < 2.0


async def test_messages_without_acknowledgement_are_sent_again_after_a_kill(
    mosquitto: Mosquitto,
) -> None:
    plan = LoadPlan(port=mosquitto.port, connections=10, in_flight=50, seconds=3.0)
    seen: list[LoadProgress] = []
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(generate(plan, progress=seen.append, stop=stop))
        while not seen:
            await asyncio.sleep(0.01)
        # A stopped broker has taken bytes that it never acknowledged: those are sent again.
        mosquitto.signal(signal.SIGSTOP)
        await asyncio.sleep(0.2)
        mosquitto.kill()
        mosquitto.start()
        report = await running
    assert report.lost_connections == 10
    assert report.resent > 0
    assert report.acked == report.sent
    assert report.unacked == {}
    assert report.sent > seen[0].sent


async def test_what_has_no_acknowledgement_at_the_end_is_named(mosquitto: Mosquitto) -> None:
    plan = LoadPlan(
        port=mosquitto.port, connections=2, in_flight=3, rate_per_s=100.0, seconds=0.5, drain_s=0.3
    )
    loop = asyncio.get_running_loop()
    loop.call_later(0.3, mosquitto.signal, signal.SIGSTOP)
    report = await generate(plan)
    mosquitto.signal(signal.SIGCONT)
    assert report.sent < (report.scheduled or 0)
    assert {number: len(left) for number, left in report.unacked.items()} == {0: 3, 1: 3}
    assert sum(report.sent_by_connection) == report.sent == report.acked + 6


async def test_a_stalled_server_is_seen_by_every_message_that_was_due(
    mosquitto: Mosquitto,
) -> None:
    seconds, signalled_s = 5.0, list[float]()
    plan = LoadPlan(
        port=mosquitto.port, connections=10, in_flight=1, rate_per_s=1_000.0, seconds=seconds
    )

    def send(number: signal.Signals) -> None:
        mosquitto.signal(number)
        signalled_s.append(perf_counter())

    loop = asyncio.get_running_loop()
    loop.call_later(1.0, send, signal.SIGSTOP)
    loop.call_later(2.0, send, signal.SIGCONT)
    report = await generate(plan)
    stall_s = signalled_s[1] - signalled_s[0]
    assert report.latency.count == report.scheduled
    # A share of stall / seconds waited, evenly spread from 0 to the whole stall.
    assert report.latency.p99_ms == pytest.approx(1_000 * (stall_s - 0.01 * seconds), rel=0.1)
    assert report.latency.max_ms >= 970 * stall_s
    # The control: counted from when each was really sent, hardly anybody waited.
    assert report.service.p99_ms < 100


async def test_a_server_that_is_not_there_is_named_with_its_port(mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    plan = LoadPlan(port=mosquitto.port, connections=2, messages=1, connect_s=0.5)
    with pytest.raises(LoadError, match=rf"0 of 2 connections to 127.0.0.1:{mosquitto.port}"):
        await generate(plan)


async def test_idle_connections_are_kept_alive() -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"\x20\x02\x00\x00")
        while read := await reader.read(1_000):
            heard.append(read)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        plan = LoadPlan(port=port, connections=3, rate_per_s=0.0, seconds=1.8, keep_alive_s=1)
        report = await generate(plan)
    assert (report.sent, report.lost_connections) == (0, 0)
    # Looked at every half second; the first look only finds out that it is idle.
    assert heard.count(PINGREQ) == 3 * 2
    assert heard.count(DISCONNECT) == 3

"""Processes that carry out one scenario together, against a real Mosquitto."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from loadtest.outcome.run import fleet_outcomes
from loadtest.rig.crew import CrewError, crew_of
from loadtest.rig.fleet_load import fleet_format
from loadtest.rig.order import Order
from loadtest.rig.tls import client_tls
from loadtest.scenario.file import read_scenario
from loadtest.stream.content import FleetContent
from loadtest.stream.packets import messages
from loadtest.timing import merged

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Mosquitto, Subscriber

    from loadtest.outcome.run import FleetOutcome
    from loadtest.rig.order import WorkerResult
    from loadtest.scenario.model import Scenario

pytestmark = [pytest.mark.live, pytest.mark.timeout(90)]

NOW_MS = 1_772_600_000_000
MIXED = """
name: mixed
server: {sources: 2}
fleets:
 - name: own
   devices: 60
   every: 500ms
   mqtt: "5.0"
   habits: {missing: 0.1, duplicates: 0.2, malformed: 0.05}
   outages: [{at: 700ms, lasts: 600ms, share: 0.4}, {at: 2s}]
 - {name: carried, devices: 300, every: 3s, mode: multiplexed, connections: 3, qos: 2}
 - {name: many, devices: 1000000, every: 10000s, mode: virtual, qos: 0, format: influx}
phases:
 - {kind: ramp, seconds: 1s, to: 1}
 - {kind: hold, seconds: 2s}
"""


def orders(scenario: Scenario, port: int, workers: int) -> list[Order]:
    return [
        Order(
            scenario=scenario,
            host="127.0.0.1",
            port=port,
            worker=worker,
            workers=workers,
            now_ms=NOW_MS,
            stems={rule.name: rule.name for rule in scenario.fleets},
        )
        for worker in range(workers)
    ]


async def carried_out(
    scenario: Scenario, port: int, workers: int = 1, began: Callable[[float], None] | None = None
) -> list[WorkerResult]:
    async with crew_of(orders(scenario, port, workers)) as crew:
        assert await crew.connect() > 0
        crew.begin()
        if began is not None:
            began(crew.started_s - perf_counter())
        return await crew.send(lambda _: None)


def expected(scenario: Scenario, port: int) -> Counter[tuple[str, bytes]]:
    """Return every message of a scenario."""
    found: Counter[tuple[str, bytes]] = Counter()
    (order,) = orders(scenario, port, 1)
    for rule in scenario.fleets:
        content = FleetContent(rule, scenario, NOW_MS)
        numbers = np.arange(content.curve.total, dtype=np.int64)
        made = messages(content, fleet_format(rule, content, order.stems[rule.name]), numbers)
        found.update((topic.decode(), payload) for topic, payload in filter(None, made))
    return found


async def test_processes_together_send_every_message_of_a_scenario(
    mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    scenario = read_scenario(MIXED, "mixed.yaml")
    wanted = expected(scenario, mosquitto.port)
    results = await carried_out(scenario, mosquitto.port, workers=2)
    heard = Counter(subscriber.wait_for(wanted.total()))
    # An outage may have cut a PUBACK off, so its message came twice.
    assert heard.keys() == wanted.keys()
    fleets = {each.fleet: each for each in outcomes(scenario, results)}
    assert sum(each.scheduled for each in fleets.values()) == wanted.total()
    own, carried, many = fleets["own"], fleets["carried"], fleets["many"]
    assert (own.acked, carried.acked) == (own.sent, carried.sent) == (own.scheduled, 250)
    assert heard.total() - wanted.total() <= own.resent
    assert carried.latency.summary().count == 250
    assert (many.sent, many.acked, many.latency.summary().count) == (250, 0, 250)
    # Two outages: some 24 connections, then all 60.
    assert own.lost_connections > 70
    assert own.late > 20
    assert own.unexpected_acks == carried.unexpected_acks == 0


STEADY = """
name: steady
fleets:
 - {name: own, devices: 20, every: 10ms, in_flight: 5}
phases:
 - {kind: hold, seconds: 8s}
"""


async def test_a_stalled_server_is_seen_as_the_schedule_says_and_a_closed_loop_would_lie(
    mosquitto: Mosquitto,
) -> None:
    scenario = read_scenario(STEADY, "steady.yaml")
    signalled_s: list[float] = []

    def send(number: signal.Signals) -> None:
        mosquitto.signal(number)
        signalled_s.append(perf_counter())

    def began(in_s: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(in_s + 2.0, send, signal.SIGSTOP)
        loop.call_later(in_s + 3.0, send, signal.SIGCONT)

    results = await carried_out(scenario, mosquitto.port, began=began)
    stall_s = signalled_s[1] - signalled_s[0]
    (fleet,) = outcomes(scenario, results)
    told = fleet.latency.summary()
    assert told.count == fleet.scheduled == 16_000
    # A share of stall / 8 s waited, evenly spread from 0 to the whole stall (goal G8).
    assert told.p99_ms == pytest.approx(1_000 * (stall_s - 0.01 * 8), rel=0.1)
    assert told.p99_9_ms == pytest.approx(1_000 * (stall_s - 0.001 * 8), rel=0.1)
    assert told.max_ms == pytest.approx(1_000 * stall_s, rel=0.1)
    # The control: counted from when each was really sent, hardly anybody waited.
    assert fleet.service.summary().p99_ms < told.p99_ms / 4


async def test_an_order_that_cannot_be_carried_out_says_why(mosquitto: Mosquitto) -> None:
    scenario = read_scenario(STEADY + "server: {tls: true, ca: /no/such.pem}\n", "steady.yaml")
    with pytest.raises(CrewError, match=r"generator 0 ended with 1: .*No such file"):
        await carried_out(scenario, mosquitto.port)


async def test_a_crew_that_is_told_to_stop_reports_what_it_did(mosquitto: Mosquitto) -> None:
    scenario = read_scenario(STEADY, "steady.yaml")
    async with crew_of(orders(scenario, mosquitto.port, 1)) as crew:
        await crew.connect()
        crew.begin()
        asyncio.get_running_loop().call_later(1.0, crew.stop)
        results = await crew.send(lambda _: None)
    (fleet,) = outcomes(scenario, results)
    assert results[0].stopped_at_s is not None
    assert 0 < fleet.acked == fleet.sent == fleet.scheduled < 8_000


def outcomes(scenario: Scenario, results: list[WorkerResult]) -> list[FleetOutcome]:
    assert merged(each.lag for each in results).summary().count > 0
    return fleet_outcomes(scenario, [fleet for each in results for fleet in each.fleets])


TLS = """
name: secret
server: {{tls: true, ca: {ca}}}
fleets:
 - {{name: own, devices: 20, every: 100ms}}
phases:
 - {{kind: hold, seconds: 1s}}
"""


def certified(folder: Path, port: int) -> Path:
    """Have a certificate made and Mosquitto told of it; return who signed it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    user = "user root\n" if os.geteuid() == 0 else ""
    (folder / "mosquitto.conf").write_text(
        f"{user}listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        f"certfile {certificate}\nkeyfile {key}\n"
    )
    return certificate


async def test_devices_speak_tls_and_know_whom_they_speak_to(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    mosquitto.kill()
    ca = certified(tmp_path, mosquitto.port)
    mosquitto.start()
    scenario = read_scenario(TLS.format(ca=ca), "secret.yaml")
    (fleet,) = outcomes(scenario, await carried_out(scenario, mosquitto.port))
    assert fleet.scheduled == fleet.acked == 200
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    other = client_tls(str(certified(stranger, mosquitto.port)))
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", mosquitto.port, ssl=other)


async def test_a_certificate_that_is_not_there_is_named(mosquitto: Mosquitto) -> None:
    scenario = read_scenario(TLS.format(ca="/nowhere/ca.pem"), "secret.yaml")
    with pytest.raises(CrewError, match="No such file"):
        await carried_out(scenario, mosquitto.port)

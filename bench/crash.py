"""Kills at random moments of everything we run, under load: nothing acknowledged is lost or double.

Then G13: ingest is killed while messages pile up, and has to work off the pile at least as fast as
it keeps up with devices.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.cpu import cpu_s
from bench.generator import connected_load
from bench.mortal import MortalCity, running_city
from bench.progress import say
from bench.result import BenchFailed, BenchResult, Goal
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from bench.verdict import Verdict
    from loadtest.report import LoadReport

__all__ = [
    "GATEWAYS",
    "MESSAGES",
    "RATE_PER_S",
    "SEED",
    "Killed",
    "kill_under_load",
    "measure",
    "promises",
]

MESSAGES, RATE_PER_S = 1_000_000, 20_000.0
CONNECTIONS, IN_FLIGHT = 200, 20
# Devices of a killed one are at once at the other one, and send again what it may have taken.
GATEWAYS = 2
SETTLE_S = 300.0
# A part is back after this, and is killed again some time later, perhaps before it serves.
BACK_S = (0.0, 0.5)
BETWEEN_S = (0.3, 3.0)
# Stopped parts wake up again; long enough for the log to give its shards and timers up.
STOPPED_S = (0.5, 4.0)
STOPPED_SHARE = 0.2
# All of them at once, as when the machine's memory is gone.
ALL_SHARE = 0.1
BACKLOGS = (10_000, 100_000, 1_000_000)
SEED = 20261124


class Killed(msgspec.Struct, frozen=True):
    """One run under kills.

    Attributes:
        kills: By part, or `all` at once; `stopped:` parts were stopped for some seconds instead.
    """

    verdict: Verdict
    kills: dict[str, int]
    sent: int
    resent: int
    seconds: float
    difference: int


class _Applied(msgspec.Struct, frozen=True):
    """How many messages were applied, in which time, with which CPU of the node."""

    messages: int
    seconds: float
    node_cpu_s: float

    @property
    def rate_per_s(self) -> float:
        return self.messages / self.seconds

    @property
    def rate_per_cpu_s(self) -> float:
        return self.messages / self.node_cpu_s


def measure(seconds: float | None) -> BenchResult:
    """Kill, judge, and time how backlogs are worked off.

    Raises:
        BenchFailed: The platform did not come back, or the load could not be sent.
    """
    messages = MESSAGES if seconds is None else int(RATE_PER_S * seconds)
    with tempfile.TemporaryDirectory() as folder, running_city(Path(folder), GATEWAYS) as city:
        killed = kill_under_load(city, messages, RATE_PER_S, SEED)
    steady, backlogs = _work_off([each for each in BACKLOGS if each <= messages])
    verdict = killed.verdict
    wrong = verdict.lost + verdict.doubled
    # Taking the shards takes a third of a second, whatever the pile: the largest one tells.
    drain = backlogs[-1].rate_per_s / steady.rate_per_s
    return BenchResult(
        bench="crash",
        unit="messages lost plus doubled",
        value=wrong,
        samples=[msgspec.to_builtins(killed)],
        goals=[
            *promises(killed),
            Goal("G13", drain, ">= 1.0 x the steady rate", drain >= 1.0),
        ],
        extra={
            "kills": killed.kills,
            "acked": verdict.acked,
            "stored": verdict.stored,
            "steady": _told(steady),
            "backlogs": [_told(each) for each in backlogs],
        },
    )


def promises(killed: Killed) -> list[Goal]:
    """Hold a run under kills to what is promised."""
    verdict = killed.verdict
    wrong = verdict.lost + verdict.doubled
    return [
        Goal("promise 1", wrong, "0 lost, 0 double", wrong == 0 and not verdict.strange),
        Goal("promise 2", killed.difference, "ledger difference 0", killed.difference == 0),
    ]


def _told(applied: _Applied) -> dict[str, object]:
    rates = {"rate_per_s": applied.rate_per_s, "rate_per_cpu_s": applied.rate_per_cpu_s}
    return {**msgspec.structs.asdict(applied), **rates}


def kill_under_load(city: MortalCity, messages: int, rate_per_s: float, seed: int) -> Killed:
    """Send, kill and stop parts at random moments until all is acknowledged, and judge.

    The city's node has ended afterwards: its store was read.
    """
    rng = random.Random(seed)
    kills: dict[str, int] = {}
    plan = _plan(city, messages, rate_per_s=rate_per_s, drain_s=120.0)
    with connected_load(plan) as load, ThreadPoolExecutor(1) as beside:
        sending = beside.submit(load.send)
        while not sending.done():
            _wait(sending, rng.uniform(*BETWEEN_S))
            if not sending.done():
                name = _hurt(city, rng)
                kills[name] = kills.get(name, 0) + 1
                city.start_ended()
        report = sending.result()
    say(f"sent {report.sent:,} ({report.resent:,} again), acknowledged {report.acked:,}; {kills}")
    return _settled(city, report, kills)


def _settled(city: MortalCity, report: LoadReport, kills: dict[str, int]) -> Killed:
    """Wait until nothing is pending, end everything and compare."""
    city.start_ended()
    city.until_ready()
    city.until(city.is_drained, "everything to be applied", SETTLE_S)
    balance = city.balance()
    assert balance is not None, "it has just answered"
    city.end()
    verdict = city.judge([report])
    if balance.messages.accepted != verdict.stored:
        raise BenchFailed(f"the ledger says {balance.messages}, the store has {verdict}")
    return Killed(
        verdict=verdict,
        kills=kills,
        sent=report.sent,
        resent=report.resent,
        seconds=report.seconds,
        difference=abs(balance.difference.messages) + abs(balance.difference.observations),
    )


def _hurt(city: MortalCity, rng: random.Random) -> str:
    """Kill one part or all, or stop one for a while and let it go on; return what was done."""
    if rng.random() < ALL_SHARE:
        for each in city.all:
            each.kill()
        return "all"
    part = rng.choice(city.all)
    if not part.runs:
        return f"ended:{part.name}"
    if rng.random() < STOPPED_SHARE:
        os.kill(part.pid, signal.SIGSTOP)
        time.sleep(rng.uniform(*STOPPED_S))
        os.kill(part.pid, signal.SIGCONT)
        return f"stopped:{part.name}"
    part.kill()
    time.sleep(rng.uniform(*BACK_S))
    return part.name


def _wait(sending: Future[LoadReport], seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while not sending.done() and time.monotonic() < end_s:
        time.sleep(0.01)


def _work_off(sizes: list[int]) -> tuple[_Applied, list[_Applied]]:
    """Return how messages are applied while devices send, and how piles are worked off (G13)."""
    with tempfile.TemporaryDirectory() as folder, running_city(Path(folder)) as city:
        node = city.parts["node"]
        reports: list[LoadReport] = []
        began_s, cpu_before_s = time.monotonic(), cpu_s(node.pid)
        reports.append(_send(city, max(sizes), len(reports)))
        steady = _until_drained(city, max(sizes), began_s, cpu_before_s)
        backlogs: list[_Applied] = []
        for size in sizes:
            node.kill()
            reports.append(_send(city, size, len(reports)))
            city.start_ended("node")
            city.until(lambda: city.ask("/healthz") is not None, "the node to answer", SETTLE_S)
            # What it used to start is not of the backlog.
            backlogs.append(_until_drained(city, size, time.monotonic(), cpu_s(node.pid)))
        city.end()
        verdict = city.judge(reports)
        if verdict.lost or verdict.doubled or verdict.strange:
            raise BenchFailed(f"after backlogs: {verdict}")
    return steady, backlogs


def _until_drained(city: MortalCity, size: int, began_s: float, cpu_before_s: float) -> _Applied:
    """Wait until nothing is pending."""
    city.until(city.is_drained, f"{size:,} messages to be applied", SETTLE_S, look_s=0.05)
    seconds = max(time.monotonic() - began_s, 1e-3)
    used_s = max(cpu_s(city.parts["node"].pid) - cpu_before_s, 1e-2)
    applied = _Applied(size, seconds, used_s)
    say(f"{size:,}: {applied.rate_per_s:,.0f} a second, {applied.rate_per_cpu_s:,.0f} a CPU-second")
    return applied


def _send(city: MortalCity, messages: int, part: int) -> LoadReport:
    # Other devices in each part: their messages differ from all before.
    plan = _plan(city, messages, first_device=part * CONNECTIONS)
    with connected_load(plan) as load:
        report = load.send()
    if report.acked != messages:
        raise BenchFailed(f"{report.acked:,} of {messages:,} were acknowledged")
    return report


def _plan(
    city: MortalCity,
    messages: int,
    *,
    first_device: int = 0,
    rate_per_s: float | None = None,
    drain_s: float = 60.0,
) -> LoadPlan:
    return LoadPlan(
        port=city.mqtt_port,
        connections=CONNECTIONS,
        in_flight=IN_FLIGHT,
        messages=messages,
        first_device=first_device,
        rate_per_s=rate_per_s,
        drain_s=drain_s,
    )

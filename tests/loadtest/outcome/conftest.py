"""Runs that nobody had to carry out."""

from collections.abc import Callable

import numpy as np
import pytest

from loadtest.outcome.account import FleetRecord, fleet_records
from loadtest.outcome.run import FleetOutcome, LoadRun, Window
from loadtest.rig.crew import CrewProgress
from loadtest.rig.machine import PartTick, this_machine
from loadtest.rig.order import FleetResult, Order
from loadtest.scenario.curve import spans_of
from loadtest.scenario.file import read_scenario
from loadtest.scenario.model import Scenario
from loadtest.stream.numbering import sizes_of
from loadtest.timing import Timings

NOW_MS = 1_772_600_000_000
NOTHING = Timings(1.0).record()
Made = tuple[Scenario, list[Order], list[FleetRecord]]


@pytest.fixture
def ran() -> Callable[..., Made]:
    """Return a function that makes what is known of a run in which all but some was promised."""

    def make(text: str, opened: dict[int, list[int]] | None = None, workers: int = 2) -> Made:
        scenario = read_scenario(text, "x")
        (rule,) = scenario.fleets
        orders = [
            Order(
                scenario=scenario, host="", port=1, worker=at, workers=workers, now_ms=NOW_MS,
                stems={rule.name: rule.name},
            )
            for at in range(workers)
        ]  # fmt: skip
        results = [[result(order, opened or {})] for order in orders]
        return scenario, orders, fleet_records(scenario, orders, results)

    return make


def result(order: Order, opened: dict[int, list[int]]) -> FleetResult:
    (rule,) = order.scenario.fleets
    numbering = sizes_of(rule.devices, rule.mode, rule.connections)
    due = rule.devices * 30
    mine = range(order.worker, numbering.connections, order.workers)
    return FleetResult(
        fleet=rule.name, due=due, scheduled=0, sent=0, acked=0, refused=0, resent=0,
        lost_connections=0, unexpected_acks=0, late=0,
        next=[numbering.count(connection, due) for connection in mine],
        open={each: numbers for each, numbers in opened.items() if each in mine},
        refusals={}, latency=NOTHING, service=NOTHING,
    )  # fmt: skip


@pytest.fixture
def all_numbers() -> Callable[[FleetRecord], list[int]]:
    return lambda record: np.concatenate([*record.chunks()]).tolist()


SCENARIO = read_scenario(
    "name: x\ntitle: <b>Bold</b> & quick\nfleets:\n - {name: a, devices: 100, every: 1s}\n"
    "phases:\n - {kind: hold, seconds: 30s}\n",
    "x",
)


def made_run(latency_s: float, *, seed: int = 1, shard: str = "0/1", share: int = 1) -> LoadRun:
    chance = np.random.default_rng(seed)
    timings, count = Timings(1.0), 3_000 // share
    seconds = chance.lognormal(np.log(latency_s), 0.5, count)
    timings.add(np.linspace(0, 29.9, count), seconds)
    record = timings.record()
    ticks = [
        CrewProgress(
            elapsed_s=at, connected=100, due=100 * at, sent=100 * at, acked=100 * at, resent=0,
            waiting=0, lost_connections=0, cpu_s=0.1 * at, lag_s=0.001,
        )
        for at in range(1, 31)
    ]  # fmt: skip
    fleet = FleetOutcome(
        fleet="a", qos=1, scheduled=count, sent=count, acked=count, refused=0, resent=0,
        lost_connections=0, unexpected_acks=0, late=0, latency=record, service=record,
    )  # fmt: skip
    return LoadRun(
        scenario=SCENARIO, target="h:1", shard=shard, started_at="2026-03-04T05:06:07.000000Z",
        revision="abc", machine=this_machine(), spans=spans_of(SCENARIO.phases),
        windows=[Window("outage of a", 5, 10)], processes=1, connections=100 // share,
        connect_s=0.1, bytes_a_connection=1, dial_failures=0, seconds=30, cpu_s=3, interval_s=1,
        fleets=[fleet], lag=record, history=ticks,
        parts={"gateway-0": [PartTick(at, 0.01 * at, 2**26) for at in range(1, 31)]},
        disk_bytes={5: 2**20}, stolen=0.0, bottleneck=[], phases=[],
    )  # fmt: skip


@pytest.fixture
def new_run() -> Callable[..., LoadRun]:
    """Return what makes the record of a run that sent for 30 s."""
    return made_run

"""A run of two processes that nobody had to carry out."""

from collections.abc import Callable

import numpy as np
import pytest

from loadtest.outcome.account import FleetRecord, fleet_records
from loadtest.rig.order import FleetResult, Order
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

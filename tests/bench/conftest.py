"""What tests of the benches share: a load that was sent, and what a store must then hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadtest.latency import LatencySummary
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan
from loadtest.report import LoadReport

NO_LATENCY = LatencySummary(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
Row = tuple[str, str, int, float]


@pytest.fixture
def report() -> LoadReport:
    """Return what a generator says that sent 3, 2 and no messages on three connections."""
    return LoadReport(
        plan=LoadPlan(port=1, connections=3, messages=5, step_ms=10),
        seconds=1.0,
        cpu_s=0.1,
        connect_seconds=0.1,
        bytes_a_connection=1_000,
        scheduled=None,
        sent=5,
        acked=5,
        resent=0,
        refused=0,
        lost_connections=0,
        unexpected_acks=0,
        latency=NO_LATENCY,
        service=NO_LATENCY,
        sent_by_connection=[3, 2, 0],
        unacked={},
    )


@pytest.fixture
def rows_of() -> Callable[[LoadReport], list[Row]]:
    """Return what makes the rows of a report: device, quantity, time in microseconds, value."""

    def rows(report: LoadReport) -> list[Row]:
        fleet = Fleet(report.plan)
        return [
            (fleet.device_name(device), quantity, time_us, value)
            for connection, sent in enumerate(report.sent_by_connection)
            for number in range(sent)
            for device, sequence in [fleet.message_of(connection, number)]
            for time_us in [(report.plan.first_ms + sequence * report.plan.step_ms) * 1_000]
            for quantity, value in fleet.values(device, sequence).items()
        ]

    return rows

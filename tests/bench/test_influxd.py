"""What a bench finds in an InfluxDB: each kind of wrong, message by message, on a real server."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from bench.influxd import judge_points
from bench.verdict import Verdict
from loadtest.latency import LatencySummary
from loadtest.plan import LoadPlan
from loadtest.report import LoadReport
from store.influx import InfluxAddress, InfluxStore
from store.interface import OBSERVATION_SCHEMA, Batch, Mark, Series

pytestmark = pytest.mark.live

PLAN = LoadPlan(port=1, connections=2, messages=4)
NOTHING = LatencySummary(0, 0, 0, 0, 0, 0, 0)
REPORT = LoadReport(
    plan=PLAN, seconds=1, cpu_s=0, connect_seconds=0, bytes_a_connection=0, scheduled=None,
    sent=4, acked=3, resent=0, refused=0, lost_connections=0, unexpected_acks=0,
    latency=NOTHING, service=NOTHING, sent_by_connection=[2, 2], unacked={1: [1]},
)  # fmt: skip
# Device, sequence and which of a message's two observations.
Place = tuple[int, int, int]


def row(place: Place) -> dict[str, object]:
    device, sequence, quantity = place
    time_us = (PLAN.first_ms + sequence * PLAN.step_ms) * 1_000
    return {
        "series": 2 * device + quantity, "time_us": time_us, "value": 1.0, "flag": 2,
        "received_us": 5, "end_us": None, "other": None, "metadata": None,
    }  # fmt: skip


@pytest.fixture
def judged(new_database: Callable[[], InfluxAddress]) -> Callable[..., Verdict]:
    """Return what becomes of rows and conflicts that a store has written."""

    def judge(rows: list[Place], conflicts: list[Place]) -> Verdict:
        address = new_database()
        store = InfluxStore(address)
        store.marks()
        series = [
            Series(2 * device + at, "load", f"d{device:07}", quantity, None, "number")
            for device in range(4)
            for at, quantity in enumerate(("pm2_5", "temperature"))
        ]
        batch = Batch(
            marks=[Mark(0, 0, 1)], counts=[], received=[], ledger=[], series=series,
            observations=pa.Table.from_pylist([row(each) for each in rows], OBSERVATION_SCHEMA),
            conflicts=pa.Table.from_pylist([row(each) for each in conflicts], OBSERVATION_SCHEMA),
        )  # fmt: skip
        store.write(batch)
        store.close()
        return judge_points(address, [REPORT])

    return judge


def whole(*messages: tuple[int, int]) -> list[Place]:
    return [(*each, quantity) for each in messages for quantity in (0, 1)]


def test_what_was_sent_and_is_there_once_is_well(judged: Callable[..., Verdict]) -> None:
    assert judged(whole((0, 0), (0, 1), (1, 0)), []) == Verdict(3, 3, 0, 0, 0)
    assert judged(whole((0, 0), (0, 1), (1, 0), (1, 1)), []) == Verdict(3, 4, 0, 0, 0)


def test_what_is_not_there_or_not_whole_is_lost(judged: Callable[..., Verdict]) -> None:
    assert judged([], []) == Verdict(3, 0, 3, 0, 0)
    assert judged([*whole((0, 0), (0, 1)), (1, 0, 1)], []) == Verdict(3, 2, 1, 0, 0)


def test_conflicts_and_strangers_are_found(judged: Callable[..., Verdict]) -> None:
    rows = whole((0, 0), (0, 1), (1, 0), (3, 0))
    assert judged(rows, [(0, 1, 1)]) == Verdict(3, 4, 0, doubled=1, strange=1)

"""A verdict that cannot condemn proves nothing: each kind of wrong is found, message by message."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from bench.verdict import Verdict, judge
from loadtest.latency import LatencySummary
from loadtest.plan import LoadPlan
from loadtest.report import LoadReport
from store.duckdb.store import DuckDBStore
from store.interface import OBSERVATION_SCHEMA, Batch, Mark, Series

PLAN = LoadPlan(port=1, connections=2, messages=6, devices_per_connection=2)
NOTHING = LatencySummary(0, 0, 0, 0, 0, 0, 0)
# Connection 0 sent 4 messages, connection 1 two: devices take turns.
SENT = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (3, 0)]

Message = tuple[int, int]


def report(plan: LoadPlan = PLAN, unacked: dict[int, list[int]] | None = None) -> LoadReport:
    left = unacked or {}
    return LoadReport(
        plan=plan, seconds=1, cpu_s=0, connect_seconds=0, bytes_a_connection=0, scheduled=None,
        sent=6, acked=6 - sum(map(len, left.values())), resent=0, refused=0, lost_connections=0,
        unexpected_acks=0, latency=NOTHING, service=NOTHING, sent_by_connection=[4, 2],
        unacked=left,
    )  # fmt: skip


def observation(device: int, sequence: int, quantity: int = 0) -> dict[str, object]:
    time_us = (PLAN.first_ms + sequence * PLAN.step_ms) * 1_000
    return {
        "series": 2 * device + quantity, "time_us": time_us, "value": 1.0, "flag": 2,
        "received_us": 0, "end_us": None, "other": None, "metadata": None,
    }  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


def write(
    database: Path,
    messages: list[Message],
    more: list[dict[str, object]] | None = None,
    conflicts: list[dict[str, object]] | None = None,
) -> None:
    rows = [observation(*each, quantity) for each in messages for quantity in (0, 1)]
    series = [
        Series(2 * device + at, "load", f"d{device:07}", quantity, None, "number")
        for device in range(9)
        for at, quantity in enumerate(("pm2_5", "temperature"))
    ]
    store = DuckDBStore(database)
    store.write(
        Batch(
            marks=[Mark(0, 0, 1)], counts=[], received=[], ledger=[], series=series,
            observations=pa.Table.from_pylist([*rows, *(more or [])], OBSERVATION_SCHEMA),
            conflicts=pa.Table.from_pylist(conflicts or [], OBSERVATION_SCHEMA),
        )
    )  # fmt: skip
    store.close()


def test_what_was_sent_and_is_there_once_is_well(database: Path) -> None:
    write(database, SENT)
    assert judge(database, [report()]) == Verdict(6, 6, lost=0, doubled=0, strange=0)


def test_a_message_that_is_not_there_is_lost_if_it_was_acknowledged(database: Path) -> None:
    write(database, [each for each in SENT if each != (0, 1)])
    assert judge(database, [report()]).lost == 1
    # The third message of connection 0 is device 0's second.
    assert judge(database, [report(unacked={0: [2]})]) == Verdict(5, 5, 0, 0, 0)


def test_half_a_message_is_lost(database: Path) -> None:
    write(database, SENT[1:], more=[observation(0, 0)])
    verdict = judge(database, [report()])
    assert (verdict.stored, verdict.lost) == (5, 1)


def test_what_is_there_twice_is_doubled_also_as_a_conflict(database: Path) -> None:
    write(database, SENT, more=[observation(2, 0)], conflicts=[observation(3, 0)])
    assert judge(database, [report()]).doubled == 2


def test_what_nobody_sent_is_strange(database: Path) -> None:
    write(database, [*SENT, (8, 0), (0, 7)])
    assert judge(database, [report()]).strange == 2


def test_a_later_part_of_the_load_counts_on_from_the_first(database: Path) -> None:
    later = msgspec.structs.replace(PLAN, first_ms=PLAN.first_ms + 2)
    write(database, [*SENT, *((device, sequence + 2) for device, sequence in SENT)])
    assert judge(database, [report(), report(later)]) == Verdict(12, 12, 0, 0, 0)

"""What is older than the city keeps goes, and what is younger stays."""

import asyncio
from pathlib import Path

import pytest

from city.clock import SimulatedClock
from city.scope import EVERYTHING
from madina import retention
from madina.retention import DAY_US, Retention
from store.duckdb.store import DuckDBStore
from store.errors import StoreBusyError
from store.interface import OBSERVATION_SCHEMA, Batch, Mark, ObservationQuery, Series

NOW_US = 1_772_619_330_000_000


def filled(path: Path) -> DuckDBStore:
    """Return a store with an observation of each of the last ten days."""
    store = DuckDBStore(path)
    rows = [
        {
            "series": 0, "time_us": NOW_US - day * DAY_US, "value": day, "flag": 2,
            "received_us": NOW_US, "end_us": None, "other": None, "metadata": None,
        }
        for day in range(10)
    ]  # fmt: skip
    table = OBSERVATION_SCHEMA.empty_table().from_pylist(rows, OBSERVATION_SCHEMA)
    series = [Series(0, "acme", "a", "pm10", "ug/m3", "number")]
    store.write(
        Batch([Mark(0, 0, 1)], [], [], [], table, OBSERVATION_SCHEMA.empty_table(), series=series)
    )
    return store


@pytest.mark.parametrize("compact_rows", [1, 1_000])
async def test_old_observations_go_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compact_rows: int
) -> None:
    monkeypatch.setattr(retention, "COMPACT_ROWS", compact_rows)
    store = filled(tmp_path / "store.duckdb")
    part = Retention(store, SimulatedClock(NOW_US), keep_days=3)
    ready = asyncio.Event()
    running = asyncio.ensure_future(part.run(ready.set))
    await ready.wait()
    part.stop()
    await running
    found = store.observations(EVERYTHING, ObservationQuery("acme", "a"))
    assert [each.value for each in found] == [3, 2, 1, 0]
    store.close()


def test_a_busy_store_is_left_alone() -> None:
    class Busy:
        def expire(self, before_us: int) -> int:
            raise StoreBusyError(store="duckdb", cause="full", retry_after_s=1.0)

        def compact(self) -> object:
            raise AssertionError("nothing was deleted")

    Retention(Busy(), SimulatedClock(NOW_US), keep_days=3).look()

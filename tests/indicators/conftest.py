"""A city of few devices on a real store and registry, and a clock that tests move."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from city.clock import SimulatedClock
from city.quantities import quantity_of
from indicators.areas import CityMap
from indicators.arrivals import Arrivals, MarkedWriter
from indicators.contracts import load
from indicators.engine import Engine
from indicators.lease import Lease
from indicators.results import Results, ResultsQuery
from indicators.standing import Standing
from registry.records import DeviceDraft, PlaceDraft
from registry.registry import Registry
from store.duckdb import DuckDBStore
from store.interface import OBSERVATION_SCHEMA, Batch, Mark, Series

if TYPE_CHECKING:
    from indicators.civil import Grain
    from indicators.rows import ResultRow

MADRID = ZoneInfo("Europe/Madrid")
# 2026-03-10 00:00 in Madrid.
DAY_US = 1_773_097_200_000_000
HOUR_US = 3_600_000_000
DATE = date(2026, 3, 10)


class Town:
    """One platform's store and registry, and the computation of one or more processes.

    Attributes:
        waited: What is done while a computation waits.
    """

    day_us = DAY_US
    hour_us = HOUR_US
    zone = MADRID
    date = DATE

    def __init__(self, folder: Path, url: str) -> None:
        self.clock = SimulatedClock(DAY_US - HOUR_US)
        self.registry = Registry.open(url, self.clock)
        self.store = DuckDBStore(folder / "store.duckdb")
        self.results = Results(self.registry.database)
        self.arrivals = Arrivals(self.registry.database, self.clock)
        self.writer = MarkedWriter(self.store, self.arrivals, self.clock)
        self.waited: Callable[[], None] = lambda: None
        self.standing = self.process("one")
        self._sequence = 0
        self._numbers: dict[tuple[str, str], int] = {}

    def process(self, name: str) -> Standing:
        """Return the computation of another process."""
        return Standing(
            store=self.store,
            results=self.results,
            arrivals=self.arrivals,
            lease=Lease(self.registry.database, self.clock, name),
            engine=self.engine(),
            city=self.city,
            clock=self.clock,
            wait=lambda _: self.waited(),
        )

    def engine(self) -> Engine:
        return Engine(self.store, self.results, load(), self.clock)

    def city(self) -> CityMap:
        return CityMap(self.registry.sites.all(), self.store.series(), MADRID)

    def device(self, name: str, place: str | None = None, interval_s: float = 3_600.0) -> None:
        """Register a device and its place, `center` of the district `old`."""
        if place is not None:
            draft = PlaceDraft(place, district="old")
            self.registry.places.create("test", draft)
        self.registry.devices.create(
            "test", DeviceDraft("acme", name, place=place, expected_interval_s=interval_s)
        )

    def batch(
        self,
        device: str,
        quantity: str,
        values: Mapping[int, float] | Mapping[float, float],
        **parts: object,
    ) -> Batch:
        """Return a batch of one series, by hours since the day's start."""
        key = (device, quantity)
        fresh = key not in self._numbers
        number = self._numbers.setdefault(key, len(self._numbers))
        rows = [
            {
                "series": number, "time_us": DAY_US + round(hour * HOUR_US),
                "value": None if math.isnan(value) else value,
                "flag": parts.get("flag", 1), "received_us": self.clock.now_us(),
            }
            for hour, value in values.items()
        ]  # fmt: skip
        self._sequence += 1
        series = [Series(number, "acme", device, quantity, _unit(quantity), "number")]
        return Batch(
            marks=[Mark(0, self._sequence - 1, self._sequence)], counts=[], received=[], ledger=[],
            observations=pa.Table.from_pylist(rows, OBSERVATION_SCHEMA),
            conflicts=OBSERVATION_SCHEMA.empty_table(), series=series if fresh else [],
        )  # fmt: skip

    def write(
        self,
        device: str,
        quantity: str,
        values: Mapping[int, float] | Mapping[float, float],
        **parts: object,
    ) -> None:
        self.writer.write(self.batch(device, quantity, values, **parts))

    def at(self, hour: float) -> None:
        """Let time pass until so many hours after the day's start."""
        self.clock.advance(DAY_US + round(hour * HOUR_US) - self.clock.now_us())

    def step(self, standing: Standing | None = None) -> int:
        """Compute what is due; nothing waits on the log."""
        return (standing or self.standing).step(self.clock.now_us())

    def late(self) -> int:
        """Let late arrivals settle and compute them."""
        self.clock.advance(5_000_000)
        return self.step()

    def rows(
        self, indicator: str, area: str, grain: Grain = "day", **parts: object
    ) -> list[ResultRow]:
        """Return the latest results of the day."""
        parts = {"from_us": DAY_US, **parts}
        query = ResultsQuery(indicator, grain, areas=(area,), **parts)  # pyright: ignore[reportArgumentType]
        return [each.at(self.clock.now_us(), 48) for each in self.results.find(query)]

    def close(self) -> None:
        self.store.close()
        self.registry.close()


def _unit(quantity: str) -> str | None:
    known = quantity_of(quantity)
    assert known is not None, f"{quantity} has no unit"
    return known.unit


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, f"sqlite:///{tmp_path}/registry.sqlite")
    yield town
    town.close()

"""Stores of each test's own, and batches that need only what a test is about.

A test that takes `writer` is about any store, and runs on each.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from store.duckdb.store import DuckDBStore
from store.influx import InfluxAddress, InfluxStore
from store.interface import (
    LATE_SCHEMA,
    OBSERVATION_SCHEMA,
    Batch,
    GatewayCount,
    LedgerRow,
    Mark,
    QuarantineEntry,
    ReceivedRow,
    Series,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from store.interface import Kind, Store

# 2026-03-04 10:15 UTC, the start of a minute, an hour's quarter and nothing else.
TIME_US = 1_772_619_300_000_000
SHARD = 3


class Writer:
    """Writes to a store as ingest does: one shard, marks in order.

    Attributes:
        store: Where to.
        sequence: The shard's mark.
    """

    time_us = TIME_US
    shard = SHARD

    def __init__(self, place: Callable[[], Callable[[], Store]]) -> None:
        """Take what makes a new place for a store and returns what opens it."""
        self._place = place
        self._opener = place()
        self.sequence = 0
        self.store = self._opener()

    def open(self) -> Store:
        """Close the store and open it afresh."""
        self.store.close()
        self.store = self._opener()
        return self.store

    def fresh(self) -> Store:
        """Open a store with nothing in it, instead of the one before."""
        self.store.close()
        self.sequence = 0
        self._opener = self._place()
        self.store = self._opener()
        return self.store

    def write(self, rows: list[dict[str, Any]] | None = None, **parts: object) -> Batch:
        """Write one batch behind the mark."""
        batch = self.batch(rows, **parts)
        self.store.write(batch)
        self.sequence += 1
        return batch

    def batch(self, rows: list[dict[str, Any]] | None = None, **parts: object) -> Batch:
        """Return a batch behind the mark that holds only what is said; nothing is written."""
        whole: dict[str, Any] = {
            "marks": [Mark(self.shard, self.sequence, self.sequence + 1)],
            "counts": [],
            "received": [],
            "ledger": [],
            "observations": observations(rows or []),
            "conflicts": observations([]),
        }
        whole.update(parts)
        return Batch(**whole)

    def messages(self, count: int = 1) -> dict[str, Any]:
        """Return the parts of a batch that say so many messages and observations were accepted."""
        before = sum(each.count for each in self.store.counts())
        return {
            "counts": [GatewayCount("gateway-0", 7, self.shard, before + count)],
            "received": [ReceivedRow(self.shard, TIME_US, count)],
            "ledger": [
                LedgerRow(
                    self.shard, TIME_US, "acme", "native",
                    accepted=count, decoded=count, stored=count,
                )
            ],
        }  # fmt: skip


class FileWriter(Writer):
    """Writes to a DuckDB file.

    Attributes:
        path: The file.
    """

    store: DuckDBStore

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "store.duckdb"
        super().__init__(self._file)

    def _file(self) -> Callable[[], Store]:
        self.path = (
            self._folder / f"{secrets.token_hex(6)}.duckdb" if self.path.exists() else self.path
        )
        return lambda: DuckDBStore(self.path)

    def open(self, **options: int) -> DuckDBStore:
        """Close the store and open it afresh."""
        self.store.close()
        self.store = DuckDBStore(self.path, **options)
        return self.store


def observations(rows: list[dict[str, Any]]) -> pa.Table:
    """Return a table of `OBSERVATION_SCHEMA`; a row needs to say only what a test is about."""
    usual = {
        "series": 0, "time_us": TIME_US, "value": None, "flag": 2, "received_us": TIME_US + 500,
        "end_us": None, "other": None, "metadata": None,
    }  # fmt: skip
    return pa.Table.from_pylist([{**usual, **row} for row in rows], OBSERVATION_SCHEMA)


def late(*keys: tuple[int, int]) -> pa.Table:
    """Return a table of `LATE_SCHEMA` with these series and times."""
    rows = [{"series": series, "time_us": time_us} for series, time_us in keys]
    return pa.Table.from_pylist([{**row, "value": 1.0, "other": None} for row in rows], LATE_SCHEMA)


def entry(number: int, **parts: object) -> QuarantineEntry:
    """Return a quarantine entry; the higher the number, the newer."""
    usual: dict[str, Any] = {
        "id": f"{SHARD}-{number}-0", "shard": SHARD, "received_us": TIME_US + number,
        "minute_us": TIME_US, "topic": "madina/v1/acme/meter/up", "provider": "acme",
        "device": "meter", "route": "native", "codec": "native", "client": "c", "flags": 1,
        "reason": "bad_json", "words": "no object", "payload": b"\x00{\xff", "length": 3,
        "sha256": "00",
    }  # fmt: skip
    usual.update(parts)
    return QuarantineEntry(**usual)


def series(number: int = 0, *, quantity: str = "pm10", kind: Kind = "number") -> Series:
    """Return a series of the device that tests read."""
    return Series(number, "acme", "meter", quantity, "ug/m3" if kind == "number" else None, kind)


class Parts:
    """What tests put into batches."""

    observations = staticmethod(observations)
    late = staticmethod(late)
    entry = staticmethod(entry)
    series = staticmethod(series)


@pytest.fixture
def file_writer(tmp_path: Path) -> Iterator[FileWriter]:
    writer = FileWriter(tmp_path)
    yield writer
    writer.store.close()


@pytest.fixture
def influx_writer(new_database: Callable[[], InfluxAddress]) -> Iterator[Writer]:
    def place() -> Callable[[], Store]:
        address = new_database()
        return lambda: InfluxStore(address)

    writer = Writer(place)
    yield writer
    writer.store.close()


@pytest.fixture(params=["duckdb", "influx"])
def writer(request: pytest.FixtureRequest) -> Writer:
    """Run a test on each store."""
    names = {"duckdb": "file_writer", "influx": "influx_writer"}
    return request.getfixturevalue(names[request.param])


@pytest.fixture
def parts() -> type[Parts]:
    return Parts

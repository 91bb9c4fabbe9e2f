"""Sides of the store's bench: our store, DuckDB with nothing around it, and row by row."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from bench.pairs import Sample
from bench.result import BenchFailed
from store.duckdb import DuckDBStore
from store.interface import (
    OBSERVATION_SCHEMA,
    Batch,
    GatewayCount,
    LedgerRow,
    Mark,
    ReceivedRow,
    Series,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Load", "by_floor", "by_rows", "by_store", "stored_bytes"]

FIRST_US = 1_772_619_300_000_000
MINUTE_US = 60_000_000
# What a message brings in every bench: two values, some seconds apart from the next one.
OBSERVATIONS = 2
MICROS = 1e6
TABLE = """CREATE TABLE observations (
    series INTEGER NOT NULL, time_us BIGINT NOT NULL, value DOUBLE,
    flag UTINYINT NOT NULL, received_us BIGINT NOT NULL, end_us BIGINT, other VARCHAR,
    metadata VARCHAR)"""


class Load(msgspec.Struct, frozen=True):
    """Rows to write.

    Attributes:
        rows: In all.
        batch: Rows of one transaction.
        series: From how many series, at random.
    """

    rows: int
    batch: int
    series: int

    def tables(self) -> Iterator[pa.Table]:
        """Yield batches of random walks with two decimals, at jittered times."""
        rng = np.random.default_rng(1)
        values = rng.normal(20.0, 5.0, self.series)
        for start in range(0, self.rows, self.batch):
            rows = min(self.batch, self.rows - start)
            series = rng.integers(0, self.series, rows, dtype=np.int32)
            values[series] += rng.normal(0.0, 0.1, rows)
            # Some 50,000 rows a second; a device's clock and its radio are late by up to 2 s.
            received_us = FIRST_US + np.arange(start, start + rows, dtype=np.int64) * 20
            sent_us = received_us - rng.integers(0, 2_000_000, rows)
            yield _table(series, sent_us // 1_000 * 1_000, np.round(values[series], 2), received_us)


def by_store(load: Load) -> Sample:
    """Write by our store: marks, counts and sums of the ledger in the same transactions."""
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "store.duckdb")
        commits_ms: list[float] = []
        cpu_s = _write_all(store, load, commits_ms)
        before_s = time.process_time()
        store.close()
        cpu_s += time.process_time() - before_s
        _verify(Path(folder) / "store.duckdb", load)
    commits_ms.sort()
    return Sample(
        "store",
        cpu_s / load.rows * MICROS,
        load.rows,
        {
            "commit_p50_ms": commits_ms[len(commits_ms) // 2],
            "commit_p99_ms": commits_ms[int(len(commits_ms) * 0.99)],
            "rows_a_s": load.rows / sum(commits_ms) * 1_000,
        },
    )


def by_floor(load: Load) -> Sample:
    """Insert the same tables and nothing else: the least that DuckDB can be asked for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "floor.duckdb"
        connection = _open(path)
        cpu_s = 0.0
        for rows in load.tables():
            before_s = time.process_time()
            connection.execute("BEGIN")
            connection.execute("INSERT INTO observations SELECT * FROM rows")
            connection.execute("COMMIT")
            cpu_s += time.process_time() - before_s
            assert rows.num_rows
        before_s = time.process_time()
        connection.close()
        cpu_s += time.process_time() - before_s
        _verify(path, load)
    return Sample("floor", cpu_s / load.rows * MICROS, load.rows)


def by_rows(load: Load) -> Sample:
    """Insert with `executemany`, as the documentation of a DB-API driver shows it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.duckdb"
        connection = _open(path)
        cpu_s = 0.0
        for table in load.tables():
            rows = list(zip(*table.to_pydict().values(), strict=True))
            before_s = time.process_time()
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
            cpu_s += time.process_time() - before_s
        connection.close()
        _verify(path, load)
    return Sample("executemany", cpu_s / load.rows * MICROS, load.rows)


def stored_bytes(load: Load) -> tuple[float, float]:
    """Return bytes a row of the file as it was written, and after compaction."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        store = DuckDBStore(path)
        _write_all(store, load, [])
        store.close()
        written = path.stat().st_size
        store = DuckDBStore(path)
        compacted = store.compact().after_bytes
        store.close()
        _verify(path, load)
    return written / load.rows, compacted / load.rows


def _write_all(store: DuckDBStore, load: Load, commits_ms: list[float]) -> float:
    """Write everything; return the processor seconds of the writes, checkpoints included."""
    store.write(_batch(0, 1, OBSERVATION_SCHEMA.empty_table(), load.series))
    cpu_s = 0.0
    for number, table in enumerate(load.tables(), 1):
        batch = _batch(number, number + 1, table)
        before, before_s = time.perf_counter(), time.process_time()
        store.write(batch)
        cpu_s += time.process_time() - before_s
        commits_ms.append((time.perf_counter() - before) * 1_000)
    return cpu_s


def _batch(previous: int, mark: int, table: pa.Table, series: int = 0) -> Batch:
    messages = table.num_rows // OBSERVATIONS
    minute_us = FIRST_US + mark // 100 * MINUTE_US
    return Batch(
        marks=[Mark(0, previous, mark)],
        counts=[GatewayCount("gateway-0", 1, 0, mark * messages)],
        received=[ReceivedRow(0, minute_us, messages)],
        ledger=[
            LedgerRow(0, minute_us, "acme", "native", accepted=messages, stored=table.num_rows)
        ],
        observations=table,
        conflicts=OBSERVATION_SCHEMA.empty_table(),
        series=[
            Series(number, "acme", f"meter-{number}", "pm10", "ug/m3", "number")
            for number in range(series)
        ],
    )


def _table(
    series: np.ndarray, time_us: np.ndarray, values: np.ndarray, received_us: np.ndarray
) -> pa.Table:
    rows = len(series)
    texts = pa.nulls(rows, pa.string())
    columns = [
        pa.array(series), pa.array(time_us), pa.array(values), pa.array(np.full(rows, 2, np.uint8)),
        pa.array(received_us), pa.nulls(rows, pa.int64()), texts, texts,
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=OBSERVATION_SCHEMA)


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), config={"threads": 1})
    connection.execute(TABLE)
    return connection


def _verify(path: Path, load: Load) -> None:
    """Compare what is in the file with what was made, by count and by sums.

    Raises:
        BenchFailed: They differ.
    """
    made = [0, 0, 0]
    total = 0.0
    for table in load.tables():
        made[0] += table.num_rows
        made[1] += int(table.column("series").to_numpy().sum(dtype=np.int64))
        made[2] += int((table.column("time_us").to_numpy() - FIRST_US).sum())
        total += float(table.column("value").to_numpy().sum())
    with duckdb.connect(str(path), read_only=True) as connection:
        *found, stored = connection.execute(
            f"SELECT count(*), sum(series), sum(time_us - {FIRST_US}), sum(value) FROM observations"  # noqa: S608
        ).fetchall()[0]
    if found != made or abs(stored - total) > 1e-6 * abs(total):
        raise BenchFailed(f"{path.name}: {found} {stored} is stored, {made} {total} was made")

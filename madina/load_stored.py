"""Bytes of an observation in a DuckDB file: the growth from a million rows to three million."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from store.duckdb import DuckDBStore
from store.interface import OBSERVATION_SCHEMA, Batch, Mark, Series

__all__ = ["measured_stored_bytes"]

SERIES: Final = 10_000
BATCH: Final = 10_000
ROWS: Final = (1_000_000, 3_000_000)
FIRST_US: Final = 1_772_619_300_000_000
# Some 50,000 rows a second; a device's clock and its radio are late by up to 2 s.
STEP_US, LATE_US = 20, 2_000_000


def measured_stored_bytes(beside: Path, rows: tuple[int, int] = ROWS) -> float:
    """Return bytes an observation: random walks with two decimals at jittered times.

    Args:
        beside: Folder on the disk that is measured; what is written there is removed.
        rows: A small file says too much: what is fixed is left out by the difference of two sizes.
    """
    sizes: list[int] = []
    with tempfile.TemporaryDirectory(prefix="stored-", dir=beside) as folder:
        path = Path(folder) / "store.duckdb"
        batches = _batches(rows[1])
        for upto in rows:
            store = DuckDBStore(path)
            for batch in batches:
                store.write(batch)
                if batch.marks[0].sequence * BATCH >= upto:
                    break
            store.close()
            sizes.append(path.stat().st_size)
    return (sizes[1] - sizes[0]) / (rows[1] - rows[0])


def _batches(rows: int) -> Iterator[Batch]:
    rng = np.random.default_rng(1)
    values = rng.normal(20.0, 5.0, SERIES)
    nothing = OBSERVATION_SCHEMA.empty_table()
    for number in range(rows // BATCH):
        series = rng.integers(0, SERIES, BATCH, dtype=np.int32)
        values[series] += rng.normal(0.0, 0.1, BATCH)
        start = number * BATCH
        received_us = FIRST_US + np.arange(start, start + BATCH, dtype=np.int64) * STEP_US
        sent_us = (received_us - rng.integers(0, LATE_US, BATCH)) // 1_000 * 1_000
        yield Batch(
            marks=[Mark(0, number, number + 1)],
            counts=[],
            received=[],
            ledger=[],
            observations=_table(series, sent_us, np.round(values[series], 2), received_us),
            conflicts=nothing,
            series=[] if number else _series(),
        )


def _series() -> list[Series]:
    return [
        Series(number, "acme", f"meter-{number}", "pm10", "ug/m3", "number")
        for number in range(SERIES)
    ]


def _table(*columns: object) -> pa.Table:
    series, time_us, value, received_us = columns
    given = {"series": series, "time_us": time_us, "value": value, "received_us": received_us}
    given["flag"] = np.full(BATCH, 2, np.uint8)
    absent = [name for name in OBSERVATION_SCHEMA.names if name not in given]
    arrays = {name: pa.array(column) for name, column in given.items()}
    arrays |= {name: pa.nulls(BATCH, OBSERVATION_SCHEMA.field(name).type) for name in absent}
    return pa.table({name: arrays[name] for name in OBSERVATION_SCHEMA.names}, OBSERVATION_SCHEMA)

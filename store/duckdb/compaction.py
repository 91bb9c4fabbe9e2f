"""Copy a file into a smaller one: DuckDB never gives space back, and keeps deleted bytes in place.

The copy also sorts: within stretches of some millions of rows, observations stand by series, so
that reading one device afterwards touches few row groups. A crash at any moment leaves either the
old file or the new one, each complete; a half-written copy is removed by the next attempt.
"""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from duckdb import DuckDBPyConnection

from city.clock import US_PER_MINUTE
from store.duckdb.database import Database
from store.duckdb.schema import OBSERVATION_COLUMNS
from store.interface import StoreBusyError

__all__ = ["Compaction", "compact", "remove_leftovers"]

# Rows that are sorted in memory at a time; 4 million take about 250 MB.
SORTED_ROWS: Final = 4_000_000
HOUR_US: Final = 60 * US_PER_MINUTE
SUFFIX: Final = ".compact"
# The copy's name inside DuckDB; the file's own name there is made from its path.
COPY: Final = "madina_compacted"


class Compaction(msgspec.Struct, frozen=True):
    """Sizes of the file before and after."""

    before_bytes: int
    after_bytes: int


def compact(database: Database) -> Compaction:
    """Copy the file, then put the copy in its place; readers go on until the swap.

    The caller keeps writers away.

    Raises:
        StoreBusyError: The copy failed or readers did not end; the file is as it was.
    """
    path = database.path
    remove_leftovers(path)
    try:
        with database.writing() as connection:
            connection.execute("CHECKPOINT")
            before = path.stat().st_size
            _copy(connection, _copy_path(path))
        _sync(_copy_path(path))
        with database.shut():
            _swap(path)
    finally:
        remove_leftovers(path)
    return Compaction(before_bytes=before, after_bytes=path.stat().st_size)


def remove_leftovers(path: Path) -> None:
    """Remove what a compaction that did not come to its end left beside the file."""
    copy = _copy_path(path)
    copy.unlink(missing_ok=True)
    Path(f"{copy}.wal").unlink(missing_ok=True)


def _copy_path(path: Path) -> Path:
    return Path(f"{path}{SUFFIX}")


def _copy(connection: DuckDBPyConnection, target: Path) -> None:
    quoted = str(target).replace("'", "''")
    source = connection.execute("SELECT current_database()").fetchall()[0][0]
    name = '"' + str(source).replace('"', '""') + '"'
    connection.execute(f"ATTACH '{quoted}' AS {COPY}")
    try:
        connection.execute(f"COPY FROM DATABASE {name} TO {COPY} (SCHEMA)")
        for (table,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [source]
        ).fetchall():
            for rows in _parts(connection, table):
                connection.execute(f"INSERT INTO {COPY}.{table} {rows}")
        connection.execute(f"CHECKPOINT {COPY}")
    finally:
        connection.execute(f"DETACH {COPY}")


def _parts(connection: DuckDBPyConnection, table: str) -> Iterator[str]:
    """Yield queries that together read a table, observations in sorted stretches of time."""
    if table != "observations":
        yield f"SELECT * FROM {table}"
        return
    hours = connection.execute(
        f"SELECT time_us // {HOUR_US} AS hour, count(*) FROM observations "
        "GROUP BY hour ORDER BY hour"
    ).fetchall()
    for low, high in _stretches(hours):
        yield (
            f"SELECT {OBSERVATION_COLUMNS} FROM observations"
            f" WHERE time_us >= {low * HOUR_US} AND time_us < {high * HOUR_US}"
            " ORDER BY series, time_us"
        )


def _stretches(hours: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Gather hours and their counts into ranges (end excluded) of about `SORTED_ROWS`."""
    start, rows = None, 0
    for hour, count in hours:
        if start is not None and rows + count > SORTED_ROWS:
            yield start, hour
            start, rows = hour, 0
        start = hour if start is None else start
        rows += count
    if start is not None:
        yield start, hours[-1][0] + 1


def _swap(path: Path) -> None:
    """Put the copy in the file's place; the file is closed."""
    log = Path(f"{path}.wal")
    if log.exists():
        # Closing could not checkpoint: what the log holds is not in the copy's file.
        raise StoreBusyError(store=str(path), cause="its log is not empty", retry_after_s=1.0)
    _copy_path(path).replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Copy everything that a file holds at one instant into a new file.

The copy also sorts: within stretches of some millions of rows, observations stand by series, so
that reading one device afterwards touches few row groups.
"""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection

from city.clock import US_PER_MINUTE
from store.duckdb.schema import OBSERVATION_COLUMNS

__all__ = ["copy_whole"]

# Rows that are sorted in memory at a time; 4 million take about 250 MB.
SORTED_ROWS: Final = 4_000_000
HOUR_US: Final = 60 * US_PER_MINUTE


def _nobody(_done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def copy_whole(
    connection: DuckDBPyConnection,
    target: Path,
    name: str,
    *,
    told: Callable[[int, int], None] = _nobody,
    also: Callable[[DuckDBPyConnection], None] = lambda _: None,
) -> None:
    """Write a new file that holds what the connection's file holds; one snapshot.

    Args:
        connection: No transaction is under way; others may go on writing.
        target: There is no such file.
        name: The new file's name inside DuckDB, which nobody else uses now.
        told: Hears the rows that are copied and the rows that there are; what it raises ends the
            copy.
        also: Reads more of the same snapshot.
    """
    quoted = str(target).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS {name}")
    try:
        connection.execute("BEGIN")
        try:
            also(connection)
            _copy(connection, name, told)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute(f"CHECKPOINT {name}")
    finally:
        connection.execute(f"DETACH {name}")


def _copy(connection: DuckDBPyConnection, name: str, told: Callable[[int, int], None]) -> None:
    source = connection.execute("SELECT current_database()").fetchall()[0][0]
    quoted = '"' + str(source).replace('"', '""') + '"'
    connection.execute(f"COPY FROM DATABASE {quoted} TO {name} (SCHEMA)")
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [source]
    ).fetchall()
    total = sum(_count(connection, table) for (table,) in tables)
    done = 0
    for (table,) in tables:
        for rows in _parts(connection, table):
            told(done, total)
            copied = connection.execute(f"INSERT INTO {name}.{table} {rows}").fetchall()
            done += int(copied[0][0])
    told(done, total)


def _count(connection: DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


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

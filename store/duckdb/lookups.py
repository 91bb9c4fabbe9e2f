"""What ingest asks: the series, how far each has come, and what is stored at a late time."""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

import itertools
from typing import Any, Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from city.clock import US_PER_MINUTE
from store.duckdb.folding import RECENT_KEPT
from store.duckdb.schema import OBSERVATION_COLUMNS
from store.interface import OBSERVATION_SCHEMA, CodecRecord, RecentKey, Series

__all__ = [
    "late_ranges",
    "read_codec_records",
    "read_matches",
    "read_recent",
    "read_series",
    "read_table",
    "read_watermarks",
]

# Late rows this far apart are looked up apart, so that one clock in 1970 does not make the search
# of a whole batch read everything; each further search costs about a millisecond.
LATE_GAP_US: Final = 60 * US_PER_MINUTE
LATE_RANGES: Final = 8


def read_series(connection: DuckDBPyConnection) -> list[Series]:
    """Return every series by number."""
    rows = connection.execute(
        "SELECT series, provider, device, quantity, unit, kind FROM series ORDER BY series"
    ).fetchall()
    return [Series(*row) for row in rows]


def read_codec_records(connection: DuckDBPyConnection, codec: str | None) -> list[CodecRecord]:
    """Return every record of one codec, or of all."""
    rows = connection.execute(
        "SELECT codec, key, value FROM codec_records WHERE coalesce(codec = ?, true)", [codec]
    ).fetchall()
    return [CodecRecord(*row) for row in rows]


def read_recent(connection: DuckDBPyConnection) -> list[RecentKey]:
    """Return the last keys of each device, oldest first."""
    rows = connection.execute(
        "SELECT provider, device, key, received_us FROM recent"
        " QUALIFY row_number() OVER"
        " (PARTITION BY provider, device ORDER BY received_us DESC, rowid DESC) <= ?"
        " ORDER BY provider, device, received_us, rowid",
        [RECENT_KEPT],
    ).fetchall()
    return [RecentKey(*row) for row in rows]


def read_watermarks(connection: DuckDBPyConnection) -> pa.Table:
    """Return the newest observation of each series, of `OBSERVATION_SCHEMA`."""
    return read_table(
        connection,
        f"SELECT {OBSERVATION_COLUMNS} FROM observations SEMI JOIN"
        " (SELECT series, max(time_us) AS time_us FROM observations GROUP BY series)"
        " USING (series, time_us) ORDER BY series",
    )


def read_matches(connection: DuckDBPyConnection, table: str, late: pa.Table) -> pa.Table:
    """Return the rows of a table that have the (series, time) of a table of `LATE_SCHEMA`."""
    if late.num_rows == 0:
        return OBSERVATION_SCHEMA.empty_table()
    times: set[int] = set(late.column("time_us").to_pylist())
    connection.register("late", late.select(["series", "time_us"]))
    found = [
        read_table(
            connection,
            f"SELECT {OBSERVATION_COLUMNS} FROM {table} SEMI JOIN"
            f" (SELECT * FROM late WHERE time_us BETWEEN {low} AND {high})"
            f" USING (series, time_us) WHERE time_us BETWEEN {low} AND {high}",
        )
        for low, high in late_ranges(sorted(times))
    ]
    return pa.concat_tables(found)


def late_ranges(times: list[int]) -> list[tuple[int, int]]:
    """Cover sorted instants by few ranges, split at the widest gaps of more than an hour."""
    pairs = itertools.pairwise(times)
    gaps = [(after - before, index) for index, (before, after) in enumerate(pairs)]
    wide = sorted(gap for gap in gaps if gap[0] > LATE_GAP_US)[1 - LATE_RANGES :]
    ends = sorted(index for _, index in wide)
    starts = [0, *[end + 1 for end in ends]]
    return [
        (times[start], times[end])
        for start, end in zip(starts, [*ends, len(times) - 1], strict=True)
    ]


def read_table(connection: DuckDBPyConnection, query: str) -> pa.Table:
    """Return the result under the schema of the interface (DuckDB makes every column nullable)."""
    relation: Any = connection.sql(query)
    table: pa.Table = relation.to_arrow_table()
    return table.cast(OBSERVATION_SCHEMA)

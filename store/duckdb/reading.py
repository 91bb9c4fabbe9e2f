"""Observations read back: of one device, as aggregates, and as columns of several series."""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa
from duckdb import DuckDBPyConnection

from city.clock import US_PER_MINUTE
from city.flags import Flag
from city.reasons import Note
from store.duckdb.lookups import read_table
from store.duckdb.schema import OBSERVATION_COLUMNS
from store.interface import (
    OBSERVATION_SCHEMA,
    Aggregate,
    Grain,
    ObservationQuery,
    Series,
    StoredObservation,
)

__all__ = ["Where", "read_aggregates", "read_columns", "read_observations"]

GRAIN_US: Final[dict[Grain, int]] = {
    "minute": US_PER_MINUTE,
    "hour": 60 * US_PER_MINUTE,
    "day": 24 * 60 * US_PER_MINUTE,
}

# A device with a stuck clock makes every value a conflict of one instant.
CONFLICTS_READ: Final = 100

# A row of OBSERVATION_COLUMNS.
Row = tuple[Any, ...]


class Where(msgspec.Struct, frozen=True):
    """A condition and its parameters."""

    text: str
    parameters: list[int]


def read_observations(
    connection: DuckDBPyConnection, query: ObservationQuery
) -> list[StoredObservation]:
    """Return first values by time and series, at most `limit`, and the conflicts among them.

    Of one series and time the first `CONFLICTS_READ` conflicts are read back.
    """
    series = _series_of(connection, query)
    if not series:
        return []
    where = _where(query, series)
    first = connection.execute(
        f"SELECT {OBSERVATION_COLUMNS} FROM observations WHERE {where.text}"
        " ORDER BY time_us, series LIMIT ?",
        [*where.parameters, query.limit],
    ).fetchall()
    others = _conflicts(connection, where, first[-1] if len(first) == query.limit else None)
    rows = [(row, False) for row in first] + [(row, True) for row in others]
    rows.sort(key=lambda item: (item[0][1], item[0][0], item[1]))
    return [_stored(series[row[0]], row, conflict=conflict) for row, conflict in rows]


def read_aggregates(
    connection: DuckDBPyConnection, query: ObservationQuery, grain: Grain
) -> list[Aggregate]:
    """Return aggregates by start and series, at most `limit`; conflicts are left out."""
    series = _series_of(connection, query)
    if not series:
        return []
    where = _where(query, series, grain_us=GRAIN_US[grain])
    # 10^(value/10) overflows for numbers that are no levels: relative to the maximum it cannot.
    rows = connection.execute(
        f"""
        WITH numbers AS (
            SELECT series, time_us, value, time_us - time_us % {GRAIN_US[grain]} AS start_us
            FROM observations
            WHERE value IS NOT NULL AND flag NOT IN ({Flag.FAIL:d}, {Flag.MISSING:d})
              AND {where.text}
        ), peaks AS (
            SELECT *, max(value) OVER (PARTITION BY series, start_us) AS peak FROM numbers
        )
        SELECT series, start_us, count(*), avg(value), min(value), max(value), sum(value),
               arg_max(value, time_us),
               any_value(peak) + 10 * log10(avg(pow(10, (value - peak) / 10)))
        FROM peaks GROUP BY series, start_us ORDER BY start_us, series LIMIT ?
        """,
        [*where.parameters, query.limit],
    ).fetchall()
    return [Aggregate(*row) for row in rows]


def read_columns(
    connection: DuckDBPyConnection, series: Sequence[int], from_us: int, to_us: int
) -> pa.Table:
    """Return first values of series by series and time; conflicts are left out."""
    if not series:
        return OBSERVATION_SCHEMA.empty_table()
    return read_table(
        connection,
        f"SELECT {OBSERVATION_COLUMNS} FROM observations"
        f" WHERE series IN ({', '.join(str(int(each)) for each in series)})"
        f" AND time_us >= {int(from_us)} AND time_us < {int(to_us)} ORDER BY series, time_us",
    )


def _series_of(connection: DuckDBPyConnection, query: ObservationQuery) -> dict[int, Series]:
    quantity = "" if query.quantity is None else " AND quantity = ?"
    parameters = [query.provider, query.device]
    parameters += [] if query.quantity is None else [query.quantity]
    rows = connection.execute(
        "SELECT series, provider, device, quantity, unit, kind FROM series"
        f" WHERE provider = ? AND device = ?{quantity}",
        parameters,
    ).fetchall()
    return {row[0]: Series(*row) for row in rows}


def _where(query: ObservationQuery, series: Iterable[int], grain_us: int = 1) -> Where:
    """Select a query's rows; the position is a time, or a grain's start, and a series."""
    parts = [f"series IN ({', '.join(map(str, series))})"]
    parameters: list[int] = []
    if query.from_us is not None:
        parts.append("time_us >= ?")
        parameters.append(query.from_us)
    if query.to_us is not None:
        parts.append("time_us < ?")
        parameters.append(query.to_us)
    if query.after is not None:
        # The plain bound on time is what lets row groups be skipped.
        parts.append("time_us >= ? AND (time_us >= ? OR series > ?)")
        time_us, number = query.after
        parameters += [time_us, time_us + grain_us, number]
    return Where(text=" AND ".join(parts), parameters=parameters)


def _conflicts(connection: DuckDBPyConnection, where: Where, last: Row | None) -> list[Row]:
    """Return conflicts of the rows up to the last one of a full page; None for no end."""
    end = "true" if last is None else "(time_us < ? OR (time_us = ? AND series <= ?))"
    bounds = [] if last is None else [last[1], last[1], last[0]]
    return connection.execute(
        f"SELECT {OBSERVATION_COLUMNS} FROM conflicts WHERE {where.text} AND {end}"
        " QUALIFY row_number() OVER (PARTITION BY series, time_us ORDER BY rowid) <= ?",
        [*where.parameters, *bounds, CONFLICTS_READ],
    ).fetchall()


def _stored(series: Series, row: Row, *, conflict: bool) -> StoredObservation:
    _, time_us, value, flag, received_us, end_us, other, metadata = row
    return StoredObservation(
        series=series.series,
        provider=series.provider,
        device=series.device,
        quantity=series.quantity,
        unit=series.unit,
        value=value if other is None else msgspec.json.decode(other, type=bool | int | str),
        time_us=time_us,
        end_us=end_us,
        flag=flag,
        received_us=received_us,
        metadata=_with_conflict(metadata) if conflict else metadata,
    )


def _with_conflict(metadata: str | None) -> str:
    """Return metadata whose `notes` say that the value is a conflict."""
    members = {} if metadata is None else msgspec.json.decode(metadata, type=dict[str, Any])
    notes: list[Any] = list(members.get("notes", []))
    if Note.CONFLICT not in notes:
        notes.append(str(Note.CONFLICT))
    return msgspec.json.encode({**members, "notes": notes}).decode()

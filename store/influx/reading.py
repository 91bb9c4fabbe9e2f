"""Observations of one device read back by time, a page at a time."""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from city.reasons import Note
from store.influx.catalogue import Catalogue, Fields, fields_of
from store.influx.connection import DATA, Connection
from store.influx.observation_lines import CONFLICTS, NS_PER_US, OBSERVATIONS
from store.influx.points import Found, device_condition, found_in, selected, table_of
from store.interface import ObservationQuery, Series, StoredObservation

__all__ = ["TIME_END_NS", "TIME_START_NS", "read_columns", "read_observations", "window"]

# What InfluxDB can hold.
TIME_START_NS: Final = -(2**63) + 2
TIME_END_NS: Final = 2**63 - 2
# A device with a stuck clock makes every value a conflict of one instant.
CONFLICTS_READ: Final = 100
CONFLICT_POINTS: Final = 20_000
POINTS_LEAST: Final = 64
POINTS_MOST: Final = 20_000

Pairs = list[tuple[Series, Fields]]


def read_observations(
    connection: Connection, catalogue: Catalogue, query: ObservationQuery
) -> list[StoredObservation]:
    """Return first values by time and series, at most `limit`, and the conflicts among them."""
    series = catalogue.of_device(query.provider, query.device, query.quantity)
    if not series:
        return []
    first = _page(connection, series, query)
    last = first[-1] if len(first) == query.limit else None
    others = _conflicts(connection, series, query, last)
    rows = [(row, False) for row in first] + [(row, True) for row in others]
    rows.sort(key=lambda item: (item[0].time_us, item[0].series, item[1]))
    return [_stored(catalogue.get(row.series), row, conflict=conflict) for row, conflict in rows]


def read_columns(
    connection: Connection, catalogue: Catalogue, numbers: Sequence[int], from_us: int, to_us: int
) -> pa.Table:
    """Return the first values of some series in a stretch of time, by series and time."""
    by_device: dict[tuple[str, str], list[Series]] = {}
    for number in numbers:
        if number < len(catalogue):
            series = catalogue.get(number)
            by_device.setdefault((series.provider, series.device), []).append(series)
    found: list[Found] = []
    for (provider, device), series in by_device.items():
        query = ObservationQuery(provider, device, from_us=from_us, to_us=to_us)
        found += _points(connection, series, query, POINTS_MOST)
    found.sort(key=lambda row: (row.series, row.time_us))
    return table_of(found)


def window(query: ObservationQuery) -> tuple[int, int]:
    """Return the nanoseconds of a query: the first that is asked for, and the first that is not."""
    start_us = query.from_us
    if query.after is not None:
        start_us = query.after[0] if start_us is None else max(start_us, query.after[0])
    start_ns = TIME_START_NS if start_us is None else start_us * NS_PER_US
    end_ns = TIME_END_NS if query.to_us is None else query.to_us * NS_PER_US
    return max(start_ns, TIME_START_NS), min(end_ns, TIME_END_NS)


def _page(connection: Connection, series: list[Series], query: ObservationQuery) -> list[Found]:
    """Return the first rows of a query behind its position."""
    size = min(max(query.limit, POINTS_LEAST), POINTS_MOST)
    rows: list[Found] = []
    # Rows come by time, and those of an instant together: sorted among themselves here.
    for row in _points(connection, series, query, size):
        if query.after is None or (row.time_us, row.series) > query.after:
            if len(rows) >= query.limit and row.time_us > rows[-1].time_us:
                break
            rows.append(row)
    rows.sort(key=lambda row: (row.time_us, row.series))
    return rows[: query.limit]


def _points(
    connection: Connection, series: Sequence[Series], query: ObservationQuery, size: int
) -> Iterator[Found]:
    """Return what points say of some series of a device, by time, `size` points at a time."""
    pairs: Pairs = [(each, fields_of(each.quantity)) for each in series]
    start_ns, end_ns = window(query)
    device = device_condition(query.provider, query.device)
    while start_ns < end_ns:
        answers = connection.ask(
            DATA,
            f'SELECT {selected(series)} FROM "{OBSERVATIONS}" WHERE {device}'
            f" AND time >= {start_ns} AND time < {end_ns} LIMIT {size}",
        )
        rows = [row for answer in answers for row in answer.rows()]
        for row in rows:
            yield from found_in(row, pairs)
        if len(rows) < size:
            return
        start_ns = rows[-1]["time"] + 1


def _conflicts(
    connection: Connection, series: list[Series], query: ObservationQuery, last: Found | None
) -> list[Found]:
    """Return conflicts of the rows up to the last one of a full page; None for no end."""
    start_ns, end_ns = window(query)
    answers = connection.ask(
        DATA,
        f'SELECT {selected(series, "at")} FROM "{CONFLICTS}"'
        f" WHERE {device_condition(query.provider, query.device)}"
        f' AND "at" >= {-(-start_ns // NS_PER_US)} AND "at" <= {(end_ns - 1) // NS_PER_US}'
        f" LIMIT {CONFLICT_POINTS}",
    )
    pairs: Pairs = [(each, fields_of(each.quantity)) for each in series]
    end = None if last is None else (last.time_us, last.series)
    found: list[Found] = []
    seen: dict[tuple[int, int], int] = {}
    for row in (row for answer in answers for row in answer.rows()):
        for each in found_in(row, pairs, row["at"]):
            key = (each.time_us, each.series)
            inside = (end is None or key <= end) and (query.after is None or key > query.after)
            seen[key] = seen.get(key, 0) + 1
            if inside and seen[key] <= CONFLICTS_READ:
                found.append(each)
    return found


def _stored(series: Series, row: Found, *, conflict: bool) -> StoredObservation:
    value = row.value
    if row.other is not None:
        value = msgspec.json.decode(row.other, type=bool | int | str)
    assert value is not None, "a row has a value of one kind or the other"
    return StoredObservation(
        series=series.series,
        provider=series.provider,
        device=series.device,
        quantity=series.quantity,
        unit=series.unit,
        value=value,
        time_us=row.time_us,
        end_us=row.end_us,
        flag=row.flag,
        received_us=row.received_us,
        metadata=_with_conflict(row.metadata) if conflict else row.metadata,
    )


def _with_conflict(metadata: str | None) -> str:
    """Return metadata whose `notes` say that the value is a conflict."""
    members = {} if metadata is None else msgspec.json.decode(metadata, type=dict[str, Any])
    notes: list[Any] = list(members.get("notes", []))
    if Note.CONFLICT not in notes:
        notes.append(str(Note.CONFLICT))
    return msgspec.json.encode({**members, "notes": notes}).decode()

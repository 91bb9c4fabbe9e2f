"""Aggregates of one device, computed by the server."""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from city.clock import US_PER_MINUTE
from store.influx.catalogue import Catalogue, fields_of
from store.influx.connection import DATA, Answer, Connection, rows_of
from store.influx.line_protocol import identifier
from store.influx.observation_lines import NS_PER_US, OBSERVATIONS
from store.influx.points import device_condition
from store.influx.reading import window
from store.interface import Aggregate, Grain, ObservationQuery, Series

__all__ = ["read_aggregates"]

GRAIN_US: Final[dict[Grain, int]] = {
    "minute": US_PER_MINUTE,
    "hour": 60 * US_PER_MINUTE,
    "day": 24 * 60 * US_PER_MINUTE,
}
# 10^(value/10) of larger levels is beyond a double's range or below what adds up in it.
LEVEL_MAX: Final = 1_000.0

Row = dict[str, Any]


def read_aggregates(
    connection: Connection, catalogue: Catalogue, query: ObservationQuery, grain: Grain
) -> list[Aggregate]:
    """Return aggregates by start and series, at most `limit`; conflicts are left out."""
    found: list[Aggregate] = []
    for series in catalogue.of_device(query.provider, query.device, query.quantity):
        if series.kind == "number":
            found += _of_series(connection, series, query, GRAIN_US[grain])
    found.sort(key=lambda each: (each.start_us, each.series))
    return found[: query.limit]


def _of_series(
    connection: Connection, series: Series, query: ObservationQuery, grain_us: int
) -> list[Aggregate]:
    """Return the aggregates of a series behind the query's position, which is a grain's start."""
    if query.after is not None:
        start_us, number = query.after
        next_us = start_us if series.series > number else start_us + grain_us
        query = msgspec.structs.replace(
            query, after=None, from_us=max(next_us, query.from_us or next_us)
        )
    field = identifier(fields_of(series.quantity).number)
    device = device_condition(query.provider, query.device)
    start_ns, end_ns = window(query)
    # Without bounds the server would end at the present and begin at 1970.
    bounds = connection.ask_all(
        DATA,
        [
            f'SELECT {which}({field}) AS value FROM "{OBSERVATIONS}"'
            f" WHERE {device} AND time >= {start_ns} AND time < {end_ns}"
            for which in ("first", "last")
        ],
    )
    if not all(bounds):
        return []
    first_ns, last_ns = (_times(answers)[0] for answers in bounds)
    within = f"{device} AND time >= {first_ns} AND time <= {last_ns}"
    # The server cannot write an infinite answer.
    powers = (
        f'SELECT pow(10.0, {field} / 10.0) AS energy FROM "{OBSERVATIONS}" WHERE {within}'
        f" AND {field} >= {-LEVEL_MAX} AND {field} <= {LEVEL_MAX}"
    )
    every = f"GROUP BY time({grain_us}u) fill(none) LIMIT {query.limit}"
    selection = (
        f"SELECT count({field}) AS n, mean({field}) AS mean, min({field}) AS low,"
        f" max({field}) AS high, sum({field}) AS total, last({field}) AS last"
        f' FROM "{OBSERVATIONS}" WHERE {within} {every}'
    )
    energy = (
        f"SELECT mean(energy) AS energy FROM ({powers})"
        f" WHERE time >= {first_ns} AND time <= {last_ns} {every}"
    )
    sums, energies = connection.ask_all(DATA, [selection, energy])
    energy_by_start = {row["time"]: row["energy"] for row in rows_of(energies)}
    return [
        _aggregate(series, row, _energy(connection, series, row, energy_by_start, grain_us))
        for row in rows_of(sums)
    ]


def _energy(
    connection: Connection, series: Series, row: Row, energies: dict[int, float], grain_us: int
) -> float:
    if max(abs(row["low"]), abs(row["high"])) <= LEVEL_MAX:
        return 10 * math.log10(energies[row["time"]])
    # No levels of anything: relative to the maximum no power overflows.
    field = identifier(fields_of(series.quantity).number)
    answers = connection.ask(
        DATA,
        f'SELECT {field} AS value FROM "{OBSERVATIONS}"'
        f" WHERE {device_condition(series.provider, series.device)}"
        f" AND time >= {row['time']} AND time < {row['time'] + grain_us * NS_PER_US}",
    )
    values: list[float] = [each["value"] for each in rows_of(answers)]
    peak = max(values)
    mean = math.fsum(10 ** ((value - peak) / 10) for value in values) / len(values)
    return peak + 10 * math.log10(mean)


def _aggregate(series: Series, row: Row, energy: float) -> Aggregate:
    return Aggregate(
        series=series.series,
        start_us=row["time"] // NS_PER_US,
        count=row["n"],
        mean=float(row["mean"]),
        minimum=float(row["low"]),
        maximum=float(row["high"]),
        total=float(row["total"]),
        last=float(row["last"]),
        energy_mean=energy,
    )


def _times(answers: Sequence[Answer]) -> list[int]:
    return [row["time"] for row in rows_of(answers)]

"""Points as rows again: what a reader selects, and one observation for each quantity in a point."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from city.flags import Flag
from store.influx.catalogue import Fields, fields_of
from store.influx.line_protocol import identifier, literal, tag_value
from store.influx.observation_lines import NS_PER_US
from store.influx.positions import position_of, shard_of
from store.interface import OBSERVATION_SCHEMA, Series

__all__ = [
    "ABOUT",
    "Found",
    "Limits",
    "counts",
    "device_condition",
    "found_in",
    "selected",
    "table_of",
]

# What a point says beside its values.
ABOUT: Final = ("place", "received", "flag", "end", "metadata")

# Position up to which each shard is applied.
Limits = dict[int, int]


class Found(msgspec.Struct, frozen=True):
    """One stored observation, in the order of `OBSERVATION_SCHEMA`."""

    series: int
    time_us: int
    value: float | None
    flag: int
    received_us: int
    end_us: int | None
    other: str | None
    metadata: str | None


def device_condition(provider: str, device: str) -> str:
    """Return the condition that selects a device."""
    return (
        f'"provider" = {literal(tag_value(provider))} AND "device" = {literal(tag_value(device))}'
    )


def selected(series: Iterable[Series], *more: str) -> str:
    """Return what to select of points so that these series can be read from them."""
    names = [name for each in series for name in fields_of(each.quantity).names()]
    return ", ".join(map(identifier, [*names, *ABOUT, *more]))


def counts(row: dict[str, Any], limits: Limits) -> bool:
    """Say whether a point is of a frame that is applied; without a place it is being written."""
    place = row["place"]
    return place is not None and position_of(place) <= limits.get(shard_of(place), 0)


def found_in(
    row: dict[str, Any], series: Sequence[tuple[Series, Fields]], time_us: int | None = None
) -> Iterator[Found]:
    """Return what a point says of each of some series."""
    at_us = row["time"] // NS_PER_US if time_us is None else time_us
    flag = row["flag"]
    for each, fields in series:
        value = row.get(fields.number)
        if value is None:
            value = row.get(fields.failed)
        other = row.get(fields.other)
        if value is not None or other is not None:
            yield Found(
                each.series,
                at_us,
                None if value is None else float(value),
                int(Flag.NOT_EVALUATED) if flag is None else flag,
                row["received"],
                row["end"],
                other,
                row["metadata"],
            )


def table_of(rows: Sequence[Found]) -> pa.Table:
    """Return rows as `OBSERVATION_SCHEMA`."""
    columns = {name: [getattr(row, name) for row in rows] for name in OBSERVATION_SCHEMA.names}
    return pa.Table.from_pydict(columns, schema=OBSERVATION_SCHEMA)

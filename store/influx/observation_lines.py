"""Observations as points: one a message and device, its quantities as fields.

The hot path of this store. A point's time is the observation's in nanoseconds; the last three
digits, which no observation has, come from the name of its first quantity. So what different
messages say of one instant does not share a point, and each point has the one place on the log that
its message came from. (Two quantities of a thousand share digits: their points then have the place
of the later message.)
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from city.flags import Flag
from store.influx.catalogue import Catalogue
from store.influx.line_protocol import text

__all__ = [
    "CONFLICTS",
    "NS_PER_US",
    "OBSERVATIONS",
    "conflict_lines",
    "observation_lines",
    "rows_of_lines",
]

OBSERVATIONS: Final = "observations"
CONFLICTS: Final = "conflicts"
NS_PER_US: Final = 1_000
FAILED: Final = frozenset({int(Flag.FAIL), int(Flag.MISSING)})
USUAL: Final = int(Flag.NOT_EVALUATED)
# Conflicts of one frame are told apart by nanoseconds behind the time of receipt, and those of
# frames one after the other begin this far from each other.
FRAME_STEP_NS: Final = 997
FRAME_SPAN_NS: Final = 100_000


class _Columns(msgspec.Struct, frozen=True):
    """Some rows of `OBSERVATION_SCHEMA` in columns of one length, n."""

    series: npt.NDArray[np.int32]
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    received_us: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]


def observation_lines(
    catalogue: Catalogue, rows: pa.Table, places: npt.NDArray[np.int64]
) -> list[str]:
    """Write first values; rows of one message stand together, places has shape (n,)."""
    if not rows.num_rows:
        return []
    odd = _odd(rows)
    if not odd.any():
        return _plain_lines(catalogue, _columns(rows, places))
    lines = _odd_lines(catalogue, rows.filter(pa.array(odd)), places[odd])
    if not odd.all():
        plain = ~odd
        lines += _plain_lines(catalogue, _columns(rows.filter(pa.array(plain)), places[plain]))
    return lines


def _odd(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which rows say more than a number (n,)."""
    odd = rows.column("flag").to_numpy() != USUAL
    for name in ("other", "end_us", "metadata"):
        column = rows.column(name)
        if column.null_count < rows.num_rows:
            odd |= np.array([value is not None for value in column.to_pylist()], np.bool_)
    return odd


def _columns(rows: pa.Table, places: npt.NDArray[np.int64]) -> _Columns:
    return _Columns(
        rows.column("series").to_numpy(),
        rows.column("time_us").to_numpy(),
        rows.column("value").to_numpy(),
        rows.column("received_us").to_numpy(),
        places,
    )


def _plain_lines(catalogue: Catalogue, rows: _Columns) -> list[str]:
    device = catalogue.devices[rows.series]
    starts = _starts(device, rows)
    names = [fields.number for fields in catalogue.fields]
    quantity = catalogue.quantities[rows.series].tolist()
    said = [
        f"{names[at]}={value!r}" for at, value in zip(quantity, rows.value.tolist(), strict=True)
    ]
    digits = np.array(catalogue.digits, np.int64)[catalogue.quantities[rows.series[starts]]]
    columns = zip(
        device[starts].tolist(),
        starts.tolist(),
        [*starts[1:].tolist(), len(said)],
        rows.place[starts].tolist(),
        rows.received_us[starts].tolist(),
        (rows.time_us[starts] * NS_PER_US + digits).tolist(),
        strict=True,
    )
    tags = catalogue.device_tags
    return [
        f"{OBSERVATIONS},{tags[of]} {','.join(said[start:end])},"
        f"place={place}i,received={received}i {time_ns}"
        for of, start, end, place, received, time_ns in columns
    ]


def _starts(device: npt.NDArray[np.int32], rows: _Columns) -> npt.NDArray[np.int64]:
    """Return the rows with which points begin (m,)."""
    first = np.ones(len(device), np.bool_)
    first[1:] = (
        (device[1:] != device[:-1])
        | (rows.time_us[1:] != rows.time_us[:-1])
        | (rows.place[1:] != rows.place[:-1])
        | (rows.received_us[1:] != rows.received_us[:-1])
    )
    return np.flatnonzero(first)


Key = tuple[Any, ...]


def _odd_lines(catalogue: Catalogue, rows: pa.Table, places: npt.NDArray[np.int64]) -> list[str]:
    """Write rows that share everything but quantity and value as one point."""
    points: dict[Key, list[str]] = {}
    digits: dict[Key, int] = {}
    for row, place in zip(_named(rows), places.tolist(), strict=True):
        key = _key(catalogue, row, place)
        points.setdefault(key, []).append(_field(catalogue, row))
        digits.setdefault(key, catalogue.digits[catalogue.quantities[row["series"]]])
    return [
        f"{OBSERVATIONS},{catalogue.device_tags[key[0]]} {','.join(said)},{_about(*key[2:])}"
        f" {key[1] * NS_PER_US + digits[key]}"
        for key, said in points.items()
    ]


def _key(catalogue: Catalogue, row: dict[str, Any], place: int) -> Key:
    """Return what rows of one point share."""
    return (
        int(catalogue.devices[row["series"]]), row["time_us"], place, row["received_us"],
        row["flag"], row["end_us"], row["metadata"],
    )  # fmt: skip


def rows_of_lines(
    catalogue: Catalogue, rows: pa.Table, places: npt.NDArray[np.int64]
) -> list[list[int]]:
    """Return which rows stand in each of the lines of `observation_lines`."""
    odd = _odd(rows)
    points: dict[Key, list[int]] = {}
    chosen = np.flatnonzero(odd).tolist()
    said = zip(_named(rows.filter(pa.array(odd))), places[odd].tolist(), chosen, strict=True)
    for row, place, at in said:
        points.setdefault(_key(catalogue, row, place), []).append(at)
    plain = np.flatnonzero(~odd)
    columns = _columns(rows.filter(pa.array(~odd)), places[~odd])
    starts = _starts(catalogue.devices[columns.series], columns)
    # Of no plain rows, nothing is split off in front of the first point either.
    parts = np.split(plain, starts)[1:] if len(plain) else []
    return [*points.values(), *(part.tolist() for part in parts)]


def conflict_lines(
    catalogue: Catalogue, rows: pa.Table, places: npt.NDArray[np.int64]
) -> list[str]:
    """Write values beside the first, one point each, by the time of receipt.

    An instant of a device whose clock stands still has more conflicts than a microsecond has
    nanoseconds; times of receipt go on.
    """
    seen: dict[int, int] = {}
    lines: list[str] = []
    for row, place in zip(_named(rows), places.tolist(), strict=True):
        nth = seen[place] = seen.get(place, -1) + 1
        shift_ns = (place // 2**22 * FRAME_STEP_NS + nth) % FRAME_SPAN_NS
        tags = catalogue.device_tags[catalogue.devices[row["series"]]]
        about = _about(place, row["received_us"], row["flag"], row["end_us"], row["metadata"])
        lines.append(
            f"{CONFLICTS},{tags} {_field(catalogue, row)},at={row['time_us']}i,{about}"
            f" {row['received_us'] * NS_PER_US + shift_ns}"
        )
    return lines


def _named(rows: pa.Table) -> Iterator[dict[str, Any]]:
    yield from rows.to_pylist()


def _field(catalogue: Catalogue, row: dict[str, Any]) -> str:
    fields = catalogue.fields[catalogue.quantities[row["series"]]]
    if row["other"] is not None:
        return f"{fields.other}={text(row['other'])}"
    name = fields.failed if row["flag"] in FAILED else fields.number
    return f"{name}={row['value']!r}"


def _about(
    place: int, received_us: int, flag: int, end_us: int | None, metadata: str | None
) -> str:
    """Write what a point says beside its values; the usual is left out."""
    said = f"place={place}i,received={received_us}i"
    if flag != USUAL:
        said += f",flag={flag}i"
    if end_us is not None:
        said += f",end={end_us}i"
    if metadata is not None:
        said += f",metadata={text(metadata)}"
    return said

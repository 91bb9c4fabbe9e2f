"""Observations on their way into a batch, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from store.interface import OBSERVATION_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

T = TypeVar("T")

__all__ = ["Row", "Rows", "join_rows", "rows_of"]


class Row(NamedTuple):
    """One observation that was looked at by itself.

    Attributes:
        message: Position of its message in the stretch.
        value: None where `other` holds the value as JSON.
        metadata: JSON; None where there is none.
    """

    message: int
    series: int
    time_us: int
    value: float | None
    flag: int
    received_us: int
    end_us: int | None
    other: str | None
    metadata: str | None


class Rows(msgspec.Struct, frozen=True):
    """Observations in columns of one length, n.

    Attributes:
        message: Position of each one's message in the stretch.
        other, metadata, end_us: None where no observation has any.
    """

    message: npt.NDArray[np.int64]
    series: npt.NDArray[np.int32]
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flag: npt.NDArray[np.uint8]
    received_us: npt.NDArray[np.int64]
    end_us: list[int | None] | None = None
    other: list[str | None] | None = None
    metadata: list[str | None] | None = None

    def __len__(self) -> int:
        return len(self.series)

    def at(self, places: npt.NDArray[np.int64]) -> Rows:
        """Return those at some places (m,), in that order."""
        listed: list[int] = places.tolist()
        return Rows(
            self.message[places],
            self.series[places],
            self.time_us[places],
            self.value[places],
            self.flag[places],
            self.received_us[places],
            _picked(self.end_us, listed),
            _picked(self.other, listed),
            _picked(self.metadata, listed),
        )

    def table(self, chosen: npt.NDArray[np.bool_]) -> pa.Table:
        """Return some of them as `OBSERVATION_SCHEMA`; chosen has shape (n,)."""
        every = bool(chosen.all())
        at = None if every else np.flatnonzero(chosen).tolist()
        value = pa.array(
            self.value if every else self.value[chosen],
            mask=None if self.other is None else self._elsewhere(chosen),
        )
        columns = [
            pa.array(column if every else column[chosen])
            for column in (self.series, self.time_us, self.flag, self.received_us)
        ]
        series, time_us, flag, received_us = columns
        return pa.Table.from_arrays(
            [
                series, time_us, value, flag, received_us,
                _texts(self.end_us, at, len(series), pa.int64()),
                _texts(self.other, at, len(series), pa.string()),
                _texts(self.metadata, at, len(series), pa.string()),
            ],
            schema=OBSERVATION_SCHEMA,
        )  # fmt: skip

    def _elsewhere(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        assert self.other is not None, "asked only where there are other values"
        return np.array([other is not None for other in self.other], np.bool_)[chosen]


def rows_of(rows: Sequence[Row]) -> Rows:
    """Turn single rows into columns."""
    return Rows(
        message=np.array([row.message for row in rows], np.int64),
        series=np.array([row.series for row in rows], np.int32),
        time_us=np.array([row.time_us for row in rows], np.int64),
        value=np.array([0.0 if row.value is None else row.value for row in rows], np.float64),
        flag=np.array([row.flag for row in rows], np.uint8),
        received_us=np.array([row.received_us for row in rows], np.int64),
        end_us=[row.end_us for row in rows],
        other=[row.other for row in rows],
        metadata=[row.metadata for row in rows],
    )


def join_rows(plain: Rows, single: Sequence[Row]) -> Rows:
    """Put plain rows and single ones together; still each device's messages in log order."""
    if not single:
        return plain
    others = rows_of(single)
    nothing = [None] * len(plain)
    joined = Rows(
        *(
            np.concatenate([getattr(plain, name), getattr(others, name)])
            for name in ("message", "series", "time_us", "value", "flag", "received_us")
        ),
        end_us=[*nothing, *(others.end_us or ())],
        other=[*nothing, *(others.other or ())],
        metadata=[*nothing, *(others.metadata or ())],
    )
    return _sorted(joined) if len(plain) else joined


def _sorted(rows: Rows) -> Rows:
    order = np.argsort(rows.message, kind="stable")
    return rows.at(order)


def _picked(column: list[T] | None, places: list[int]) -> list[T] | None:
    return None if column is None else [column[at] for at in places]


def _texts(
    column: list[T] | None,
    at: list[int] | None,
    size: int,
    kind: pa.DataType,
) -> pa.Array:
    if column is None:
        return pa.nulls(size, kind)
    return pa.array(column if at is None else _picked(column, at), kind)

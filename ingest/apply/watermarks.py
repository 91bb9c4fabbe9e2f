"""Finds repeated observations: the newest time and value of every series, 16 bytes each.

An observation beyond its series' watermark is new. One at or before it is looked up in the store:
the same value is a duplicate, another one a conflict, none a late arrival. Whatever the number of
observations, only series with such late ones are looked at one by one.
"""

from __future__ import annotations

import enum
import hashlib
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import pyarrow as pa

from ingest.apply.columns import grown
from store.interface import LATE_SCHEMA

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.rows import Rows
    from store.interface import Store

__all__ = ["Verdict", "Watermarks", "signature_of"]

FIRST_SERIES: Final = 1_024
# Before every instant: a series of which nothing is stored.
NEVER: Final = np.iinfo(np.int64).min
SIGNATURE_BYTES: Final = 8

Key = tuple[int, int]


class Verdict(enum.IntEnum):
    """What becomes of an observation; whether a store refuses it, it says itself."""

    STORED = 0
    DUPLICATE = 1
    CONFLICT = 2
    REFUSED = 3


class _Known(msgspec.Struct):
    """First values and conflicts at late times: signatures by (series, time)."""

    first: dict[Key, int]
    conflicts: set[tuple[int, int, int]]


class _Before(msgspec.Struct, frozen=True):
    """What the last rows moved: watermarks of their series, each once, in columns (n,)."""

    series: npt.NDArray[np.int32]
    time_us: npt.NDArray[np.int64]
    signature: npt.NDArray[np.int64]

    @classmethod
    def nothing(cls) -> _Before:
        none = np.empty(0, np.int64)
        return cls(none.astype(np.int32), none, none)


class Watermarks:
    """Judges rows in log order and moves with them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._time_us = np.full(FIRST_SERIES, NEVER, np.int64)
        self._signature = np.zeros(FIRST_SERIES, np.int64)
        self._before = _Before.nothing()
        newest = store.watermarks()
        if newest.num_rows:
            series = newest.column("series").to_numpy()
            self._grow(int(series.max()))
            self._time_us[series] = newest.column("time_us").to_numpy()
            self._signature[series] = _signatures_of(newest)

    def judge(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """Return a `Verdict` for each row (n,); rows of a series stand in log order."""
        verdicts = np.zeros(len(rows), np.uint8)
        if not len(rows):
            self._before = _Before.nothing()
            return verdicts
        self._grow(int(rows.series.max()))
        order = np.argsort(rows.series, kind="stable")
        series, time_us = rows.series[order], rows.time_us[order]
        first = np.empty(len(order), np.bool_)
        first[0] = True
        np.not_equal(series[1:], series[:-1], out=first[1:])
        touched = series[first]
        self._before = _Before(touched, self._time_us[touched], self._signature[touched])
        before = np.empty_like(time_us)
        before[1:] = time_us[:-1]
        before[first] = self._time_us[series[first]]
        late = time_us <= before
        signatures = _signatures(rows)[order]
        plain = np.ones(len(order), np.bool_)
        if late.any():
            plain = ~np.isin(series, np.unique(series[late]))
            odd = np.flatnonzero(~plain)
            verdicts[order[odd]] = self._judge_each(series[odd], time_us[odd], signatures[odd])
        last = np.append(first[1:], True) & plain
        self._time_us[series[last]] = time_us[last]
        self._signature[series[last]] = signatures[last]
        return verdicts

    def undo(self) -> None:
        """Know what was known before the last rows were judged."""
        before = self._before
        self._time_us[before.series] = before.time_us
        self._signature[before.series] = before.signature

    def _judge_each(
        self,
        series: npt.NDArray[np.int32],
        time_us: npt.NDArray[np.int64],
        signatures: npt.NDArray[np.int64],
    ) -> list[Verdict]:
        known = self._look_up(series, time_us, signatures)
        each = zip(series.tolist(), time_us.tolist(), signatures.tolist(), strict=True)
        return [self._judge_one((number, at), signature, known) for number, at, signature in each]

    def _judge_one(self, key: Key, signature: int, known: _Known) -> Verdict:
        series, time_us = key
        newest_us = self._time_us[series]
        first = known.first.get(key)
        if first is None and time_us == newest_us:
            first = int(self._signature[series])
        if first is None:
            known.first[key] = signature
            if time_us > newest_us:
                self._time_us[series], self._signature[series] = time_us, signature
            return Verdict.STORED
        if signature == first or (*key, signature) in known.conflicts:
            return Verdict.DUPLICATE
        known.conflicts.add((*key, signature))
        return Verdict.CONFLICT

    def _look_up(
        self,
        series: npt.NDArray[np.int32],
        time_us: npt.NDArray[np.int64],
        signatures: npt.NDArray[np.int64],
    ) -> _Known:
        """Ask the store for what stands at the times that are not simply the newest again."""
        newest_us = self._time_us[series]
        again = (time_us == newest_us) & (signatures == self._signature[series])
        late = np.flatnonzero((time_us <= newest_us) & ~again)
        # Rows before them in this batch may move the watermark on: it has to be remembered.
        newest = zip(series[again].tolist(), time_us[again].tolist(), strict=True)
        known = _Known(dict(zip(newest, signatures[again].tolist(), strict=True)), set())
        if late.size:
            found = self._store.find(_asked(series[late], time_us[late]))
            known.first.update(_by_key(found))
            # Conflicts stand beside a first value only: most late rows have none.
            beside = late[
                (time_us[late] == newest_us[late])
                | [
                    key in known.first
                    for key in zip(series[late].tolist(), time_us[late].tolist(), strict=True)
                ]
            ]
            if beside.size:
                found = self._store.find_conflicts(_asked(series[beside], time_us[beside]))
                known.conflicts.update((*key, signature) for key, signature in _by_key(found))
        return known

    def _grow(self, series: int) -> None:
        self._time_us = grown(self._time_us, series + 1, NEVER)
        self._signature = grown(self._signature, series + 1, 0)


def _asked(series: npt.NDArray[np.int32], time_us: npt.NDArray[np.int64]) -> pa.Table:
    """Return a question for the store, of `LATE_SCHEMA`."""
    columns = [
        pa.array(series),
        pa.array(time_us),
        pa.nulls(len(series), pa.float64()),
        pa.nulls(len(series), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=LATE_SCHEMA)


def signature_of(other: str) -> int:
    """Return 64 signed bits that stand for a value that is no double."""
    digest = hashlib.blake2b(other.encode(), digest_size=SIGNATURE_BYTES).digest()
    return int.from_bytes(digest, "little", signed=True)


def _signatures(rows: Rows) -> npt.NDArray[np.int64]:
    # One zero: 0.0 and -0.0 are the same value.
    return _with_others((rows.value + 0.0).view(np.int64), rows.other)


def _signatures_of(table: pa.Table) -> npt.NDArray[np.int64]:
    values = np.nan_to_num(table.column("value").to_numpy(), nan=0.0)
    others: list[str | None] = table.column("other").to_pylist()
    return _with_others((values + 0.0).view(np.int64), others)


def _with_others(
    bits: npt.NDArray[np.int64], others: list[str | None] | None
) -> npt.NDArray[np.int64]:
    if others is not None:
        for at, other in enumerate(others):
            if other is not None:
                bits[at] = signature_of(other)
    return bits


def _by_key(found: pa.Table) -> list[tuple[Key, int]]:
    series: list[int] = found.column("series").to_pylist()
    times: list[int] = found.column("time_us").to_pylist()
    keys = zip(series, times, strict=True)
    return list(zip(keys, _signatures_of(found).tolist(), strict=True))

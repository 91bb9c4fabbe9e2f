"""Columns of the store as the inputs of a computation, and what a result says of them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from city.clock import US_PER_S
from city.corrections import Correction, corrected
from city.pauses import Pauses
from city.traits import Traits
from indicators.areas import Member
from indicators.civil import Window
from indicators.columns import Observations, observations
from indicators.contracts import model
from store.interface import Store

__all__ = ["Evidence", "Input", "merged", "read_inputs"]

# Longer lists of series are kept as their number and hash.
SERIES_NAMED: Final = 100
NOTHING: Final[Traits] = {}


class Evidence(msgspec.Struct, frozen=True):
    """What one result was computed from.

    Attributes:
        series: Numbers of the series.
        flags: How many observations had which flag.
        digest: Of series, times, values, flags and what is known of the device.
        watermark_us: When the last of them was received; 0 for none.
    """

    series: tuple[int, ...] = ()
    flags: dict[int, int] = {}
    digest: str = ""
    watermark_us: int = 0

    def members(self) -> dict[str, object]:
        """Write it for a lineage."""
        named: object = list(self.series)
        if len(self.series) > SERIES_NAMED:
            text = ",".join(map(str, self.series)).encode()
            named = {"count": len(self.series), "sha256": hashlib.sha256(text).hexdigest()}
        return {
            "series": named,
            "flags": {str(flag): count for flag, count in sorted(self.flags.items())},
            "watermark_us": self.watermark_us,
        }


class Input:
    """One series' observations over some time.

    Args:
        series: Its number.
        table: Its rows, of `OBSERVATION_SCHEMA`, by time.
        declared_s: How often the device should report; None where nobody said.
        pauses: When the device was being worked on.
        traits: What is known of the device.
        corrections: What calibrations make of the values of this quantity.
    """

    def __init__(
        self,
        series: int,
        table: pa.Table,
        declared_s: float | None,
        pauses: Pauses = (),
        traits: Traits = NOTHING,
        corrections: Sequence[Correction] = (),
    ) -> None:
        self.series = series
        self._traits = "\n".join(f"{name}={text}" for name, text in sorted(traits.items()))
        self._received: NDArray[np.int64] = table.column("received_us").to_numpy()
        self._pauses = pauses
        self._declared_us = None if declared_s is None else round(declared_s * US_PER_S)
        self._times: NDArray[np.int64] = table.column("time_us").to_numpy()
        self._flags: NDArray[np.uint8] = table.column("flag").to_numpy()
        self._values = corrected(corrections, self._times, _plain(table, "value"))
        ends = _plain(table, "end_us")
        # An instant has no length of its own.
        self._ends = np.where(np.isnan(ends), self._times, ends).astype(np.int64)
        self._by_interval: dict[int, Observations] = {}

    def of(self, wanted: model.Input) -> Observations:
        """Return the columns; where nobody declared an interval, it is the longest one wanted."""
        interval_us = self._declared_us or wanted.longest_interval_s * US_PER_S
        if interval_us not in self._by_interval:
            self._by_interval[interval_us] = observations(
                self._times,
                self._values,
                self._flags,
                interval_us=interval_us,
                end_us=self._ends,
                pauses=self._pauses,
            )
        return self._by_interval[interval_us]

    def evidence(self, span: Window) -> Evidence:
        """Return what there is of a span."""
        bounds = np.asarray((span.start_us, span.end_us), dtype=np.int64)
        first, after = (int(each) for each in np.searchsorted(self._times, bounds))
        flags = self._flags[first:after]
        digest = hashlib.blake2b(self.series.to_bytes(8, "little"), digest_size=16)
        for column in (self._times, self._values):
            digest.update(np.ascontiguousarray(column[first:after]).tobytes())
        digest.update(np.ascontiguousarray(flags).tobytes())
        digest.update(self._traits.encode())
        received = self._received[first:after]
        return Evidence(
            series=(self.series,),
            flags={
                int(f): int(n) for f, n in zip(*np.unique(flags, return_counts=True), strict=True)
            },
            digest=digest.hexdigest(),
            watermark_us=int(received.max()) if len(received) else 0,
        )


def read_inputs(
    store: Store, members: Sequence[Member], from_us: int, to_us: int
) -> dict[int, Input]:
    """Read the series of devices over a time; each is there, with no rows where it has none."""
    known = {each.series: (each, member.site) for member in members for each in member.series}
    table = store.columns(sorted(known), from_us, to_us)
    numbers: NDArray[np.int64] = table.column("series").to_numpy()
    found: dict[int, Input] = {}
    for number, (series, site) in known.items():
        first, after = (int(each) for each in np.searchsorted(numbers, (number, number + 1)))
        rows = table.slice(first, after - first)
        found[number] = Input(
            number,
            rows,
            site.interval_s,
            site.pauses,
            site.traits,
            [each for each in site.corrections if each.quantity == series.quantity],
        )
    return found


def merged(parts: Iterable[Evidence]) -> Evidence:
    """Return the evidence of a result that was made of several."""
    each = list(parts)
    if len(each) == 1:
        return each[0]
    flags: Counter[int] = Counter()
    for part in each:
        flags.update(part.flags)
    digest = hashlib.blake2b(digest_size=16)
    for part in each:
        digest.update(part.digest.encode())
    return Evidence(
        series=tuple(sorted({number for part in each for number in part.series})),
        flags=dict(flags),
        digest=digest.hexdigest(),
        watermark_us=max((part.watermark_us for part in each), default=0),
    )


def _plain(table: pa.Table, column: str) -> NDArray[np.float64]:
    """Return a column of numbers, NaN for null."""
    numbers: NDArray[np.float64] = (
        table.column(column).combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64)
    )
    return numbers

"""How long things took, by when they began: what a report draws and two machines add up."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

from loadtest.latency import DIGITS, LONGEST_US, US_PER_S, LatencySummary, summary_of

__all__ = ["Timings", "TimingsRecord", "histogram_of", "merged", "rounded_us"]

Column = NDArray[np.float64]
# Values keep so many parts of each power of two: 3 digits in all, 1 % in an interval.
FINE: Final = 2_048
COARSE: Final = 128
SIZE: Final = FINE * 24


class TimingsRecord(msgspec.Struct, frozen=True):
    """Durations of a run.

    Attributes:
        hdr: All of them: an encoded HdrHistogram in microseconds.
        interval_s: Length of an interval.
        intervals: By number of the interval in which they began: how many took how many
            microseconds, to 1 %.
    """

    hdr: str
    interval_s: float
    intervals: dict[int, dict[int, int]]

    def summary(self) -> LatencySummary:
        """Return the percentiles of all of them."""
        return summary_of(histogram_of([self.hdr]))


class Timings:
    """Collects durations, whole columns at a time."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._fine = np.zeros(SIZE, dtype=np.int64)
        self._intervals: dict[int, dict[int, int]] = {}

    def add(self, began_s: Column, seconds: Column) -> None:
        """Count durations; `began_s` counts from the start of the run."""
        if not len(seconds):
            return
        micros = np.clip(seconds * US_PER_S, 1, LONGEST_US)
        exponent, units = _split(micros, FINE)
        # Below the smallest power a value stands for itself; above, only the upper half is used.
        self._fine += np.bincount(units + exponent * (FINE // 2), minlength=SIZE)
        keys = (began_s // self._interval_s).astype(np.int64) << 32 | rounded_us(micros)
        found, counts = np.unique(keys, return_counts=True)
        for key, count in zip(found.tolist(), counts.tolist(), strict=True):
            interval = self._intervals.setdefault(key >> 32, {})
            value = key & 0xFFFF_FFFF
            interval[value] = interval.get(value, 0) + count

    def record(self) -> TimingsRecord:
        """Return all that was counted."""
        histogram = HdrHistogram(1, LONGEST_US, DIGITS)
        places = np.nonzero(self._fine)[0]
        for place, count in zip(places.tolist(), self._fine[places].tolist(), strict=True):
            exponent = max(0, place // (FINE // 2) - 1)
            units = place - exponent * (FINE // 2)
            histogram.record_value(min(units << exponent, LONGEST_US), count)
        return TimingsRecord(
            b64encode(histogram.encode()).decode(), self._interval_s, self._intervals
        )


def rounded_us(micros: Column) -> NDArray[np.int64]:
    """Return durations to 1 %, as intervals keep them."""
    exponent, units = _split(micros, COARSE)
    return units << exponent


def histogram_of(encoded: Iterable[str]) -> HdrHistogram:
    """Return the sum of encoded histograms."""
    total = HdrHistogram(1, LONGEST_US, DIGITS)
    for each in encoded:
        total.decode_and_add(b64decode(each))
    return total


def merged(records: Iterable[TimingsRecord]) -> TimingsRecord:
    """Return the sum of records whose intervals have one length."""
    kept = [*records]
    intervals: dict[int, dict[int, int]] = {}
    for record in kept:
        for number, counts in record.intervals.items():
            _add(intervals.setdefault(number, {}), counts)
    encoded = b64encode(histogram_of(each.hdr for each in kept).encode()).decode()
    return TimingsRecord(encoded, kept[0].interval_s if kept else 1.0, intervals)


def _add(total: dict[int, int], more: Mapping[int, int]) -> None:
    for value, count in more.items():
        total[value] = total.get(value, 0) + count


def _split(micros: Column, parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return exponent and units of durations: about `units << exponent` microseconds."""
    exponent = np.maximum(0, np.floor(np.log2(micros / parts)) + 1).astype(np.int64)
    return exponent, np.rint(micros / 2.0**exponent).astype(np.int64)

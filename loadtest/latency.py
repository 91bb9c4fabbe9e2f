"""How long things took, as a histogram that keeps three digits of every value."""

from typing import Final

import msgspec
import numpy as np
from hdrh.histogram import HdrHistogram

__all__ = ["DIGITS", "LONGEST_US", "US_PER_S", "LatencyRecorder", "LatencySummary", "summary_of"]

DIGITS: Final = 3
# An hour: what takes longer is counted as an hour.
LONGEST_US: Final = 3_600_000_000
# Values are rounded to this many parts before they are counted, finer than the histogram is.
FINENESS: Final = 4_096
US_PER_S: Final = 1_000_000
US_PER_MS: Final = 1_000


class LatencySummary(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds; all 0 where nothing was recorded."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float


class LatencyRecorder:
    """Collects durations.

    Attributes:
        seconds: Where callers append them; `fold` empties it, often enough to keep it short.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._histogram = HdrHistogram(1, LONGEST_US, DIGITS)

    def fold(self) -> None:
        """Count what was appended since last time.

        One call into the histogram (pure Python) takes longer than a message does, so equal
        values are counted together.
        """
        if not self.seconds:
            return
        micros = np.array(self.seconds) * US_PER_S
        self.seconds.clear()
        micros = np.clip(micros, 1, LONGEST_US)
        unit = 2.0 ** np.maximum(0, np.floor(np.log2(micros / FINENESS)))
        values, counts = np.unique(np.rint(np.rint(micros / unit) * unit), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            self._histogram.record_value(int(value), count)

    def summary(self) -> LatencySummary:
        """Return the percentiles of all that was recorded."""
        self.fold()
        return summary_of(self._histogram)


def summary_of(histogram: HdrHistogram) -> LatencySummary:
    """Return the percentiles of a histogram in microseconds."""
    if histogram.get_total_count() == 0:
        return LatencySummary(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    levels = (50.0, 90.0, 99.0, 99.9)
    p50, p90, p99, p99_9 = (histogram.get_value_at_percentile(level) for level in levels)
    return LatencySummary(
        count=histogram.get_total_count(),
        mean_ms=histogram.get_mean_value() / US_PER_MS,
        p50_ms=p50 / US_PER_MS,
        p90_ms=p90 / US_PER_MS,
        p99_ms=p99 / US_PER_MS,
        p99_9_ms=p99_9 / US_PER_MS,
        max_ms=histogram.get_max_value() / US_PER_MS,
    )

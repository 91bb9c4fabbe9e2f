"""States that hold until the next report: which stretches of a window are known, and their states.

A state also holds into a window from before it, and at most for so long; after that nobody knows.
Source: indicators.md section 7, "Step hold".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from city.pauses import Pauses
from indicators.civil import Window
from indicators.columns import Observations

__all__ = ["Held", "held"]


@dataclass(frozen=True, slots=True)
class Held:
    """The stretches of a window in which the states of all series are known, in order.

    Attributes:
        start_us, end_us: Of each stretch, half-open, shape (n,).
        state: One row of states a series, shape (series, n).
        flag: Quality flags of what was reported, shape (series, n).
    """

    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    state: NDArray[np.float64]
    flag: NDArray[np.uint8]

    @property
    def length_us(self) -> NDArray[np.int64]:
        """How long each stretch is."""
        return self.end_us - self.start_us

    @property
    def known_us(self) -> int:
        """How much of the window is known."""
        return int(self.length_us.sum())

    def where(self, wanted: NDArray[np.bool_]) -> "Held":
        """Return the stretches that a mask wants."""
        return Held(
            self.start_us[wanted], self.end_us[wanted], self.state[:, wanted], self.flag[:, wanted]
        )


def held(series: Sequence[Observations], window: Window, hold_us: Sequence[int]) -> Held:
    """Return what is known of a window when each report holds until the next one.

    Time in which a device was being worked on is left out.

    Args:
        series: Usable reports of series that are known together; of several at one instant the
            first counts. Those of `hold_us` before the window belong to them.
        window: Half-open.
        hold_us: How long a report of each series holds at most.
    """
    each = [_reports(seen) for seen in series]
    # All are of one device.
    out = series[0].pauses
    edges = _edges([times for times, _ in each], hold_us, out, window)
    starts, ends = edges[:-1], edges[1:]
    rows = [_rows(times, at, starts, hold) for (times, at), hold in zip(each, hold_us, strict=True)]
    known = np.all([row >= 0 for row in rows], axis=0)
    for start, end in out:
        known &= (starts < start) | (starts >= end)
    return Held(
        starts[known],
        ends[known],
        np.array([seen.value[row[known]] for seen, row in zip(series, rows, strict=True)]),
        np.array([seen.flag[row[known]] for seen, row in zip(series, rows, strict=True)]),
    )


def _reports(seen: Observations) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the instants of reports, each once, and where they are."""
    return np.unique(seen.time_us, return_index=True)


def _edges(
    times: Sequence[NDArray[np.int64]], hold_us: Sequence[int], out: Pauses, window: Window
) -> NDArray[np.int64]:
    """Return every instant of a window at which something may change, and its two ends."""
    changes = [np.asarray((window.start_us, window.end_us), dtype=np.int64)]
    changes += times
    changes += [each + hold for each, hold in zip(times, hold_us, strict=True)]
    changes += [np.asarray(pause, dtype=np.int64) for pause in out]
    return np.unique(np.clip(np.concatenate(changes), window.start_us, window.end_us))


def _rows(
    times: NDArray[np.int64], at: NDArray[np.intp], starts: NDArray[np.int64], hold_us: int
) -> NDArray[np.intp]:
    """Return which row of a series holds from each of some instants on; -1: none."""
    if not len(times):
        return np.full(len(starts), -1, dtype=np.intp)
    newest = np.searchsorted(times, starts, side="right") - 1
    holds = (newest >= 0) & (starts < times[newest] + hold_us)
    return np.where(holds, at[newest], -1)

"""Observations of one series as columns, and which of them count: flags, slots, the gate.

Completeness counts slots, not messages: two messages in one slot count once. A missing slot is
never filled. Source: indicators.md section 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from city.flags import Flag
from city.pauses import Pauses, overlap_us
from indicators.civil import Window

__all__ = [
    "Gate",
    "Observations",
    "expected_parts",
    "flag_counts",
    "gate",
    "gate_of",
    "gate_of_time",
    "observations",
    "usable",
]

Memo = dict[Any, Any]
WITHOUT_SUSPECT = (Flag.PASS, Flag.NOT_EVALUATED)
WITH_SUSPECT = (*WITHOUT_SUSPECT, Flag.SUSPECT)


@dataclass(frozen=True, slots=True)
class Observations:
    """One series in order of time; build it with `observations`.

    Attributes:
        time_us: Start of each observation, microseconds UTC, shape (n,), ascending.
        value: Values in the canonical unit of the quantity; NaN where there is none.
        flag: Quality flags (`city.flags.Flag`).
        length_us: How long each value was measured over; the interval where nobody said.
        interval_us: Nominal interval of the series.
        pauses: When its device was being worked on: no slot is expected then, and none counts.
        memo: What was computed from these columns; parts of them that hold a whole window share it.
    """

    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    length_us: NDArray[np.int64]
    interval_us: int
    pauses: Pauses = ()
    memo: Memo = field(default_factory=dict[Any, Any], repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.time_us)

    def within(self, window: Window) -> "Observations":
        """Return what starts inside of a window; columns are shared, not copied."""
        bounds = np.asarray((window.start_us, window.end_us), dtype=np.int64)
        first, after = np.searchsorted(self.time_us, bounds)
        return self._at(slice(int(first), int(after)), self.memo)

    def where(self, wanted: NDArray[np.bool_]) -> "Observations":
        """Return the observations that a mask wants."""
        return self._at(wanted, {})

    def _at(self, index: slice | NDArray[np.bool_], memo: Memo) -> "Observations":
        return Observations(
            self.time_us[index],
            self.value[index],
            self.flag[index],
            self.length_us[index],
            self.interval_us,
            self.pauses,
            memo,
        )


class Gate(msgspec.Struct, frozen=True):
    """Whether enough of a window is known.

    Attributes:
        used: Slots with a usable observation.
        expected: Slots of the window; a part of a slot at its end counts as one.
        completeness: `used` by slots of elapsed time, 0 to 1.
        passed: Whether the threshold is met, rounded up to whole slots.
    """

    used: int
    expected: int
    completeness: float
    passed: bool


def observations(
    time_us: Sequence[int] | NDArray[np.int64],
    value: Sequence[float] | NDArray[np.float64],
    flag: Sequence[int] | NDArray[np.uint8] | None = None,
    *,
    interval_us: int,
    end_us: Sequence[int] | NDArray[np.int64] | None = None,
    pauses: Pauses = (),
) -> Observations:
    """Build columns in order of time.

    Args:
        time_us: Instants or starts of intervals, microseconds UTC, in any order.
        value: Values in the canonical unit.
        flag: Quality flags; None: all not evaluated.
        interval_us: Nominal interval of the series.
        end_us: Ends of intervals; None: each is as long as the nominal interval.
        pauses: When the device was being worked on.

    Raises:
        ValueError: If columns differ in length or the interval is none.
    """
    if interval_us <= 0:
        raise ValueError(f"a nominal interval of {interval_us} us is none")
    starts = np.asarray(time_us, dtype=np.int64)
    values = np.asarray(value, dtype=np.float64)
    flags = np.full(len(starts), Flag.NOT_EVALUATED, dtype=np.uint8)
    if flag is not None:
        flags = np.asarray(flag, dtype=np.uint8)
    lengths = np.full(len(starts), interval_us, dtype=np.int64)
    if end_us is not None:
        lengths = np.asarray(end_us, dtype=np.int64) - starts
    if not len(starts) == len(values) == len(flags) == len(lengths):
        raise ValueError("columns of observations differ in length")
    order = np.argsort(starts, kind="stable")
    # An instant has no length: it stands for its interval.
    lengths = np.where(lengths > 0, lengths, interval_us)
    return Observations(
        starts[order], values[order], flags[order], lengths[order], interval_us, pauses
    )


def usable(seen: Observations, *, accept_suspect: bool) -> Observations:
    """Return what may be used: flags 1 and 2, 3 if accepted; never a missing value.

    Nor what came while somebody worked on the device: that is of the tools, not of the air.
    """
    flags = np.asarray(WITH_SUSPECT if accept_suspect else WITHOUT_SUSPECT, dtype=np.uint8)
    wanted = np.isin(seen.flag, flags) & np.isfinite(seen.value)
    for start, end in seen.pauses:
        wanted &= (seen.time_us < start) | (seen.time_us >= end)
    return seen.where(wanted)


def flag_counts(seen: Observations) -> dict[int, int]:
    """Return how many observations have which flag, for the lineage of a result."""
    flags, counts = np.unique(seen.flag, return_counts=True)
    return {int(flag): int(count) for flag, count in zip(flags, counts, strict=True)}


def gate(seen: Observations, window: Window, share: float) -> Gate:
    """Count the slots of a window that usable observations fill, against a share of them.

    Slot of an observation: floor((time - start of the window) / interval). Time in which the
    device was being worked on has no slots.
    """
    inside = seen.within(window)
    slots = (inside.time_us - window.start_us) // seen.interval_us
    expected_us = window.length_us - overlap_us(seen.pauses, window.start_us, window.end_us)
    return gate_of(len(np.unique(slots)), Fraction(expected_us, seen.interval_us), share)


def gate_of_time(
    known_us: int, seen: Observations, window: Window, share: float, *, left_out_us: int = 0
) -> Gate:
    """Judge how much of a window is known by time, not by slots; what was worked on is not asked.

    Args:
        known_us: Of the window, microseconds.
        seen: Of the series, for its interval and pauses.
        window: Half-open.
        share: Needed of it.
        left_out_us: Of the window, in which there was nothing to know.
    """
    expected_us = window.length_us - overlap_us(seen.pauses, window.start_us, window.end_us)
    expected_us -= left_out_us
    found = gate_of(known_us, Fraction(expected_us), share)
    # What holds for longer than a window fills its one slot.
    slot_us = min(seen.interval_us, window.length_us)
    slots = -(-expected_us // slot_us)
    used = min(known_us // slot_us, slots)
    return Gate(used, slots, found.completeness, found.passed)


def expected_parts(seen: Observations, parts: Sequence[Window]) -> Fraction:
    """Return how many of some windows are expected: those not wholly under maintenance."""
    if not seen.pauses:
        return Fraction(len(parts))
    paused = (overlap_us(seen.pauses, part.start_us, part.end_us) for part in parts)
    lengths = (part.length_us for part in parts)
    return Fraction(sum(gone < length for gone, length in zip(paused, lengths, strict=True)))


def gate_of(used: int, expected: Fraction, share: float) -> Gate:
    """Judge a count of filled slots: it passes from ceil(share x expected) on."""
    needed = -(-Fraction(str(share)) * expected // 1)
    completeness = min(1.0, float(used / expected)) if expected else 0.0
    return Gate(used, int(-(-expected // 1)), completeness, bool(expected) and used >= needed)

"""Traffic detectors: how fast vehicles drive a stretch, and how long a detector is covered.

Source: indicators.md section 6 (harmonic mean: HCM chapter 4).
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from city.clock import US_PER_S
from indicators.columns import Gate, Observations, gate
from indicators.contracts.shapes import SpaceMeanSpeed, TimeMean
from indicators.formulas.asked import Asked
from indicators.formulas.heat import joined
from indicators.formulas.means import incomplete, suspect_marks
from indicators.formulas.outcomes import nothing, rounded
from indicators.rows import Mark, Outcome

__all__ = ["space_mean_speed", "time_mean"]


def space_mean_speed(
    asked: Asked, formula: SpaceMeanSpeed, seen: Sequence[Observations]
) -> Outcome:
    """Return sum(N) / sum(N / v) of a window's intervals (km/h).

    An interval without vehicles is known and has no speed; one whose vehicles stand still (v = 0)
    is left out, and counts as missing. Without any vehicle there is no speed: `not_applicable`.

    Args:
        asked: A quarter of an hour, an hour or a civil day.
        formula: Of its contract.
        seen: Usable numbers of vehicles, and their mean speeds (km/h).
    """
    numbers, measured = seen
    driven, speeds = joined(numbers, measured, formula.join_s * US_PER_S)
    moving = (driven.value > 0) & (speeds.value > 0)
    driven, speed = driven.where(moving), speeds.value[moving]
    known = numbers.where((numbers.value == 0) | np.isin(numbers.time_us, driven.time_us))
    found = gate(known, asked.window, asked.share(asked.grain))
    if not found.passed:
        return incomplete(found)
    bounds = np.asarray((asked.window.start_us, asked.window.end_us), dtype=np.int64)
    first, after = np.searchsorted(driven.time_us, bounds)
    counted, speed = driven.value[first:after], speed[first:after]
    hours = math.fsum((counted / speed).tolist())
    if not hours:
        return nothing(found, "not_applicable")
    return _published(asked, math.fsum(counted.tolist()) / hours, found, *seen)


def time_mean(asked: Asked, _: TimeMean, seen: Observations) -> Outcome:
    """Return the mean of a window's shares of time (%), each weighed by how long it was measured.

    Args:
        asked: A quarter of an hour, an hour or a civil day.
        seen: Usable shares.
    """
    found = gate(seen, asked.window, asked.share(asked.grain))
    if not found.passed:
        return incomplete(found)
    inside = seen.within(asked.window)
    lengths: list[int] = inside.length_us.tolist()
    weighed = sum(
        Fraction(repr(value)) * length
        for value, length in zip(inside.value.tolist(), lengths, strict=True)
    )
    return _published(asked, float(weighed / sum(lengths)), found, seen)


def _published(asked: Asked, value: float, found: Gate, *seen: Observations) -> Outcome:
    suspect: list[Mark] = [mark for each in seen for mark in suspect_marks(each, [asked.window])]
    return rounded(asked, value, found, tuple(dict.fromkeys(suspect)))

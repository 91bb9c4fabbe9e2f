"""Waste containers: how full they are, how fast they fill, and when they are full.

Source: indicators.md section 8.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from city.clock import US_PER_S
from indicators.civil import Window
from indicators.columns import Observations, gate
from indicators.contracts.shapes import Collection, DaysToFull, FillLevel, FillRate
from indicators.exact import half_up, mean, settled
from indicators.formulas.asked import Asked
from indicators.formulas.means import incomplete, suspect_marks
from indicators.formulas.outcomes import counted, nothing, rounded
from indicators.formulas.slopes import theil_sen
from indicators.rows import Outcome

__all__ = ["collections", "days_to_full", "fill_level", "fill_rate", "looked_back"]

US_PER_HOUR: Final = 3_600 * US_PER_S
US_PER_DAY: Final = 24 * US_PER_HOUR
FULL: Final = 100.0


def fill_level(asked: Asked, formula: FillLevel, seen: Observations) -> Outcome:
    """Return how full a container was on the average of a window, in percent.

    Args:
        asked: A civil day or week.
        formula: Of its contract.
        seen: Usable readings of `looked_back`, percent.
    """
    found = gate(seen, asked.window, asked.share(asked.grain))
    if not found.passed:
        return incomplete(found)
    times, levels = _levels(seen)
    smooth = [
        float(np.median(levels[max(0, place + 1 - formula.smoothed) : place + 1]))
        for place in range(int(np.searchsorted(times, asked.window.start_us)), len(times))
    ]
    average = mean(smooth)
    return Outcome(
        value=float(half_up(average, asked.contract.rounding.digits)),
        unrounded=float(average),
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=suspect_marks(seen, [asked.window]),
    )


def fill_rate(asked: Asked, formula: FillRate, seen: Observations) -> Outcome:
    """Return how fast a container fills at the end of a window, in percent a day.

    Args:
        asked: A civil day or week.
        formula: Of its contract.
        seen: Usable readings of `looked_back`, percent.
    """
    rate, points = _rate(asked, formula, seen)
    found = counted(points, formula.points)
    return nothing(found, "incomplete") if rate is None else rounded(asked, rate, found)


def days_to_full(asked: Asked, formula: DaysToFull, seen: Observations) -> Outcome:
    """Return in how many days a container is full, from its newest reading of a window on.

    Args:
        asked: A civil day or week.
        formula: Of its contract.
        seen: Usable readings of `looked_back`, percent.
    """
    rate, points = _rate(asked, formula.rate, seen)
    known = counted(points, formula.rate.points)
    if rate is None:
        return nothing(known, "incomplete")
    if settled(rate) <= settled(float(formula.above)):
        return nothing(known, "not_applicable")
    newest = float(_levels(seen)[1][-1])
    days = (FULL - newest) / rate
    found = rounded(asked, min(days, float(formula.cap_d)), known)
    return found if days <= formula.cap_d else msgspec.structs.replace(found, marks=("at_least",))


def looked_back(asked: Asked, formula: FillLevel | FillRate | DaysToFull) -> Window:
    """Return the time that a value needs: readings before the window smooth it, or say its rate."""
    window = asked.window
    match formula:
        case FillLevel(smoothed=readings):
            longest_us = asked.contract.inputs[0].longest_interval_s * US_PER_S
            return Window(window.start_us - (readings - 1) * longest_us, window.end_us)
        case DaysToFull(rate=rate):
            return looked_back(asked, rate)
        case FillRate(before_days=days):
            first_us = min(window.start_us, window.end_us - days * US_PER_DAY)
            return Window(first_us, window.end_us)


def collections(
    times_us: NDArray[np.int64], levels: NDArray[np.float64], rule: Collection
) -> NDArray[np.intp]:
    """Return the places of the first readings after each emptying.

    Args:
        times_us: Of readings, ascending, shape (n,).
        levels: In percent, shape (n,).
        rule: What an emptying is.
    """
    emptied = (
        (levels[:-1] - levels[1:] >= float(rule.drop))
        & (levels[1:] <= float(rule.to))
        & (np.diff(times_us) <= rule.within_h * US_PER_HOUR)
    )
    return np.flatnonzero(emptied) + 1


def _rate(asked: Asked, formula: FillRate, seen: Observations) -> tuple[float | None, int]:
    """Return the slope (per day) since the last collection, and of how many readings it is."""
    times, levels = _levels(seen)
    if not len(times) or times[-1] < asked.window.start_us:
        return None, 0
    emptied = collections(times, levels, formula.collection)
    first = int(emptied[-1]) if len(emptied) else 0
    times, levels = times[first:], levels[first:]
    too_short = times[-1] - times[0] < formula.hours * US_PER_HOUR
    if len(times) < formula.points or too_short:
        return None, len(times)
    return theil_sen(times, levels) * US_PER_DAY, len(times)


def _levels(seen: Observations) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return instants and levels within 0 to 100; of several at one instant the first."""
    times, at = np.unique(seen.time_us, return_index=True)
    return times, np.clip(seen.value[at], 0.0, FULL)

"""Water levels of a gauge: stage, band with hysteresis, rate of rise, time to a threshold.

Source: indicators.md section 9b.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from city.clock import US_PER_MINUTE, US_PER_S
from indicators.civil import Window
from indicators.columns import Observations
from indicators.contracts.shapes import RateOfRise, Stage, StageBand, TimeToThreshold
from indicators.exact import settled
from indicators.formulas.asked import Asked
from indicators.formulas.outcomes import counted, nothing, rounded
from indicators.formulas.slopes import theil_sen
from indicators.rows import Outcome

__all__ = [
    "band_after",
    "looked_back",
    "rate_of_rise",
    "stage",
    "stage_band",
    "time_to_threshold",
]

US_PER_HOUR: Final = 60 * US_PER_MINUTE
# Lowest first: each is the lower bound of a band, and the first band is below all of them.
THRESHOLDS: Final = ("alert_level", "warning_level", "flood_level")
# So many slots hold the points that a rate needs, where one of them is missing.
SLOTS: Final = 5
# Levels are decimal: what binary adds to a sum of them is no difference.
DECIMALS: Final = 9
Numbers = NDArray[np.float64]


def stage(asked: Asked, _: Stage, seen: Observations) -> Outcome:
    """Return the level of a window.

    Args:
        asked: Five minutes.
        seen: Usable levels, m.
    """
    recent = _recent(seen, asked.window)
    if not len(recent):
        return nothing(counted(0, 1), "incomplete")
    return rounded(asked, float(recent.value[-1]), counted(1, 1))


def stage_band(asked: Asked, formula: StageBand, seen: Observations) -> Outcome:
    """Return the number, from 1 on, and the name of the band that the level is in.

    Args:
        asked: Five minutes, and the gauge's thresholds.
        formula: Of its contract.
        seen: Usable levels of `looked_back`, m.
    """
    thresholds = [asked.trait(name) for name in THRESHOLDS]
    if not any(each is not None for each in thresholds):
        return nothing(counted(0, 1), "not_applicable")
    if not len(_recent(seen, asked.window)):
        return nothing(counted(0, 1), "incomplete")
    found = band_after(
        seen.time_us.tolist(),
        seen.value.tolist(),
        thresholds,
        margin=float(formula.margin_m),
        wait_us=formula.wait_min * US_PER_MINUTE,
    )
    return Outcome(
        value=float(found + 1),
        band=asked.contract.bands[found].label,
        completeness=1.0,
        n_used=1,
        n_expected=1,
    )


def band_after(
    times_us: Sequence[int],
    levels: Sequence[float],
    thresholds: Sequence[float | None],
    *,
    margin: float,
    wait_us: int,
) -> int:
    """Return the band that a gauge is in after some levels: 0 below all thresholds.

    It is entered as soon as its threshold is reached, and left once levels have been lower than
    the threshold by the margin for so long.
    """
    passed = [_is_in(times_us, levels, each, margin=margin, wait_us=wait_us) for each in thresholds]
    return max((band for band, inside in enumerate(passed, 1) if inside), default=0)


def rate_of_rise(asked: Asked, formula: RateOfRise, seen: Observations) -> Outcome:
    """Return how fast a level rises, m/h.

    Args:
        asked: Five minutes.
        formula: Of its contract.
        seen: Usable levels of `looked_back`, m.
    """
    rate, points = _rate(asked, formula, seen)
    found = counted(points, formula.points)
    return nothing(found, "incomplete") if rate is None else rounded(asked, rate, found)


def time_to_threshold(asked: Asked, formula: TimeToThreshold, seen: Observations) -> Outcome:
    """Return in how many hours the next threshold is reached; 0 where none is above the level.

    Args:
        asked: Five minutes, and the gauge's thresholds.
        formula: Of its contract.
        seen: Usable levels of `looked_back`, m.
    """
    thresholds = [each for name in THRESHOLDS if (each := asked.trait(name)) is not None]
    rate, points = _rate(asked, formula.rate, seen)
    known = counted(points, formula.rate.points)
    if rate is None or not thresholds:
        return nothing(known, "incomplete" if thresholds else "not_applicable")
    hours = _hours(float(seen.value[-1]), rate, thresholds, float(formula.above))
    if hours is None:
        return nothing(known, "not_applicable")
    found = rounded(asked, min(hours, float(formula.cap_h)), known)
    return found if hours <= formula.cap_h else msgspec.structs.replace(found, marks=("at_least",))


def looked_back(asked: Asked, formula: Stage | StageBand | RateOfRise | TimeToThreshold) -> Window:
    """Return the time that a value needs: what was before counts on until its slot is over."""
    slot_us = asked.contract.inputs[0].longest_interval_s * US_PER_S
    before_us = slot_us
    if isinstance(formula, StageBand):
        before_us = formula.before_h * US_PER_HOUR
    elif not isinstance(formula, Stage):
        before_us = SLOTS * slot_us
    return Window(asked.window.end_us - before_us, asked.window.end_us)


def _is_in(
    times_us: Sequence[int],
    levels: Sequence[float],
    threshold: float | None,
    *,
    margin: float,
    wait_us: int,
) -> bool:
    """Say whether a threshold was reached and not left since."""
    inside = False
    lower_since: int | None = None
    for at, level in zip(times_us, levels, strict=True):
        if threshold is not None and level >= threshold:
            inside, lower_since = True, None
        elif threshold is None or round(level + margin, DECIMALS) > threshold:
            lower_since = None
        else:
            lower_since = at if lower_since is None else lower_since
            inside = inside and at - lower_since < wait_us
    return inside


def _hours(level: float, rate: float, thresholds: Sequence[float], above: float) -> float | None:
    """Return the hours until the next threshold; None where the level rises too slowly."""
    higher = [each for each in thresholds if each > level]
    if not higher:
        return 0.0
    return (min(higher) - level) / rate if settled(rate) > settled(above) else None


def _rate(asked: Asked, formula: RateOfRise, seen: Observations) -> tuple[float | None, int]:
    """Return the slope (per hour) of the last levels, and how many they are."""
    if not len(_recent(seen, asked.window)):
        return None, 0
    times, at = np.unique(seen.time_us, return_index=True)
    values = seen.value[at]
    if seen.interval_us > formula.dense_min * US_PER_MINUTE:
        first = max(0, len(times) - formula.points)
        oldest_us = asked.window.end_us - SLOTS * seen.interval_us
        first = max(first, int(np.searchsorted(times, oldest_us)))
    else:
        oldest_us = int(times[-1]) - formula.minutes * US_PER_MINUTE
        first = int(np.searchsorted(times, oldest_us))
    points = len(times) - first
    if points < formula.points:
        return None, points
    return theil_sen(times[first:], values[first:]) * US_PER_HOUR, points


def _recent(seen: Observations, window: Window) -> Observations:
    """Return the levels whose slot lasts until the window's end, or that came in the window."""
    held_us = max(seen.interval_us, window.length_us)
    return seen.within(Window(window.end_us - held_us, window.end_us))

"""Noise: energy means of periods of a day, Lden, and the levels exceeded some of the time.

Levels are never averaged as numbers. Source: indicators.md section 5 (Directive 2002/49/EC).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from city.flags import Flag
from indicators.civil import Window, day_of, period
from indicators.columns import Gate, Observations, gate
from indicators.contracts.model import Contract
from indicators.contracts.shapes import DayEveningNight, EnergyMean, ExceededLevel, Period
from indicators.exact import half_up, settled
from indicators.formulas.asked import Asked
from indicators.formulas.bands import band_of
from indicators.formulas.days import days_gate
from indicators.rows import Mark, Outcome

__all__ = [
    "day_evening_night",
    "energy_mean",
    "exceeded",
    "exceeded_level",
    "long_term",
    "long_term_lden",
    "mean_level",
    "span_of",
    "weighted_level",
]

Levels = Mapping[date, float]


class _Judged(msgspec.Struct, frozen=True):
    """A level and the gate it stands behind."""

    level: float | None
    found: Gate
    suspect: bool


def mean_level(
    levels: NDArray[np.float64] | Sequence[float], weights: NDArray[np.float64] | None = None
) -> float:
    """Return the energy mean of levels in dB: 10 log10 of the mean of 10^(L/10)."""
    energies = np.power(10.0, np.asarray(levels, dtype=np.float64) / 10)
    return 10 * math.log10(float(np.average(energies, weights=weights)))


def weighted_level(periods: Sequence[Period], levels: Sequence[float]) -> float:
    """Return the mean of periods' levels (dB) by their hours, with their penalties: Lden."""
    raised = [level + each.penalty_db for each, level in zip(periods, levels, strict=True)]
    return mean_level(raised, np.asarray([each.weight_h for each in periods], dtype=np.float64))


def exceeded(levels: NDArray[np.float64] | Sequence[float], percent: int) -> float:
    """Return the level (dB) that is exceeded so many percent of the time.

    Linear between order statistics at position p x (n - 1) of p = 100 - percent.
    """
    share = (100 - percent) / 100
    return float(np.quantile(np.asarray(levels, dtype=np.float64), share, method="linear"))


def energy_mean(asked: Asked, formula: EnergyMean, seen: Observations) -> Outcome:
    """Return the energy mean of a window, or of a period of the civil day that it is.

    Args:
        asked: An hour or a civil day.
        formula: Of its contract.
        seen: Usable LAeq levels, dB; of a night until the next morning.
    """
    if formula.period is None:
        judged = _judged(seen, asked.window, asked.share(asked.grain))
    else:
        judged = _judged(seen, span_of(asked, formula.period), asked.share("period"))
    return _published(asked.contract, judged.level, judged.found, suspect=judged.suspect)


def day_evening_night(asked: Asked, formula: DayEveningNight, seen: Observations) -> Outcome:
    """Return Lden of a civil day: its day, its evening and the night that begins on it.

    The weights stay 12, 4 and 8 hours when the clocks are put; each level is of real time.
    `completeness` is that of the least known period, `n_used` and `n_expected` are of all.
    """
    share = asked.share("period")
    judged = [_judged(seen, span_of(asked, each), share) for each in formula.periods]
    levels = [each.level for each in judged if each.level is not None]
    whole = len(levels) == len(judged)
    found = Gate(
        sum(each.found.used for each in judged),
        sum(each.found.expected for each in judged),
        min(each.found.completeness for each in judged),
        whole,
    )
    level = weighted_level(formula.periods, levels) if whole else None
    return _published(asked.contract, level, found, suspect=any(each.suspect for each in judged))


def exceeded_level(asked: Asked, formula: ExceededLevel, seen: Observations) -> Outcome:
    """Return the level that is exceeded so many percent of an hour or civil day."""
    found = gate(seen, asked.window, asked.share(asked.grain))
    inside = seen.within(asked.window)
    level = exceeded(inside.value, formula.percent) if found.passed else None
    return _published(asked.contract, level, found, suspect=_suspect(inside))


def long_term(asked: Asked, days: Levels) -> Outcome:
    """Return the energy mean of the year's valid days of one indicator.

    Args:
        asked: A civil year.
        days: Levels of the indicator's valid days.
    """
    found = days_gate(asked, set(days))
    level = mean_level([days[day] for day in sorted(days)]) if found.passed else None
    return _published(asked.contract, level, found, of_a_year=True)


def long_term_lden(asked: Asked, formula: DayEveningNight, days: Mapping[str, Levels]) -> Outcome:
    """Return Lden of a year: energy means of its valid days' periods, then the formula once.

    Args:
        asked: A civil year.
        formula: Its periods name the indicators of each period.
        days: Levels of those indicators' valid days, by id.
    """
    each = [days.get(part.component, {}) for part in formula.periods]
    # A day is valid only if all three of its periods are.
    valid = set(each[0]).intersection(*each[1:])
    found = days_gate(asked, valid)
    if not found.passed:
        return _published(asked.contract, None, found)
    levels = [mean_level([one[day] for day in sorted(valid)]) for one in each]
    level = weighted_level(formula.periods, levels)
    return _published(asked.contract, level, found, of_a_year=True)


def span_of(asked: Asked, part: Period) -> Window:
    """Return when a period of a civil day is; a night ends on the next morning."""
    day = day_of(asked.window.start_us, asked.zone)
    return period(day, part.starts, part.ends, asked.zone)


def _judged(seen: Observations, part: Window, share: float) -> _Judged:
    inside, found = seen.within(part), gate(seen, part, share)
    weights = inside.length_us.astype(np.float64)
    level = mean_level(inside.value, weights) if found.passed else None
    return _Judged(level, found, suspect=_suspect(inside))


def _suspect(inside: Observations) -> bool:
    return bool((inside.flag == Flag.SUSPECT).any())


def _published(
    contract: Contract,
    level: float | None,
    found: Gate,
    *,
    suspect: bool = False,
    of_a_year: bool = False,
) -> Outcome:
    rounded = band = None
    marks: tuple[Mark, ...] = ("suspect_included",) if suspect and level is not None else ()
    if level is not None:
        rounded = float(half_up(settled(level), contract.rounding.digits))
        # Bands of maps hold whole decibels, and maps are of years.
        placed = band_of(contract.bands, half_up(settled(level), 0)) if of_a_year else None
        band = placed.label if placed else None
    return Outcome(
        value=rounded,
        unrounded=level,
        band=band,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        reason="incomplete" if level is None else None,
        marks=marks,
    )

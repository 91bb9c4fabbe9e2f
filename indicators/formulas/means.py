"""Means of hours: exact, gated one by one, and what longer windows and bands make of them.

Source: indicators.md sections 3 and 15b.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from city.clock import US_PER_S
from city.flags import Flag
from indicators.civil import Window, parts
from indicators.columns import Gate, Observations, expected_parts, gate, gate_of
from indicators.contracts.shapes import MeanBand, MeanValue
from indicators.exact import fraction, half_up, mean, mean_of, settled
from indicators.formulas.asked import Asked
from indicators.formulas.bands import band_of
from indicators.formulas.days import days_gate, valid_days
from indicators.formulas.outcomes import nothing
from indicators.rows import Mark, Outcome

__all__ = [
    "incomplete",
    "mean_band",
    "mean_of_hours",
    "mean_value",
    "means_of",
    "suspect_marks",
]

US_PER_HOUR: Final = 3_600 * US_PER_S


def mean_value(asked: Asked, _: MeanValue, seen: Observations) -> Outcome:
    """Return the mean of the valid hour means of an hour or a civil day.

    Args:
        asked: An hour or a civil day.
        seen: Usable observations.
    """
    hours = [asked.window]
    if asked.grain == "day":
        hours = list(parts(asked.window, US_PER_HOUR, asked.zone))
    means = means_of(seen, hours, asked.share("hour"))
    known = [each for each in means if each is not None]
    found = gate(seen, asked.window, asked.share("hour"))
    if asked.grain == "day":
        found = gate_of(len(known), expected_parts(seen, hours), asked.share("day"))
    if not found.passed:
        return incomplete(found)
    used = [hour for hour, each in zip(hours, means, strict=True) if each is not None]
    return _published(asked, mean_of(known), found, suspect_marks(seen, used))


def mean_of_hours(asked: Asked, hours: Mapping[int, float]) -> Outcome:
    """Return the mean of all valid hour means of a month or a year; days only gate.

    Args:
        asked: A civil month or year.
        hours: Unrounded means of the valid hours by their start, microseconds UTC.
    """
    found = days_gate(asked, valid_days(asked, hours, asked.share("day")))
    if not found.passed:
        return incomplete(found)
    return _published(asked, mean_of(map(fraction, hours.values())), found, ())


def mean_band(asked: Asked, _: MeanBand, seen: Observations) -> Outcome:
    """Return the number of the band, from 1 on, that holds the mean of an hour.

    Args:
        asked: An hour.
        seen: Usable observations.
    """
    found = gate(seen, asked.window, asked.share("hour"))
    if not found.passed:
        return incomplete(found)
    bands = asked.contract.bands
    (average,) = means_of(seen, [asked.window], asked.share("hour"))
    assert average is not None, "the same gate has passed"
    band = band_of(bands, average)
    return Outcome(
        value=None if band is None else float(bands.index(band) + 1),
        band=None if band is None else band.label,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        reason="not_applicable" if band is None else None,
        marks=suspect_marks(seen, [asked.window]),
    )


def means_of(seen: Observations, hours: Sequence[Window], share: float) -> list[Fraction | None]:
    """Return the exact mean of each window's observations; None where too few slots are known."""
    # The hours of a day, and of the NowCasts around it, are the same ones again and again.
    for hour in hours:
        key = (hour.start_us, hour.end_us, share)
        if key not in seen.memo:
            passed = gate(seen, hour, share).passed
            seen.memo[key] = mean(seen.within(hour).value.tolist()) if passed else None
    return [seen.memo[hour.start_us, hour.end_us, share] for hour in hours]


def incomplete(found: Gate) -> Outcome:
    """Return that too little is known."""
    return nothing(found, "incomplete")


def suspect_marks(seen: Observations, used: Sequence[Window]) -> tuple[Mark, ...]:
    """Return the mark of windows in which an observation of flag 3 counts."""
    flags = seen.flag == Flag.SUSPECT
    # Mostly there is none anywhere, and a NowCast would look into twelve hours for it.
    suspect = flags.any() and any(
        (seen.within(window).flag == Flag.SUSPECT).any() for window in used
    )
    return ("suspect_included",) if suspect else ()


def _published(asked: Asked, average: Fraction, found: Gate, marks: tuple[Mark, ...]) -> Outcome:
    # What is below 0 is noise of the instrument: it counts in a mean, and is no concentration.
    shown = max(settled(float(average)), Fraction())
    return Outcome(
        value=float(half_up(shown, asked.contract.rounding.digits)),
        unrounded=float(average),
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=marks,
    )

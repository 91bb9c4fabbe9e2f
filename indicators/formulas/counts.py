"""How often a level was exceeded in a year: strictly, by rounded means, with what is allowed.

Source: indicators.md section 4 (WHO 2021; directives 2008/50/EC and (EU) 2024/2881).
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from city.clock import US_PER_S
from indicators.civil import Window, day_of
from indicators.columns import gate_of
from indicators.contracts.shapes import ExceededCount
from indicators.exact import fraction, half_up, mean_of, settled
from indicators.formulas.asked import Asked
from indicators.formulas.bands import band_of
from indicators.formulas.days import days_of, valid_days
from indicators.formulas.means import incomplete
from indicators.rows import Mark, Outcome

__all__ = ["exceeded_count", "looked_back"]

US_PER_HOUR: Final = 3_600 * US_PER_S


def exceeded_count(asked: Asked, formula: ExceededCount, means: Mapping[int, float]) -> Outcome:
    """Return how many means of a year are greater than the level.

    A count proves something even where too little is known: then it is marked `at_least`.

    Args:
        asked: A civil year.
        formula: Of its contract.
        means: Unrounded means by their start, microseconds UTC; for running means also of the
            hours before the year.
    """
    counted = [fraction(each) for each in means.values()]
    expected = _expected(asked, formula)
    if formula.running_h:
        highest = _highest(asked, formula, means)
        counted = list(highest.values())
    found = gate_of(len(counted), Fraction(expected), asked.share("year"))
    if not counted:
        return incomplete(found)
    over = sum(
        half_up(settled(float(each)), formula.digits) > Fraction(formula.level) for each in counted
    )
    marks: list[Mark] = [] if found.passed else ["at_least"]
    if over == formula.borderline:
        marks.append("borderline")
    band = band_of(asked.contract.bands, Fraction(over))
    return Outcome(
        value=float(over),
        unrounded=float(over),
        band=band.label if band else None,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=tuple(marks),
    )


def _expected(asked: Asked, formula: ExceededCount) -> int:
    if formula.grain == "year":
        return 1
    if formula.grain == "hour" and not formula.running_h:
        return -(-asked.window.length_us // US_PER_HOUR)
    return len(days_of(asked))


def _highest(
    asked: Asked, formula: ExceededCount, means: Mapping[int, float]
) -> dict[date, Fraction]:
    """Return the greatest running mean of each day of which enough running means are known."""
    exact = {start: fraction(value) for start, value in means.items()}
    running: dict[int, Fraction] = {}
    for last in range(asked.window.start_us, asked.window.end_us, US_PER_HOUR):
        hours = [exact.get(last - age * US_PER_HOUR) for age in range(formula.running_h)]
        known = [each for each in hours if each is not None]
        if len(known) >= formula.running_needed:
            running[last] = mean_of(known)
    valid = valid_days(asked, running, asked.share("day"))
    highest: dict[date, Fraction] = {}
    for last, each in running.items():
        # The mean that ends at 24:00 belongs to the day that ends then.
        day = day_of(last, asked.zone)
        if day in valid:
            highest[day] = max(each, highest.get(day, each))
    return highest


def looked_back(formula: ExceededCount, year: Window) -> Window:
    """Return the time whose means a year needs: running means reach back before it."""
    return Window(year.start_us - max(formula.running_h - 1, 0) * US_PER_HOUR, year.end_us)

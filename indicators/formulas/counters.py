"""Counters of vehicles, bicycles and people: numbers of a window, and numbers an hour.

A slot that is missing is not zero. Source: indicators.md section 6.
"""

from fractions import Fraction
from typing import Final

from city.clock import US_PER_S
from indicators.columns import Observations, gate
from indicators.contracts.shapes import Counted
from indicators.exact import half_up, mean
from indicators.formulas.asked import Asked
from indicators.formulas.means import incomplete, suspect_marks
from indicators.rows import Mark, Outcome

__all__ = ["counted"]

US_PER_HOUR: Final = 3_600 * US_PER_S


def counted(asked: Asked, formula: Counted, seen: Observations) -> Outcome:
    """Return what was counted in a window.

    A counter that was silent part of the time has counted too few: above the gate the number is
    scaled to the whole window and marked `estimated`, or, where nearly all is known, published
    as it is, marked `at_least`.

    Args:
        asked: A quarter of an hour, an hour or a civil day.
        formula: Of its contract.
        seen: Usable numbers, each counted over its interval.
    """
    found = gate(seen, asked.window, asked.share(asked.grain))
    if not found.passed:
        return incomplete(found)
    inside = seen.within(asked.window)
    total = mean(inside.value.tolist()) * len(inside)
    known_us = min(found.used * seen.interval_us, asked.window.length_us)
    marks: list[Mark] = list(suspect_marks(seen, [asked.window]))
    if formula.publish == "per_hour":
        total *= Fraction(US_PER_HOUR, known_us)
    elif found.completeness < formula.whole:
        total *= Fraction(asked.window.length_us, known_us)
        marks.append("estimated")
    elif known_us < asked.window.length_us:
        marks.append("at_least")
    return Outcome(
        value=float(half_up(total, asked.contract.rounding.digits)),
        unrounded=float(total),
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=tuple(marks),
    )

"""Days that are counted by their greatest or least hour: summer days, tropical nights, heat waves.

Levels are exceeded strictly. Source: indicators.md section 11c (ETCCDI; the days' rules are ours).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from city.clock import US_PER_S
from indicators.civil import Window, day_of, parts, period, window_of
from indicators.columns import Gate, Observations, expected_parts, gate_of
from indicators.contracts.shapes import ExtremeDay
from indicators.formulas.asked import Asked
from indicators.formulas.days import days_gate, days_of
from indicators.formulas.means import incomplete, means_of, suspect_marks
from indicators.rows import Outcome

__all__ = ["days_above", "extreme_day", "in_run", "looked_around"]

US_PER_HOUR: Final = 3_600 * US_PER_S


class _Day(msgspec.Struct, frozen=True):
    """A civil day's extreme; None where too little of the day is known."""

    extreme: Fraction | None
    found: Gate
    hours: list[Window]


def extreme_day(asked: Asked, formula: ExtremeDay, seen: Observations) -> Outcome:
    """Return 1 for a civil day above the level (of a run: one inside of a run), else 0.

    Args:
        asked: A civil day.
        formula: Of its contract.
        seen: Usable observations of `looked_around`.
    """
    own = day_of(asked.window.start_us, asked.zone)
    around = range(1 - formula.run, formula.run)
    days = {ahead: _day(asked, formula, seen, own + timedelta(days=ahead)) for ahead in around}
    middle = days[0]
    if middle.extreme is None:
        return incomplete(middle.found)
    level = Fraction(formula.above)
    above = [each.extreme is not None and each.extreme > level for each in days.values()]
    counted = float(in_run(above, formula.run - 1, formula.run))
    return Outcome(
        value=counted,
        unrounded=counted,
        completeness=middle.found.completeness,
        n_used=middle.found.used,
        n_expected=middle.found.expected,
        marks=suspect_marks(seen, middle.hours),
    )


def in_run(above: Sequence[bool], place: int, run: int) -> bool:
    """Return whether a day lies in so many or more consecutive days that are above a level."""
    if not above[place]:
        return False
    first = last = place
    while first > 0 and above[first - 1]:
        first -= 1
    while last + 1 < len(above) and above[last + 1]:
        last += 1
    return last - first + 1 >= run


def days_above(asked: Asked, days: Mapping[date, float]) -> Outcome:
    """Return how many days of a year were counted; with days missing it is `at_least` so many.

    Args:
        asked: A civil year.
        days: What each valid day counts, 0 or 1.
    """
    inside = {day: counted for day, counted in days.items() if day in days_of(asked)}
    found = days_gate(asked, set(inside))
    if not found.passed:
        return incomplete(found)
    total = float(sum(inside.values()))
    return Outcome(
        value=total,
        unrounded=total,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=() if found.used == found.expected else ("at_least",),
    )


def looked_around(asked: Asked, formula: ExtremeDay) -> Window:
    """Return the time that a value needs: a run reaches into the days before and after."""
    around = timedelta(days=formula.run - 1)
    first = day_of(asked.window.start_us, asked.zone) - around
    last = day_of(asked.window.end_us - 1, asked.zone) + around
    start_us = window_of("day", first, asked.zone).start_us
    end_us = window_of("day", last, asked.zone).end_us
    if asked.grain == "year":
        # Days before it have results of their own; its last days wait for those after them.
        start_us = asked.window.start_us
    return Window(start_us, end_us)


def _day(asked: Asked, formula: ExtremeDay, seen: Observations, day: date) -> _Day:
    share = asked.share("hour")
    hours = list(parts(window_of("day", day, asked.zone), US_PER_HOUR, asked.zone))
    known = [
        (hour, each)
        for hour, each in zip(hours, means_of(seen, hours, share), strict=True)
        if each is not None
    ]
    found = gate_of(len(known), expected_parts(seen, hours), asked.share("day"))
    needed = period(day, formula.needed.starts, formula.needed.ends, asked.zone)
    told = any(needed.start_us <= hour.start_us < needed.end_us for hour, _ in known)
    if not (found.passed and told):
        return _Day(None, found, [])
    choose = max if formula.extreme == "max" else min
    return _Day(choose(each for _, each in known), found, [hour for hour, _ in known])

"""Whether enough days of a month or a year are known, and which days enough hours stand behind.

Source: indicators.md section 15b.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Final

import msgspec

from city.clock import US_PER_S
from indicators.civil import Window, day_of, windows
from indicators.columns import Gate, gate_of
from indicators.formulas.asked import Asked

__all__ = ["days_gate", "days_of", "valid_days"]

US_PER_HOUR: Final = 3_600 * US_PER_S
MONTHS_A_QUARTER: Final = 3


def days_gate(asked: Asked, valid: set[date]) -> Gate:
    """Judge the days of a month or a year; of a year by quarters too."""
    days = set(days_of(asked))
    share = asked.share(asked.grain)
    found = gate_of(len(valid & days), Fraction(len(days)), share)
    if asked.grain != "year":
        return found
    quarters = [
        gate_of(len(valid & quarter), Fraction(len(quarter)), share).passed
        for quarter in _quarters(days)
    ]
    enough = sum(quarters) >= asked.share("quarters")
    return msgspec.structs.replace(found, passed=found.passed and enough)


def days_of(asked: Asked) -> dict[date, Window]:
    """Return the civil days of a window."""
    first = day_of(asked.window.start_us, asked.zone)
    last = day_of(asked.window.end_us - 1, asked.zone)
    each = windows("day", first, last, asked.zone)
    return {day_of(day.start_us, asked.zone): day for day in each}


def valid_days(asked: Asked, hours: Iterable[int], share: float) -> set[date]:
    """Return the days of which enough hours are among some, by their starts in microseconds."""
    known = Counter(day_of(hour, asked.zone) for hour in hours)
    return {
        day
        for day, window in days_of(asked).items()
        if gate_of(known[day], Fraction(window.length_us, US_PER_HOUR), share).passed
    }


def _quarters(days: set[date]) -> list[set[date]]:
    numbers = {(day.month - 1) // MONTHS_A_QUARTER for day in days}
    return [
        {day for day in days if (day.month - 1) // MONTHS_A_QUARTER == number}
        for number in sorted(numbers)
    ]

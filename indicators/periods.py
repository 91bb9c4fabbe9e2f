"""Stretches of whole windows: what a range of civil days covers, and how many windows it has."""

from datetime import date, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from indicators.civil import Grain, Window, day_of, start_day, windows

__all__ = ["starting_in", "whole_days"]

LONG: Final[frozenset[Grain]] = frozenset({"week", "month", "quarter", "year"})


def whole_days(first: date, last: date, zone: ZoneInfo) -> Window:
    """Return the time from the start of one civil day to the end of another."""
    # A day that a zone skipped as a whole is no window.
    starts = next(windows("day", first, first + timedelta(days=2), zone))
    *_, ends = windows("day", last - timedelta(days=2), last, zone)
    return Window(starts.start_us, max(ends.end_us, starts.start_us))


def starting_in(grain: Grain, within: Window, zone: ZoneInfo, limit: int) -> list[Window]:
    """Return the windows that start in some time; of those longer than a day all that it lies in.

    At most `limit`, and one more where there are more.
    """
    first, last = day_of(within.start_us, zone), day_of(within.end_us - 1, zone)
    found = (
        window
        for window in windows(grain, start_day(grain, first), last, zone)
        if grain in LONG or within.start_us <= window.start_us < within.end_us
    )
    return list(islice(found, limit + 1))

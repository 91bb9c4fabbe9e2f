"""Windows of civil time: what an hour or a day is in the city's zone, as half-open UTC instants.

A day is local midnight to the next local midnight: 23, 24 or 25 real hours, 23.5 and 24.5 on
Lord Howe. Where midnight does not exist the day starts at its first instant. Nothing here reads
a clock, and nothing outside of this module adds hours to get a day. Source: indicators.md 15a.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from city.clock import US_PER_MINUTE, US_PER_S

__all__ = [
    "Grain",
    "Window",
    "day_of",
    "elapsed_hours_back",
    "instant_us",
    "parts",
    "period",
    "start_day",
    "window_at",
    "window_of",
    "windows",
]

Grain = Literal["5min", "15min", "hour", "day", "week", "month", "quarter", "year"]

US_PER_HOUR: Final = 60 * US_PER_MINUTE
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ONE_US: Final = timedelta(microseconds=1)
MIDNIGHT: Final = time(0)
ONE_DAY: Final = timedelta(days=1)
MONTHS_A_YEAR, MONTHS_A_QUARTER = 12, 3
WITHIN_A_DAY: Final[dict[Grain, int]] = {
    "5min": 5 * US_PER_MINUTE,
    "15min": 15 * US_PER_MINUTE,
    "hour": US_PER_HOUR,
}


class Window(msgspec.Struct, frozen=True, order=True):
    """A half-open span of time, microseconds UTC, labelled by its start."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        """Elapsed time, whatever the clocks on the wall did."""
        return self.end_us - self.start_us


def instant_us(day: date, at: time, zone: ZoneInfo) -> int:
    """Return when the wall clock of a zone first shows a time of a day.

    A time that the wall clock skips is the instant of the skip.
    """
    wall = datetime.combine(day, at)
    found = (wall.replace(tzinfo=zone) - EPOCH) // ONE_US
    skipped_us = (_wall(found, zone) - wall) // ONE_US
    return _shift_us(found - skipped_us, found, zone) if skipped_us else found


def day_of(instant: int, zone: ZoneInfo) -> date:
    """Return the civil day in which an instant (microseconds UTC) lies."""
    return _wall(instant, zone).date()


def period(day: date, starts: time, ends: time, zone: ZoneInfo) -> Window:
    """Return a part of a civil day by the wall clock; into the next if it ends before it starts.

    The night of a day, 23:00 to 07:00, is one whole night.
    """
    last = day if starts < ends else day + ONE_DAY
    return Window(instant_us(day, starts, zone), instant_us(last, ends, zone))


def window_of(
    grain: Literal["day", "week", "month", "quarter", "year"], day: date, zone: ZoneInfo
) -> Window:
    """Return the day, week (from Monday), month, quarter or year in which a civil day lies."""
    first, after = _dates(grain, day)
    return Window(instant_us(first, MIDNIGHT, zone), instant_us(after, MIDNIGHT, zone))


def start_day(grain: Grain, day: date) -> date:
    """Return the civil day on which the window starts that a day lies in, or whose part it has."""
    return day if grain in WITHIN_A_DAY else _dates(grain, day)[0]


def windows(grain: Grain, first: date, last: date, zone: ZoneInfo) -> Iterator[Window]:
    """Yield the windows of a grain that start on the civil days from `first` to `last`."""
    day = first
    while day <= last:
        if grain in ("5min", "15min", "hour"):
            yield from parts(window_of("day", day, zone), WITHIN_A_DAY[grain], zone)
            day += ONE_DAY
            continue
        starts, after = _dates(grain, day)
        # A day that a zone skipped as a whole (Apia, 2011-12-30) is no window.
        if starts >= first and (window := window_of(grain, day, zone)).length_us:
            yield window
        day = after


def window_at(grain: Grain, instant: int, zone: ZoneInfo) -> Window:
    """Return the window of a grain in which an instant (microseconds UTC) lies."""
    day = day_of(instant, zone)
    if grain not in ("5min", "15min", "hour"):
        return window_of(grain, day, zone)
    within = parts(window_of("day", day, zone), WITHIN_A_DAY[grain], zone)
    return next(part for part in within if instant < part.end_us)


def parts(whole: Window, length_us: int, zone: ZoneInfo) -> Iterator[Window]:
    """Cut a window where the wall clock shows a multiple of a length, and where it is put.

    The cuts of a zone off the whole hour lie off the whole hours of UTC. Where clocks are put by
    half a part (Lord Howe), one part is half as long.
    """
    start = whole.start_us
    while start < whole.end_us:
        offset = _offset_us(start, zone)
        end = start + length_us - (start + offset) % length_us
        # Clocks put by whole parts go on in the same pattern (Chatham, by an hour at 2:45).
        if (_offset_us(end - 1, zone) - offset) % length_us:
            end = _shift_us(start, end - 1, zone)
        end = min(end, whole.end_us)
        yield Window(start, end)
        start = end


def elapsed_hours_back(newest: Window, count: int) -> list[Window]:
    """Return a window and the elapsed hours before it, newest first; wall clocks play no part."""
    starts = [newest.start_us - age * US_PER_HOUR for age in range(count)]
    return [newest, *(Window(start, start + US_PER_HOUR) for start in starts[1:])]


def _dates(grain: Grain, day: date) -> tuple[date, date]:
    if grain == "day":
        return day, day + ONE_DAY
    if grain == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": MONTHS_A_QUARTER, "year": MONTHS_A_YEAR}[grain]
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    years, month = divmod(first.month - 1 + months, MONTHS_A_YEAR)
    return first, date(first.year + years, month + 1, 1)


def _wall(instant: int, zone: ZoneInfo) -> datetime:
    local = (EPOCH + timedelta(microseconds=instant)).astimezone(zone)
    return local.replace(tzinfo=None)


def _offset_us(instant: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + timedelta(microseconds=instant)).astimezone(zone).utcoffset()
    assert offset is not None, "a zone has an offset at every instant"
    return offset // ONE_US


def _shift_us(before: int, after: int, zone: ZoneInfo) -> int:
    """Find when clocks were put between two instants: always on a whole second."""
    old = _offset_us(before, zone)
    low, high = before // US_PER_S, -(-after // US_PER_S)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(middle * US_PER_S, zone) == old:
            low = middle
        else:
            high = middle
    return high * US_PER_S

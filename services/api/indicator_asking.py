"""What requests of indicators name: grains, areas, civil dates and instants."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from city.clock import US_PER_S
from indicators.areas import Area, AreaError, CityMap, parse_area
from indicators.civil import Grain, Window, day_of, window_at
from indicators.contracts.model import Contract
from indicators.periods import whole_days
from services.asking import instant
from services.problems import ProblemError

__all__ = ["SHORT", "areas_asked", "bad_request", "grain_asked", "period_asked", "time_asked"]

SHORT: Final[frozenset[str]] = frozenset({"5min", "15min", "hour"})
DAYS_SHOWN: Final = 7
DAY_US: Final = 86_400 * US_PER_S
FIRST_YEAR, LAST_YEAR = 1971, 2098


def bad_request(field: str, words: str) -> ProblemError:
    """Return the answer to a member that says nothing we can use."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{field}: {words}", field=field, mend=words
    )


def grain_asked(contract: Contract, grain: Grain | None) -> Grain:
    """Return a grain of an indicator; its first where none was named.

    Raises:
        ProblemError: 422, if it is not published so.
    """
    if grain is None:
        return contract.grains[0]
    if grain not in contract.grains:
        words = f"{contract.id} is published by {' and '.join(contract.grains)}, not by {grain}"
        raise bad_request("grain", words)
    return grain


def areas_asked(city: CityMap, names: Sequence[str]) -> list[Area]:
    """Return areas; those of a kind (`place:*`) stay as they are.

    Raises:
        ProblemError: 422, if one is none, or nothing stands there.
    """
    try:
        return [parse_area(name) if name.endswith(":*") else city.find(name) for name in names]
    except AreaError as error:
        raise bad_request("area", str(error)) from error


def time_asked(
    bounds: tuple[str | None, str | None], grain: Grain, zone: ZoneInfo, now_us: int
) -> Window:
    """Return where windows start: civil dates of a zone, both included, or instants.

    Raises:
        ProblemError: 400 or 422, if one is neither, or they are in the wrong order.
    """
    first, last = bounds
    if first is None and last is None and grain in SHORT:
        return Window(now_us - DAY_US, now_us)
    end_us = _bound("to", last, grain, zone)
    if end_us is None:
        today = day_of(now_us, zone)
        end_us = whole_days(today, today, zone).end_us
    start_us = _bound("from", first, grain, zone)
    if start_us is None:
        shown = DAY_US if grain in SHORT else DAYS_SHOWN * DAY_US
        start_us = window_at("day", end_us - shown, zone).start_us
    if end_us <= start_us:
        raise bad_request("to", "it ends before it begins")
    return Window(start_us, end_us)


def period_asked(text: str, grain: Grain, zone: ZoneInfo) -> Window:
    """Return the window of a grain that a civil date or an instant lies in.

    Raises:
        ProblemError: 400 or 422, if it is neither.
    """
    day = _date("period", text)
    at_us = instant("period", text) if day is None else whole_days(day, day, zone).start_us
    assert at_us is not None, "a text was given"
    return window_at(grain, at_us, zone)


def _bound(field: str, text: str | None, grain: Grain, zone: ZoneInfo) -> int | None:
    if text is None:
        return None
    day = _date(field, text)
    if day is not None:
        window = whole_days(day, day, zone)
        return window.start_us if field == "from" else window.end_us
    if grain not in SHORT:
        raise bad_request(field, f"{text[:64]!r} is no civil date: write it as 2026-03-04")
    return instant(field, text)


def _date(field: str, text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise bad_request(field, f"{text} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return day

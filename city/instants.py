"""Instants from what devices send: texts with a zone, local times, numbers since 1970.

Microseconds since the epoch, UTC; finer digits are cut toward the past. Source: formats.md 0.5.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["LAST_US", "InstantError", "epoch_us", "from_millis", "local_us", "text_us", "to_text"]

TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?"
    r"(?:([Zz])|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII,
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ONE_US: Final = timedelta(microseconds=1)
FIRST_YEAR, LAST_YEAR = 1970, 2099
LEAP_SECOND: Final = 60
MIDNIGHT_HOUR: Final = 24
# End of the year 9999: what a number may say; text is held to `LAST_YEAR`.
LAST_US: Final = 253_402_300_800_000_000
GUESSES: Final = ((10**11, 1_000_000, 1), (10**14, 1_000, 1), (10**17, 1, 1))


class InstantError(ValueError):
    """What was sent is no instant. The words name it and what is wrong."""


def text_us(text: str, *, space: bool = False) -> int:
    """Read RFC 3339 / ISO 8601 with a zone.

    Args:
        text: What was sent.
        space: A blank may stand for the `T`.

    Raises:
        InstantError: If it is none, has no zone, or is outside of 1970..2099.
    """
    match = TEXT.fullmatch(text)
    if match is None or (match[4] == " " and not space):
        raise InstantError(f"{text[:64]!r} is no RFC 3339 time")
    if match[9] is None and match[10] is None:
        raise InstantError(f"{text[:64]!r} has no zone")
    offset = timedelta()
    if match[10]:
        hours, minutes = int(match[11]), int(match[12] or 0)
        if hours >= MIDNIGHT_HOUR or minutes >= LEAP_SECOND:
            raise InstantError(f"{text[:64]!r} has an offset that no zone has")
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if match[10] == "-" else 1)
    return _in_range((_wall(match, text).replace(tzinfo=UTC) - offset - EPOCH) // ONE_US, text)


def local_us(text: str, zone: ZoneInfo) -> tuple[int, bool]:
    """Read a time of the wall clock of a zone.

    Returns:
        The instant, and whether the wall clock showed that time twice (the first is taken) or
        never (it is shifted forward).

    Raises:
        InstantError: If it is none.
    """
    match = TEXT.fullmatch(text)
    if match is None or match[9] is not None or match[10] is not None:
        raise InstantError(f"{text[:64]!r} is no time of a wall clock")
    wall = _wall(match, text)
    first, second = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
    ambiguous = first.utcoffset() != second.utcoffset()
    return _in_range((first.astimezone(UTC) - EPOCH) // ONE_US, text), ambiguous


def from_millis(value: int) -> int:
    """Read milliseconds since 1970.

    Raises:
        InstantError: If it is before 1970 or after 9999.
    """
    if not 0 <= value * 1_000 < LAST_US:
        raise InstantError(f"{value} ms is outside of the years 1970..9999")
    return value * 1_000


def epoch_us(value: float) -> int:
    """Read a number whose size tells its unit: s, ms, us or ns since 1970 (`epoch_auto`).

    Raises:
        InstantError: If it is before 1970 or after 9999.
    """
    factor, divisor = next(
        ((factor, divisor) for limit, factor, divisor in GUESSES if abs(value) < limit), (1, 1_000)
    )
    exact = isinstance(value, int)
    instant = value * factor // divisor if exact else round(value * factor / divisor)
    if not 0 <= instant < LAST_US:
        raise InstantError(f"{value} is outside of the years 1970..9999")
    return instant


def to_text(instant_us: int) -> str:
    """Write an instant: `2026-03-04T05:06:07.123456Z`."""
    instant = EPOCH + timedelta(microseconds=instant_us)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _wall(match: re.Match[str], text: str) -> datetime:
    year, month, day, hour, minute, second = (int(match[part]) for part in (1, 2, 3, 5, 6, 7))
    micros = int((match[8] or "0").ljust(6, "0")[:6])
    if second == LEAP_SECOND:
        second = LEAP_SECOND - 1
    midnight = hour == MIDNIGHT_HOUR and minute == second == micros == 0
    try:
        wall = datetime(year, month, day, 0 if midnight else hour, minute, second, micros)  # noqa: DTZ001 - the zone is the caller's
    except ValueError as error:
        raise InstantError(f"{text[:64]!r}: {error}") from None
    return wall + timedelta(days=1) if midnight else wall


def _in_range(instant_us: int, text: str) -> int:
    year = (EPOCH + timedelta(microseconds=instant_us)).year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InstantError(f"{text[:64]!r} is outside of {FIRST_YEAR}..{LAST_YEAR}")
    return instant_us

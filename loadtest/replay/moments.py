"""Times as recordings write them: with an offset, as numbers, or as civil time of a zone. Pure.

Civil time shows an hour twice when clocks go back. Recordings are in order, so the second showing
begins where a device's clock goes back or repeats itself within that hour (formats.md 0.5).
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo

from city.instants import InstantError, text_us

__all__ = ["MomentError", "MomentReader"]

NUMBERS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
PARTS: Final = {
    "yyyy": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{1,2})",
    "SSS": r"(?P<fraction>\d{1,6})",
}
PART: Final = re.compile("|".join(sorted(PARTS, key=len, reverse=True)))
OFFSET: Final = re.compile(r"([+-])(\d\d):(\d\d)")
NUMBER: Final = re.compile(r"\d{1,18}", re.ASCII)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ONE_US: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1)
LAST_HOUR: Final = 24
US_PER_S: Final = 1_000_000


class MomentError(ValueError):
    """A text that is no time of its format, or a format or zone that nobody knows."""


class MomentReader:
    """Reads times in the order in which they were recorded: repeated hours depend on it."""

    def __init__(self, form: str, zone: str, covers: Literal["day"] | float | None) -> None:
        """Take format, zone and extent as `TimeRule` has them.

        Raises:
            MomentError: If there is no such format or zone.
        """
        self._form = form
        self._zone = _zone(zone) if zone else None
        self._covers = covers
        self._pattern = None if form == "rfc3339" or form in NUMBERS else _pattern(form)
        if self._pattern is not None and self._zone is None:
            raise MomentError(f"times like {form!r} have no zone of their own: say `zone`")
        if covers == "day" and self._zone is None:
            raise MomentError("a civil day is one of a `zone`")
        # By device: the last civil time of a repeated hour, and whether it was its second showing.
        self._repeated: dict[str, tuple[datetime, bool]] = {}

    def read(self, device: str, text: str) -> tuple[int, int | None]:
        """Return start and end, microseconds since 1970; the end is None for an instant.

        Raises:
            MomentError: If it is no time.
        """
        if self._pattern is None:
            start_us = self._absolute(text)
        else:
            start_us = self._in_us(self._settle(device, self._wall(text)))
        if start_us < 0:
            raise MomentError(f"{text[:64]!r} is before 1970")
        return start_us, self._end_us(start_us)

    def _absolute(self, text: str) -> int:
        if self._form in NUMBERS:
            if not NUMBER.fullmatch(text):
                raise MomentError(f"{text[:64]!r} is no whole number since 1970")
            return int(text) * NUMBERS[self._form]
        try:
            return text_us(text, space=True)
        except InstantError as error:
            raise MomentError(str(error)) from None

    def _wall(self, text: str) -> datetime:
        assert self._pattern is not None
        match = self._pattern.fullmatch(text)
        if match is None:
            raise MomentError(f"{text[:64]!r} is not like {self._form!r}")
        found = match.groupdict()
        hour = int(found.get("hour", 0))
        try:
            wall = datetime(  # noqa: DTZ001 - the zone comes with `_settle`
                int(found["year"]), int(found["month"]), int(found["day"]),
                0 if hour == LAST_HOUR else hour,
                int(found.get("minute", 0)), int(found.get("second", 0)),
                int(found.get("fraction", "0").ljust(6, "0")),
            )  # fmt: skip
        except ValueError as error:
            raise MomentError(f"{text[:64]!r}: {error}") from None
        if hour == LAST_HOUR and (wall.minute or wall.second or wall.microsecond):
            raise MomentError(f"{text[:64]!r}: a day ends at 24:00")
        return wall + DAY if hour == LAST_HOUR else wall

    def _settle(self, device: str, wall: datetime) -> datetime:
        """Say which of two showings of a civil time it is; one that is never shown moves on."""
        first = wall.replace(tzinfo=self._zone)
        second = first.replace(fold=1)
        before, after = first.utcoffset(), second.utcoffset()
        assert before is not None
        assert after is not None
        if before <= after:
            return first
        last = self._repeated.get(device)
        again = last is not None and abs(wall - last[0]) < DAY and (wall <= last[0] or last[1])
        self._repeated[device] = (wall, again)
        return second if again else first

    def _end_us(self, start_us: int) -> int | None:
        if self._covers is None:
            return None
        if isinstance(self._covers, float):
            return start_us + round(self._covers * US_PER_S)
        day = (EPOCH + timedelta(microseconds=start_us)).astimezone(self._zone).date() + DAY
        return self._in_us(datetime(day.year, day.month, day.day, tzinfo=self._zone))

    @staticmethod
    def _in_us(instant: datetime) -> int:
        return (instant.astimezone(UTC) - EPOCH) // ONE_US


def _zone(name: str) -> tzinfo:
    match = OFFSET.fullmatch(name)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise MomentError(f"{name!r} is no zone of the IANA database, nor an offset") from None


def _pattern(form: str) -> re.Pattern[str]:
    names = PART.findall(form)
    if not {"yyyy", "MM", "dd"} <= {*names} or len({*names}) < len(names):
        raise MomentError(f"the format {form!r} has no yyyy, MM and dd, or one of its parts twice")
    literals = [re.escape(each) for each in PART.split(form)]
    parts = [PARTS[name] for name in names]
    joined = zip(literals, [*parts, ""], strict=True)
    return re.compile("".join([part for pair in joined for part in pair]), re.ASCII)

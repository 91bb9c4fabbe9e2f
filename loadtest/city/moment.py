"""A moment at a device: what time people have there, where the sun stands, what chance brings."""

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from loadtest.city.chance import drift, pick
from loadtest.city.streets import CENTRE

__all__ = ["Moment", "Profile", "sun_height"]

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
HOURS: Final = 24
SATURDAY: Final = 5
# 1970-01-01 was a Thursday, which is 3.
FIRST_WEEKDAY: Final = 3
YEAR_DAYS: Final = 365.2422
# Declination of the sun: the tilt of the axis, and the day of the December solstice.
TILT: Final = math.radians(23.44)
SOLSTICE_DAYS: Final = -10.0
# Salt of what is the same all over the city.
WEATHER: Final = 0x5EA


class Profile:
    """How busy something is over a day: 24 values, one an hour, straight lines between them."""

    def __init__(self, workday: str, weekend: str | None = None) -> None:
        """Take digits from 0 to 9 for the hours from midnight on."""
        self._workday = [int(digit) / 9.0 for digit in workday]
        self._weekend = [int(digit) / 9.0 for digit in weekend or workday]
        assert len(self._workday) == len(self._weekend) == HOURS

    def at(self, hour: float, *, weekend: bool) -> float:
        """Return how busy it is, 0 to 1."""
        hours = self._weekend if weekend else self._workday
        whole = int(hour)
        here, there = hours[whole % HOURS], hours[(whole + 1) % HOURS]
        return here + (there - here) * (hour - whole)

    def until(self, days: float) -> float:
        """Return the workday's sum over a time: `1.5` days from a midnight on, in busy hours."""
        whole = math.floor(days)
        hour = (days - whole) * HOURS
        full = int(hour)
        hours = [*self._workday, self._workday[0]]
        part = sum((hours[at] + hours[at + 1]) / 2.0 for at in range(full))
        share = hour - full
        here = self._workday[full]
        there = hours[full + 1]
        part += share * (here + (here + (there - here) * share)) / 2.0
        return whole * sum(self._workday) + part


class Moment:
    """What a signal is made of.

    Attributes:
        time_s: Seconds since 1970.
        hour: Of the local clock, 0 to 24.
        key: Chance of the device.
        size: How large or busy its spot is, 0.6 to 1.4.
    """

    __slots__ = ("city_key", "hour", "key", "size", "time_s", "weekend")

    def __init__(self, time_s: float, zone: ZoneInfo, *, key: int, city_key: int) -> None:
        self.time_s = time_s
        self.key = key
        self.city_key = city_key
        self.size = 1.0 + 0.4 * pick(key, -1)
        local_s = time_s + _offset_s(zone, int(time_s // HOUR_S))
        day, second = divmod(local_s, DAY_S)
        self.hour = second / HOUR_S
        self.weekend = (int(day) + FIRST_WEEKDAY) % 7 >= SATURDAY

    def busy(self, profile: Profile) -> float:
        """Return how busy it is by a profile, 0 to 1."""
        return profile.at(self.hour, weekend=self.weekend)

    def wander(self, hours: float, salt: int = 0) -> float:
        """Return something of this device that turns about once in so many hours, -1 to 1."""
        return drift(self.key + salt, self.time_s, hours * HOUR_S)

    def weather(self, hours: float, salt: int = 0) -> float:
        """Return the same for all of the city."""
        return drift(self.city_key + WEATHER + salt, self.time_s, hours * HOUR_S)

    def jitter(self, salt: int = 0) -> float:
        """Return what changes with every reading, -1 to 1."""
        return pick(self.key + salt, int(self.time_s))

    @property
    def sun(self) -> float:
        """Sine of the sun's height: 1 in the zenith, below 0 at night."""
        return sun_height(self.time_s)

    @property
    def days(self) -> float:
        """Days since 1970, UTC: no clock change makes a meter run backwards."""
        return self.time_s / DAY_S


def sun_height(time_s: float) -> float:
    """Return the sine of the sun's height over the city's centre.

    Good to a few minutes of sunrise: the equation of time is left out.
    """
    latitude, longitude = CENTRE
    days = time_s / DAY_S
    season = 2 * math.pi * (days - SOLSTICE_DAYS) / YEAR_DAYS
    declination = -TILT * math.cos(season)
    hour_angle = 2 * math.pi * (days % 1.0 - 0.5) + math.radians(longitude)
    angle = math.radians(latitude)
    return math.sin(angle) * math.sin(declination) + math.cos(angle) * math.cos(
        declination
    ) * math.cos(hour_angle)


@lru_cache(maxsize=256)
def _offset_s(zone: ZoneInfo, hour: int) -> float:
    offset = datetime.fromtimestamp(hour * HOUR_S, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()

"""What time it is where the devices stand, for whole columns."""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtest.scenario.model import ClockRule

__all__ = ["CityTime", "LocalTime"]

Column = NDArray[np.float64]
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
# 1970-01-01 was a Thursday, which is 3.
FIRST_WEEKDAY: Final = 3
SATURDAY: Final = 5
MS_PER_S: Final = 1_000


class LocalTime(msgspec.Struct, frozen=True):
    """Columns of the civil clock.

    Attributes:
        hour: 0 to 24.
        days: Civil days since 1970.
        festival: The city is out in the streets.
    """

    hour: Column
    days: NDArray[np.int64]
    weekend: NDArray[np.bool_]
    festival: NDArray[np.bool_]


class CityTime:
    """The clock of a scenario: elapsed seconds to what devices say.

    Attributes:
        epoch_s: When the first message is due, seconds since 1970.
    """

    def __init__(self, rule: ClockRule, now_ms: int) -> None:
        self._zone = ZoneInfo(rule.timezone)
        self._speed = rule.speed
        epoch = date(1970, 1, 1)
        self._festival = np.array(
            [(date.fromisoformat(day) - epoch).days for day in rule.festival], dtype=np.int64
        )
        self.epoch_s = now_ms / MS_PER_S
        if rule.start is not None:
            started = datetime.fromisoformat(rule.start).replace(tzinfo=self._zone)
            self.epoch_s = started.timestamp()

    def time_s(self, elapsed_s: Column) -> Column:
        """Return what time it is for the devices, seconds since 1970."""
        return self.epoch_s + elapsed_s * self._speed

    def local(self, time_s: Column) -> LocalTime:
        """Return what the clocks of the city show."""
        hours, inverse = np.unique((time_s // HOUR_S).astype(np.int64), return_inverse=True)
        offsets = np.array([_offset_s(self._zone, int(hour)) for hour in hours])
        days, seconds = np.divmod(time_s + offsets[inverse], DAY_S)
        whole = days.astype(np.int64)
        weekend = (whole + FIRST_WEEKDAY) % 7 >= SATURDAY
        return LocalTime(seconds / HOUR_S, whole, weekend, np.isin(whole, self._festival))


@lru_cache(maxsize=4_096)
def _offset_s(zone: ZoneInfo, hour: int) -> float:
    offset = datetime.fromtimestamp(hour * HOUR_S, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()

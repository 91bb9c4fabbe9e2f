"""The seven kinds of devices: how many, how often, and what each measures at a moment.

Names and units of quantities are those of `city.quantities`. Every value is a function of device
and moment alone, so a message says the same whenever it is made.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from loadtest.city.chance import even
from loadtest.city.moment import Moment, Profile

__all__ = ["KINDS", "PROVIDERS", "Kind", "Signal"]

# Departments of the city and one supplier.
PROVIDERS: Final = {
    "environment": "Environment Department",
    "mobility": "Mobility Department",
    "cleansing": "City Cleansing",
    "aqua-norte": "Aqua Norte Ltd",
    "lighting": "Street Lighting",
}

#                                  0     6     12    18
RUSH: Final = Profile(workday="110012479975556689875432", weekend="321101123456665566554433")
VOICES: Final = Profile(workday="210001245666777777776543", weekend="543210123456777777777776")
OFFICE: Final = Profile(workday="000000148999889976421000", weekend="000000001122222221110000")
HOMES: Final = Profile(workday="999998764333333345677899", weekend="999999887666666677778999")
TAPS: Final = Profile(workday="111113897655565456788643")
LITTER: Final = Profile(workday="211111234568876567765432")
# Hours in which lamps burn fully.
FULL_LIGHT_FROM: Final = 5.5
FULL_LIGHT_UNTIL: Final = 23.0
DUSK: Final = -0.03


class Signal(msgspec.Struct, frozen=True):
    """One quantity of a kind.

    Attributes:
        unit: UCUM code as sent.
        digits: After the decimal point.
        value: What is measured at a moment.
    """

    quantity: str
    unit: str
    digits: int
    value: Callable[[Moment], float]


class Kind(msgspec.Struct, frozen=True):
    """What devices of a kind have in common.

    Attributes:
        every_s: Seconds between messages.
        filled_every_s: Seconds between messages that are back-filled: a multiple of `every_s`.
        declared_s: The interval that is registered; None: `every_s`. Where indicators are made of
            a kind, it is that of the past, so that the past counts as complete.
    """

    name: str
    title: str
    provider: str
    count: int
    every_s: int
    filled_every_s: int
    signals: tuple[Signal, ...]
    declared_s: int | None = None


def _fumes(at: Moment) -> float:
    """Return how bad the air is: traffic, held down or blown away by the weather."""
    return (0.4 + at.busy(RUSH)) * (1.0 + 0.5 * at.weather(30)) * at.size + 0.1 * at.wander(2)


def _warmth(at: Moment) -> float:
    return 15.0 + 7.0 * at.sun + 4.0 * at.weather(60, 1) + 0.3 * at.wander(3)


def _loudness(at: Moment) -> float:
    street = 0.6 * at.busy(RUSH) + 0.4 * at.busy(VOICES)
    return 44.0 + 12.0 * at.size + 16.0 * street + 1.5 * at.wander(0.5)


def _jam(at: Moment) -> float:
    """Return how full a road is, 0 to 1."""
    return min(1.0, max(0.02, at.busy(RUSH) * at.size * (1.0 + 0.15 * at.wander(0.4))))


def _spaces(at: Moment) -> int:
    return int(even(at.key, -2, 40, 320))


def _parked(at: Moment) -> int:
    near_homes = even(at.key, -3, 0, 1)
    full = near_homes * at.busy(HOMES) + (1.0 - near_homes) * at.busy(OFFICE)
    share = 0.05 + 0.9 * full + 0.06 * at.wander(0.7)
    return round(_spaces(at) * min(1.0, max(0.0, share)))


def _fill_level(at: Moment) -> float:
    """Return how full a bin is: litter since it was last emptied, every 2 to 4 days at dawn."""
    period = 2 + int(even(at.key, -2, 0, 2.99))
    emptied_at = 5.0 / 24 + even(at.key, -3, 0, 0.1)
    since = (at.days - emptied_at) // period * period + emptied_at
    busy_hours = LITTER.until(at.days) - LITTER.until(since)
    return min(100.0, 2.0 + busy_hours * 2.6 * at.size)


def _flow(at: Moment) -> float:
    return 3.0 * at.size * TAPS.at(at.days % 1.0 * 24, weekend=False)


def _volume(at: Moment) -> float:
    """Return what went through since 2020: the sum of `_flow`, so it never runs backwards."""
    return 3.0 * at.size * (TAPS.until(at.days) - TAPS.until(18_262))


def _battery(at: Moment) -> float:
    return 100.0 - (at.days * 0.15 + even(at.key, -5, 0, 70)) % 75.0


def _dimming(at: Moment) -> float:
    if at.sun > DUSK + 0.01 * at.wander(24):
        return 0.0
    return 100.0 if FULL_LIGHT_FROM < at.hour < FULL_LIGHT_UNTIL else 60.0


def _voltage(at: Moment) -> float:
    return 230.0 - 3.0 * at.busy(VOICES) + 1.5 * at.wander(0.3)


KINDS: Final = (
    Kind("air", "Air quality", "environment", 34, 30, 300, (
        Signal("pm2_5", "ug/m3", 1, lambda at: 3.0 + 13.0 * _fumes(at) + 0.4 * at.jitter(1)),
        Signal("pm10", "ug/m3", 1, lambda at: 7.0 + 21.0 * _fumes(at) + 0.8 * at.jitter(2)),
        Signal("no2", "ug/m3", 1, lambda at: 6.0 + 30.0 * _fumes(at) + 0.7 * at.jitter(3)),
        Signal("temperature", "Cel", 1, _warmth),
        Signal("humidity", "%", 0, lambda at: 90.0 - 1.7 * _warmth(at) + 4.0 * at.wander(4, 1)),
    ), declared_s=300),
    Kind("noise", "Noise level", "environment", 30, 20, 300, (
        Signal("laeq", "dB", 1, lambda at: _loudness(at) + 0.8 * at.jitter()),
        Signal("lamax", "dB", 1, lambda at: _loudness(at) + 9.0 + 4.0 * at.jitter(1)),
        Signal("la90", "dB", 1, lambda at: _loudness(at) - 6.0 + 0.5 * at.jitter(2)),
    ), declared_s=300),
    Kind("traffic", "Traffic counter", "mobility", 40, 60, 300, (
        Signal("vehicles", "1", 0, lambda at: 22.0 * _jam(at) * (1.0 + 0.2 * at.jitter())),
        Signal("speed", "km/h", 1, lambda at: 54.0 - 34.0 * _jam(at) + 1.5 * at.jitter(1)),
        Signal("traffic_occupancy", "%", 1, lambda at: 38.0 * _jam(at) ** 1.5),
    )),
    Kind("parking", "Car park", "mobility", 36, 30, 600, (
        Signal("free_spaces", "1", 0, lambda at: _spaces(at) - _parked(at)),
        Signal("occupied_spaces", "1", 0, _parked),
    )),
    Kind("waste", "Litter bin", "cleansing", 30, 120, 1800, (
        Signal("fill_level", "%", 0, _fill_level),
        Signal("temperature", "Cel", 1, lambda at: _warmth(at) + 2.0),
        Signal("battery_level", "%", 0, _battery),
    )),
    Kind("water", "Water meter", "aqua-norte", 24, 60, 900, (
        Signal("flow", "m3/h", 3, _flow),
        Signal("volume", "m3", 3, _volume),
    )),
    Kind("light", "Street lights", "lighting", 32, 60, 900, (
        Signal("dimming", "%", 0, _dimming),
        Signal("power", "W", 0, lambda at: 12.0 + 9.4 * _dimming(at) * at.size),
        Signal("voltage", "V", 1, _voltage),
    )),
)  # fmt: skip

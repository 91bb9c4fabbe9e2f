"""Quantities that cities measure: their canonical units, kinds of values, and names.

A quantity that stands in no table is stored in the unit in which it first came.
Source: formats.md sections 0.4 (names) and indicators' inputs (canonical units).
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal

import msgspec

__all__ = [
    "QUANTITY_PATTERN",
    "Quantity",
    "known_name",
    "plain_name",
    "quantity_name",
    "quantity_of",
]

Kind = Literal["number", "bool", "text"]

# What formats that are our own have to send; others are brought to it by `quantity_name`.
QUANTITY_PATTERN: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

MAX_NAME: Final = 64


class Quantity(msgspec.Struct, frozen=True):
    """What is known of a quantity before any device has sent it.

    Attributes:
        unit: Canonical UCUM code; None where values have none.
        kind: Type of its values.
    """

    unit: str | None
    kind: Kind = "number"


_UNITS: Final[dict[str, str]] = {
    "pm1": "ug/m3",
    "pm2_5": "ug/m3",
    "pm4": "ug/m3",
    "pm10": "ug/m3",
    "no": "ug/m3",
    "no2": "ug/m3",
    "nox": "ug/m3",
    "o3": "ug/m3",
    "so2": "ug/m3",
    "co": "mg/m3",
    "co2": "[ppm]",
    "temperature": "Cel",
    "dew_point": "Cel",
    "humidity": "%",
    "pressure": "hPa",
    "illuminance": "lx",
    "wind_speed": "m/s",
    "wind_direction": "deg",
    "rain_rate": "mm/h",
    "laeq": "dB",
    "lamax": "dB",
    "lamin": "dB",
    "la10": "dB",
    "la50": "dB",
    "la90": "dB",
    "speed": "km/h",
    "vehicles": "1",
    "pedestrians": "1",
    "bicycles": "1",
    "traffic_occupancy": "%",
    "free_spaces": "1",
    "occupied_spaces": "1",
    "total_spaces": "1",
    "fill_level": "%",
    "fill_level_before": "%",
    "fill_level_after": "%",
    "level": "m",
    "flow": "m3/h",
    "flow_total": "m3",
    "volume": "m3",
    "volume_used": "m3",
    "battery_level": "%",
    "battery_voltage": "V",
    "voltage": "V",
    "current": "A",
    "power": "W",
    "energy": "kW.h",
    "dimming": "%",
    "latitude": "deg",
    "longitude": "deg",
    "altitude": "m",
}
_BOOLEANS: Final = frozenset({"occupied", "lamp_on", "lamp_failure", "door_open", "leak"})

_ALIASES: Final = {
    alias: name
    for name, aliases in {
        "humidity": ("relative_humidity", "rel_humidity", "rh", "hum"),
        "temperature": ("temp", "air_temperature"),
        "pressure": ("barometric_pressure", "atmospheric_pressure", "air_pressure"),
        "illuminance": ("luminosity", "illumination", "lux"),
        "pm2_5": ("pm25", "pm_2_5", "pm2p5"),
        "pm10": ("pm_10",),
        "pm1": ("pm_1", "pm1_0"),
        "pm4": ("pm4_0",),
        "battery_level": ("battery", "battery_percent", "bat_level"),
        "laeq": ("noise_laeq", "la_eq", "leq_a"),
    }.items()
    for alias in aliases
}


@lru_cache(maxsize=4096)
def quantity_of(name: str) -> Quantity | None:
    """Return what is known of a quantity, by its name or its name without the channel.

    `temperature_7` and `pm2_5_sds` are `temperature` and `pm2_5` with a channel (formats.md 0.4).
    """
    known = known_name(name)
    if known is None:
        return None
    return Quantity(_UNITS[known]) if known in _UNITS else Quantity(None, "bool")


@lru_cache(maxsize=4096)
def known_name(name: str) -> str | None:
    """Return the quantity of a name without its channel; None where it stands in no table.

    `volume_2` is `volume`; `volume_used` is a quantity of its own.
    """
    while name not in _UNITS and name not in _BOOLEANS:
        name, separator, _ = name.rpartition("_")
        if not separator:
            return None
    return name


@lru_cache(maxsize=4096)
def quantity_name(raw: str) -> str | None:
    """Return the quantity that a sender's name stands for; None where it gives no name.

    Source: formats.md section 0.4 (`q1`, then the aliases).
    """
    name = plain_name(raw)
    return None if name is None else _alias(name)


@lru_cache(maxsize=4096)
def plain_name(raw: str) -> str | None:
    """Return a sender's name as names are written here, before aliases; None where it gives none.

    Source: formats.md section 0.4 (`q1`).
    """
    name = unicodedata.normalize("NFC", raw)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    name = re.sub(r"[^a-z0-9]+", "_", name).strip("_")
    if name[:1].isdigit():
        name = f"q_{name}"
    if not name or len(name) > MAX_NAME:
        return None
    return name


def _alias(name: str) -> str:
    if name in _ALIASES:
        return _ALIASES[name]
    stem, _, channel = name.rpartition("_")
    if channel.isdigit() and stem in _ALIASES:
        return f"{_ALIASES[stem]}_{channel}"
    return name

"""What the `value_type` of a Sensor.Community message measures, and in which unit.

Source: formats.md section 13 (opendata-stuttgart/sensors-software, airrohr firmware).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from city.quantities import plain_name, quantity_name

__all__ = ["METADATA", "TIME", "Meaning", "meaning_of"]

# P1 is PM10 and P2 is PM2.5: everybody expects the opposite.
PARTICLES: Final[Mapping[str, str]] = {
    "P0": "pm1", "P1": "pm10", "P2": "pm2_5", "P4": "pm4",
    "P01": "pm0_1", "P03": "pm0_3", "P05": "pm0_5", "P5": "pm5",
}  # fmt: skip
COUNTS: Final[Mapping[str, str]] = {
    "N01": "nc0_1", "N03": "nc0_3", "N05": "nc0_5", "N1": "nc1", "N25": "nc2_5", "N4": "nc4",
    "N5": "nc5", "N10": "nc10",
}  # fmt: skip
COUNTERS: Final = frozenset({"SDS", "PMS", "HPM", "SPS30", "NPM", "IPS"})
# The PPD42 has no prefix: duty of its light barrier and a count, in no unit of mass.
PPD42: Final = re.compile(r"(?:dur|ratio)?P[12]", re.ASCII)
TIME: Final = "GPS_timestamp"
METADATA: Final[Mapping[str, str]] = {
    "signal": "rssi_dbm",
    "samples": "samples",
    "min_micro": "min_micro",
    "max_micro": "max_micro",
    "interval": "interval_ms",
}


class Meaning(msgspec.Struct, frozen=True):
    """What one `value_type` says.

    Attributes:
        quantity: None where it gives no name.
        missing: The number that stands for a failed reading; None where none does.
    """

    quantity: str | None
    unit: str | None = None
    missing: float | None = None


@lru_cache(maxsize=4096)
def meaning_of(value_type: str) -> Meaning:
    """Return what a `value_type` measures; one that nobody knows keeps its name, without unit."""
    if value_type in BARE:
        return BARE[value_type]
    if PPD42.fullmatch(value_type):
        return Meaning(f"{value_type.lower()}_ppd")
    sensor, _, part = value_type.partition("_")
    channel = plain_name(sensor)
    known = _part_of_sensor(sensor, part)
    if known is None or channel is None:
        return Meaning(quantity_name(value_type))
    return msgspec.structs.replace(known, quantity=f"{known.quantity}_{channel}")


def _part_of_sensor(sensor: str, part: str) -> Meaning | None:
    """Return what a part of a sensor's message measures, without the sensor as its channel."""
    if sensor in COUNTERS and part in PARTICLES:
        return Meaning(PARTICLES[part], "ug/m3", -1)
    if sensor in COUNTERS and part in COUNTS:
        return Meaning(COUNTS[part], "/cm3", -1)
    return PARTS.get(part)


CLIMATE: Final[Mapping[str, Meaning]] = {
    "temperature": Meaning("temperature", "Cel"),
    "humidity": Meaning("humidity", "%"),
    "pressure": Meaning("pressure", "Pa"),
}
# Of any sensor: the sensor becomes the channel.
PARTS: Final[Mapping[str, Meaning]] = {
    **CLIMATE,
    "co2_ppm": Meaning("co2", "[ppm]"),
    "noise_LAeq": Meaning("laeq", "dB"),
    "noise_LA_min": Meaning("la_min", "dB"),
    "noise_LA_max": Meaning("la_max", "dB"),
}
# Whole names. -200 degrees and -1000 m stand for a receiver without a fix.
BARE: Final[Mapping[str, Meaning]] = {
    **CLIMATE,
    "GPS_lat": Meaning("latitude", "deg", -200),
    "GPS_lon": Meaning("longitude", "deg", -200),
    "GPS_height": Meaning("altitude", "m", -1000),
}

"""What properties of Zigbee devices measure, and in which unit.

Source: formats.md section 12 (Koenkk/zigbee2mqtt.io); the table stands in for what a bridge tells
of its devices (`bridge/devices`).
"""

import re
from collections.abc import Mapping
from typing import Final

from ingest.codecs.flatten import Naming
from ingest.codecs.profile import Profile

__all__ = ["KEPT", "naming_of"]

UNITS: Final[Mapping[str, str]] = {
    "temperature": "Cel",
    "humidity": "%",
    "pressure": "hPa",
    "battery": "%",
    "illuminance": "lx",
    "co2": "[ppm]",
    "voc": "[ppb]",
    "pm25": "ug/m3",
    "power": "W",
    "current": "A",
    "energy": "kW.h",
    "soil_moisture": "%",
}
VOLTAGE: Final = "voltage"
# Devices with several endpoints: `power_l1`, `temperature_2`.
ENDPOINT: Final = re.compile(r"_(?:l?\d{1,2}|left|right|center|phase_[abc])$", re.ASCII)
# Members that tell of the message, and the names under which they are kept.
KEPT: Final[Mapping[str, str]] = {
    "linkquality": "link_quality",
    "elapsed": "elapsed",
    "update": "update",
    "device": "device",
}


def naming_of(profile: Profile, *, on_battery: bool) -> Naming:
    """Return how properties of one message are read.

    Args:
        profile: Of the route; what it says wins.
        on_battery: Devices on a battery send its voltage in millivolts, others the mains' in volts.
    """
    voltage = "mV" if on_battery else "V"

    def named(raw: str) -> tuple[str | None, str | None]:
        quantity = profile.quantity(raw)
        if quantity is None:
            return None, None
        plain = ENDPOINT.sub("", raw)
        usual = voltage if plain == VOLTAGE else UNITS.get(plain)
        # Under another name it is something else: its unit is the route's to say.
        renamed = raw in profile.names
        return quantity, profile.unit(quantity) or (None if renamed else usual)

    return named

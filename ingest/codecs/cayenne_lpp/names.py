"""Names that network servers give to Cayenne LPP values, brought to those of our own reading.

Source: formats.md section 4 (the formatter of The Things Stack).
"""

import re
from collections.abc import Mapping
from typing import Final

from ingest.codecs.cayenne_lpp.table import TYPES
from ingest.codecs.flatten import Naming
from ingest.codecs.profile import Profile

__all__ = ["server_names"]

CHANNEL: Final = re.compile(r"([a-z_]+?)_(\d{1,3})(?:_([a-z]+))?", re.ASCII)
GROUPS: Final[Mapping[str, str]] = {
    "accelerometer": "acceleration_",
    "gyrometer": "rotation_",
    "gps": "",
    "colour": "",
}
NAMES: Final[Mapping[str, str]] = {
    "luminosity": "illuminance",
    "relative_humidity": "humidity",
    "barometric_pressure": "pressure",
}
UNITS: Final[Mapping[str, str | None]] = {
    name: kind.unit[at % len(kind.unit)]
    for kind in TYPES.values()
    for at, name in enumerate(kind.quantities)
}


def server_names(profile: Profile) -> Naming:
    """Return how names are read where the profile says that they stand for Cayenne LPP."""

    def named(raw: str) -> tuple[str | None, str | None]:
        match = CHANNEL.fullmatch(raw)
        name = _name(match) if match else ""
        known = name in UNITS and match is not None
        quantity = profile.quantity(f"{name}_{match[2]}" if known and match else raw)
        if quantity is None:
            return None, None
        return quantity, (UNITS[name] if known else None) or profile.unit(quantity)

    return named


def _name(match: re.Match[str]) -> str:
    """Return the quantity of a server's name without its channel."""
    name, part = match[1], match[3]
    if part is not None:
        return f"{GROUPS[name]}{part}" if name in GROUPS else ""
    return NAMES.get(name, name)

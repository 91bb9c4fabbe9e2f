"""What Cayenne LPP can say: one row a type.

Source: formats.md section 10 (ElectronicCats/CayenneLPP, TheThingsNetwork/lorawan-stack).
"""

from typing import Final

import msgspec

__all__ = ["TYPES", "UNIX_TIME", "Kind"]

UNIX_TIME: Final = 133


class Kind(msgspec.Struct, frozen=True):
    """One type of data.

    Attributes:
        quantities: What its numbers measure, in the order of the bytes.
        width: Bytes of each number.
        steps: How many steps of a number make one unit; one for each, or one for all.
        unit: UCUM code of each, or one for all.
        signed: Two's complement.
        maybe_signed: Some senders write a sign; the profile says so.
        boolean: 0 is false, anything else true.
    """

    quantities: tuple[str, ...]
    width: int
    steps: tuple[int, ...] = (1,)
    unit: tuple[str | None, ...] = (None,)
    signed: bool = False
    maybe_signed: bool = False
    boolean: bool = False

    @property
    def size(self) -> int:
        """Bytes of all numbers."""
        return self.width * len(self.quantities)


def _kind(
    quantity: str, width: int, steps: int = 1, unit: str | None = None, *, signed: bool = False
) -> Kind:
    return Kind((quantity,), width, (steps,), (unit,), signed=signed)


def _axes(quantity: str, steps: int, unit: str) -> Kind:
    names = (f"{quantity}_x", f"{quantity}_y", f"{quantity}_z")
    return Kind(names, 2, (steps,), (unit,), signed=True)


TYPES: Final[dict[int, Kind]] = {
    0: _kind("digital_in", 1),
    1: _kind("digital_out", 1),
    2: _kind("analog_in", 2, 100, signed=True),
    3: _kind("analog_out", 2, 100, signed=True),
    100: _kind("generic", 4),
    101: _kind("illuminance", 2, unit="lx"),
    102: _kind("presence", 1),
    103: _kind("temperature", 2, 10, "Cel", signed=True),
    104: _kind("humidity", 1, 2, "%"),
    113: _axes("acceleration", 1_000, "[g]"),
    115: _kind("pressure", 2, 10, "hPa"),
    116: Kind(("voltage",), 2, (100,), ("V",), maybe_signed=True),
    117: Kind(("current",), 2, (1_000,), ("A",), maybe_signed=True),
    118: _kind("frequency", 4, unit="Hz"),
    120: _kind("percentage", 1, unit="%"),
    121: _kind("altitude", 2, unit="m", signed=True),
    125: _kind("concentration", 2, unit="[ppm]"),
    128: _kind("power", 2, unit="W"),
    130: _kind("distance", 4, 1_000, "m"),
    131: _kind("energy", 4, 1_000, "kW.h"),
    132: _kind("direction", 2, unit="deg"),
    UNIX_TIME: _kind("unix_time", 4, unit="s"),
    134: _axes("rotation", 100, "deg/s"),
    135: Kind(("red", "green", "blue"), 1),
    136: Kind(
        ("latitude", "longitude", "altitude"), 3, (10_000, 10_000, 100), ("deg", "deg", "m"),
        signed=True,
    ),
    142: Kind(("switch",), 1, boolean=True),
}  # fmt: skip

"""Units: the spellings that devices send, their UCUM codes, and how one becomes another.

Source of the codes: UCUM. Two- and three-character spellings are UN/CEFACT Recommendation 20 codes.
Case matters everywhere (`m` and `M`, `mW` and `MW`), so nothing here folds it.
"""

from typing import Final

import msgspec

__all__ = ["Conversion", "conversion", "dimension", "ucum"]

_MICRO_SIGN: Final = "\u00b5"
_GREEK_MU: Final = "\u03bc"

# UCUM code -> spellings that stand for it.
_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "Cel": ("°C", "C", "degC", "℃", "CEL"),
    "[degF]": ("°F", "F", "degF", "FAH"),
    "K": ("KEL",),
    "%": ("%RH", "%EL", "/100", "percent", "P1"),
    "hPa": ("A97",),
    "Pa": ("PAL",),
    "kPa": ("KPA",),
    "mbar": ("MBR",),
    "mm[Hg]": ("mmHg",),
    "[in_i'Hg]": ("inHg",),
    "ug/m3": (f"{_MICRO_SIGN}g/m³", f"{_GREEK_MU}g/m³", "ug/m^3", "GQ"),
    "mg/m3": ("mg/m³", "GP"),
    "[ppm]": ("ppm", "59"),
    "[ppb]": ("ppb", "61"),
    "lx": ("lux", "LUX"),
    "dB": ("dBA", "dB(A)", "2N"),
    "V": ("VLT",),
    "mV": ("2Z",),
    "A": ("AMP",),
    "mA": ("4K",),
    "W": ("WTT",),
    "kW": ("KWT",),
    "V.A": ("VA", "D46"),
    "var": ("VAr",),
    "kW.h": ("kWh", "KWH"),
    "W.h": ("Wh", "WHR"),
    "J": ("JOU",),
    "m": ("MTR",),
    "mm": ("MMT",),
    "cm": ("CMT",),
    "km": ("KMT",),
    "m/s": ("MTS",),
    "km/h": ("KMH",),
    "mm/h": ("H67",),
    "m/h": ("M60",),
    "L": ("l", "LTR"),
    "m3": ("m³", "MTQ"),
    "L/s": ("l/s", "G51"),
    "m3/h": ("m³/h", "MQH"),
    "deg": ("°", "DD", "lat", "lon"),
    "Hz": ("HTZ",),
    "s": ("SEC",),
    "ms": ("C26",),
    "min": ("MIN",),
    "h": ("HUR",),
    "d": ("DAY",),
    "%/d": (),
    "kg": ("KGM",),
    "/h": ("1/h",),
    "1": ("/", "count", "C62"),
    "deg/s": ("°/s",),
    "dBm": (),
    "[pH]": ("pH",),
    "W/m2": ("D54",),
    "g": (),
}


class Conversion(msgspec.Struct, frozen=True):
    """`converted = value * factor + offset`."""

    factor: float = 1.0
    offset: float = 0.0


IDENTITY: Final = Conversion()

# dimension -> unit -> how a value becomes one in the dimension's first unit.
_DIMENSIONS: Final[dict[str, dict[str, Conversion]]] = {
    "temperature": {
        "Cel": IDENTITY,
        "K": Conversion(1.0, -273.15),
        "[degF]": Conversion(5 / 9, -160 / 9),
    },
    "pressure": {
        "hPa": IDENTITY,
        "mbar": IDENTITY,
        "Pa": Conversion(0.01),
        "kPa": Conversion(10.0),
        "mm[Hg]": Conversion(1.33322387415),
        "[in_i'Hg]": Conversion(33.86388640341),
    },
    "mass concentration": {"ug/m3": IDENTITY, "mg/m3": Conversion(1_000.0)},
    "fraction": {"[ppm]": IDENTITY, "[ppb]": Conversion(0.001)},
    "voltage": {"V": IDENTITY, "mV": Conversion(0.001)},
    "current": {"A": IDENTITY, "mA": Conversion(0.001)},
    "power": {"W": IDENTITY, "kW": Conversion(1_000.0)},
    "energy": {"kW.h": IDENTITY, "W.h": Conversion(0.001), "J": Conversion(1 / 3_600_000)},
    "length": {
        "m": IDENTITY,
        "mm": Conversion(0.001),
        "cm": Conversion(0.01),
        "km": Conversion(1_000.0),
    },
    "speed": {
        "km/h": IDENTITY,
        "m/s": Conversion(3.6),
        "mm/h": Conversion(1e-6),
        "m/h": Conversion(0.001),
    },
    "volume": {"m3": IDENTITY, "L": Conversion(0.001)},
    "volume flow": {"m3/h": IDENTITY, "L/s": Conversion(3.6)},
    "time": {
        "s": IDENTITY,
        "ms": Conversion(0.001),
        "min": Conversion(60.0),
        "h": Conversion(3_600.0),
    },
    "mass": {"kg": IDENTITY, "g": Conversion(0.001)},
    "ratio": {"%": IDENTITY, "1": Conversion(100.0)},
}

_UCUM: Final = {spelling: code for code, all_ in _SPELLINGS.items() for spelling in (code, *all_)}
_DIMENSION: Final = {unit: name for name, units in _DIMENSIONS.items() for unit in units}


def ucum(text: str) -> str | None:
    """Return the UCUM code that a text stands for; None where it is no unit that we know."""
    return _UCUM.get(text) or _UCUM.get(text.strip())


def dimension(unit: str) -> str:
    """Return what a UCUM unit measures; a unit without relatives is its own dimension."""
    return _DIMENSION.get(unit, unit)


def conversion(sent: str, wanted: str) -> Conversion | None:
    """Return how values in one UCUM unit become values in another; None where they cannot."""
    if sent == wanted:
        return IDENTITY
    name = _DIMENSION.get(sent)
    if name is None or _DIMENSION.get(wanted) != name:
        return None
    here, there = _DIMENSIONS[name][sent], _DIMENSIONS[name][wanted]
    return Conversion(here.factor / there.factor, (here.offset - there.offset) / there.factor)

"""Units of SenML, their UCUM codes, and what a number in one of them measures.

Source: the registry of RFC 8428 section 12.1 and RFC 8798 (secondary units, which are formally not
allowed in `u` and common all the same). `C` is coulomb here, degree Celsius elsewhere.
"""

from typing import Final

__all__ = ["quantity_by_unit", "senml_unit"]

_SAME: Final = (
    "m", "kg", "g", "s", "A", "K", "cd", "mol", "Hz", "rad", "sr", "N", "Pa", "J", "W", "C", "Cel",
    "V", "F", "Ohm", "S", "Wb", "T", "H", "lm", "lx", "Bq", "Gy", "Sv", "kat", "m2", "m3", "m/s",
    "m/s2", "m3/s", "W/m2", "cd/m2", "S/m", "kg/m3", "bit", "bit/s", "dB", "%", "var", "J/m", "ms",
    "min", "h", "MHz", "kW", "kvar", "Mbit/s", "mV", "mA", "mm", "cm", "km", "dBm", "ug/m3", "hPa",
    "mm/h", "m/h", "km/h",
)  # fmt: skip
_OTHER: Final = {
    "l": "L", "l/s": "L/s", "lat": "deg", "lon": "deg", "pH": "[pH]", "dBW": "dB[W]",
    "Bspl": "B[SPL]", "count": "1", "/": "1", "%RH": "%", "%EL": "%", "/100": "%", "EL": "s",
    "1/s": "/s", "1/min": "/min", "beat/min": "/min", "beats": "1", "B": "By", "VA": "V.A",
    "VAs": "V.A.s", "vars": "var.s", "kVA": "kV.A", "Ah": "A.h", "Wh": "W.h", "kWh": "kW.h",
    "varh": "var.h", "kvarh": "kvar.h", "kVAh": "kV.A.h", "Wh/km": "W.h/km", "KiB": "KiBy",
    "GB": "GBy", "B/s": "By/s", "MB/s": "MBy/s", "ppm": "[ppm]", "/1000": "[ppth]",
}  # fmt: skip
_UNITS: Final = {**{unit: unit for unit in _SAME}, **_OTHER}
_QUANTITIES: Final = {
    "Cel": "temperature", "%RH": "humidity", "Pa": "pressure", "hPa": "pressure",
    "lx": "illuminance", "V": "voltage", "A": "current", "W": "power", "%EL": "battery_level",
    "lat": "latitude", "lon": "longitude",
}  # fmt: skip


def senml_unit(text: str) -> str | None:
    """Return the UCUM code of a unit; None where it is none that SenML has."""
    return _UNITS.get(text)


def quantity_by_unit(text: str) -> str:
    """Return what a number without a name measures; `value` where its unit does not tell."""
    return _QUANTITIES.get(text, "value")

"""What a vendor's name of a member seems to say: a quantity, its unit, or something else. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from city.quantities import plain_name, quantity_name, quantity_of
from city.units import conversion, ucum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.inspect.findings import Confidence

__all__ = ["DEVICE_NAMES", "META_NAMES", "TIME_NAMES", "UNIT_NAMES", "Named", "is_known", "named"]

TIME_NAMES: Final = frozenset(
    ("t", "ts", "at", "dt", "time", "timestamp", "date", "datetime", "date_time", "epoch",
     "measured_at", "observed_at", "recorded_at", "sent_at", "time_stamp", "utc", "when")
)  # fmt: skip
DEVICE_NAMES: Final = (
    "device", "device_id", "dev_id", "dev_eui", "deveui", "sensor_id", "serial", "serial_number",
    "imei", "mac", "node", "node_id", "station", "station_id", "id", "sensor", "sn", "meter_id",
)  # fmt: skip
UNIT_NAMES: Final = frozenset(("unit", "units", "uom", "u"))
META_NAMES: Final = {
    "rssi": "rssi_dbm", "snr": "snr_db", "fw": "firmware", "firmware": "firmware",
    "version": "firmware", "seq": "sequence", "sequence": "sequence", "cnt": "sequence",
    "uptime": "uptime", "lqi": "link_quality", "msg_id": "message_id",
}  # fmt: skip
UNIT_SHOWN: Final = 32
# Members that only hold others.
WRAPPERS: Final = frozenset(
    ("data", "payload", "values", "measurements", "readings", "sensors", "body", "msg", "metrics")
)
# Ends of names; the longer first.
SUFFIXES: Final = {
    "celsius": "Cel", "degc": "Cel", "c": "Cel", "degf": "[degF]", "f": "[degF]", "percent": "%",
    "pct": "%", "perc": "%", "hpa": "hPa", "kpa": "kPa", "mbar": "mbar", "pa": "Pa", "mv": "mV",
    "v": "V", "ma": "mA", "kwh": "kW.h", "wh": "W.h", "kw": "kW", "w": "W", "mm": "mm", "cm": "cm",
    "m": "m", "m3h": "m3/h", "m3_h": "m3/h", "l_s": "L/s", "m3": "m3", "l": "L", "ugm3": "ug/m3",
    "ug_m3": "ug/m3", "mg_m3": "mg/m3", "ppm": "[ppm]", "ppb": "[ppb]", "dba": "dB", "db": "dB",
    "lux": "lx", "kmh": "km/h", "km_h": "km/h", "m_s": "m/s", "ms": "m/s",
}  # fmt: skip
SYNONYMS: Final = {
    "batt": "battery_level", "bat": "battery_level", "vbat": "battery_voltage", "fill":
    "fill_level", "filling": "fill_level", "lat": "latitude", "lon": "longitude",
    "lng": "longitude", "water_level": "level", "noise": "laeq", "noise_level": "laeq",
    "wind": "wind_speed",
}  # fmt: skip
# Ranges that only one unit of a quantity explains, looked at in this order.
BY_SIZE: Final = {
    "temperature": (("K", 220, 340), ("[degF]", 65, 140)),
    "pressure": (("Pa", 50_000, 115_000), ("kPa", 50, 115)),
    "battery_voltage": (("mV", 500, 60_000),),
}


class Named(msgspec.Struct, frozen=True):
    """A quantity and the unit of its numbers as sent."""

    quantity: str
    unit: str | None
    confidence: Confidence
    why: str


def named(path: Sequence[str], numbers: Sequence[float], said: str | None) -> Named | None:
    """Return the quantity of a member and its unit; None where it has no name that could be one.

    Args:
        path: Names from the outside in.
        numbers: What was sent.
        said: Unit that the messages say themselves, as they write it.
    """
    inner = [each for each in path if plain_name(each) not in WRAPPERS] or [path[-1]]
    plain = plain_name("_".join(inner))
    if plain is None:
        return None
    quantity, unit = _split(plain)
    code = None if said is None else ucum(said)
    if code is not None and _fits(quantity, code):
        return Named(quantity, code, "high", f"the message says {said!r}")
    if unit is not None:
        return _ended(plain, quantity, unit)
    usual = _usual(quantity, numbers)
    return usual if said is None else _doubted(usual, said)


def is_known(name: str) -> bool:
    """Say whether a sender's name, with a unit at its end or not, is that of a known quantity."""
    found = named([name], [], None)
    return found is not None and quantity_of(found.quantity) is not None


def _doubted(usual: Named, said: str) -> Named:
    """Return what is usual, where the message says a unit that cannot be."""
    words = (
        f"the message says {said[:UNIT_SHOWN]!r}, which does not fit: ask its maker; {usual.why}"
    )
    return Named(usual.quantity, usual.unit, "low", words)


def _ended(plain: str, quantity: str, unit: str) -> Named:
    """Return what a name says that ends in a unit."""
    if _fits(quantity, unit):
        return Named(quantity, unit, "high", f"its name ends in the unit: {plain}")
    if unit == "dB":
        return Named("laeq", unit, "low", f"a level of sound, by its unit: {plain}")
    return Named(f"mixing_ratio_{quantity}", unit, "medium", "a ratio, not a concentration")


def _fits(quantity: str, unit: str) -> bool:
    known = quantity_of(quantity)
    canonical = unit if known is None else known.unit
    return canonical is not None and conversion(unit, canonical) is not None


def _split(plain: str) -> tuple[str, str | None]:
    """Return the quantity of a name, and the unit that its end says."""
    whole = SYNONYMS.get(plain) or quantity_name(plain) or plain
    if plain in SYNONYMS or quantity_name(plain) != plain:
        return whole, None
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        stem = plain.removesuffix(f"_{suffix}")
        if stem == plain or not stem:
            continue
        quantity, unit = SYNONYMS.get(stem) or quantity_name(stem) or stem, SUFFIXES[suffix]
        if quantity == "battery_level" and unit in {"V", "mV"}:
            quantity = "battery_voltage"
        known = quantity_of(quantity)
        ratio = unit in {"[ppm]", "[ppb]", "dB"}
        if (known is None and len(suffix) > 1) or (
            known is not None and (ratio or _fits(quantity, unit))
        ):
            return quantity, unit
    return whole, None


def _usual(quantity: str, numbers: Sequence[float]) -> Named:
    known = quantity_of(quantity)
    if known is None:
        return Named(quantity, None, "low", "nothing says what its unit is")
    for unit, low, high in BY_SIZE.get(quantity, ()):
        if numbers and all(low <= each <= high for each in numbers):
            return Named(quantity, unit, "low", f"by the size of its numbers: {numbers[0]:g}")
    if known.unit is None:
        return Named(quantity, None, "medium", "it has no unit")
    return Named(quantity, known.unit, "medium", f"the usual unit of {quantity}")

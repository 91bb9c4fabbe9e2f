"""The payload as The Things Stack's schema normalises it: names and units are those of the schema.

Source: formats.md section 4 (`TheThingsNetwork/lorawan-devices`, lib/payload.json).
"""

from typing import Any, Final, cast

from city.reasons import MessageReason, ObservationReason
from ingest.codecs.flatten import Naming, flatten
from ingest.codecs.measures import Measures
from ingest.codecs.members import time_of
from ingest.codecs.profile import Profile
from ingest.codecs.seam import MessageError

__all__ = ["read_normalized"]

SCHEMA: Final[dict[str, tuple[str, str | None]]] = {
    "air_temperature": ("temperature", "Cel"),
    "air_relativeHumidity": ("humidity", "%"),
    "air_pressure": ("pressure", "hPa"),
    "air_co2": ("co2", "[ppm]"),
    "air_lightIntensity": ("illuminance", "lx"),
    "soil_temperature": ("soil_temperature", "Cel"),
    "soil_moisture": ("soil_moisture", "%"),
    "soil_depth": ("soil_depth", "cm"),
    # Sent in dS/m, for which there is no code here.
    "soil_ec": ("soil_ec", None),
    "soil_pH": ("soil_ph", "[pH]"),
    "soil_n": ("soil_n", "[ppm]"),
    "soil_p": ("soil_p", "[ppm]"),
    "soil_k": ("soil_k", "[ppm]"),
    "wind_speed": ("wind_speed", "m/s"),
    "wind_direction": ("wind_direction", "deg"),
    "battery": ("battery_voltage", "V"),
}


def read_normalized(sent: object, profile: Profile, measures: Measures) -> None:
    """Add every item to the measurements of a message; an item may have its own time.

    Raises:
        MessageError: `missing_field` or `bad_time`.
    """
    if not isinstance(sent, list):
        raise MessageError(MessageReason.MISSING_FIELD, "`normalized_payload` is no array")
    naming = _naming(profile)
    for at, item in enumerate(cast("list[Any]", sent)):
        where = f"normalized_payload[{at}]"
        if not isinstance(item, dict):
            measures.reject(where, ObservationReason.NESTED_ARRAY, "this is no object")
            continue
        members = dict(cast("dict[str, Any]", item))
        time_us = time_of(members.pop("time", None), f"{where}.time")
        flatten(members, naming, measures, time_us=time_us)


def _naming(profile: Profile) -> Naming:
    def named(raw: str) -> tuple[str | None, str | None]:
        known, unit = SCHEMA.get(raw, (None, None))
        quantity = profile.quantity(raw) if known is None or raw in profile.names else known
        return quantity, unit or (profile.unit(quantity) if quantity else None)

    return named

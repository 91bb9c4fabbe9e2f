"""What is put to a Sentilo platform: observations of one sensor, or of several of a provider.

Source: sentilo/sentilo, API documentation of the data service; formats.md section 14.
"""

from typing import Any, Final, cast

import msgspec

from city.identity import joined_id
from city.instants import InstantError
from city.reasons import MessageReason
from ingest.codecs.measures import Measures, join
from ingest.codecs.members import read_object
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sentilo.times import sentilo_us
from ingest.codecs.streams import Meant
from ingest.codecs.stringly import cast_text

__all__ = ["CODEC", "SentiloCodec", "SentiloOptions"]

# `.../data/{provider}[/{sensor}]`, as in the addresses of the platform.
DATA_LEVEL: Final = "data"
UNKNOWN: Final = Meant("value")
LATITUDE_MAX, LONGITUDE_MAX = 90, 180
# A latitude and a longitude.
COORDINATES: Final = 2


class SentiloOptions(Profile, frozen=True):
    """Options of a route for Sentilo.

    Attributes:
        sensors: Sensor, or provider:sensor, to what it measures.
    """

    sensors: dict[str, Meant] = msgspec.field(default_factory=dict[str, Meant])


class _Address(msgspec.Struct, frozen=True):
    """What the topic says: its device if it is one of ours, else provider and sensor."""

    own: str | None
    provider: str
    sensor: str | None


class SentiloCodec:
    """`ingest.codecs.seam.Codec` for Sentilo."""

    options: Final = SentiloOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        address = _address(message)
        if not message.payload.strip():
            return Decoded(device=address.own or "")
        options = options_of(message, SentiloOptions)
        sent = read_object(message.payload)
        sensors = sent.get("sensors", [sent])
        if not isinstance(sensors, list) or not sensors:
            raise MessageError(MessageReason.MISSING_FIELD, "`sensors` is no array, or empty")
        return join([_sensor(each, address, options) for each in cast("list[Any]", sensors)])


def _address(message: Arrived) -> _Address:
    levels = message.topic.split("/")
    own = device_of_topic(message.topic)
    if own is None and DATA_LEVEL in levels[:-1]:
        provider, *sensor = levels[levels.index(DATA_LEVEL) + 1 :]
        return _Address(None, provider, sensor[0] if sensor else None)
    return _Address(own, message.provider, None)


def _sensor(sent: object, address: _Address, options: SentiloOptions) -> Decoded:
    """Read the observations of one sensor."""
    if not isinstance(sent, dict):
        raise MessageError(MessageReason.MISSING_FIELD, "an element of `sensors` is no object")
    sensor = cast("dict[str, Any]", sent)
    name = sensor.get("sensor", address.sensor)
    device = _device(name, address)
    try:
        items = sensor.get("observations")
        if not isinstance(items, list):
            raise _missing("observations", "is missing or no array")
        meant = options.sensors.get(device) or options.sensors.get(str(name)) or UNKNOWN
        place = _place(sensor.get("location"))
        return join([_observation(each, device, meant, place) for each in cast("list[Any]", items)])
    except MessageError as error:
        words = f"sensor {str(name)[:64]!r}: {error.words}"
        raise MessageError(error.reason, words, device=device) from None


def _device(name: object, address: _Address) -> str:
    if name is None and address.own is not None:
        return address.own
    if name is None:
        words = "neither the topic nor the payload names the sensor"
        raise MessageError(MessageReason.MISSING_DEVICE, words)
    device = joined_id((address.provider, name)) if isinstance(name, str) else None
    if device is None:
        words = f"no device can be named by {address.provider[:64]!r} and {str(name)[:64]!r}"
        raise MessageError(MessageReason.BAD_DEVICE_ID, words)
    return device


def _observation(sent: object, device: str, meant: Meant, place: dict[str, float]) -> Decoded:
    if not isinstance(sent, dict):
        raise _missing("observations", "holds something that is no object")
    item = cast("dict[str, Any]", sent)
    if "value" not in item:
        raise _missing("value", "is missing in an observation")
    value, unit = cast_text(item["value"])
    measures = Measures()
    measures.add("value", meant.quantity, value, unit or meant.ucum)
    position = _place(item.get("location")) or place
    return measures.decoded(
        device,
        time_us=_time_us(item.get("timestamp")),
        metadata={"position": position} if position else {},
    )


def _missing(member: str, words: str) -> MessageError:
    return MessageError(MessageReason.MISSING_FIELD, f"`{member}` {words}")


def _time_us(sent: object) -> int | None:
    if sent is None or sent == "":
        return None
    try:
        return sentilo_us(sent if isinstance(sent, str) else str(sent))
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`timestamp`: {error}") from None


def _place(sent: object) -> dict[str, float]:
    """Return the position that a text `latitude longitude` stands for, if it stands for one."""
    numbers = [cast_text(each)[0] for each in sent.split()] if isinstance(sent, str) else []
    if len(numbers) != COORDINATES:
        return {}
    lat, lon = numbers
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return {}
    # Nothing that is no number, and nothing swapped, passes this.
    on_earth = abs(lat) <= LATITUDE_MAX and abs(lon) <= LONGITUDE_MAX
    return {"lat": lat, "lon": lon} if on_earth else {}


CODEC: Final = SentiloCodec()

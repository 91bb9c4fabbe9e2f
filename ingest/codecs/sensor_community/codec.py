"""One post of an airrohr sensor, with every rule of formats.md section 13."""

from typing import Any, Final, cast

import msgspec

from city.clock import US_PER_S
from city.identity import device_id
from city.instants import InstantError, text_us
from city.reasons import MessageReason
from ingest.codecs.measures import Measures
from ingest.codecs.members import members_of, number_of, read_object, text_of_member
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.profile import Profile, profile_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sensor_community.names import METADATA, TIME, meaning_of
from ingest.codecs.stringly import cast_text

__all__ = ["CODEC", "SensorCommunityCodec"]

VALUES: Final = "sensordatavalues"
# The clock of a receiver without a fix.
NO_FIX: Final = "1970-01-01"
# Older than any page that a device still shows.
YEARS_S: Final = 10 * 366 * 86_400


class _Value(msgspec.Struct, frozen=True):
    """One item of `sensordatavalues`."""

    name: str
    text: str


class SensorCommunityCodec:
    """`ingest.codecs.seam.Codec` for Sensor.Community."""

    options: Final = Profile

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        device = device_of_topic(message.topic)
        if not message.payload.strip():
            return Decoded(device=device or "")
        sent = read_object(message.payload)
        device = device or _device(sent)
        try:
            return _read(message, sent, device)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _device(sent: dict[str, Any]) -> str:
    chip = text_of_member(sent.get("esp8266id"))
    if chip is None:
        words = "`esp8266id` is missing, and the topic names no device"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    device = device_id(f"esp8266-{chip}")
    if device is None:
        raise MessageError(MessageReason.BAD_DEVICE_ID, f"`esp8266id` is {chip[:64]!r}")
    return device


def _read(message: Arrived, sent: dict[str, Any], device: str) -> Decoded:
    values = _values(sent)
    profile, measures = profile_of(message), Measures()
    metadata: dict[str, Any] = {"firmware": text_of_member(sent.get("software_version"))}
    time_us = _age(message, sent)
    for each in values:
        if each.name in METADATA:
            sent_as, _ = cast_text(each.text.removesuffix("dBm"))
            metadata[METADATA[each.name]] = number_of(sent_as)
        elif each.name == TIME:
            time_us = _fix(each.text) or time_us
        else:
            _measure(each, profile, measures)
    known = {name: value for name, value in metadata.items() if value is not None}
    return measures.decoded(device, time_us=time_us, metadata=known)


def _values(sent: dict[str, Any]) -> list[_Value]:
    items = sent.get(VALUES)
    if not isinstance(items, list):
        raise MessageError(MessageReason.MISSING_FIELD, f"`{VALUES}` is missing or no array")
    found: list[_Value] = []
    for at, each in enumerate(cast("list[Any]", items)):
        item = members_of(each)
        name, text = item.get("value_type"), item.get("value")
        if not isinstance(name, str) or not isinstance(text, str | int | float | None):
            words = f"`{VALUES}[{at}]` has no `value_type`, or a `value` that is none"
            raise MessageError(MessageReason.MISSING_FIELD, words)
        found.append(_Value(name, "" if text is None else str(text)))
    return found


def _measure(sent: _Value, profile: Profile, measures: Measures) -> None:
    known = meaning_of(sent.name)
    named = profile.names.get(sent.name)
    quantity = named or known.quantity
    value, percent = cast_text(sent.text)
    if known.missing is not None and value == known.missing:
        return
    unit = known.unit or percent or (profile.unit(quantity) if quantity else None)
    measures.add(quantity or sent.name, quantity, value, unit)


def _age(message: Arrived, sent: dict[str, Any]) -> int | None:
    """Return when a message was measured that says how old it is (a device's own page)."""
    age_s = number_of(cast_text(sent.get("age"))[0])
    return (
        None
        if age_s is None or not 0 <= age_s < YEARS_S
        else message.received_us - round(age_s * US_PER_S)
    )


def _fix(text: str) -> int | None:
    """Return the time of a receiver with a fix: no zone, and it is UTC."""
    if not text or text.startswith(NO_FIX):
        return None
    try:
        return text_us(f"{text.removesuffix('Z')}Z")
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`{TIME}`: {error}") from None


CODEC: Final = SensorCommunityCodec()

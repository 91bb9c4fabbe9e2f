"""Properties of MQTT 5.0: one table, read by decoder and encoder.

Source: MQTT 5.0 section 2.2.2.2, and the property lists of each packet in chapter 3. A packet may
hold a property at most once, except user properties (and, in a PUBLISH, subscription identifiers).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from gateway.mqtt.primitives import Cursor, encode_binary, encode_varint
from gateway.mqtt.reasons import MqttError, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["NO_PROPERTIES", "Place", "Properties", "decode_properties", "encode_properties"]


class Place(enum.Flag):
    """Where a property may stand."""

    CONNECT = enum.auto()
    CONNACK = enum.auto()
    PUBLISH = enum.auto()
    WILL = enum.auto()
    # PUBACK, PUBREC, PUBREL, PUBCOMP
    ACK = enum.auto()
    SUBSCRIBE = enum.auto()
    # SUBACK, UNSUBACK
    SUBACK = enum.auto()
    UNSUBSCRIBE = enum.auto()
    DISCONNECT = enum.auto()
    AUTH = enum.auto()


class Properties(msgspec.Struct, frozen=True):
    """What a packet carried beside its fields; None (or nothing in the tuple): not there."""

    payload_format: int | None = None
    message_expiry_s: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    subscription_identifiers: tuple[int, ...] = ()
    session_expiry_s: int | None = None
    assigned_client: str | None = None
    server_keep_alive_s: int | None = None
    authentication_method: str | None = None
    authentication_data: bytes | None = None
    request_problem_information: int | None = None
    will_delay_s: int | None = None
    request_response_information: int | None = None
    response_information: str | None = None
    server_reference: str | None = None
    reason_string: str | None = None
    receive_maximum: int | None = None
    topic_alias_maximum: int | None = None
    topic_alias: int | None = None
    maximum_qos: int | None = None
    retain_available: int | None = None
    user_properties: tuple[tuple[str, str], ...] = ()
    maximum_packet_size: int | None = None
    wildcard_subscription_available: int | None = None
    subscription_identifiers_available: int | None = None
    shared_subscription_available: int | None = None


NO_PROPERTIES: Final = Properties()


class _Kind(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        places: Where it may stand.
        read, write: The data type.
        least, most: Bounds of an integer.
        repeated: May stand there more than once.
    """

    name: str
    places: Place
    read: Callable[[Cursor], Any]
    write: Callable[[Any], bytes]
    least: int = 0
    most: int = 0xFFFF_FFFF
    repeated: bool = False


def _byte(cursor: Cursor) -> int:
    return cursor.integer(1)


def _two(cursor: Cursor) -> int:
    return cursor.integer(2)


def _four(cursor: Cursor) -> int:
    return cursor.integer(4)


def _pair(cursor: Cursor) -> tuple[str, str]:
    return cursor.text(), cursor.text()


def _write_byte(value: int) -> bytes:
    return value.to_bytes(1, "big")


def _write_two(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _write_four(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _write_text(value: str) -> bytes:
    return encode_binary(value.encode())


def _write_pair(value: tuple[str, str]) -> bytes:
    return _write_text(value[0]) + _write_text(value[1])


def _flag(name: str, places: Place) -> _Kind:
    return _Kind(name, places, _byte, _write_byte, most=1)


def _number(name: str, places: Place, least: int = 0) -> _Kind:
    return _Kind(name, places, _two, _write_two, least)


def _long(name: str, places: Place, least: int = 0) -> _Kind:
    return _Kind(name, places, _four, _write_four, least)


def _text(name: str, places: Place) -> _Kind:
    return _Kind(name, places, Cursor.text, _write_text)


def _binary(name: str, places: Place) -> _Kind:
    return _Kind(name, places, Cursor.binary, encode_binary)


def _varint(name: str, places: Place) -> _Kind:
    return _Kind(name, places, Cursor.varint, encode_varint, least=1, repeated=True)


MESSAGE = Place.PUBLISH | Place.WILL
HELLO = Place.CONNECT | Place.CONNACK
ANSWER = Place.CONNACK | Place.ACK | Place.SUBACK | Place.DISCONNECT | Place.AUTH
ANYWHERE = ~Place(0)

KINDS: Final[Mapping[int, _Kind]] = {
    0x01: _flag("payload_format", MESSAGE),
    0x02: _long("message_expiry_s", MESSAGE),
    0x03: _text("content_type", MESSAGE),
    0x08: _text("response_topic", MESSAGE),
    0x09: _binary("correlation_data", MESSAGE),
    0x0B: _varint("subscription_identifiers", Place.PUBLISH | Place.SUBSCRIBE),
    0x11: _long("session_expiry_s", HELLO | Place.DISCONNECT),
    0x12: _text("assigned_client", Place.CONNACK),
    0x13: _number("server_keep_alive_s", Place.CONNACK),
    0x15: _text("authentication_method", HELLO | Place.AUTH),
    0x16: _binary("authentication_data", HELLO | Place.AUTH),
    0x17: _flag("request_problem_information", Place.CONNECT),
    0x18: _long("will_delay_s", Place.WILL),
    0x19: _flag("request_response_information", Place.CONNECT),
    0x1A: _text("response_information", Place.CONNACK),
    0x1C: _text("server_reference", Place.CONNACK | Place.DISCONNECT),
    0x1F: _text("reason_string", ANSWER),
    0x21: _number("receive_maximum", HELLO, least=1),
    0x22: _number("topic_alias_maximum", HELLO),
    0x23: _number("topic_alias", Place.PUBLISH),
    0x24: _flag("maximum_qos", Place.CONNACK),
    0x25: _flag("retain_available", Place.CONNACK),
    0x26: _Kind("user_properties", ANYWHERE, _pair, _write_pair, repeated=True),
    0x27: _long("maximum_packet_size", HELLO, least=1),
    0x28: _flag("wildcard_subscription_available", Place.CONNACK),
    0x29: _flag("subscription_identifiers_available", Place.CONNACK),
    0x2A: _flag("shared_subscription_available", Place.CONNACK),
}


def decode_properties(cursor: Cursor, place: Place) -> Properties:
    """Read the properties of a packet, their length included.

    Raises:
        MqttError: If they are malformed, stand twice, do not belong there or are out of bounds.
    """
    length = cursor.varint()
    if not length:
        return NO_PROPERTIES
    end = cursor.at + length
    if end > cursor.end:
        raise MqttError(Reason.MALFORMED_PACKET, "properties longer than their packet")
    inner = Cursor(cursor.data, cursor.at, end)
    found: dict[str, Any] = {}
    while inner.at < end:
        _decode_one(inner, place, found)
    cursor.at = end
    for name, value in found.items():
        if isinstance(value, list):
            found[name] = tuple(cast("list[Any]", value))
    return Properties(**found)


def _decode_one(cursor: Cursor, place: Place, found: dict[str, Any]) -> None:
    number = cursor.varint()
    kind = KINDS.get(number)
    if kind is None or not place & kind.places:
        raise MqttError(Reason.MALFORMED_PACKET, f"property {number:#04x} does not belong here")
    value = kind.read(cursor)
    if isinstance(value, int) and not kind.least <= value <= kind.most:
        raise MqttError(Reason.PROTOCOL_ERROR, f"{kind.name} of {value}")
    if kind.repeated:
        if kind.name in found and place is Place.SUBSCRIBE and kind.read is Cursor.varint:
            raise MqttError(Reason.PROTOCOL_ERROR, "two subscription identifiers")
        found.setdefault(kind.name, []).append(value)
    elif kind.name in found:
        raise MqttError(Reason.PROTOCOL_ERROR, f"{kind.name} stands twice")
    else:
        found[kind.name] = value


def encode_properties(properties: Properties) -> bytes:
    """Write properties, their length included; the inverse of `decode_properties`."""
    if properties is NO_PROPERTIES:
        return b"\0"
    parts: list[bytes] = []
    for number, kind in KINDS.items():
        value = getattr(properties, kind.name)
        if value is None:
            continue
        for each in value if kind.repeated else (value,):
            parts += (number.to_bytes(1, "big"), kind.write(each))
    data = b"".join(parts)
    return encode_varint(len(data)) + data

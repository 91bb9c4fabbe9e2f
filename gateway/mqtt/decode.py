"""Bytes to packets, one at a time: everything but PUBLISH in bulk (`publishes`).

Pure. A packet that is not there completely is told by its length, so that the caller can refuse it
for its size before it holds any of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from city.topics import TopicFilterError, check_filter
from gateway.mqtt.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Kind,
    Packet,
    Ping,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from gateway.mqtt.primitives import Cursor, check_topic
from gateway.mqtt.properties import NO_PROPERTIES, Place, Properties, decode_properties
from gateway.mqtt.reasons import Level, MqttError, Reason, VersionError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONGEST_HEADER", "decode_body", "measure"]

MORE = 0x80
# First byte and up to four of the remaining length.
LONGEST_HEADER = 5
SHIFTS = (7, 14, 21)
HIGHEST_QOS = 2
# Flags in the lower half of the first byte: fixed for all but PUBLISH (MQTT-2.1.3-1).
FLAGS_OF_2 = (Kind.PUBREL, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE)
# Connect flags (MQTT 5.0 section 3.1.2.3).
RESERVED, CLEAN, WILL, WILL_QOS, WILL_RETAIN, PASSWORD, USER = 1, 2, 4, 0x18, 0x20, 0x40, 0x80
# Reason codes that a packet may carry (MQTT 5.0 table 2.6).
ON_RECEIPT = bytes.fromhex("00 10 80 83 87 90 91 97 99")
ON_RELEASE = bytes.fromhex("00 92")
ON_DISCONNECT = bytes.fromhex(
    "00 04 80 81 82 83 87 89 8b 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 a2"
)
ON_AUTH = bytes.fromhex("00 18 19")
ACK_CODES: Final[Mapping[Kind, bytes]] = {
    Kind.PUBACK: ON_RECEIPT,
    Kind.PUBREC: ON_RECEIPT,
    Kind.PUBREL: ON_RELEASE,
    Kind.PUBCOMP: ON_RELEASE,
}
SHARED = b"$share/"
# Subscription options of 5.0: two reserved bits, QoS 3 and retain handling 3 do not exist.
OPTIONS_RESERVED, OPTIONS_NO_LOCAL, OPTIONS_RETAIN_3 = 0xC0, 0x04, 0x30


def measure(data: bytes, at: int, level: Level | None) -> tuple[int, int]:
    """Return where the body of the packet at `at` begins and ends.

    Returns:
        Both positions may lie behind the data: it is incomplete. (0, 0): not even its length is.

    Raises:
        MqttError: If the length has more than four bytes, or in 5.0 more than it needs.
    """
    header = data[at + 1 : at + LONGEST_HEADER]
    if not header:
        return 0, 0
    if header[0] < MORE:
        return at + 2, at + 2 + header[0]
    length = header[0] - MORE
    for index, shift in enumerate(SHIFTS, start=1):
        if index == len(header):
            return 0, 0
        byte = header[index]
        length += (byte & ~MORE) << shift
        if byte < MORE:
            if not byte and level == Level.V5:
                raise MqttError(Reason.MALFORMED_PACKET, "a length longer than it needs to be")
            start = at + 2 + index
            return start, start + length
    raise MqttError(Reason.MALFORMED_PACKET, "a length of more than four bytes")


def decode_body(first: int, cursor: Cursor, level: Level | None) -> Packet:
    """Read a packet's body.

    Args:
        first: The first byte of the packet.
        cursor: Over the whole body.
        level: Agreed by CONNECT; None before it, when nothing but CONNECT is known.

    Raises:
        MqttError: If it is none that MQTT allows.
    """
    kind = first >> 4
    if level is None and kind != Kind.CONNECT:
        raise MqttError(Reason.PROTOCOL_ERROR, "the first packet is no CONNECT")
    if kind == Kind.PUBLISH:
        return _publish(first, cursor, level or Level.V3)
    decoder = DECODERS.get(kind)
    if decoder is None or (kind == Kind.AUTH and level == Level.V3):
        raise MqttError(Reason.MALFORMED_PACKET, f"packet type {kind}")
    if first & 0x0F != (2 if kind in FLAGS_OF_2 else 0):
        raise MqttError(Reason.MALFORMED_PACKET, f"flags {first & 0x0F:#x} in packet type {kind}")
    packet = decoder(Kind(kind), cursor, level or Level.V3)
    cursor.finish()
    return packet


def _properties(cursor: Cursor, level: Level, place: Place) -> Properties:
    return decode_properties(cursor, place) if level == Level.V5 else NO_PROPERTIES


def _publish(first: int, cursor: Cursor, level: Level) -> Publish:
    qos = first >> 1 & 3
    dup = bool(first & 8)
    if qos > HIGHEST_QOS:
        raise MqttError(Reason.MALFORMED_PACKET, "QoS 3")
    if dup and not qos:
        raise MqttError(Reason.PROTOCOL_ERROR, "DUP with QoS 0")
    topic = cursor.binary()
    if topic or level == Level.V3:
        check_topic(topic)
    identifier = cursor.identifier() if qos else 0
    properties = _properties(cursor, level, Place.PUBLISH)
    if not topic and properties.topic_alias is None:
        raise MqttError(Reason.PROTOCOL_ERROR, "an empty topic name without a topic alias")
    if properties.response_topic is not None:
        check_topic(properties.response_topic.encode())
    payload = cursor.take(cursor.left)
    return Publish(topic, payload, qos, identifier, bool(first & 1), dup, properties)


def _connect(_: Kind, cursor: Cursor, __: Level) -> Connect:
    level = _level(cursor)
    flags = cursor.integer(1)
    if flags & RESERVED:
        raise MqttError(Reason.MALFORMED_PACKET, "the reserved flag of CONNECT")
    if not flags & WILL and flags & (WILL_QOS | WILL_RETAIN):
        raise MqttError(Reason.MALFORMED_PACKET, "QoS or retain of a will that is not there")
    if level == Level.V3 and flags & PASSWORD and not flags & USER:
        raise MqttError(Reason.MALFORMED_PACKET, "a password without a user name")
    keep_alive_s = cursor.integer(2)
    properties = _properties(cursor, level, Place.CONNECT)
    if properties.authentication_data is not None and properties.authentication_method is None:
        raise MqttError(Reason.PROTOCOL_ERROR, "authentication data without a method")
    return Connect(
        level,
        cursor.text_bytes(),
        bool(flags & CLEAN),
        keep_alive_s,
        will=_will(flags, cursor, level) if flags & WILL else None,
        user=cursor.text() if flags & USER else None,
        password=cursor.binary() if flags & PASSWORD else None,
        properties=properties,
    )


def _level(cursor: Cursor) -> Level:
    name = cursor.binary()
    level = cursor.integer(1)
    if name not in (b"MQTT", b"MQIsdp"):
        raise MqttError(Reason.PROTOCOL_ERROR, "the protocol is not named MQTT")
    if level not in (Level.V3, Level.V5) or name != b"MQTT":
        raise VersionError(level)
    return Level(level)


def _will(flags: int, cursor: Cursor, level: Level) -> Will:
    qos = (flags & WILL_QOS) >> 3
    if qos > HIGHEST_QOS:
        raise MqttError(Reason.MALFORMED_PACKET, "a will of QoS 3")
    properties = _properties(cursor, level, Place.WILL)
    topic = cursor.binary()
    check_topic(topic)
    if properties.response_topic is not None:
        check_topic(properties.response_topic.encode())
    return Will(topic, cursor.binary(), qos, bool(flags & WILL_RETAIN), properties)


def _connack(_: Kind, cursor: Cursor, level: Level) -> Connack:
    flags = cursor.integer(1)
    if flags > 1:
        raise MqttError(Reason.MALFORMED_PACKET, "reserved flags of CONNACK")
    return Connack(cursor.integer(1), bool(flags), _properties(cursor, level, Place.CONNACK))


def _ack(kind: Kind, cursor: Cursor, level: Level) -> Ack:
    identifier = cursor.identifier()
    if level == Level.V3 or not cursor.left:
        return Ack(kind, identifier)
    code = _code(cursor, ACK_CODES[kind])
    properties = decode_properties(cursor, Place.ACK) if cursor.left else NO_PROPERTIES
    return Ack(kind, identifier, code, properties)


def _code(cursor: Cursor, allowed: bytes) -> int:
    code = cursor.integer(1)
    if code not in allowed:
        raise MqttError(Reason.PROTOCOL_ERROR, f"reason code {code:#04x}")
    return code


def _subscribe(_: Kind, cursor: Cursor, level: Level) -> Subscribe:
    identifier = cursor.identifier()
    properties = _properties(cursor, level, Place.SUBSCRIBE)
    found: list[Subscription] = []
    while cursor.left:
        wanted = _filter(cursor, level)
        options = cursor.integer(1)
        _check_options(options, level)
        if options & OPTIONS_NO_LOCAL and wanted.startswith(SHARED):
            raise MqttError(Reason.PROTOCOL_ERROR, "No Local on a shared subscription")
        found.append(Subscription(wanted, options))
    if not found:
        raise MqttError(Reason.PROTOCOL_ERROR, "a SUBSCRIBE without topic filters")
    return Subscribe(identifier, tuple(found), properties)


def _check_options(options: int, level: Level) -> None:
    allowed = ~OPTIONS_RESERVED if level == Level.V5 else 3
    if options & ~allowed or options & 3 > HIGHEST_QOS:
        raise MqttError(Reason.MALFORMED_PACKET, f"subscription options {options:#04x}")
    if options & OPTIONS_RETAIN_3 == OPTIONS_RETAIN_3:
        raise MqttError(Reason.PROTOCOL_ERROR, "retain handling 3")


def _filter(cursor: Cursor, level: Level) -> bytes:
    wanted = cursor.text_bytes()
    try:
        check_filter(wanted)
    except TopicFilterError as error:
        raise MqttError(Reason.TOPIC_FILTER_INVALID, error.cause) from error
    if level == Level.V5 and wanted.startswith(SHARED):
        name, _, rest = wanted.removeprefix(SHARED).partition(b"/")
        if not name or not rest or set(name) & set(b"+#"):
            raise MqttError(Reason.TOPIC_FILTER_INVALID, "no name or no filter after $share/")
    return wanted


def _unsubscribe(_: Kind, cursor: Cursor, level: Level) -> Unsubscribe:
    identifier = cursor.identifier()
    properties = _properties(cursor, level, Place.UNSUBSCRIBE)
    filters: list[bytes] = []
    while cursor.left:
        filters.append(_filter(cursor, level))
    if not filters:
        raise MqttError(Reason.PROTOCOL_ERROR, "an UNSUBSCRIBE without topic filters")
    return Unsubscribe(identifier, tuple(filters), properties)


def _suback(kind: Kind, cursor: Cursor, level: Level) -> Suback:
    identifier = cursor.identifier()
    properties = _properties(cursor, level, Place.SUBACK)
    return Suback(kind, identifier, cursor.take(cursor.left), properties)


def _ping(kind: Kind, _: Cursor, __: Level) -> Ping:
    return Ping(kind)


def _disconnect(_: Kind, cursor: Cursor, level: Level) -> Disconnect:
    if level == Level.V3 or not cursor.left:
        return Disconnect()
    code = _code(cursor, ON_DISCONNECT)
    properties = decode_properties(cursor, Place.DISCONNECT) if cursor.left else NO_PROPERTIES
    return Disconnect(code, properties)


def _auth(_: Kind, cursor: Cursor, __: Level) -> Auth:
    if not cursor.left:
        return Auth()
    return Auth(_code(cursor, ON_AUTH), decode_properties(cursor, Place.AUTH))


DECODERS: Final[Mapping[int, Callable[[Kind, Cursor, Level], Packet]]] = {
    Kind.CONNECT: _connect,
    Kind.CONNACK: _connack,
    Kind.PUBACK: _ack,
    Kind.PUBREC: _ack,
    Kind.PUBREL: _ack,
    Kind.PUBCOMP: _ack,
    Kind.SUBSCRIBE: _subscribe,
    Kind.SUBACK: _suback,
    Kind.UNSUBSCRIBE: _unsubscribe,
    Kind.UNSUBACK: _suback,
    Kind.PINGREQ: _ping,
    Kind.PINGRESP: _ping,
    Kind.DISCONNECT: _disconnect,
    Kind.AUTH: _auth,
}

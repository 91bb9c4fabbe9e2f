"""Packets to bytes, both directions and both versions; the inverse of `decode`. Pure."""

from __future__ import annotations

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
    Unsubscribe,
    Will,
)
from gateway.mqtt.primitives import encode_binary, encode_varint
from gateway.mqtt.properties import NO_PROPERTIES, Properties, encode_properties
from gateway.mqtt.reasons import Level

__all__ = ["encode"]


def encode(packet: Packet, level: Level) -> bytes:
    """Write a packet; what only 5.0 has is left out in 3.1.1 (a CONNECT names its own level)."""
    first, body = _encode(packet, level)
    return bytes((first,)) + encode_varint(len(body)) + body


def _encode(packet: Packet, level: Level) -> tuple[int, bytes]:  # noqa: C901, PLR0911, PLR0912 - one line a packet type
    match packet:
        case Publish():
            return _publish(packet, level)
        case Ack():
            return _first(packet.kind), _identifier(packet.identifier) + _ending(packet, level)
        case Connect():
            return _first(Kind.CONNECT), _connect(packet)
        case Connack():
            fields = bytes((packet.session_present, packet.code))
            return _first(Kind.CONNACK), fields + _properties(packet.properties, level)
        case Subscribe():
            start = _start(packet.identifier, packet.properties, level)
            filters = [
                encode_binary(each.filter) + bytes((each.options,)) for each in packet.subscriptions
            ]
            return _first(Kind.SUBSCRIBE), start + b"".join(filters)
        case Unsubscribe():
            start = _start(packet.identifier, packet.properties, level)
            return _first(Kind.UNSUBSCRIBE), start + b"".join(map(encode_binary, packet.filters))
        case Suback():
            start = _start(packet.identifier, packet.properties, level)
            return _first(packet.kind), start + packet.codes
        case Ping():
            return _first(packet.kind), b""
        case Disconnect():
            return _first(Kind.DISCONNECT), _ending(packet, level)
        case Auth():
            return _first(Kind.AUTH), bytes((packet.code,)) + encode_properties(packet.properties)


def _first(kind: Kind) -> int:
    return kind << 4 | (2 if kind in (Kind.PUBREL, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE) else 0)


def _identifier(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _properties(properties: Properties, level: Level) -> bytes:
    return encode_properties(properties) if level == Level.V5 else b""


def _start(identifier: int, properties: Properties, level: Level) -> bytes:
    return _identifier(identifier) + _properties(properties, level)


def _ending(packet: Ack | Disconnect, level: Level) -> bytes:
    """Leave out a reason code of success and properties that are not there."""
    if level == Level.V3 or (not packet.code and packet.properties is NO_PROPERTIES):
        return b""
    code = bytes((packet.code,))
    return (
        code if packet.properties is NO_PROPERTIES else code + _properties(packet.properties, level)
    )


def _publish(packet: Publish, level: Level) -> tuple[int, bytes]:
    first = Kind.PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    identifier = _identifier(packet.identifier) if packet.qos else b""
    properties = _properties(packet.properties, level)
    return first, encode_binary(packet.topic) + identifier + properties + packet.payload


def _connect(packet: Connect) -> bytes:
    will = packet.will
    flags = (
        packet.clean << 1
        | (will is not None) << 2
        | (packet.password is not None) << 6
        | (packet.user is not None) << 7
    )
    if will is not None:
        flags |= will.qos << 3 | will.retain << 5
    return b"".join(
        (
            encode_binary(b"MQTT"),
            bytes((packet.level, flags)),
            packet.keep_alive_s.to_bytes(2, "big"),
            _properties(packet.properties, packet.level),
            encode_binary(packet.client),
            b"" if will is None else _will(will, packet.level),
            b"" if packet.user is None else encode_binary(packet.user.encode()),
            b"" if packet.password is None else encode_binary(packet.password),
        )
    )


def _will(will: Will, level: Level) -> bytes:
    fields = encode_binary(will.topic) + encode_binary(will.payload)
    return _properties(will.properties, level) + fields

"""MQTT packets that simulated devices send, 3.1.1 and 5.0.

An encoder of the rig's own: one that shared code with the gateway would share its mistakes. Pure.
Source: MQTT 3.1.1 and MQTT 5.0, sections 2 and 3.
"""

from typing import Final, Literal

import msgspec

__all__ = [
    "DISCONNECT",
    "PINGREQ",
    "ConnectFields",
    "Version",
    "as_duplicate",
    "connect_packet",
    "packet_ids",
    "publish_head",
    "publish_packet",
    "pubrel",
    "variable_integer",
]

Version = Literal[4, 5]

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"

PUBREL: Final = b"\x62\x02"
CONNECT: Final = 0x10
PUBLISH: Final = 0x30
DUP: Final = 0x08
QOS_SHIFT: Final = 1
V5: Final = 5

USER_FLAG: Final = 0x80
PASSWORD_FLAG: Final = 0x40
CLEAN_FLAG: Final = 0x02
# Properties of a CONNECT whose session outlives the connection by an hour (section 3.1.2.11.2).
SESSION_EXPIRY: Final = b"\x05\x11\x00\x00\x0e\x10"
SEVEN_BITS: Final = 0x7F
CONTINUED: Final = 0x80
VARIABLE_MAX: Final = 268_435_455


class ConnectFields(msgspec.Struct, frozen=True):
    """What a device says of itself when it connects.

    Attributes:
        version: Protocol level: 4 is MQTT 3.1.1.
        keep_alive_s: 0 turns it off.
        clean: No session is wanted; without it a device goes on with what was not acknowledged.
    """

    client_id: str
    version: Version = 4
    keep_alive_s: int = 60
    clean: bool = False
    user: str | None = None
    password: str | None = None


def connect_packet(fields: ConnectFields) -> bytes:
    """Return a CONNECT packet."""
    flags = CLEAN_FLAG if fields.clean else 0
    payload = _text(fields.client_id)
    if fields.user is not None:
        flags |= USER_FLAG
        payload += _text(fields.user)
    if fields.password is not None:
        flags |= PASSWORD_FLAG
        payload += _text(fields.password)
    head = _text("MQTT") + bytes((fields.version, flags)) + fields.keep_alive_s.to_bytes(2, "big")
    properties = b""
    if fields.version == V5:
        properties = b"\0" if fields.clean else SESSION_EXPIRY
    body = head + properties + payload
    return bytes((CONNECT,)) + variable_integer(len(body)) + body


def publish_head(topic: bytes, payload_size: int, *, qos: int, version: Version) -> bytes:
    """Return a PUBLISH packet up to the end of its topic; packet id and payload follow.

    Topics and payloads of one size share what comes before the topic's last bytes, so a head is
    made once and used for every message.
    """
    rest = len(topic) + 2 + (2 if qos else 0) + (1 if version == V5 else 0) + payload_size
    first = bytes((PUBLISH | qos << QOS_SHIFT,))
    return first + variable_integer(rest) + len(topic).to_bytes(2, "big") + topic


def packet_ids(count: int, *, qos: int, version: Version) -> list[bytes]:
    """Return what stands between topic and payload for each packet id from 1, and no properties.

    The first entry is that of packet id 1. QoS 0 has no packet id: one entry.
    """
    properties = b"\0" if version == V5 else b""
    if qos == 0:
        return [properties]
    return [number.to_bytes(2, "big") + properties for number in range(1, count + 1)]


def publish_packet(topic: bytes, payload: bytes, middle: bytes, *, version: Version) -> bytes:
    """Return a whole PUBLISH packet; `middle` is one of `packet_ids`: its length tells the QoS."""
    qos = 1 if len(middle) > 1 else 0
    return publish_head(topic, len(payload), qos=qos, version=version) + middle + payload


def as_duplicate(packet: bytes) -> bytes:
    """Return a PUBLISH packet with the DUP flag set."""
    return bytes((packet[0] | DUP,)) + packet[1:]


def pubrel(packet_id: int) -> bytes:
    """Return what lets go of a message of QoS 2 that the server has."""
    return PUBREL + packet_id.to_bytes(2, "big")


def variable_integer(value: int) -> bytes:
    """Write a variable byte integer (MQTT 5.0 section 1.5.5)."""
    assert 0 <= value <= VARIABLE_MAX, "longer than any packet can be"
    encoded = bytearray()
    while value > SEVEN_BITS:
        encoded.append(value & SEVEN_BITS | CONTINUED)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded

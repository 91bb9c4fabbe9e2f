"""The data types that packets are made of: integers, strings, binary data, pairs.

Source: MQTT 5.0 section 1.5. A `Cursor` reads within one packet and never past its end.
"""

from __future__ import annotations

from gateway.mqtt.reasons import MqttError, Reason

__all__ = [
    "LONGEST_VARINT",
    "Cursor",
    "check_topic",
    "encode_binary",
    "encode_varint",
]

LONGEST_VARINT = 268_435_455
# Continuation bit of a variable byte integer.
MORE = 0x80
SHIFTS = (0, 7, 14, 21)


class Cursor:
    """Reads one packet's body from front to back.

    Every method raises `MqttError` (malformed packet) where the packet ends too early or the value
    is none that MQTT allows.
    """

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    @property
    def left(self) -> int:
        """Return how many bytes are left."""
        return self.end - self.at

    def take(self, size_bytes: int) -> bytes:
        """Read so many bytes."""
        start = self.at
        self.at = start + size_bytes
        if self.at > self.end:
            raise MqttError(Reason.MALFORMED_PACKET, "the packet ends before its fields do")
        return self.data[start : self.at]

    def integer(self, size_bytes: int) -> int:
        """Read an integer of one, two or four bytes."""
        return int.from_bytes(self.take(size_bytes), "big")

    def varint(self) -> int:
        """Read a variable byte integer; more bytes than it needs are an error (MQTT-1.5.5-1)."""
        value = 0
        for shift in SHIFTS:
            byte = self.integer(1)
            value |= (byte & ~MORE) << shift
            if byte < MORE:
                if shift and not byte:
                    raise MqttError(Reason.MALFORMED_PACKET, "a length longer than it needs to be")
                return value
        raise MqttError(Reason.MALFORMED_PACKET, "a length of more than four bytes")

    def binary(self) -> bytes:
        """Read binary data."""
        return self.take(self.integer(2))

    def text_bytes(self) -> bytes:
        """Read a string as its UTF-8 bytes, checked."""
        data = self.binary()
        if not data.isascii():
            _check_utf8(data)
        if b"\0" in data:
            raise MqttError(Reason.MALFORMED_PACKET, "U+0000 in a string")
        return data

    def text(self) -> str:
        """Read a string."""
        return self.text_bytes().decode()

    def identifier(self) -> int:
        """Read a packet identifier, which is never 0."""
        value = self.integer(2)
        if not value:
            raise MqttError(Reason.PROTOCOL_ERROR, "packet identifier 0")
        return value

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self.at != self.end:
            raise MqttError(Reason.MALFORMED_PACKET, f"{self.left} bytes after the last field")


def check_topic(topic: bytes) -> None:
    """Make sure that bytes are a topic name (MQTT 5.0 section 4.7.3).

    Raises:
        MqttError: If it is empty, holds a wildcard or U+0000, or is no UTF-8.
    """
    if not topic:
        raise MqttError(Reason.PROTOCOL_ERROR, "an empty topic name")
    if b"+" in topic or b"#" in topic:
        raise MqttError(Reason.TOPIC_NAME_INVALID, "a wildcard in a topic name")
    if b"\0" in topic:
        raise MqttError(Reason.MALFORMED_PACKET, "U+0000 in a topic name")
    if not topic.isascii():
        _check_utf8(topic)


def encode_varint(value: int) -> bytes:
    """Write a variable byte integer, `value` up to `LONGEST_VARINT`."""
    assert 0 <= value <= LONGEST_VARINT, "longer than MQTT can say"
    data = bytearray()
    while value >= MORE:
        data.append(value & ~MORE & 0xFF | MORE)
        value >>= 7
    data.append(value)
    return bytes(data)


def encode_binary(data: bytes) -> bytes:
    """Write binary data, or the UTF-8 of a string."""
    return len(data).to_bytes(2, "big") + data


def _check_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise MqttError(Reason.MALFORMED_PACKET, "a string that is no UTF-8") from error

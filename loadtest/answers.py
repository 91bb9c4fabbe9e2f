"""What a server answers to simulated devices: bytes in any pieces to acknowledgements. Pure.

Source: MQTT 3.1.1 and MQTT 5.0, sections 3.2, 3.4, 3.5, 3.7, 3.13 and 3.14.
"""

import struct
from typing import Final

import msgspec

from loadtest.packets import Version

__all__ = ["AnswerError", "Answers", "AnswersReader"]

CONNACK: Final = 2
PUBACK: Final = 4
PUBREC: Final = 5
PUBCOMP: Final = 7
PINGRESP: Final = 13
DISCONNECT: Final = 14
ACKNOWLEDGEMENTS: Final = frozenset({PUBACK, PUBREC, PUBCOMP})
# First two bytes of a PUBACK without a reason code.
PLAIN_PUBACK: Final = 0x4002
PLAIN_SIZE: Final = 4
PAIRS: Final = struct.Struct(">HH")
REFUSED: Final = 0x80
LENGTH_BYTES_MAX: Final = 4
CONTINUED: Final = 0x80
# More than any answer of a server to a publisher has; beyond it something else is talking.
ANSWER_BYTES_MAX: Final = 65_536
RECEIVE_MAXIMUM: Final = 0x21
# Sizes of the properties of a CONNACK that are not texts (MQTT 5.0 section 2.2.2.2).
FIXED_SIZES: Final = {
    0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
TEXTS: Final = {0x12: 1, 0x15: 1, 0x16: 1, 0x1A: 1, 0x1C: 1, 0x1F: 1, 0x26: 2}


class AnswerError(ValueError):
    """A server sent what a publisher never gets."""


class Answers(msgspec.Struct):
    """What one read brought.

    Attributes:
        acknowledged: Packet ids of PUBACKs and PUBCOMPs.
        received: Packet ids of PUBRECs (QoS 2): the server has them and waits for a PUBREL.
        refused: Packet ids of PUBACKs and PUBRECs whose reason code says no.
        connack: Reason code of a CONNACK; 0 lets the device in.
        receive_maximum: What the CONNACK allows to be in flight; None where it says nothing.
        disconnect: Reason code of the server's DISCONNECT.
    """

    acknowledged: list[int]
    received: list[int] = []
    refused: list[int] = []
    connack: int | None = None
    receive_maximum: int | None = None
    disconnect: int | None = None

    @property
    def rare(self) -> bool:
        """Whether there is more than acknowledgements."""
        return (
            bool(self.refused or self.received)
            or self.connack is not None
            or self.disconnect is not None
        )


class AnswersReader:
    """Reads a connection's answers; keeps only the piece of a packet that is not whole yet."""

    __slots__ = ("_rest", "_version")

    def __init__(self, version: Version) -> None:
        self._version = version
        self._rest = b""

    def feed(self, data: bytes) -> Answers:
        """Read what has arrived.

        Raises:
            AnswerError: If it is no packet that a publisher can get.
        """
        if not self._rest and len(data) % PLAIN_SIZE == 0:
            pairs = [*PAIRS.iter_unpack(data)]
            found = [number for first, number in pairs if first == PLAIN_PUBACK]
            if len(found) == len(pairs):
                return Answers(found)
        return self._one_by_one(self._rest + data)

    def _one_by_one(self, data: bytes) -> Answers:
        answers = Answers([])
        at = 0
        while (span := _span(data, at)) is not None:
            start, end = span
            self._take(data[at] >> 4, data[start:end], answers)
            at = end
        self._rest = data[at:]
        return answers

    def _take(self, kind: int, body: bytes, answers: Answers) -> None:
        if kind in ACKNOWLEDGEMENTS and len(body) >= 2:  # noqa: PLR2004 - a packet id
            refused = len(body) > 2 and body[2] >= REFUSED  # noqa: PLR2004 - a reason code
            taken = answers.received if kind == PUBREC else answers.acknowledged
            # What a PUBCOMP says is that it knows the message no more: it was taken.
            refused = refused and kind != PUBCOMP
            (answers.refused if refused else taken).append(int.from_bytes(body[:2], "big"))
        elif kind == CONNACK and len(body) >= 2:  # noqa: PLR2004 - flags and a reason code
            answers.connack = body[1]
            if self._version == 5:  # noqa: PLR2004 - MQTT 5.0
                answers.receive_maximum = _receive_maximum(body[2:])
        elif kind == DISCONNECT:
            answers.disconnect = body[0] if body else 0
        elif kind != PINGRESP:
            raise AnswerError(f"packet type {kind} with {len(body)} bytes")


def _span(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at a place starts and ends; None if it is not whole."""
    length = shift = 0
    for start in range(at + 1, min(at + 1 + LENGTH_BYTES_MAX, len(data))):
        length |= (data[start] & ~CONTINUED) << shift
        shift += 7
        if length > ANSWER_BYTES_MAX:
            break
        if data[start] < CONTINUED:
            end = start + 1 + length
            return (start + 1, end) if end <= len(data) else None
    if len(data) - at > LENGTH_BYTES_MAX:
        raise AnswerError("a length that no answer has")
    return None


def _receive_maximum(properties: bytes) -> int | None:
    """Return the receive maximum among a CONNACK's properties; None where it is not there."""
    span = _span(b"\0" + properties, 0)
    if span is None:
        raise AnswerError("properties of a CONNACK that do not end")
    at, end = span[0] - 1, span[1] - 1
    while at < end:
        identifier = properties[at]
        if identifier == RECEIVE_MAXIMUM:
            return int.from_bytes(properties[at + 1 : at + 3], "big")
        at += 1 + _property_size(properties, identifier, at + 1)
    return None


def _property_size(properties: bytes, identifier: int, at: int) -> int:
    if identifier in FIXED_SIZES:
        return FIXED_SIZES[identifier]
    if identifier not in TEXTS:
        raise AnswerError(f"property {identifier:#x} in a CONNACK")
    start = at
    for _ in range(TEXTS[identifier]):
        at += 2 + int.from_bytes(properties[at : at + 2], "big")
    return at - start

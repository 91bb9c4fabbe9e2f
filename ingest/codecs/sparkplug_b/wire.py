"""The wire format of Protocol Buffers, read strictly: cut off or of a wrong type is refused.

The library for it takes a field of a wrong type for one it does not know, and a message that lost
its values would look empty. Source: Protocol Buffers encoding (protobuf.dev).
"""

import struct
from collections.abc import Iterator
from typing import Final

from city.reasons import MessageReason
from ingest.codecs.seam import MessageError

__all__ = ["FIXED32", "FIXED64", "Field", "fields_of", "integer", "raw", "real", "text"]

VARINT, BYTES = 0, 2
FIXED64: Final = 1
FIXED32: Final = 5
SIZES: Final = {FIXED64: 8, FIXED32: 4}
VARINT_MAX: Final = 10
WIRE_BITS: Final = 3
MASK_64: Final = (1 << 64) - 1

Field = tuple[int, int, int | bytes]


def fields_of(data: bytes) -> Iterator[Field]:
    """Yield number, wire type and value of each field, in the order in which they were sent.

    Raises:
        MessageError: `protobuf_syntax`.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> WIRE_BITS, key & 7
        if number == 0:
            raise _fault(f"byte {at}: a field without a number")
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        size = SIZES.get(wire)
        if size is None and wire == BYTES:
            size, at = _varint(data, at)
        if size is None:
            raise _fault(f"byte {at}: field {number} has the wire type {wire}, which nobody sends")
        if at + size > len(data):
            raise _fault(f"byte {at}: field {number} goes on {at + size - len(data)} bytes behind")
        yield number, wire, data[at : at + size]
        at += size


def integer(field: Field) -> int:
    """Return an unsigned integer of up to 64 bits.

    Raises:
        MessageError: `protobuf_syntax`, the field is of another type.
    """
    number, _, value = field
    if isinstance(value, int):
        return value
    raise _fault(f"field {number} has to be an integer")


def real(field: Field, wire: int) -> float:
    """Return a float (`FIXED32`) or double (`FIXED64`).

    Raises:
        MessageError: `protobuf_syntax`, the field is of another type.
    """
    number, sent, value = field
    if sent != wire or isinstance(value, int):
        raise _fault(f"field {number} has to be a number of {SIZES[wire]} bytes")
    return float(struct.unpack("<d" if wire == FIXED64 else "<f", value)[0])


def raw(field: Field) -> bytes:
    """Return bytes, or an inner message.

    Raises:
        MessageError: `protobuf_syntax`, the field is of another type.
    """
    number, wire, value = field
    if wire == BYTES and isinstance(value, bytes):
        return value
    raise _fault(f"field {number} has to be bytes")


def text(field: Field) -> str:
    """Return text.

    Raises:
        MessageError: `protobuf_syntax`, it is none.
    """
    try:
        return raw(field).decode()
    except UnicodeDecodeError as error:
        raise _fault(f"field {field[0]} is no UTF-8: {error.reason}") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(VARINT_MAX):
        if at + place >= len(data):
            raise _fault(f"byte {at}: an integer that does not end")
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return number & MASK_64, at + place + 1
    raise _fault(f"byte {at}: an integer of more than {VARINT_MAX} bytes")


def _fault(words: str) -> MessageError:
    return MessageError(MessageReason.PROTOBUF_SYNTAX, words)

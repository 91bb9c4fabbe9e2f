"""Parts of a positional frame: numbers, bits, packed decimals, texts, checksums.

Source: formats.md section 16. Any doubt refuses the frame: a byte that is not there means that all
others stand elsewhere too.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol

import msgspec

from city.reasons import MessageReason
from ingest.codecs.mapping.checksums import crc16, sum8, xor8
from ingest.codecs.seam import MessageError, Value

__all__ = [
    "ByteField",
    "ByteOrder",
    "Checksum",
    "FieldError",
    "FieldType",
    "Placed",
    "Selector",
    "check_field",
    "cut",
    "read_field",
]

ByteOrder = Literal["big", "little"]
FieldType = Literal["uint", "int", "float", "bcd", "bool", "ascii"]

INTEGER_BYTES_MAX: Final = 8
TEXT_BYTES_MAX: Final = 64
FLOATS: Final[Mapping[int, str]] = {2: "e", 4: "f", 8: "d"}
BIT_TYPES: Final = frozenset({"uint", "int", "bool"})
CRC16_MODBUS: Final = 0xA001
CRC16_CCITT: Final = 0x1021
SUMS: Final[Mapping[str, tuple[int, Callable[[bytes], int]]]] = {
    "sum8": (1, sum8),
    "xor8": (1, xor8),
    "crc16_ccitt_false": (2, lambda part: crc16(part, CRC16_CCITT, reflected=False)),
    "crc16_modbus": (2, lambda part: crc16(part, CRC16_MODBUS, reflected=True)),
}


class FieldError(ValueError):
    """Bytes that are there and are no value of the field's type."""


class Placed(Protocol):
    """What stands at a place in a frame."""

    @property
    def place(self) -> tuple[int, int]:
        """Offset, from the end where it is negative, and length."""
        ...

    @property
    def type(self) -> FieldType:
        """How it is written."""
        ...

    @property
    def bits(self) -> tuple[int, int] | None:
        """Lowest bit, counted from the least significant one, and count; None for all."""
        ...


class ByteField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where something stands in a frame and how it is written: see `Placed`."""

    place: tuple[int, int] = msgspec.field(name="bytes")
    type: FieldType = "uint"
    bits: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Refuse what no frame could have."""
        check_field(self)


class Selector(ByteField, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which frames a layout is for: those with a value at a place."""

    equals: int | str | bool

    def fits(self, frame: bytes, order: ByteOrder) -> bool:
        """Say whether a frame has the value; one that is too short has not."""
        try:
            return read_field(frame, order, self) == self.equals
        except (FieldError, MessageError):
            return False


class Checksum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sum over a part of a frame, and where it stands.

    Attributes:
        over: First byte and the one after the last, from the end where they are negative.
        at: Where it stands, from the end where it is negative.
    """

    kind: Literal["sum8", "xor8", "crc16_ccitt_false", "crc16_modbus"]
    over: tuple[int, int]
    at: int

    def check(self, frame: bytes, order: ByteOrder) -> None:
        """Compare the sum.

        Raises:
            MessageError: `checksum`, or `mapping_length` for a frame that has no place for it.
        """
        size, total = SUMS[self.kind]
        start, end = self.over
        start, end = start + len(frame) * (start < 0), end + len(frame) * (end < 0)
        sent = int.from_bytes(cut(frame, self.at, size), order)
        if not 0 <= start <= end <= len(frame):
            words = f"a frame of {len(frame)} bytes has no bytes {self.over[0]} to {self.over[1]}"
            raise MessageError(MessageReason.MAPPING_LENGTH, words)
        found = total(frame[start:end])
        if sent != found:
            words = f"{self.kind} of bytes {start} to {end} is {found:#x}, the frame says {sent:#x}"
            raise MessageError(MessageReason.CHECKSUM, words)


def check_field(field: Placed) -> None:
    """Refuse a place that no frame could have.

    Raises:
        ValueError: With what is wrong.
    """
    (offset, length), kind, bits = field.place, field.type, field.bits
    longest = TEXT_BYTES_MAX if kind == "ascii" else INTEGER_BYTES_MAX
    if not 1 <= length <= longest or (kind == "float" and length not in FLOATS):
        allowed = "2, 4 or 8" if kind == "float" else f"1 to {longest}"
        raise ValueError(f"`bytes`: {kind} has {allowed} bytes, not {length}")
    if offset < 0 and length > -offset:
        raise ValueError(f"`bytes`: {length} bytes from {offset} on reach behind the end")
    if bits is None:
        return
    lowest, count = bits
    if kind not in BIT_TYPES:
        raise ValueError(f"`bits`: {kind} has none")
    if lowest < 0 or count < 1 or lowest + count > 8 * length:
        raise ValueError(f"`bits`: {lowest} and {count} are not within {length} bytes")


def cut(frame: bytes, offset: int, length: int) -> bytes:
    """Return some bytes of a frame.

    Raises:
        MessageError: `mapping_length`.
    """
    start = offset + len(frame) if offset < 0 else offset
    if start < 0 or start + length > len(frame):
        words = f"a frame of {len(frame)} bytes has no {length} bytes at {offset}"
        raise MessageError(MessageReason.MAPPING_LENGTH, words)
    return frame[start : start + length]


def read_field(frame: bytes, order: ByteOrder, field: Placed) -> Value:
    """Return what stands at a place.

    Raises:
        FieldError: The bytes are no value of the type.
        MessageError: `mapping_length`.
    """
    part = cut(frame, *field.place)
    if field.type == "float":
        sign = ">" if order == "big" else "<"
        return float(struct.unpack(f"{sign}{FLOATS[len(part)]}", part)[0])
    if field.type == "bcd":
        return _packed_decimal(part if order == "big" else part[::-1])
    if field.type == "ascii":
        return _text(part)
    return _integer(part, order, field)


def _integer(part: bytes, order: ByteOrder, field: Placed) -> int | bool:
    number, width = int.from_bytes(part, order), 8 * len(part)
    if field.bits is not None:
        lowest, width = field.bits
        number = number >> lowest & ((1 << width) - 1)
    if field.type == "bool":
        return number != 0
    return number - (1 << width) if field.type == "int" and number >> (width - 1) else number


def _packed_decimal(part: bytes) -> int:
    digits = part.hex()
    if not digits.isdigit():
        raise FieldError(f"{digits} is no packed decimal")
    return int(digits)


def _text(part: bytes) -> str:
    text = part.rstrip(b"\0 ")
    if not text.isascii() or not text.decode("latin-1").isprintable():
        raise FieldError(f"{part.hex()} is no ASCII text")
    return text.decode()

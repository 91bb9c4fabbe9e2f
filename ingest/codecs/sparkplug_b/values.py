"""Values of Sparkplug's datatypes: signs, widths, instants, packed arrays.

Source: formats.md section 7. Arrays are little-endian, as the specification's text says; some of
its printed examples are not.
"""

import struct
from collections.abc import Mapping
from typing import Final

from city.instants import LAST_US, to_text
from ingest.codecs.seam import Value

__all__ = ["UnsupportedError", "value_of", "values_of_array"]

SIGNED: Final[Mapping[int, int]] = {1: 8, 2: 16, 3: 32, 4: 64}
UNSIGNED: Final[Mapping[int, int]] = {5: 8, 6: 16, 7: 32, 8: 64}
REAL: Final = frozenset({9, 10})
BOOLEAN: Final = 11
TEXTS: Final = frozenset({12, 14, 15})
DATE_TIME: Final = 13
# Datatype of an array -> how `struct` writes one element.
NUMBERS: Final[Mapping[int, str]] = {
    22: "b", 23: "h", 24: "i", 25: "q", 26: "B", 27: "H", 28: "I", 29: "Q", 30: "f", 31: "d",
}  # fmt: skip
BOOLEANS, STRINGS, DATE_TIMES = 32, 33, 34
COUNT_SIZE: Final = 4


class UnsupportedError(ValueError):
    """A value that gives no observation; the words say what it is."""


def value_of(kind: int, sent: Value | bytes) -> Value:
    """Return a single value.

    Args:
        kind: Number of the datatype.
        sent: What the wire has.

    Raises:
        UnsupportedError: The datatype gives none, or the wire has something else.
    """
    if isinstance(sent, int) and not isinstance(sent, bool):
        return _integer(kind, sent)
    fits = (
        (kind in REAL and isinstance(sent, float))
        or (kind == BOOLEAN and isinstance(sent, bool))
        or (kind in TEXTS and isinstance(sent, str))
    )
    if not fits or isinstance(sent, bytes):
        raise UnsupportedError(f"datatype {kind} as {type(sent).__name__}")
    return sent


def values_of_array(kind: int, sent: object) -> list[Value] | None:
    """Return the elements of an array; None where the datatype is none.

    Raises:
        UnsupportedError: The bytes are no array of it.
    """
    if kind not in NUMBERS and kind not in {BOOLEANS, STRINGS, DATE_TIMES}:
        return None
    if not isinstance(sent, bytes):
        raise UnsupportedError(f"datatype {kind} as {type(sent).__name__}")
    try:
        return _elements(kind, sent)
    except (struct.error, UnicodeDecodeError) as error:
        raise UnsupportedError(f"{len(sent)} bytes are no array of datatype {kind}") from error


def _integer(kind: int, sent: int) -> Value:
    bits = SIGNED.get(kind)
    if bits is not None:
        # Senders differ: -25 as Int16 comes as 0xFFE7 or as 0xFFFFFFE7.
        number = sent & ((1 << bits) - 1)
        return number - (1 << bits) if number >> (bits - 1) else number
    if kind in UNSIGNED:
        return sent & ((1 << UNSIGNED[kind]) - 1)
    if kind == DATE_TIME:
        return _instant(sent)
    raise UnsupportedError(f"datatype {kind} as an integer")


def _instant(millis: int) -> str:
    if millis * 1_000 >= LAST_US:
        raise UnsupportedError(f"{millis} ms is behind the year 9999")
    return f"{to_text(millis * 1_000)[:-4]}Z"


def _elements(kind: int, sent: bytes) -> list[Value]:
    if kind in NUMBERS:
        return [each for (each,) in struct.iter_unpack(f"<{NUMBERS[kind]}", sent)]
    if kind == DATE_TIMES:
        return [_instant(each) for (each,) in struct.iter_unpack("<Q", sent)]
    if kind == STRINGS:
        return [part.decode() for part in sent.split(b"\0")[:-1]]
    (count,) = struct.unpack("<I", sent[:COUNT_SIZE])
    if count > 8 * (len(sent) - COUNT_SIZE):
        raise struct.error("more bits than bytes")
    return [bool(sent[COUNT_SIZE + at // 8] >> (7 - at % 8) & 1) for at in range(count)]

"""Strict CBOR, as much of it as SenML has: nothing is built that the sender chooses by a tag.

Source: RFC 8949; of its tags only decimal fractions and, in them, big numbers (RFC 8428 section 6).
Not a library: they take the last of two equal keys, and build objects by tags.
"""

import struct
from decimal import Decimal
from typing import Any, Final, NoReturn

from city.reasons import MessageReason
from ingest.codecs.seam import MessageError

__all__ = ["read_cbor"]

# Array, map, decimal fraction, its two numbers.
DEPTH_MAX: Final = 4
EXPONENT_MAX: Final = 30
BIG_NUMBER_BYTES: Final = 64
# Additional information of a head: below 24 the number itself, then its size, then "until a break".
ONE_BYTE, EIGHT_BYTES, INDEFINITE = 24, 27, 31
SIZES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}
BREAK: Final = 0xFF
# An array of two.
PAIR: Final = 0x82
BYTES, TEXT, TAG = 2, 3, 6
POSITIVE_BIG, NEGATIVE_BIG, DECIMAL_FRACTION = 2, 3, 4


def read_cbor(payload: bytes) -> Any:  # noqa: ANN401 - a CBOR item can be anything
    """Read one item that ends where the payload ends.

    Returns:
        Lists, maps with keys that are integers or text, numbers, text, bytes, truth values, None.

    Raises:
        MessageError: `cbor_syntax`, or `senml_type` for a number that nobody can keep.
    """
    reader = _Reader(payload)
    found = reader.item(1)
    if reader.at != len(payload):
        reader.fail(f"{len(payload) - reader.at} bytes more behind the end")
    return found


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self.at = 0

    def fail(self, words: str) -> NoReturn:
        raise MessageError(MessageReason.CBOR_SYNTAX, f"byte {self.at}: {words}")

    def item(self, depth: int) -> Any:  # noqa: ANN401 - a CBOR item can be anything
        head = self._byte()
        if head < ONE_BYTE:
            return head
        return self._readers[head >> 5](self, head & 0x1F, depth)

    def _byte(self) -> int:
        if self.at >= len(self._payload):
            self.fail("the payload ends too early")
        self.at += 1
        return self._payload[self.at - 1]

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._payload):
            self.fail(f"the payload ends too early, {size} bytes are announced")
        self.at, start = end, self.at
        return self._payload[start:end]

    def _argument(self, info: int) -> int:
        if info < ONE_BYTE:
            return info
        if info > EIGHT_BYTES:
            self.fail("a length or number that is none")
        return int.from_bytes(self._take(SIZES[info]), "big")

    def _whole(self, kind: int, info: int) -> bytes:
        if info != INDEFINITE:
            return self._take(self._argument(info))
        chunks: list[bytes] = []
        while (head := self._byte()) != BREAK:
            if head >> 5 != kind or head & 0x1F == INDEFINITE:
                self.fail("a part of a string that is no string")
            chunks.append(self._take(self._argument(head & 0x1F)))
        return b"".join(chunks)

    def _positive(self, info: int, _depth: int) -> int:
        return self._argument(info)

    def _negative(self, info: int, _depth: int) -> int:
        return -1 - self._argument(info)

    def _bytes(self, info: int, _depth: int) -> bytes:
        return self._whole(BYTES, info)

    def _text(self, info: int, _depth: int) -> str:
        try:
            whole = self._take(info) if info < ONE_BYTE else self._whole(TEXT, info)
            return whole.decode()
        except UnicodeDecodeError:
            self.fail("text that is not UTF-8")

    def _array(self, info: int, depth: int) -> list[Any]:
        self._check_depth(depth)
        if info != INDEFINITE:
            size = self._argument(info)
            self._check_size(size)
            return [self.item(depth + 1) for _ in range(size)]
        found: list[Any] = []
        while not self._ended():
            found.append(self.item(depth + 1))
        return found

    def _map(self, info: int, depth: int) -> dict[int | str, Any]:
        self._check_depth(depth)
        size = -1 if info == INDEFINITE else self._argument(info)
        self._check_size(2 * size)
        found: dict[int | str, Any] = {}
        while size != 0 and not (size < 0 and self._ended()):
            size -= 1
            key = self.item(depth + 1)
            if type(key) not in (int, str):
                self.fail("a key that is neither a number nor text")
            if key in found:
                self.fail(f"the key {str(key)[:64]!r} stands twice")
            found[key] = self.item(depth + 1)
        return found

    def _ended(self) -> bool:
        if self.at < len(self._payload) and self._payload[self.at] == BREAK:
            self.at += 1
            return True
        return False

    def _tagged(self, info: int, depth: int) -> float:
        tag = self._argument(info)
        if tag != DECIMAL_FRACTION:
            self.fail(f"tag {tag}")
        self._check_depth(depth)
        if self._byte() != PAIR:
            self.fail("a decimal fraction that is no pair")
        exponent, mantissa = self._integer(), self._integer()
        if abs(exponent) > EXPONENT_MAX:
            words = f"a decimal fraction with an exponent of {exponent}"
            raise MessageError(MessageReason.SENML_TYPE, words)
        return (
            mantissa * 10**exponent if exponent >= 0 else float(Decimal(mantissa).scaleb(exponent))
        )

    def _integer(self) -> int:
        head = self._byte()
        kind, info = head >> 5, head & 0x1F
        if kind == TAG and info in (POSITIVE_BIG, NEGATIVE_BIG):
            head = self._byte()
            size = head & 0x1F
            if head >> 5 != BYTES or (length := self._argument(size)) > BIG_NUMBER_BYTES:
                self.fail(f"a big number that is none, or of more than {BIG_NUMBER_BYTES} bytes")
            number = int.from_bytes(self._take(length), "big")
            return number if info == POSITIVE_BIG else -1 - number
        if kind > 1:
            self.fail("a part of a decimal fraction that is no integer")
        number = self._argument(info)
        return number if kind == 0 else -1 - number

    def _simple(self, info: int, _depth: int) -> float | bool | None:
        if info in FLOATS:
            return struct.unpack(FLOATS[info], self._take(SIZES[info]))[0]
        if info not in SIMPLE:
            self.fail("a simple value that is not known, or a break out of place")
        return SIMPLE[info]

    def _check_depth(self, depth: int) -> None:
        if depth > DEPTH_MAX:
            self.fail(f"deeper than {DEPTH_MAX} levels")

    def _check_size(self, size: int) -> None:
        # Each item has a byte at least: what is announced beyond the end is not even begun.
        if size > len(self._payload) - self.at:
            self.fail("the payload ends too early")

    # By major type, the three highest bits of an item's first byte.
    _readers: Final = (
        _positive, _negative, _bytes, _text, _array, _map, _tagged, _simple,
    )  # fmt: skip

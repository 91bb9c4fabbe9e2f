"""What a payload is wrapped in: compression once and within bounds, a byte-order mark, UTF-8."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from city.reasons import MessageReason
from ingest.codecs.envelope import PAYLOAD_MAX, UNPACKED_MAX, text_of, unpack
from ingest.codecs.seam import MessageError

if TYPE_CHECKING:
    from collections.abc import Callable


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_compression_is_undone_once(pack: Callable[[bytes], bytes]) -> None:
    assert unpack(pack(b'{"v": 1}')) == b'{"v": 1}'
    # A second layer is what was sent.
    assert unpack(pack(gzip.compress(b"x"))) == gzip.compress(b"x")


def test_a_byte_order_mark_is_no_text() -> None:
    assert unpack(b"\xef\xbb\xbf{}") == b"{}"
    assert unpack(gzip.compress(b"\xef\xbb\xbf{}")) == b"{}"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (gzip.compress(bytes(UNPACKED_MAX + 1)), MessageReason.BOMB),
        (gzip.compress(bytes(UNPACKED_MAX)), MessageReason.BOMB),
        (zstd(bytes(UNPACKED_MAX + 1)), MessageReason.BOMB),
        (gzip.compress(b"abc" * 100)[:-9], MessageReason.DECOMPRESS),
        (b"\x1f\x8bnot gzip at all", MessageReason.DECOMPRESS),
        (b"\x28\xb5\x2f\xfdnor zstd", MessageReason.DECOMPRESS),
        (bytes(PAYLOAD_MAX + 1), MessageReason.OVERSIZE),
    ],
    ids=["too much", "too dense", "zstd", "cut off", "no gzip", "no zstd", "too long"],
)
def test_what_cannot_be_unpacked_says_why(payload: bytes, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as refused:
        unpack(payload)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("21°".encode("latin-1"), MessageReason.UTF8),
        (b"\xc0\xaf", MessageReason.UTF8),
        ("{}".encode("utf-16"), MessageReason.UTF8),
        (b"{}\0", MessageReason.NUL_BYTE),
    ],
    ids=["latin-1", "overlong", "utf-16", "nul"],
)
def test_text_that_is_none_says_where(payload: bytes, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as refused:
        text_of(payload)
    assert refused.value.reason is reason

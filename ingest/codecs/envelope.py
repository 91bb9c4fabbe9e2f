"""What stands around a payload in every format: compression, byte-order mark, limits.

Source: formats.md sections 0.7 and 0.9. Unpacked once: a second layer is the codec's problem.
"""

import zlib
from typing import Final

import pyarrow as pa

from city.reasons import MessageReason
from ingest.codecs.seam import MessageError

__all__ = ["PAYLOAD_MAX", "UNPACKED_MAX", "text_of", "unpack"]

PAYLOAD_MAX: Final = 256 * 1024
UNPACKED_MAX: Final = 1024 * 1024
RATIO_MAX: Final = 100

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
BOM: Final = b"\xef\xbb\xbf"
UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


def unpack(payload: bytes) -> bytes:
    """Return a payload without compression and without a UTF-8 byte-order mark.

    Raises:
        MessageError: `oversize`, `decompress` or `bomb`.
    """
    if len(payload) > PAYLOAD_MAX:
        words = f"{len(payload)} bytes, at most {PAYLOAD_MAX} are read"
        raise MessageError(MessageReason.OVERSIZE, words)
    if payload.startswith(GZIP):
        payload = _bounded(payload, _gunzip(payload))
    elif payload.startswith(ZSTD):
        payload = _bounded(payload, _unzstd(payload))
    return payload.removeprefix(BOM)


def text_of(payload: bytes) -> str:
    """Return a payload of a text format.

    Raises:
        MessageError: `utf8` or `nul_byte`.
    """
    if payload.startswith(UTF16_BOMS):
        raise MessageError(MessageReason.UTF8, "this looks like UTF-16; send UTF-8")
    if b"\0" in payload:
        raise MessageError(MessageReason.NUL_BYTE, f"NUL at byte {payload.index(0)}")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise MessageError(MessageReason.UTF8, f"byte {error.start}: {error.reason}") from None


def _gunzip(payload: bytes) -> bytes:
    stream = zlib.decompressobj(GZIP_WINDOW)
    try:
        unpacked = stream.decompress(payload, UNPACKED_MAX + 1)
    except zlib.error as error:
        raise MessageError(MessageReason.DECOMPRESS, f"gzip: {error}") from None
    if len(unpacked) <= UNPACKED_MAX and not stream.eof:
        raise MessageError(MessageReason.DECOMPRESS, "gzip: the payload ends too early")
    return unpacked


def _unzstd(payload: bytes) -> bytes:
    try:
        with pa.CompressedInputStream(pa.BufferReader(payload), "zstd") as stream:
            unpacked: bytes = stream.read(UNPACKED_MAX + 1)
    except OSError as error:
        raise MessageError(MessageReason.DECOMPRESS, f"zstd: {error}") from None
    return unpacked


def _bounded(payload: bytes, unpacked: bytes) -> bytes:
    if len(unpacked) > UNPACKED_MAX or len(unpacked) > RATIO_MAX * len(payload):
        words = f"{len(payload)} bytes grow beyond {UNPACKED_MAX} or {RATIO_MAX} times"
        raise MessageError(MessageReason.BOMB, words)
    return unpacked

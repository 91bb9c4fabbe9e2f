"""What an HTTP request carries: one message or many, told apart without reading any of them. Pure.

Source: formats.md section 0.7 (limits); RFC 9110 section 8.4 (content codings); ndjson.org.
"""

from __future__ import annotations

import zlib
from http import HTTPStatus
from typing import Final

import msgspec

from services.problems import ProblemError

__all__ = ["BODY_MAX_BYTES", "divided", "inflated", "media_type"]

# As sent, and once unpacked.
BODY_MAX_BYTES: Final = 1 << 20
INFLATED_MAX_BYTES: Final = 8 << 20
MESSAGES_MAX: Final = 10_000
GZIP: Final = 16 + zlib.MAX_WBITS

JSON: Final = "application/json"
LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
# Formats that codecs read; `+json` and `+cbor` come on top.
KNOWN: Final = LINES | {
    "",
    JSON,
    "application/cbor",
    "application/octet-stream",
    "application/x-protobuf",
    "text/json",
    "text/plain",
}
SUFFIXES: Final = ("+json", "+cbor")

_array = msgspec.json.Decoder(list[msgspec.Raw])


def media_type(content_type: str) -> str:
    """Return the media type of a `Content-Type`, without its parameters.

    Raises:
        ProblemError: 415, if no codec reads such a thing.
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if charset not in {"", "utf-8", "utf8"} and "charset" in parameters.lower():
        raise _unsupported(f"the character set {charset!r}")
    if kind not in KNOWN and not kind.endswith(SUFFIXES):
        raise _unsupported(f"the content type {kind!r}")
    return kind


def inflated(body: bytes, coding: str) -> bytes:
    """Return a body without its content coding.

    Raises:
        ProblemError: 415, if it is another one than gzip; 400, if it cannot be unpacked; 413, if
            too much comes out.
    """
    if coding.strip().lower() in {"", "identity"}:
        return body
    if coding.strip().lower() not in {"gzip", "x-gzip"}:
        raise _unsupported(f"the content coding {coding!r}", "send it as it is, or as gzip")
    unpacking = zlib.decompressobj(GZIP)
    try:
        found = unpacking.decompress(body, INFLATED_MAX_BYTES + 1)
    except zlib.error as error:
        raise _not_gzip(str(error)) from error
    if len(found) > INFLATED_MAX_BYTES:
        raise _too_large(f"more than {INFLATED_MAX_BYTES:,} bytes when unpacked")
    if not unpacking.eof or unpacking.unused_data:
        raise _not_gzip("it ends too early, or something follows")
    return found


def divided(body: bytes, kind: str, *, whole_arrays: bool, message_max_bytes: int) -> list[bytes]:
    """Return the messages of a body: a line of NDJSON, an element of an array, or all of it.

    Args:
        body: Unpacked.
        kind: Media type.
        whole_arrays: The codec of the route reads a JSON array as one message.
        message_max_bytes: The longest message.

    Raises:
        ProblemError: 422, if there is none, or if an array is no JSON; 413, if one is too long, or
            if there are too many.
    """
    if kind in LINES:
        found = [line for line in (each.strip() for each in body.split(b"\n")) if line]
    elif not whole_arrays and _is_json(kind) and body.lstrip()[:1] == b"[":
        found = _elements(body)
    else:
        found = [body] if body.strip() else []
    if not found:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "no_message", "there is no message in it",
            mend="send one at least",
        )  # fmt: skip
    if len(found) > MESSAGES_MAX:
        raise _too_large(f"{len(found):,} messages, {MESSAGES_MAX:,} at most")
    for number, message in enumerate(found, start=1):
        if len(message) > message_max_bytes:
            words = f"message {number} has {len(message):,} bytes, {message_max_bytes:,} at most"
            raise _too_large(words)
    return found


def _is_json(kind: str) -> bool:
    return kind in {JSON, "text/json"} or kind.endswith("+json")


def _elements(body: bytes) -> list[bytes]:
    try:
        return [bytes(each) for each in _array.decode(body)]
    except msgspec.DecodeError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not_json",
            f"this array is no JSON, so nobody knows where its messages end: {error}",
            mend="nothing of it was taken; send it again as JSON, or a message a line (NDJSON)",
        ) from error


def _too_large(words: str) -> ProblemError:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return ProblemError(status, "too_large", words, mend="send it in several requests")


def _not_gzip(words: str) -> ProblemError:
    detail = f"the body is not the gzip that it says it is: {words}"
    return ProblemError(HTTPStatus.BAD_REQUEST, "bad_encoding", detail, mend="nothing was taken")


def _unsupported(what: str, mend: str = "") -> ProblemError:
    mend = mend or (
        "send `Content-Type: application/json`, application/x-ndjson, text/plain, "
        "application/cbor or application/octet-stream (with curl: -H)"
    )
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return ProblemError(status, "unsupported_type", f"{what} is not taken here", mend=mend)

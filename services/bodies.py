"""What an HTTP request carries: one message or many, told apart without reading any of them. Pure.

Whatever is sent, reading it takes little more memory than the bodies that are taken: where too much
comes out, it is refused before it is all there.

Source: formats.md section 0.7 (limits); RFC 9110 section 8.4 (content codings); RFC 1952 section
2.2 (members of gzip); ndjson.org.
"""

from __future__ import annotations

import re
import zlib
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from services.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BODY_MAX_BYTES", "divided", "inflated", "media_type"]

# As sent, and once unpacked.
BODY_MAX_BYTES: Final = 1 << 20
INFLATED_MAX_BYTES: Final = 8 << 20
MESSAGES_MAX: Final = 10_000
GZIP: Final = 16 + zlib.MAX_WBITS
# Each one costs a copy of what follows it.
MEMBERS_MAX: Final = 100

JSON: Final = "application/json"
LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
# Formats that codecs read; `+json` and `+cbor` come on top.
KNOWN: Final = LINES | {
    "",
    JSON,
    "application/cbor",
    "application/octet-stream",
    "application/x-protobuf",
    "text/csv",
    "text/json",
    "text/plain",
}
SUFFIXES: Final = ("+json", "+cbor")

# From the first character of a line that is no space to its end.
LINE: Final = re.compile(rb"\S[^\n]*")

_array = msgspec.json.Decoder(list[msgspec.Raw])


class _TooManyError(Exception):
    """More elements than a request may have."""


class _Element:
    """What counting keeps of an element: nothing."""


def media_type(content_type: str) -> str:
    """Return the media type of a `Content-Type`, without its parameters.

    Raises:
        ProblemError: 415, if no codec reads such a thing.
    """
    kind, *parameters = (each.strip().lower() for each in content_type.split(";"))
    named = (each.partition("=") for each in parameters)
    charsets = [value.strip(' "') for name, _, value in named if name.strip() == "charset"]
    for charset in charsets:
        if charset not in {"utf-8", "utf8"}:
            raise _unsupported(f"the character set {charset!r}", "send it in UTF-8")
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
    found = b""
    for _ in range(MEMBERS_MAX):
        unpacking = zlib.decompressobj(GZIP)
        try:
            found += unpacking.decompress(body, INFLATED_MAX_BYTES + 1 - len(found))
        except zlib.error as error:
            raise _not_gzip(str(error)) from error
        if len(found) > INFLATED_MAX_BYTES:
            raise _too_large(f"more than {INFLATED_MAX_BYTES:,} bytes when unpacked")
        if not unpacking.eof:
            raise _not_gzip("it ends too early")
        body = unpacking.unused_data
        if not body:
            return found
    raise _not_gzip(f"it has more than {MEMBERS_MAX} members")


def divided(body: bytes, kind: str, *, whole_arrays: bool, message_max_bytes: int) -> list[bytes]:
    """Return the messages of a body: a line of NDJSON, an element of an array, or all of it.

    Args:
        body: Unpacked.
        kind: Media type.
        whole_arrays: The codec of the route reads a JSON array as one message.
        message_max_bytes: The longest message.

    Raises:
        ProblemError: 422, if there is none, or if an array cannot be taken apart; 413, if one is
            too long, or if there are too many.
    """
    if kind in LINES:
        lines = LINE.finditer(body)
        found = [each.group().rstrip() for each in islice(lines, MESSAGES_MAX + 1)]
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
        raise _too_many()
    for number, message in enumerate(found, start=1):
        if len(message) > message_max_bytes:
            words = f"message {number} has {len(message):,} bytes, {message_max_bytes:,} at most"
            raise _too_large(words)
    return found


def _is_json(kind: str) -> bool:
    return kind in {JSON, "text/json"} or kind.endswith("+json")


def _elements(body: bytes) -> list[bytes]:
    """Return the elements of an array; they are counted first where there may be too many."""
    try:
        if body.count(b",") >= MESSAGES_MAX:
            msgspec.json.decode(body, type=list[_Element], dec_hook=_counting())
        return [bytes(each) for each in _array.decode(body)]
    except _TooManyError:
        raise _too_many() from None
    except msgspec.DecodeError as error:
        raise _not_apart("not_json", "is no JSON", str(error)) from error
    except RecursionError as error:
        raise _not_apart("json_depth", "is nested too deeply", "no codec reads it") from error


def _counting() -> Callable[[type, object], _Element]:
    """Return what takes the place of each element as soon as it is read, up to too many."""
    element, seen = _Element(), 0

    def take(_kind: type, _value: object) -> _Element:
        nonlocal seen
        seen += 1
        if seen > MESSAGES_MAX:
            raise _TooManyError
        return element

    return take


def _not_apart(code: str, what: str, words: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code,
        f"this array {what}, so nobody knows where its messages end: {words}",
        mend="nothing of it was taken; send it again as JSON, or a message a line (NDJSON)",
    )


def _too_many() -> ProblemError:
    return _too_large(f"more than {MESSAGES_MAX:,} messages")


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

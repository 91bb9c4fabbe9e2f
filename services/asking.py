"""What requests are made of everywhere: instants, page sizes, cursors; and how answers go out."""

import base64
import binascii
import hashlib
from http import HTTPStatus
from typing import Annotated, TypeVar, cast

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from city.instants import InstantError, text_us, to_text
from services.problems import ProblemError

__all__ = [
    "NUMBER_MAX",
    "Cursor",
    "Document",
    "Instant",
    "Limit",
    "answer",
    "decode_cursor",
    "encode_cursor",
    "instant",
    "text_or_none",
]

T = TypeVar("T")
LIMIT_MAX = 1_000
CURSOR_MAX = 1_000
NUMBER_MAX = 1 << 62
INSTANT_MAX = 64
JSON = "application/json"

Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX, description="entries of one answer")]
Cursor = Annotated[
    str | None, Field(max_length=CURSOR_MAX, description="`next` of the answer before")
]
Instant = Annotated[
    str | None,
    Field(max_length=INSTANT_MAX, description="ISO 8601 with a zone: 2026-03-04T05:06:07Z"),
]


class Document(BaseModel):
    """What the API takes and gives; members that nobody knows are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def instant(field: str, text: str | None) -> int | None:
    """Return an instant of a request in microseconds; None where none was given.

    Raises:
        ProblemError: 400, if it is none or has no zone.
    """
    if text is None:
        return None
    try:
        # A `+` in an address is a blank by the time it comes here.
        return text_us(text.replace(" ", "+"))
    except InstantError as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "bad_time",
            f"{field}: {error}",
            mend="write it as 2026-03-04T05:06:07Z",
            field=field,
        ) from error


def text_or_none(instant_us: int | None) -> str | None:
    """Write an instant that may be missing."""
    return None if instant_us is None else to_text(instant_us)


def encode_cursor(position: object) -> str:
    """Write a position as text that means nothing to anybody else."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode_cursor(cursor: str | None, kind: type[T]) -> T | None:
    """Read a position; None where none was given.

    Raises:
        ProblemError: 400, if we did not write it.
    """
    if cursor is None:
        return None
    try:
        return _position(cursor, kind)
    except (binascii.Error, ValueError) as error:  # msgspec's and unicode's are ValueErrors
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "bad_cursor",
            "the cursor is none of ours",
            mend="take it from `next` of the answer before",
            field="cursor",
        ) from error


def _position(cursor: str, kind: type[T]) -> T:
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    position = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kind)
    _check_numbers(position)
    return position


def _check_numbers(position: object) -> None:
    """Say whether the numbers of a position are ones that a database holds.

    Raises:
        ValueError: If one is too large.
    """
    for part in cast(
        "tuple[object, ...]", position if isinstance(position, tuple) else (position,)
    ):
        if isinstance(part, int) and abs(part) > NUMBER_MAX:
            raise ValueError


def answer(request: Request, document: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Send a document; of a GET with its ETag, and nothing where the asker has it already."""
    body = document.model_dump_json(by_alias=True).encode()
    if request.method != "GET":
        return Response(body, int(status), media_type=JSON)
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    # Who may read more gets another answer at the same address.
    headers = {"ETag": tag, "Vary": "Authorization"}
    known = request.headers.get("If-None-Match", "")
    if tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(None, int(HTTPStatus.NOT_MODIFIED), headers)
    return Response(body, int(status), headers, media_type=JSON)

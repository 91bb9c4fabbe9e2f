"""Members of somebody else's JSON, taken only as what they have to be.

What must be there raises; what merely adds to the metadata is left out where it is something else.
"""

from typing import Any, cast

from city.instants import InstantError, text_us
from city.reasons import MessageReason
from ingest.codecs.json_text import read_json
from ingest.codecs.seam import MessageError

__all__ = [
    "integer_of",
    "members_of",
    "number_of",
    "object_of",
    "objects_of",
    "read_object",
    "text_of_member",
    "time_of",
]


def read_object(payload: bytes) -> dict[str, Any]:
    """Read a message that has to be one JSON object.

    Raises:
        MessageError: As `read_json`, or `missing_field`.
    """
    found = read_json(payload)
    if not isinstance(found, dict):
        raise MessageError(MessageReason.MISSING_FIELD, "the message is no JSON object")
    return cast("dict[str, Any]", found)


def members_of(value: object) -> dict[str, Any]:
    """Return the members of an object; none where it is something else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def object_of(value: object, where: str) -> dict[str, Any]:
    """Return the members of an object; none where nothing was sent.

    Raises:
        MessageError: `missing_field` where it is something else.
    """
    if value is not None and not isinstance(value, dict):
        raise MessageError(MessageReason.MISSING_FIELD, f"`{where}` is no JSON object")
    return cast("dict[str, Any]", value or {})


def objects_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of an array that have members; none where it is something else."""
    if not isinstance(value, list):
        return []
    return [each for each in map(members_of, cast("list[Any]", value)) if each]


def text_of_member(value: object) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def number_of(value: object) -> float | None:
    """Return a number; a truth value is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def integer_of(value: object) -> int | None:
    """Return a whole number, as which a double such as `3.0` counts too."""
    number = number_of(value)
    return int(number) if number is not None and number == int(number) else None


def time_of(value: object, where: str) -> int | None:
    """Return a time, RFC 3339 with a zone, in microseconds since 1970; None where none was sent.

    Args:
        value: As sent.
        where: Member that holds it, for people.

    Raises:
        MessageError: `bad_time`.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        words = f"`{where}` is {str(value)[:64]!r}, no text of a time"
        raise MessageError(MessageReason.BAD_TIME, words)
    try:
        return text_us(value)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`{where}`: {error}") from None

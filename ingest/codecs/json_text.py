"""JSON as devices send it, read so that nothing can hide: every doubt has a reason code.

The standard library's decoder, since it shows each member of an object: a decoder that keeps the
last of two equal names would hide a value.
"""

import json
import re
from typing import Any, Final, NoReturn

from city.reasons import MessageReason
from ingest.codecs.envelope import text_of
from ingest.codecs.seam import MessageError

__all__ = ["read_json"]

DEPTH_MAX: Final = 16
MEMBERS_MAX: Final = 10_000
NUMBER_MAX: Final = 64
# Whole strings, and all else that is no bracket: what is left over are the brackets that count.
NO_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\[\]{}"]++', re.DOTALL)
SURROGATE: Final = re.compile("[\ud800-\udfff]")
JSON_SPACE: Final = " \t\r\n"


def read_json(payload: bytes) -> Any:  # noqa: ANN401 - a JSON document can be anything
    """Read one JSON document.

    Raises:
        MessageError: `utf8`, `nul_byte`, `json_syntax`, `json_nonfinite`, `json_duplicate_key`,
            `json_depth` or `too_many`.
    """
    text = text_of(payload)
    _check_depth(text)
    members = _Members()
    decoder = json.JSONDecoder(
        object_pairs_hook=members.object, parse_int=_integer, parse_float=_float,
        parse_constant=_constant,
    )  # fmt: skip
    try:
        # The decoder skips more kinds of space than JSON has.
        found, end = decoder.raw_decode(text, len(text) - len(text.lstrip(JSON_SPACE)))
    except json.JSONDecodeError as error:
        raise MessageError(
            MessageReason.JSON_SYNTAX, f"line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if text[end:].strip(JSON_SPACE):
        raise MessageError(MessageReason.JSON_SYNTAX, f"more text after character {end}")
    if "\\u" in text and members.has_surrogate(found):
        raise MessageError(MessageReason.UTF8, "half of a surrogate pair")
    return found


class _Members:
    """Counts members and refuses two of one name in an object."""

    def __init__(self) -> None:
        self._count = 0

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._count += len(pairs)
        if self._count > MEMBERS_MAX:
            raise MessageError(MessageReason.TOO_MANY, f"more than {MEMBERS_MAX} members")
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise MessageError(
                MessageReason.JSON_DUPLICATE_KEY, f"the member {twice[:64]!r} stands twice"
            )
        return found

    def has_surrogate(self, found: Any) -> bool:  # noqa: ANN401 - any JSON
        if isinstance(found, str):
            return SURROGATE.search(found) is not None
        if isinstance(found, dict):
            return any(self.has_surrogate(part) for pair in found.items() for part in pair)  # pyright: ignore[reportUnknownVariableType] - any JSON
        if isinstance(found, list):
            return any(map(self.has_surrogate, found))  # pyright: ignore[reportUnknownArgumentType] - any JSON
        return False


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return
    depth = 0
    for bracket in NO_BRACKETS.sub("", text):
        if bracket in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise MessageError(MessageReason.JSON_DEPTH, f"deeper than {DEPTH_MAX} levels")
        elif bracket in "]}":
            depth -= 1


def _integer(literal: str) -> int:
    _check_literal(literal)
    return int(literal)


def _float(literal: str) -> float:
    _check_literal(literal)
    value = float(literal)
    if value in {float("inf"), float("-inf")}:
        raise MessageError(MessageReason.JSON_NONFINITE, f"{literal} is beyond any number we keep")
    return value


def _check_literal(literal: str) -> None:
    if len(literal) > NUMBER_MAX:
        words = f"a number of {len(literal)} characters, at most {NUMBER_MAX} are read"
        raise MessageError(MessageReason.JSON_SYNTAX, words)


def _constant(name: str) -> NoReturn:
    raise MessageError(MessageReason.JSON_NONFINITE, f"{name} is not JSON")

r"""Lines of InfluxDB's protocol, taken apart: `measurement,tag=value field=value time`.

Source: InfluxDB reference, line protocol; formats.md section 17. Only `\,`, `\=` and `\ ` are
escapes (in text `\"` and `\\`), any other backslash stands for itself. Every pattern reads a
character in one way only and never goes back, so that no payload takes long.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.seam import MessageError, Value

__all__ = ["Line", "read_lines"]

_NAME: Final = r"(?:[^,= \n\\]|\\[,= ]|\\(?![,= ]))++"
_MEASUREMENT: Final = r"(?:[^, \n\\]|\\[, ]|\\(?![, ]))++"
_STRING: Final = r'"(?:[^"\\]|\\["\\]|\\(?!["\\]))*+"'
_VALUE: Final = rf'(?:{_STRING}|[^", \r\n]++)'

SKIPPED: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")
HEAD: Final = re.compile(rf"({_MEASUREMENT})((?:,{_NAME}={_NAME})*+)")
FIELDS: Final = re.compile(rf" +({_NAME}={_VALUE}(?:,{_NAME}={_VALUE})*+)")
TIME: Final = re.compile(r"(?: +(-?[0-9]{1,20}))? *\r?(?:\n|\Z)", re.ASCII)
TAG: Final = re.compile(rf",({_NAME})=({_NAME})")
FIELD: Final = re.compile(rf"({_NAME})=({_VALUE})")
NUMBER: Final = re.compile(
    r"(-?[0-9]{1,64})([iu])|-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII
)
NUMBER_MAX: Final = 64
ESCAPED: Final = re.compile(r"\\([,= ])")
ESCAPED_IN_MEASUREMENT: Final = re.compile(r"\\([, ])")
ESCAPED_IN_TEXT: Final = re.compile(r'\\(["\\])')
TRUTH: Final = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
SIGNED_MIN, SIGNED_MAX = -(1 << 63), (1 << 63) - 1


class Line(msgspec.Struct, frozen=True):
    """One point.

    Attributes:
        number: Of the line, the first is 1.
        fields: Of two of one name the last.
        time: As sent; None where none was.
    """

    number: int
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    time: int | None


def read_lines(text: str) -> Iterator[Line]:
    """Yield every line that holds a point.

    Raises:
        MessageError: `lp_syntax`, with the number of the line.
    """
    at, number = 0, 1
    while True:
        begin = SKIPPED.match(text, at)
        start = begin.end() if begin else at
        number += text.count("\n", at, start)
        if start >= len(text) or text.startswith("#", start):
            return
        head = HEAD.match(text, start)
        fields = head and FIELDS.match(text, head.end())
        end = fields and TIME.match(text, fields.end())
        if head is None or fields is None or end is None:
            raise _fault(number, _missing(text, head, fields))
        time = end[1]
        yield Line(
            number,
            _plain(head[1], ESCAPED_IN_MEASUREMENT),
            _tags(head[2], number) if head[2] else {},
            {_plain(name): _value(sent, number) for name, sent in FIELD.findall(fields[1])},
            None if time is None else int(time),
        )
        at = end.end()
        number += text.count("\n", start, at)


def _missing(text: str, head: re.Match[str] | None, fields: re.Match[str] | None) -> str:
    """Return what is wrong behind the part of a line that could be read."""
    if head is None:
        return "it does not begin with a measurement"
    if fields is None:
        rest = text[head.end() : head.end() + 32]
        return f"there is no field `name=value` after the measurement and its tags, but {rest!r}"
    rest = text[fields.end() : fields.end() + 32]
    return f"behind its fields there is no time (a whole number) and end of line, but {rest!r}"


def _fault(number: int, words: str) -> MessageError:
    return MessageError(MessageReason.LP_SYNTAX, f"line {number}: {words}")


def _tags(text: str, number: int) -> dict[str, str]:
    pairs = TAG.findall(text)
    tags = {_plain(name): _plain(value) for name, value in pairs}
    if len(tags) != len(pairs):
        raise _fault(number, "a tag stands twice")
    return tags


def _plain(text: str, escaped: re.Pattern[str] = ESCAPED) -> str:
    return escaped.sub(r"\1", text) if "\\" in text else text


def _value(sent: str, number: int) -> Value:
    if sent.startswith('"'):
        return _plain(sent[1:-1], ESCAPED_IN_TEXT)
    if sent in TRUTH:
        return TRUTH[sent]
    match = NUMBER.fullmatch(sent) if len(sent) <= NUMBER_MAX else None
    if match is None:
        raise _fault(number, f"{sent[:64]!r} is no value: text has to be in double quotes")
    if match[2] is None:
        return float(sent)
    if match[2] == "u" and sent.startswith("-"):
        raise _fault(number, f"{sent[:64]!r} is below zero and without a sign")
    value = int(match[1])
    # Beyond 64 bits either way: refused with the value, as an integer that nobody can keep.
    beyond = match[2] == "i" and not SIGNED_MIN <= value <= SIGNED_MAX
    return value << 64 if beyond else value

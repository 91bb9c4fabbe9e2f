"""Which device a message of a mapping is about: from its topic, or from a path.

Patterns run in RE2, whose time is linear in the text whatever the pattern; Python's own engine can
be kept busy for years by a short one. Source: formats.md sections 0.3 and 16.
"""

import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from city.identity import device_id, joined_id
from city.reasons import MessageReason
from city.topics import check_filter
from ingest.codecs.mapping.paths import Budget, PathError, compile_path
from ingest.codecs.own_topic import known_device
from ingest.codecs.seam import MessageError

__all__ = ["DevicePath", "TopicPattern", "check_device", "device_of_text", "topic_pattern"]

PATTERN_MAX: Final = 200
SENT_MAX: Final = 1_024
# As `city.identity` has it; what is captured is escaped already.
ID_MAX: Final = 128


class TopicPattern(msgspec.Struct, frozen=True):
    """A topic filter whose wildcards have names.

    Attributes:
        levels: As they are compared: `+` and `#` without their names.
        captures: Level by level, the name that it captures; empty for none.
    """

    levels: tuple[str, ...]
    captures: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What it captures."""
        return tuple(filter(None, self.captures))

    def match(self, topic: str) -> dict[str, str] | None:
        """Return what a topic gives the names; None where it does not fit."""
        levels = topic.split("/")
        rest = self.levels[-1] == "#"
        if rest:
            levels = [*levels[: len(self.levels) - 1], "/".join(levels[len(self.levels) - 1 :])]
        if len(levels) != len(self.levels):
            return None
        if not all(
            want in {"+", "#", level} for want, level in zip(self.levels, levels, strict=True)
        ):
            return None
        return {name: level for name, level in zip(self.captures, levels, strict=True) if name}


@lru_cache(maxsize=1024)
def topic_pattern(text: str) -> TopicPattern:
    """Read `a/+name/#rest`.

    Raises:
        TopicFilterError: Without its names it is no topic filter.
    """
    levels = [(level[:1], level[1:]) if level[:1] in {"+", "#"} else (level, "")
              for level in text.split("/")]  # fmt: skip
    check_filter("/".join(wanted for wanted, _ in levels).encode())
    return TopicPattern(tuple(wanted for wanted, _ in levels), tuple(name for _, name in levels))


class DevicePath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device that the payload names.

    Attributes:
        prefix: What stands before what was sent.
        pattern: Regular expression (RE2), the first group of which is taken of what was sent.
        of: Where the path begins: at each record, or at the document that holds them all.
    """

    path: str
    prefix: str = ""
    pattern: str | None = None
    of: Literal["record", "document"] = "record"

    def __post_init__(self) -> None:
        """Refuse a path or pattern that is none."""
        compile_path(self.path)
        if self.pattern is not None:
            if len(self.pattern) > PATTERN_MAX:
                raise ValueError(f"`pattern`: longer than {PATTERN_MAX} characters")
            try:
                _first_group(self.pattern, "")
            except pa.ArrowException as error:
                words = f"`pattern`: {self.pattern!r} is no expression with a group: {error}"
                raise ValueError(words) from None

    def read(self, sent: object, budget: Budget) -> str:
        """Return the device.

        Raises:
            MessageError: `missing_device` or `bad_device_id`.
        """
        try:
            found = compile_path(self.path).read(sent, budget)
        except PathError as error:
            words = f"`device`: {self.path[:64]!r} fails: {error}"
            raise MessageError(MessageReason.MISSING_DEVICE, words) from None
        if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            words = f"`{self.path[:64]}` names no device"
            raise MessageError(MessageReason.MISSING_DEVICE, words)
        text = str(found)[:SENT_MAX]
        named = text if self.pattern is None else _first_group(self.pattern, text)
        if named is None:
            words = f"{text[:64]!r} does not fit the pattern {self.pattern!r}"
            raise MessageError(MessageReason.BAD_DEVICE_ID, words)
        return known_device(f"{self.prefix}{named}", f"`{self.path[:64]}`")


def check_device(text: str, topic: str) -> None:
    """Refuse a device's text whose captures no level of the topic gives.

    Raises:
        ValueError: With what is wrong.
    """
    names = topic_pattern(topic).names if topic else ()
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"`device`: {text!r}: {error}") from None
    for literal, name, form, change in parts:
        if name is not None and (name not in names or form or change):
            known = ", ".join(names) or "nothing"
            raise ValueError(f"`device`: no level captures {name!r}; `match` captures {known}")
        if literal and device_id(literal) != literal:
            raise ValueError(f"`device`: {literal!r} cannot be a part of a device id")


def device_of_text(text: str, captured: Mapping[str, str], topic: str) -> str:
    """Return the device of a text with captures; what they bring in cannot be mistaken for it.

    Raises:
        MessageError: `bad_device_id`.
    """
    escaped = {
        name: joined_id([level]) for name, level in captured.items() if f"{{{name}}}" in text
    }
    lost = [name for name, level in escaped.items() if level is None]
    device = "" if lost else text.format_map(escaped)
    if not 0 < len(device) <= ID_MAX:
        words = f"no device can be named by the topic {topic!r}"
        raise MessageError(MessageReason.BAD_DEVICE_ID, words)
    return device


@lru_cache(maxsize=65_536)
def _first_group(pattern: str, text: str) -> str | None:
    """Return the first group; None where the pattern is nowhere in the text."""
    sent = pa.scalar(text, pa.string())
    if not pc.match_substring_regex(sent, pattern=pattern).as_py():
        # The pattern has to have a group even where it does not match.
        pc.replace_substring_regex(pa.scalar(""), pattern=f"(?:{pattern})|.*", replacement=r"\1")
        return None
    whole = f"^(?s:.*?)(?:{pattern})(?s:.*)$"
    return pc.replace_substring_regex(sent, pattern=whole, replacement=r"\1").as_py()

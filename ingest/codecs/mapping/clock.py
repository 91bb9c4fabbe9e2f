"""Times of a mapping: text with a zone, text of a stated pattern, numbers since 1970.

Source: formats.md sections 0.5 and 16.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from city.instants import LAST_US, InstantError, epoch_us, local_us, text_us
from city.reasons import MessageReason, Note
from ingest.codecs.mapping.fields import (
    ByteOrder,
    FieldError,
    FieldType,
    check_field,
    read_field,
)
from ingest.codecs.mapping.paths import Budget, PathError, compile_path
from ingest.codecs.seam import MessageError
from ingest.codecs.stringly import cast_text

__all__ = ["ByteTime", "PathTime", "Time"]

RFC3339: Final = "rfc3339"
AUTO: Final = "epoch_auto"
# Microseconds of one: a number, and by what to divide it.
EPOCHS: Final[Mapping[str, tuple[int, int]]] = {
    "epoch_s": (1_000_000, 1),
    "epoch_ms": (1_000, 1),
    "epoch_us": (1, 1),
    "epoch_ns": (1, 1_000),
}
PARTS: Final[Mapping[str, str]] = {
    "yyyy": r"(?P<yyyy>\d{4})",
    "MM": r"(?P<MM>\d\d)",
    "dd": r"(?P<dd>\d\d)",
    "HH": r"(?P<HH>\d\d)",
    "mm": r"(?P<mm>\d\d)",
    "ss": r"(?P<ss>\d\d)",
    "SSS": r"(?P<SSS>\d{3})",
}
TOKEN: Final = re.compile(r"yyyy|MM|dd|HH|mm|ss|SSS|[^A-Za-z]|[TZ]", re.DOTALL)
PATTERN_MAX: Final = 64
ZONED: Final = re.compile(r"(?:[Zz]|[+-]\d\d:?(?:\d\d)?)$", re.ASCII)


class Time(msgspec.Struct, frozen=True):
    """What a mapping found: None where nothing was sent."""

    time_us: int | None = None
    notes: tuple[Note, ...] = ()


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a time is written.

    Attributes:
        missing: What a message without one means: the time of receipt, or a reason to refuse it.
    """

    format: str
    timezone: str | None = None
    missing: Literal["receive", "reject"] = "receive"

    def __post_init__(self) -> None:
        """Refuse formats and zones that do not exist."""
        if self.timezone is not None:
            try:
                ZoneInfo(self.timezone)
            except (ValueError, OSError, KeyError):
                words = f"`timezone`: {self.timezone!r} is no zone of the IANA database"
                raise ValueError(words) from None
        if self.format not in {RFC3339, AUTO, *EPOCHS}:
            _pattern(self.format)

    def _of(self, sent: object, timezone: str) -> Time:
        if sent is None or sent == "":
            if self.missing == "reject":
                raise MessageError(MessageReason.BAD_TIME, "the message has no time")
            return Time()
        try:
            if self.format in {AUTO, *EPOCHS}:
                return Time(_epoch(sent, self.format))
            return _of_text(sent, self.format, ZoneInfo(self.timezone or timezone))
        except InstantError as error:
            raise MessageError(MessageReason.BAD_TIME, str(error)) from None


class PathTime(_Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time in a document.

    Attributes:
        of: Where the path begins: at each record, or at the document that holds them all.
    """

    path: str
    format: str = RFC3339
    of: Literal["record", "document"] = "record"

    def __post_init__(self) -> None:
        """Refuse a path that is none."""
        super().__post_init__()
        compile_path(self.path)

    def read(self, sent: object, timezone: str, budget: Budget) -> Time:
        """Return the time of a record.

        Args:
            sent: The record, or the document.
            timezone: IANA zone of the route, for text without one.
            budget: Of the message.

        Raises:
            MessageError: `bad_time`.
        """
        try:
            return self._of(compile_path(self.path).read(sent, budget), timezone)
        except PathError as error:
            words = f"`time`: {self.path[:64]!r} fails: {error}"
            raise MessageError(MessageReason.BAD_TIME, words) from None


class ByteTime(_Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time in a frame, a number since 1970; where it stands: see `Placed`."""

    place: tuple[int, int] = msgspec.field(name="bytes")
    type: FieldType = "uint"
    bits: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no number."""
        super().__post_init__()
        check_field(self)
        if self.format not in {AUTO, *EPOCHS} or self.type in {"ascii", "bool"}:
            words = f"`time`: in a frame it is a number, its format one of {', '.join(EPOCHS)}"
            raise ValueError(words)

    def read(self, frame: bytes, order: ByteOrder) -> Time:
        """Return the time of a frame.

        Raises:
            MessageError: `bad_time` or `mapping_length`.
        """
        try:
            return self._of(read_field(frame, order, self), "UTC")
        except FieldError as error:
            raise MessageError(MessageReason.BAD_TIME, f"`time`: {error}") from None


def _epoch(sent: object, unit: str) -> int:
    number, _ = cast_text(sent)
    if not isinstance(number, int | float) or isinstance(number, bool) or number != number:  # noqa: PLR0124 - NaN
        raise InstantError(f"{str(sent)[:64]!r} is no number of a time")
    if abs(number) > LAST_US * 1_000:
        raise InstantError(f"{str(sent)[:64]!r} is outside of the years 1970..9999")
    if unit == AUTO:
        return epoch_us(number)
    factor, divisor = EPOCHS[unit]
    whole = isinstance(number, int)
    instant = number * factor // divisor if whole else round(number * factor / divisor)
    if not 0 <= instant < LAST_US:
        raise InstantError(f"{str(sent)[:64]!r} as {unit} is outside of the years 1970..9999")
    return int(instant)


def _of_text(sent: object, form: str, zone: ZoneInfo) -> Time:
    if not isinstance(sent, str):
        raise InstantError(f"{str(sent)[:64]!r} is no text of a time")
    if form == RFC3339 and ZONED.search(sent):
        return Time(text_us(sent, space=True))
    text = sent if form == RFC3339 else _by_pattern(sent, form)
    time_us, ambiguous = local_us(text, zone)
    return Time(time_us, (Note.TIME_AMBIGUOUS,) if ambiguous else ())


def _by_pattern(sent: str, form: str) -> str:
    match = _pattern(form).fullmatch(sent)
    if match is None:
        raise InstantError(f"{sent[:64]!r} is not written as {form!r}")
    part = {"HH": "00", "mm": "00", "ss": "00", "SSS": "0", **match.groupdict()}
    return "{yyyy}-{MM}-{dd}T{HH}:{mm}:{ss}.{SSS}".format_map(part)


@lru_cache(maxsize=256)
def _pattern(form: str) -> re.Pattern[str]:
    tokens = TOKEN.findall(form) if len(form) <= PATTERN_MAX else []
    found = [token for token in tokens if token in PARTS]
    if "".join(tokens) != form or not {"yyyy", "MM", "dd"} <= set(found):
        words = f"{', '.join((RFC3339, AUTO, *EPOCHS))}, or a pattern of yyyy MM dd HH mm ss SSS"
        raise ValueError(f"`format`: {form[:64]!r} is none of {words}")
    if len(set(found)) != len(found):
        raise ValueError(f"`format`: {form!r} has a part twice")
    return re.compile("".join(PARTS.get(token) or re.escape(token) for token in tokens), re.ASCII)

"""What one value of a mapping becomes: absent, renamed, scaled, within its range, or rejected.

Source: formats.md section 16.
"""

import math
from typing import Annotated, Any, Final, Literal

import msgspec

from city.clock import US_PER_S
from city.flags import Flag
from city.quantities import QUANTITY_PATTERN
from city.reasons import ObservationReason
from city.units import ucum
from ingest.codecs.mapping.clock import Time
from ingest.codecs.mapping.fields import (
    ByteOrder,
    FieldError,
    FieldType,
    Selector,
    check_field,
    read_field,
)
from ingest.codecs.mapping.paths import Budget, PathError, compile_path
from ingest.codecs.measures import Measure, Measures
from ingest.codecs.seam import Value
from ingest.codecs.stringly import cast_text

__all__ = ["ByteValue", "PathValue"]

DAYS_366_S: Final = 366 * 86_400
# A double holds 15 digits whatever they are: 581 x 0.1 is 58.1, not 58.1 and a little.
DIGITS: Final = ".15g"
TRUTH: Final = {"true": True, "false": False, 0: False, 1: True}
UNIT_MAX: Final = 64


class _Refused(ValueError):  # noqa: N818 - never leaves this file
    """A value that is rejected alone; the words say why."""

    def __init__(self, words: str, reason: ObservationReason) -> None:
        super().__init__(words)
        self.reason = reason


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done with a value, however it is found.

    Attributes:
        scale, offset: The value is what was sent x scale + offset.
        map: What stands for what was sent; keys are text, numbers as their decimal text.
        other: What becomes of a value that `map` has not.
        missing: What stands for no value.
        range: Lowest and highest value that is believed, after scale and offset.
        interval_s: The value is of so many seconds before the time.
    """

    quantity: str
    unit: str | None = None
    scale: float = 1
    offset: float = 0
    map: dict[str, Value] | None = None
    other: Literal["reject", "keep", "drop"] = "reject"
    missing: list[Value] = []
    range: tuple[float, float] | None = None
    interval_s: Annotated[float, msgspec.Meta(gt=0, le=DAYS_366_S)] | None = None
    flag: Flag = Flag.NOT_EVALUATED

    def __post_init__(self) -> None:
        """Refuse what would spoil every message in silence."""
        if not QUANTITY_PATTERN.fullmatch(self.quantity):
            words = "lower-case letters, digits and `_`, first a letter, up to 64 characters"
            raise ValueError(f"`quantity`: {self.quantity[:80]!r} is none: {words}")
        if self.unit is not None and ucum(self.unit) is None:
            raise ValueError(f"`unit`: {self.unit[:64]!r} is no unit we know")
        if self.range is not None and not self.range[0] <= self.range[1]:
            raise ValueError(f"`range`: {self.range[0]} is more than {self.range[1]}")
        if not (math.isfinite(self.scale) and math.isfinite(self.offset)) or self.scale == 0:
            raise ValueError("`scale` and `offset`: numbers, and the scale is not 0")

    def _take(self, sent: Value, measures: Measures, time: Time, unit_sent: str | None) -> None:
        """Add a value that was found and is of the right type."""
        try:
            value = self._mapped(sent)
            if value is None:
                return
            value = self._in_range(self._scaled(value))
        except _Refused as error:
            measures.reject(self.quantity, error.reason, str(error))
            return
        unit = None if self.unit is None else ucum(self.unit)
        metadata: dict[str, Any] = {}
        if unit_sent is not None:
            unit = ucum(unit_sent)
            metadata = {} if unit else {"unit_raw": unit_sent[:UNIT_MAX]}
        start_us, end_us = time.time_us, None
        if self.interval_s is not None and start_us is not None:
            start_us, end_us = start_us - round(self.interval_s * US_PER_S), start_us
        known = Measure("", 0, unit, start_us, end_us, metadata, self.flag)
        measures.take(self.quantity, self.quantity, value, known)

    def _is_missing(self, sent: object) -> bool:
        return any(sent == each and type(sent) is type(each) for each in self.missing) or (
            _is_number(sent) and any(sent == each for each in self.missing if _is_number(each))
        )

    def _mapped(self, sent: Value) -> Value | None:
        if self.map is None:
            return sent
        key = _text(sent)
        if key in self.map:
            return self.map[key]
        if self.other == "reject":
            raise _mismatch(f"{key[:64]!r} is not in its `map`")
        return sent if self.other == "keep" else None

    def _scaled(self, value: Value) -> Value:
        if self.scale == 1 and self.offset == 0:
            return value
        if isinstance(value, bool | str):
            raise _mismatch(f"{str(value)[:64]!r} is no number, so it has no scale")
        return float(format(value * self.scale + self.offset, DIGITS))

    def _in_range(self, value: Value) -> Value:
        if self.range is None:
            return value
        if isinstance(value, bool | str):
            raise _mismatch(f"{str(value)[:64]!r} is no number, so it is in no range")
        if not self.range[0] <= value <= self.range[1] and math.isfinite(value):
            words = f"{value} is not between {self.range[0]} and {self.range[1]}"
            raise _Refused(words, ObservationReason.OUT_OF_MAPPING_RANGE)
        return value


class PathValue(_Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value in a document.

    Attributes:
        unit_path: Where its unit stands; wins over `unit`.
        type: What it has to be; without it what was sent.
        decimal: What stands between digits of a number that is sent as text.
        when: JMESPath that has to be true for the value to be read.
    """

    path: str
    unit_path: str | None = None
    type: Literal["number", "bool", "text"] | None = None
    decimal: Literal[".", ","] | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        """Refuse paths that are none."""
        super().__post_init__()
        for path in (self.path, self.unit_path, self.when):
            if path is not None:
                compile_path(path)

    def read(
        self, record: object, measures: Measures, time: Time, budget: Budget, *, stringly: bool
    ) -> bool:
        """Add the value of a record; say whether there was one.

        Args:
            record: Where the paths begin.
            measures: Where to add it.
            time: Of the record.
            budget: Of the message.
            stringly: The input has nothing but text, so text that is a number is one.
        """
        try:
            if self.when is not None and compile_path(self.when).read(record, budget) is not True:
                return True
            sent = compile_path(self.path).read(record, budget)
            if sent is None or sent == "" or self._is_missing(sent):
                return sent is not None
            value = self._typed(sent, stringly=stringly)
            self._take(value, measures, time, self._unit(record, budget))
        except PathError as error:
            words = f"{self.path[:64]!r} fails: {error}"
            measures.reject(self.quantity, ObservationReason.MAPPING_TYPE, words)
        except _Refused as error:
            measures.reject(self.quantity, error.reason, str(error))
        return True

    def _unit(self, record: object, budget: Budget) -> str | None:
        sent = None if self.unit_path is None else compile_path(self.unit_path).read(record, budget)
        return sent if isinstance(sent, str) and sent else None

    def _typed(self, sent: object, *, stringly: bool) -> Value:
        if not isinstance(sent, str | int | float):
            raise _mismatch("an object or an array where one value is needed")
        if self.type == "text":
            return _text(sent)
        if self.type == "bool":
            found = TRUTH.get(sent) if isinstance(sent, str | int) else None
            if found is None:
                raise _mismatch(f"{str(sent)[:64]!r} is neither true nor false")
            return found
        return self._number(sent, stringly=stringly)

    def _number(self, sent: Value, *, stringly: bool) -> Value:
        if isinstance(sent, str) and (self.type or self.decimal or stringly):
            found = _number_of(sent, self.decimal)
            if found is not None:
                return found
            if not (self.type or self.decimal):
                return sent
        elif self.type is None or not isinstance(sent, bool | str):
            return sent
        raise _mismatch(f"{str(sent)[:64]!r} is no number")


class ByteValue(_Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value in a frame; where it stands: see `Placed`.

    Attributes:
        when: Frames that have it.
    """

    place: tuple[int, int] = msgspec.field(name="bytes")
    type: FieldType = "uint"
    bits: tuple[int, int] | None = None
    when: Selector | None = None

    def __post_init__(self) -> None:
        """Refuse places that no frame has."""
        super().__post_init__()
        check_field(self)

    def take(self, frame: bytes, order: ByteOrder, measures: Measures, time: Time) -> None:
        """Add the value of a frame.

        Raises:
            MessageError: `mapping_length`.
        """
        if self.when is not None and not self.when.fits(frame, order):
            return
        try:
            sent = read_field(frame, order, self)
        except FieldError as error:
            measures.reject(self.quantity, ObservationReason.MAPPING_TYPE, str(error))
            return
        if not self._is_missing(sent) and sent != "":
            self._take(sent, measures, time, None)


def _number_of(text: str, decimal: str | None) -> float | None:
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    found, percent = cast_text(text)
    if percent is not None or isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found


def _text(sent: Value) -> str:
    if isinstance(sent, bool):
        return "true" if sent else "false"
    if isinstance(sent, float) and sent.is_integer():
        return str(int(sent))
    return str(sent)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mismatch(words: str) -> _Refused:
    return _Refused(words, ObservationReason.MAPPING_TYPE)

"""A Sparkplug payload and its metrics.

Source: formats.md section 7, eclipse/tahu sparkplug_b.proto.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.seam import MessageError
from ingest.codecs.sparkplug_b.wire import (
    FIXED32,
    FIXED64,
    Field,
    fields_of,
    integer,
    raw,
    real,
    text,
)

__all__ = ["Metric", "Payload", "read_payload"]

# More than any birth that was ever seen; a message has at most 1,000 observations anyway.
METRICS_MAX: Final = 5_000
QUALITY: Final = "Quality"
UNIT_NAMES: Final = ("engUnit", "Engineering Units")


class Metric(msgspec.Struct):
    """One metric as it was sent.

    Attributes:
        name: Empty where an alias stands for it.
        kind: Number of the datatype; None where the birth said it.
        value: The wire's value; None where there is none. Bytes of what gives no observation too.
        quality: Its property; None where there is none.
        unit: As sent; None where there is none.
    """

    name: str = ""
    alias: int | None = None
    time_ms: int | None = None
    kind: int | None = None
    historical: bool = False
    transient: bool = False
    null: bool = False
    value: int | float | bool | str | bytes | None = None
    quality: int | None = None
    unit: str | None = None


class Payload(msgspec.Struct):
    """One payload."""

    time_ms: int | None = None
    seq: int | None = None
    metrics: list[Metric] = []


def read_payload(data: bytes) -> Payload:
    """Read a payload.

    Raises:
        MessageError: `protobuf_syntax` or `too_many`.
    """
    payload = Payload(metrics=[])
    for field in fields_of(data):
        match field[0]:
            case 1:
                payload.time_ms = integer(field)
            case 2:
                payload.metrics.append(_metric(raw(field)))
            case 3:
                payload.seq = integer(field)
            case _:
                continue
        if len(payload.metrics) > METRICS_MAX:
            words = f"more than {METRICS_MAX} metrics"
            raise MessageError(MessageReason.TOO_MANY, words)
    return payload


def _metric(data: bytes) -> Metric:
    metric = Metric()
    for field in fields_of(data):
        number = field[0]
        if number >= FIRST_VALUE:
            metric.value = _value(field)
        elif number == PROPERTIES:
            _properties(raw(field), metric)
        else:
            _member(field, metric)
    return metric


FIRST_VALUE: Final = 10
PROPERTIES: Final = 9
# Number of the value's field -> how it is read; all others are bytes that give no observation.
READ: Final[Mapping[int, Callable[[Field], int | float | bool | str]]] = {
    10: integer,
    11: integer,
    12: partial(real, wire=FIXED32),
    13: partial(real, wire=FIXED64),
    14: lambda field: integer(field) != 0,
    15: text,
}


def _member(field: Field, metric: Metric) -> None:
    match field[0]:
        case 1:
            metric.name = text(field)
        case 2:
            metric.alias = integer(field)
        case 3:
            metric.time_ms = integer(field)
        case 4:
            metric.kind = integer(field)
        case 5:
            metric.historical = integer(field) != 0
        case 6:
            metric.transient = integer(field) != 0
        case 7:
            metric.null = integer(field) != 0
        case _:
            raw(field)


def _value(field: Field) -> int | float | bool | str | bytes:
    read = READ.get(field[0])
    return raw(field) if read is None else read(field)


def _properties(data: bytes, metric: Metric) -> None:
    """Take what properties say of a metric: keys and values stand beside each other."""
    keys: list[str] = []
    values: list[bytes] = []
    for field in fields_of(data):
        if field[0] == 1:
            keys.append(text(field))
        elif field[0] == 2:  # noqa: PLR2004 - the field's number
            values.append(raw(field))
    for key, value in zip(keys, values, strict=False):
        if key == QUALITY:
            metric.quality = _integer_property(value)
        elif key in UNIT_NAMES:
            metric.unit = _text_property(value)


def _integer_property(data: bytes) -> int | None:
    return next((integer(each) for each in fields_of(data) if each[0] in {3, 4}), None)


def _text_property(data: bytes) -> str | None:
    return next((text(each) for each in fields_of(data) if each[0] == 8), None)  # noqa: PLR2004 - the field's number

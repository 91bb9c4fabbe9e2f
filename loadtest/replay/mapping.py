"""A mapping: what the columns of a family of recorded files mean. TOML to checked structs, no I/O.

Everything that names a column may be a text with `{column}` in it; `{file}` is the file's name
without its ending, and `{key}` the name of a member that `each` made a row of.
"""

import re
from typing import Any, Literal

import msgspec

from city.quantities import QUANTITY_PATTERN
from loadtest.replay.moments import MomentError, MomentReader
from loadtest.replay.templates import Template, fits

__all__ = [
    "STEP",
    "DeviceRule",
    "Mapping",
    "MappingError",
    "MessageRule",
    "RegisterRule",
    "SkipRule",
    "TimeRule",
    "ValueRule",
    "read_mapping",
]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
KIND = re.compile(r"(?:[a-z][a-z0-9_]{0,63})?")
# What replay itself adds to the columns of a row.
ADDED = frozenset({"file", "key"})
# `DeviceRule.interval`: what the times of a device's rows say.
STEP = "step"

When = dict[str, str | list[str]]


class MappingError(ValueError):
    """A mapping that says nothing that can be done; the words name the member."""


class DeviceRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which device a row is of, and what else the row says of it.

    Attributes:
        id: Its name, as it would stand in the topic.
        key: What the register calls it, where that is not its id.
        interval: Seconds between its messages: a number, a column, or `step`: the most frequent
            step between the times of its rows.
        lat, lon: Degrees, WGS 84.
    """

    id: str
    key: str = ""
    name: str = ""
    kind: str = ""
    interval: float | str | None = None
    lat: str = ""
    lon: str = ""
    tags: list[str] = []


class RegisterRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files among those given that describe devices, and hold no readings.

    Attributes:
        files: Patterns of their names, whatever the case.
        key: What `DeviceRule.key` is compared with.
    """

    files: str | list[str]
    key: str
    name: str = ""
    lat: str = ""
    lon: str = ""
    tags: list[str] = []

    def describes(self, file: str) -> bool:
        """Say whether a file is one of them."""
        return fits({"file": self.files}, {"file": file})


class TimeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a row was.

    Attributes:
        text: The time, of one column or put together from several.
        format: `rfc3339`, `epoch_s`, `epoch_ms`, or a pattern of `yyyy MM dd HH mm ss SSS`.
        zone: IANA zone or fixed offset (`+08:00`) of times that have none of their own.
        covers: The row speaks of the civil day, or of so many seconds, that begin at its time.
    """

    text: str
    format: str = "rfc3339"
    zone: str = ""
    covers: Literal["day"] | float | None = None


class ValueRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measurement of a row.

    Attributes:
        column: Where its value stands.
        quantity: Its name, or a column that has it.
        unit: As every sender may write it, or a column that has it.
        units: What texts of that column mean.
        type: What the value is; `number` reads decimal text.
        map: What texts of `column` mean.
        when: The row has these texts (patterns with `*`) in these columns.
    """

    column: str
    quantity: str
    unit: str = ""
    units: dict[str, str] = {}
    type: Literal["number", "bool", "text"] = "number"
    map: dict[str, float | bool | str] = {}
    when: When = {}


class SkipRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that are no readings, and what to call the reason."""

    when: When
    reason: str


class MessageRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that are messages already: published as they stand.

    Attributes:
        topic: Where; a text with columns.
        pattern: Topic filter of the route that reads them.
        codec, options: Of that route.
    """

    topic: str
    pattern: str
    codec: str
    options: dict[str, Any] = {}


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the files of one family mean.

    Attributes:
        provider: Who runs the devices; of these data alone, since its route believes every time.
        rows: Member of a JSON document that has the rows.
        each: Member of a row whose own members (an object's or an array's) are the rows.
        missing: Texts that stand for no value.
        metadata: Name to column: kept with each observation.
    """

    provider: str
    format: Literal["csv", "ndjson", "json"]
    device: DeviceRule
    time: TimeRule
    title: str = ""
    separator: str = ","
    rows: str = ""
    each: str = ""
    missing: list[str] = []
    values: list[ValueRule] = []
    metadata: dict[str, str] = {}
    skip: list[SkipRule] = []
    register: RegisterRule | None = None
    message: MessageRule | None = None

    def columns(self) -> frozenset[str]:
        """Return the columns that every row of readings has to have."""
        texts = [self.device.id, self.device.key, self.device.name, self.device.lat]
        texts += [self.device.lon, *self.device.tags, self.time.text]
        if isinstance(self.device.interval, str) and self.device.interval != STEP:
            texts.append(self.device.interval)
        found = {name for text in texts for name in Template(text).fields}
        for value in self.values:
            found |= {value.column, *value.when}
            found |= {
                name for text in (value.quantity, value.unit) for name in Template(text).fields
            }
        for rule in self.skip:
            found |= rule.when.keys()
        return frozenset(found | {*self.metadata.values()}) - ADDED


def read_mapping(text: bytes) -> Mapping:
    """Read a mapping.

    Raises:
        MappingError: If it is no TOML, has members that nobody knows, or cannot be followed.
    """
    try:
        mapping = msgspec.toml.decode(text, type=Mapping)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MappingError(str(error)) from None
    fault = next((words for holds, words in _faults(mapping) if holds), None)
    if fault is not None:
        raise MappingError(fault)
    return mapping


def _faults(mapping: Mapping) -> list[tuple[bool, str]]:
    """Return what may be wrong beyond types, each with whether it is."""
    device, interval = mapping.device, mapping.device.interval
    return [
        (not NAME.fullmatch(mapping.provider), "`provider` is no name: letters, digits, `._-`"),
        (not device.id, "`device.id` is empty"),
        (not KIND.fullmatch(device.kind), f"`device.kind` {device.kind!r} is no lower-case word"),
        (bool(device.lat) != bool(device.lon), "`device.lat` and `device.lon` go together"),
        (isinstance(interval, float) and interval <= 0, "`device.interval` is not positive"),
        (len(mapping.separator) != 1, "`separator` is not one character"),
        (bool(mapping.rows) and mapping.format != "json", "`rows` is for JSON documents"),
        (bool(mapping.each) and mapping.format == "csv", "`each` is for JSON"),
        (_bad_time(mapping.time) != "", f"`time`: {_bad_time(mapping.time)}"),
        (
            bool(mapping.values) == (mapping.message is not None),
            "either `values` say what to measure, or `message` that rows are messages already",
        ),
        (
            mapping.message is not None and (mapping.format == "csv" or bool(mapping.each)),
            "`message` is for rows that are whole JSON objects",
        ),
        *((not _names_quantity(each), _unnamed(each)) for each in mapping.values),
    ]


def _bad_time(rule: TimeRule) -> str:
    try:
        MomentReader(rule.format, rule.zone, rule.covers)
    except MomentError as error:
        return str(error)
    return ""


def _names_quantity(value: ValueRule) -> bool:
    return bool(Template(value.quantity).fields or QUANTITY_PATTERN.fullmatch(value.quantity))


def _unnamed(value: ValueRule) -> str:
    return f"`values`: {value.quantity!r} of column {value.column!r} is no quantity: a-z, 0-9, _"

"""Points of InfluxDB's line protocol: fields become observations of the device that a tag names."""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from city.reasons import MessageReason
from city.units import ucum
from ingest.codecs.envelope import text_of
from ingest.codecs.influx.lines import Line, read_lines
from ingest.codecs.measures import Measure, Measures, join
from ingest.codecs.own_topic import device_of_topic, known_device
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sensor_community.names import Meaning, meaning_of

__all__ = ["CODEC", "InfluxCodec", "InfluxOptions"]

OBSERVATIONS_MAX: Final = 5_000
DEVICE_TAGS: Final = ("device", "node", "host")
ONLY_FIELD: Final = "value"
# A unit of time to its number in a second.
PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
Meanings = Callable[[str], Meaning]
MICROS: Final = 1_000_000
# The years 1971..2099: a time outside of them was written in another unit.
FIRST_US: Final = 365 * 86_400 * MICROS
LAST_US: Final = 4_102_444_800 * MICROS


class InfluxOptions(msgspec.Struct, frozen=True):
    """Options of a route for line protocol.

    Attributes:
        names, units: As in `Profile`; or the names of Sensor.Community's own firmware.
        precision: Unit of the times.
        device_tag: Tag that names the device; None: the first there is of device, node, host.
        device_level: Level of the topic that names it where no tag does; the first is 1.
        unit_tag: Tag that tells the unit of numbers.
    """

    names: dict[str, str] | Literal["sensor-community"] = {}
    units: dict[str, str] = {}
    precision: Literal["s", "ms", "us", "ns"] = "ns"
    device_tag: str | None = None
    device_level: int | None = None
    unit_tag: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would spoil every message in silence."""
        self.meanings()

    def meanings(self) -> Meanings:
        """Return how the names of fields are read."""
        if isinstance(self.names, str):
            return meaning_of
        profile = Profile(self.names, self.units)
        return lambda name: _of_profile(name, profile)


def _of_profile(name: str, profile: Profile) -> Meaning:
    quantity = profile.quantity(name)
    return Meaning(quantity, profile.unit(quantity) if quantity else None)


class InfluxCodec:
    """`ingest.codecs.seam.Codec` for InfluxDB line protocol."""

    options: Final = InfluxOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        options = options_of(message, InfluxOptions)
        named = _named(message.topic, options)
        meanings = options.meanings()
        lines = read_lines(text_of(message.payload))
        parts = [_point(line, named, options, meanings) for line in lines]
        return join(parts, most=OBSERVATIONS_MAX) if parts else Decoded(device=named or "")


def _named(topic: str, options: InfluxOptions) -> str | None:
    """Return the device that the topic names; None where it names none."""
    levels = topic.split("/")
    at = options.device_level
    if at is not None and 0 < at <= len(levels):
        return known_device(levels[at - 1], f"level {at} of the topic")
    return device_of_topic(topic)


def _point(line: Line, named: str | None, options: InfluxOptions, meanings: Meanings) -> Decoded:
    tags = dict(line.tags)
    device = _device(tags, named, options, line.number)
    time_us = None if line.time is None else _time_us(line, options.precision, device)
    text = tags.pop(options.unit_tag, None) if options.unit_tag else None
    unit = None if text is None else ucum(text)
    more = {"unit_raw": text} if text is not None and unit is None else {}
    measures = Measures()
    for name, value in line.fields.items():
        raw = line.measurement if name == ONLY_FIELD and len(line.fields) == 1 else name
        meant = meanings(raw)
        if meant.missing is not None and value == meant.missing:
            continue
        is_number = not isinstance(value, bool | str)
        own = meant.unit if text is None else unit
        known = Measure("", 0, own, None, None, more if is_number else None)
        measures.take(raw, meant.quantity, value, known)
    metadata: dict[str, Any] = {"tags": tags} if tags else {}
    return measures.decoded(device, time_us=time_us, metadata=metadata)


def _device(tags: dict[str, str], named: str | None, options: InfluxOptions, number: int) -> str:
    """Return the device of a line, and take the tag that names it out of the others."""
    wanted = (options.device_tag,) if options.device_tag else DEVICE_TAGS
    for tag in wanted:
        if tag in tags:
            return known_device(tags.pop(tag), f"tag `{tag}` of line {number}")
    if named is None:
        words = f"line {number} has no tag that names the device ({', '.join(wanted)})"
        raise MessageError(MessageReason.MISSING_DEVICE, words)
    return named


def _time_us(line: Line, precision: str, device: str) -> int:
    sent = line.time or 0
    time_us = sent * MICROS // PER_SECOND[precision]
    if FIRST_US <= time_us < LAST_US:
        return time_us
    likely = next(
        (
            name
            for name, parts in PER_SECOND.items()
            if FIRST_US <= sent * MICROS // parts < LAST_US
        ),
        None,
    )
    hint = f"; it looks like {likely}" if likely else ""
    words = f"line {line.number}: {sent} {precision} is outside of the years 1971..2099{hint}"
    raise MessageError(MessageReason.BAD_TIME, words, device=device)


CODEC: Final = InfluxCodec()

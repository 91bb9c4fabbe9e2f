"""One message, read as the mapping in its route's options says."""

from typing import Any, Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.binary_text import base64_bytes, hex_bytes
from ingest.codecs.mapping.clock import Time
from ingest.codecs.mapping.devices import DevicePath, device_of_text, topic_pattern
from ingest.codecs.mapping.document import (
    BytesMapping,
    JsonMapping,
    LinesMapping,
    MappingDocument,
    PathMapping,
    PayloadAt,
    read_document,
)
from ingest.codecs.mapping.layout import read_layout
from ingest.codecs.mapping.paths import (
    STEPS_MAX,
    Budget,
    PathError,
    PathsTooDearError,
    compile_path,
)
from ingest.codecs.mapping.records import document_of, records_of
from ingest.codecs.measures import Measures, join
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.seam import Arrived, Decoded, MessageError

__all__ = ["CODEC", "MappingCodec"]

TEXT_MAX: Final = 1_024
SPACE: Final = b" \t\r\n"
# Documents that have numbers; all others are text.
JSON_KINDS: Final = (JsonMapping, LinesMapping)


class MappingCodec:
    """`ingest.codecs.seam.Codec` for messages that a mapping describes."""

    options: Final = MappingDocument
    reads_arrays: Final = True

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        try:
            mapping = read_document(msgspec.json.encode(message.options))
        except msgspec.ValidationError as error:
            words = f"the options of the route are no mapping: {error}"
            raise MessageError(MessageReason.NO_CODEC, words) from None
        device = _device(mapping, message.topic)
        if _is_empty(mapping, message.payload):
            return Decoded(device=device or "")
        try:
            return _read(mapping, message, device)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device or error.device) from None
        except PathsTooDearError:
            words = f"the expressions of the mapping take more than {STEPS_MAX} steps"
            raise MessageError(MessageReason.TOO_MANY, words, device=device or "") from None


def _is_empty(mapping: MappingDocument, payload: bytes) -> bool:
    return not (payload if isinstance(mapping, BytesMapping) else payload.strip(SPACE))


def _device(mapping: MappingDocument, topic: str) -> str | None:
    """Return the device that a topic names; None where each record names its own."""
    own = device_of_topic(topic)
    if own is not None:
        return own
    captured: dict[str, str] | None = {}
    if mapping.match is not None:
        captured = topic_pattern(mapping.match.topic).match(topic)
        if captured is None:
            words = f"the mapping is for topics {mapping.match.topic!r}, not for {topic!r}"
            raise MessageError(MessageReason.MAPPING_NO_LAYOUT, words)
    if isinstance(mapping.device, DevicePath):
        return None
    if mapping.device is None:
        words = f"the mapping has no `device`, and the topic {topic!r} names none"
        raise MessageError(MessageReason.MISSING_DEVICE, words)
    return device_of_text(mapping.device, captured, topic)


def _read(mapping: MappingDocument, message: Arrived, device: str | None) -> Decoded:
    if isinstance(mapping, BytesMapping):
        measures = Measures()
        time, metadata = read_layout(mapping, message.payload, measures)
        return measures.decoded(device or "", time_us=time.time_us, metadata=_noted(metadata, time))
    return _Reading(mapping, message, device).decoded()


class _Reading:
    """One message with documents in it."""

    def __init__(self, mapping: PathMapping, message: Arrived, device: str | None) -> None:
        self._mapping = mapping
        self._message = message
        self._device = device
        self._budget = Budget()
        self._document = document_of(mapping, message.payload)

    def decoded(self) -> Decoded:
        """Read all records.

        Raises:
            MessageError: A reason of any of them, or `no_observations`.
        """
        records = records_of(self._mapping, self._document, self._budget)
        found = [self._record(each) for each in records]
        if records and not any(understood for _, understood in found):
            words = "no path of the mapping leads to anything in this message"
            raise MessageError(MessageReason.NO_OBSERVATIONS, words)
        return join([part for part, _ in found])

    def _record(self, record: object) -> tuple[Decoded, bool]:
        mapping, measures = self._mapping, Measures()
        device = self._device_of(record)
        time = self._time(record)
        metadata = self._metadata(record)
        understood = False
        for value in mapping.values:
            understood |= value.read(
                record, measures, time, self._budget, stringly=not isinstance(mapping, JSON_KINDS)
            )
        if isinstance(mapping, JsonMapping) and mapping.payload and mapping.inner:
            frame = self._frame(record, mapping.payload)
            if frame:
                understood = True
                time, more = read_layout(mapping.inner, frame, measures, time)
                metadata |= more
        found = measures.decoded(device, time_us=time.time_us, metadata=_noted(metadata, time))
        return found, understood

    def _device_of(self, record: object) -> str:
        if self._device is not None:
            return self._device
        rule = self._mapping.device
        assert isinstance(rule, DevicePath), "a text was read with the topic"
        return rule.read(self._document if rule.of == "document" else record, self._budget)

    def _time(self, record: object) -> Time:
        rule = self._mapping.time
        if rule is None:
            return Time()
        sent = self._document if rule.of == "document" else record
        return rule.read(sent, self._message.timezone, self._budget)

    def _frame(self, record: object, where: PayloadAt) -> bytes:
        sent = self._at(where.path, record)
        if sent is None:
            return b""
        if not isinstance(sent, str):
            raise MessageError(MessageReason.BASE64, f"`{where.path[:64]}` is no text")
        if where.encoding == "base64":
            return base64_bytes(sent, where.path[:64])
        return _hex(sent, where.path[:64])

    def _metadata(self, record: object) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, path in self._mapping.metadata.items():
            if isinstance(path, str):
                found[name] = self._at(path, record)
            else:
                parts = {part: self._at(each, record) for part, each in path.items()}
                found[name] = {part: each for part, each in parts.items() if each is not None}
        return {name: value for name, value in found.items() if value not in (None, "", {})}

    def _at(self, path: str, record: object) -> str | float | bool | None:
        """Return a single value; None where the path gives something else, or nothing."""
        try:
            found = compile_path(path).read(record, self._budget)
        except PathError:
            return None
        is_text = isinstance(found, str) and len(found) <= TEXT_MAX
        return found if is_text or isinstance(found, int | float) else None


def _hex(sent: str, where: str) -> bytes:
    digits = "".join(sent.split()).removeprefix("0x").removeprefix("0X")
    if len(digits) % 2:
        words = f"`{where}` has an odd number of hexadecimal digits"
        raise MessageError(MessageReason.MAPPING_LENGTH, words)
    return hex_bytes(digits, where)


def _noted(metadata: dict[str, Any], time: Time) -> dict[str, Any]:
    return {**metadata, "notes": list(time.notes)} if time.notes else metadata


CODEC: Final = MappingCodec()

"""One native message, with every rule of formats.md section 1."""

from typing import Any, Final, cast

from city.flags import Flag
from city.identity import device_id
from city.instants import InstantError, from_millis, text_us
from city.quantities import QUANTITY_PATTERN
from city.reasons import MessageReason, ObservationReason
from city.units import ucum
from ingest.codecs.json_text import read_json
from ingest.codecs.native.metadata import message_metadata
from ingest.codecs.seam import Arrived, CodedObservation, Decoded, MessageError, Rejection

__all__ = ["CODEC", "OBSERVATIONS_MAX", "NativeCodec"]

OBSERVATIONS_MAX: Final = 1_000
ID_MAX: Final = 64
TEXT_MAX: Final = 1_024
INTEGER_BITS: Final = 64
INTERVAL_MAX_US: Final = 366 * 86_400 * 1_000_000
DEVICE_LEVEL: Final = 3
MEMBERS: Final = frozenset({"obs", "t", "ver", "id", "dev", "meta"})
OBSERVATION_MEMBERS: Final = frozenset({"q", "v", "u", "t", "e", "f"})
FLAGS: Final = frozenset(Flag)


class NativeCodec:
    """`ingest.codecs.seam.Codec` for native JSON."""

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        device = _device(message.topic)
        if not message.payload.strip():
            return Decoded(device=device)
        try:
            return _Reading(message, device).decoded()
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


class _Reading:
    """One message while it is read."""

    def __init__(self, message: Arrived, device: str) -> None:
        self._device = device
        self._document = _object(read_json(message.payload), "the message")
        self._check_head()
        self._time_us = _time(self._document.get("t"), "t")
        self._metadata = message_metadata(self._document.get("meta"))
        self._ignored = len(self._document.keys() - MEMBERS)
        self._rejected: list[Rejection] = []

    def decoded(self) -> Decoded:
        """Return everything that the message says."""
        items = self._document.get("obs")
        if not isinstance(items, list):
            raise MessageError(MessageReason.MISSING_FIELD, "`obs` is missing or no array")
        items = cast("list[Any]", items)
        if not items:
            raise MessageError(MessageReason.NO_OBSERVATIONS, "`obs` is empty")
        if len(items) > OBSERVATIONS_MAX:
            words = f"{len(items)} observations, at most {OBSERVATIONS_MAX} in a message"
            raise MessageError(MessageReason.TOO_MANY, words)
        found = [self._observation(item, at) for at, item in enumerate(items)]
        return Decoded(
            [each for each in found if each is not None],
            self._rejected,
            message_id=self._document.get("id"),
            device=self._device,
            ignored=self._ignored,
        )

    def _check_head(self) -> None:
        head = self._document
        version: object = head.get("ver", 1)
        if type(version) is not int or version != 1:
            words = f"`ver` is {version!r}, this program reads 1"
            raise MessageError(MessageReason.NATIVE_VERSION, words)
        claimed = head.get("dev")
        if claimed is not None and (
            not isinstance(claimed, str) or device_id(claimed) != self._device
        ):
            words = f"`dev` says {claimed!r}, the topic says {self._device!r}"
            raise MessageError(MessageReason.DEVICE_MISMATCH, words)
        name = head.get("id")
        if name is not None and (not isinstance(name, str) or not 0 < len(name) <= ID_MAX):
            words = f"`id` has to be a text of 1 to {ID_MAX} characters"
            raise MessageError(MessageReason.MISSING_FIELD, words)

    def _observation(self, item: object, at: int) -> CodedObservation | None:
        where = f"obs[{at}]"
        sent = _object(item, where)
        name = sent.get("q")
        if not isinstance(name, str) or "v" not in sent:
            missing = "v" if isinstance(name, str) else "q"
            raise MessageError(MessageReason.MISSING_FIELD, f"{where} has no `{missing}`")
        self._ignored += len(sent.keys() - OBSERVATION_MEMBERS)
        time_us = _time(sent["t"], f"{where}.t") if "t" in sent else self._time_us
        end_us = _end(sent, time_us, where)
        value = sent["v"]
        if value is None or value == "":
            return None
        reason = _fault(name, value)
        if reason is not None:
            words = f"{where}: {name[:64]!r} = {str(value)[:64]!r}"
            self._rejected.append(Rejection(name, reason, words))
            return None
        unit, metadata = self._unit(sent.get("u"))
        flag = sent.get("f")
        return CodedObservation(
            self._device, name, value, unit, time_us, end_us,
            Flag(flag) if type(flag) is int and flag in FLAGS else Flag.NOT_EVALUATED, metadata,
        )  # fmt: skip

    def _unit(self, sent: object) -> tuple[str | None, dict[str, Any]]:
        if not isinstance(sent, str):
            return None, self._metadata
        unit = ucum(sent)
        return unit, self._metadata if unit else {**self._metadata, "unit_raw": sent}


def _device(topic: str) -> str:
    levels = topic.split("/")
    name = device_id(levels[DEVICE_LEVEL]) if len(levels) > DEVICE_LEVEL else None
    if name is None:
        raise MessageError(MessageReason.BAD_DEVICE_ID, f"no device can be named by {topic!r}")
    return name


def _object(found: object, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise MessageError(MessageReason.MISSING_FIELD, f"{where} is no JSON object")
    return cast("dict[str, Any]", found)


def _time(sent: object, where: str) -> int | None:
    if sent is None:
        return None
    try:
        if isinstance(sent, str):
            return text_us(sent)
        if isinstance(sent, int) and not isinstance(sent, bool):
            return from_millis(sent)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"{where}: {error}") from None
    words = f"{where} is {str(sent)[:64]!r}: send RFC 3339 with a zone, or whole milliseconds"
    raise MessageError(MessageReason.BAD_TIME, words)


def _end(sent: dict[str, Any], time_us: int | None, where: str) -> int | None:
    end_us = _time(sent.get("e"), f"{where}.e")
    if end_us is None:
        return None
    if time_us is None or not 0 < end_us - time_us <= INTERVAL_MAX_US:
        words = f"{where}.e has to be later than `t`, by 366 days at most"
        raise MessageError(MessageReason.BAD_TIME, words)
    return end_us


def _fault(name: str, value: object) -> ObservationReason | None:
    """Return why a measurement is no observation; None where it is one."""
    faults = (
        (not QUANTITY_PATTERN.fullmatch(name), ObservationReason.BAD_QUANTITY),
        (isinstance(value, dict | list), ObservationReason.NESTED_ARRAY),
        (isinstance(value, str) and len(value) > TEXT_MAX, ObservationReason.TEXT_TOO_LONG),
        (isinstance(value, int) and not _storable(value), ObservationReason.INTEGER_RANGE),
    )
    return next((reason for fault, reason in faults if fault), None)


def _storable(value: int) -> bool:
    return -(1 << INTEGER_BITS - 1) <= value < 1 << INTEGER_BITS


CODEC: Final = NativeCodec()

"""Decides one message with every rule: route, codec, device, repetition, times, units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from city.flags import Flag
from city.frame import Door
from city.instants import to_text
from city.reasons import MessageReason, Note, ObservationReason
from city.topics import masked_topic
from ingest.apply.int_table import ABSENT
from ingest.apply.recent import Repetition
from ingest.apply.routing import IGNORE, NATIVE
from ingest.apply.rows import Row
from ingest.apply.rules import (
    EXACT_MAX,
    SettledTime,
    SettledUnit,
    kind_of,
    settle_time,
    settle_unit,
)
from ingest.codecs.envelope import unpack
from ingest.codecs.own_topic import checked_own
from ingest.codecs.seam import Arrived, MessageError, Rejection

if TYPE_CHECKING:
    from ingest.apply.recent import TimelessMessages
    from ingest.apply.routing import Lane, Router
    from ingest.apply.series import SeriesBook
    from ingest.apply.stretch import Message
    from ingest.apply.view import RegistryView
    from ingest.codecs.seam import CodedObservation, Decoded

__all__ = ["Decider", "Decision", "decode_message"]

log = structlog.get_logger(__name__)

ACTIVE: Final = "active"
STATUS_WORDS: Final = {
    "unknown": "nobody has registered {device} of {provider}",
    "pending": "{device} of {provider} waits for somebody to accept it",
    "retired": "{device} of {provider} is retired",
}


class Decision(msgspec.Struct, frozen=True):
    """What one message comes to.

    Attributes:
        provider, route: The ledger's key.
        codec, device: Whose it is, as far as it was found out.
        refused: Why it goes to quarantine.
        rows: Observations to store, not yet compared with what is stored.
        rejected: Observations that cannot be stored.
        repeated: Observations of a message that came before.
    """

    provider: str = ""
    route: str = ""
    codec: str = ""
    device: str = ""
    refused: MessageError | None = None
    rows: list[Row] = []
    rejected: list[Rejection] = []
    repeated: int = 0


class Decider:
    """Knows routes, devices, series and timeless messages of the past."""

    def __init__(
        self,
        view: RegistryView,
        book: SeriesBook,
        timeless: TimelessMessages,
        *,
        accept_unknown: bool,
    ) -> None:
        """Take whether unknown devices are registered as they come."""
        self._view = view
        self._book = book
        self._timeless = timeless
        self._accept_unknown = accept_unknown

    def decide(
        self, message: Message, router: Router, *, again: bool = False, partial: bool = False
    ) -> Decision:
        """Decide a message; never raises for anything that was sent.

        Args:
            message: What was sent.
            router: The routes.
            again: It waited in quarantine, and is decided once more.
            partial: A part of this very message is stored already.
        """
        lane = router.lane(message.topic)
        if lane is None:
            words = f"no route speaks of the topic {masked_topic(message.topic)!r}"
            return Decision(refused=MessageError(MessageReason.NO_ROUTE, words))
        decision = Decision(lane.provider, lane.route, lane.codec)
        if lane.codec == IGNORE:
            return decision
        try:
            decoded = decode_message(message, lane, again=again)
            return self._observations(message, lane, decoded, decision, partial=partial)
        except MessageError as error:
            return msgspec.structs.replace(decision, device=error.device, refused=error)

    def _observations(
        self, message: Message, lane: Lane, decoded: Decoded, decision: Decision, *, partial: bool
    ) -> Decision:
        devices = sorted({each.device for each in decoded.observations} or {decoded.device})
        unknown = self._unknown(lane.provider, devices) if devices != [""] else set[str]()
        if unknown and len(unknown) == len(devices):
            words = self._status(lane.provider, devices[0])
            raise MessageError(MessageReason.UNKNOWN_DEVICE, words, device=devices[0])
        decision = msgspec.structs.replace(decision, device=devices[0])
        notes = [] if partial else self._repetition(message, lane, decoded)
        if notes is None:
            repeated = len(decoded.observations) or len(decoded.rejected)
            return msgspec.structs.replace(decision, repeated=repeated)
        rows: list[Row] = []
        # First, so that the entry is found by what a registration mends.
        strangers = [each for each in decoded.observations if each.device in unknown]
        rejected = [*(self._stranger(lane.provider, each) for each in strangers), *decoded.rejected]
        for each in decoded.observations:
            if each.device in unknown:
                continue
            found = self._row(message, lane, each, notes)
            if isinstance(found, Row):
                rows.append(found)
            else:
                rejected.append(found)
        return msgspec.structs.replace(decision, rows=rows, rejected=rejected)

    def _stranger(self, provider: str, sent: CodedObservation) -> Rejection:
        words = self._status(provider, sent.device)
        return Rejection(sent.quantity, ObservationReason.UNKNOWN_DEVICE, words)

    def _unknown(self, provider: str, devices: list[str]) -> set[str]:
        """Return the devices whose observations are not stored."""
        unknown = {each for each in devices if self._view.status(provider, each) != ACTIVE}
        if unknown and self._accept_unknown:
            new = [each for each in unknown if self._view.status(provider, each) == "unknown"]
            self._view.accept([(provider, each) for each in sorted(new)])
            unknown = {each for each in unknown if self._view.status(provider, each) != ACTIVE}
        return unknown

    def _status(self, provider: str, device: str) -> str:
        words = STATUS_WORDS[self._view.status(provider, device)]
        return words.format(device=device, provider=provider)

    def _repetition(self, message: Message, lane: Lane, decoded: Decoded) -> list[Note] | None:
        """Return what to note of the observations; None where they all came before."""
        if not decoded.observations:
            return self._repeated_rejection(message, lane, decoded)
        timeless = next(
            (each for each in decoded.observations if not _is_timed(message, lane, each)), None
        )
        # A native message with a time is found by series and time: its id is not needed.
        named = decoded.message_id is not None and lane.codec != NATIVE
        if timeless is None and not named:
            return []
        device = (timeless or decoded.observations[0]).device
        found = self._timeless.look(
            message, lane.provider, device, decoded.message_id, decoded.near_ids
        )
        if found is Repetition.DUPLICATE:
            return None
        possible = timeless is not None and found is Repetition.POSSIBLE
        return [Note.POSSIBLE_DUPLICATE] if possible else []

    def _repeated_rejection(
        self, message: Message, lane: Lane, decoded: Decoded
    ) -> list[Note] | None:
        """Find a message again of which nothing could be stored: only its id tells."""
        if not decoded.rejected or decoded.message_id is None:
            return []
        found = self._timeless.look(
            message, lane.provider, decoded.device, decoded.message_id, decoded.near_ids
        )
        return None if found is Repetition.DUPLICATE else []

    def _row(
        self, message: Message, lane: Lane, sent: CodedObservation, notes: list[Note]
    ) -> Row | Rejection:
        time = settle_time(sent.time_us, message.received_us, recorded=lane.recorded)
        if not isinstance(time, SettledTime):
            words = f"{sent.quantity}: {to_text(sent.time_us or 0)} is more than 10 years ahead"
            return Rejection(sent.quantity, time, words)
        slot = self._view.slot_at(lane.provider, sent.device, time.time_us)
        if slot == ABSENT:
            words = f"{sent.device} stood in no device's place at {to_text(time.time_us)}"
            return Rejection(sent.quantity, ObservationReason.UNKNOWN_DEVICE, words)
        found = self._series(slot, sent)
        if isinstance(found, Rejection):
            return found
        series, unit = found
        value, other = _stored_value(sent, unit)
        flag = Flag.SUSPECT if time.note is Note.TIME_FUTURE else sent.flag
        return Row(
            message=message.place,
            series=series,
            time_us=time.time_us,
            value=value,
            flag=int(flag),
            received_us=message.received_us,
            end_us=sent.end_us if time.believed else None,
            other=other,
            metadata=_metadata(sent, time, notes),
        )

    def _series(self, slot: int, sent: CodedObservation) -> tuple[int, SettledUnit] | Rejection:
        """Return the series of an observation and how its value becomes one of it."""
        number = self._book.find(slot, sent.quantity)
        known = None if number == ABSENT else self._book.unit(number)
        readable = "unit_raw" not in sent.metadata
        kind = kind_of(sent.value)
        unit = settle_unit(sent.quantity, kind, sent.unit, known=known, readable=readable)
        if not isinstance(unit, SettledUnit):
            return Rejection(sent.quantity, unit, _mismatch(sent, known))
        if number == ABSENT:
            number = self._book.create(slot, sent.quantity, unit.unit, unit.kind)
        return number, unit


def decode_message(message: Message, lane: Lane, *, again: bool) -> Decoded:
    """Return what a message holds.

    Raises:
        MessageError: If it cannot be read.
    """
    if lane.reader is None:
        words = f"route {lane.route} names the codec {lane.codec!r}, which nobody has"
        raise MessageError(MessageReason.NO_CODEC, words)
    arrived = Arrived(
        topic=message.topic,
        payload=unpack(message.payload),
        received_us=message.received_us,
        provider=lane.provider,
        content_type=message.content_type,
        timezone=lane.timezone,
        options=lane.options,
        vouched=message.door is Door.SERVICES,
        bridge=message.client if message.door is Door.BRIDGE else "",
        again=again,
    )
    try:
        return checked_own(message.topic, lane.reader.decode(arrived))
    except MessageError:
        raise
    except Exception as error:
        # A defect of a codec must not stop the shard: the message waits until it is mended.
        topic = masked_topic(message.topic)
        log.exception("codec.failed", codec=lane.codec, topic=topic, message=message.id)
        words = f"the codec {lane.codec} failed: {type(error).__name__}: {error}"
        raise MessageError(MessageReason.CODEC_ERROR, words) from error


def _is_timed(message: Message, lane: Lane, sent: CodedObservation) -> bool:
    time = settle_time(sent.time_us, message.received_us, recorded=lane.recorded)
    return not isinstance(time, SettledTime) or time.believed


def _stored_value(sent: CodedObservation, unit: SettledUnit) -> tuple[float | None, str | None]:
    """Return the double, or the JSON of a value that is none."""
    value = sent.value
    if isinstance(value, bool | str):
        return None, msgspec.json.encode(value).decode()
    change = unit.conversion
    same = change.factor == 1.0 and change.offset == 0.0
    if isinstance(value, int) and same and abs(value) > EXACT_MAX:
        return None, str(value)
    return value * change.factor + change.offset, None


def _metadata(sent: CodedObservation, time: SettledTime, notes: list[Note]) -> str | None:
    metadata: dict[str, Any] = {**sent.metadata}
    if time.note is not None:
        notes = [*notes, time.note]
        metadata["time_raw"] = to_text(sent.time_us or 0)
    if notes:
        metadata["notes"] = [*metadata.get("notes", ()), *notes]
    return msgspec.json.encode(metadata).decode() if metadata else None


def _mismatch(sent: CodedObservation, known: SettledUnit | None) -> str:
    unit = sent.metadata.get("unit_raw", sent.unit)
    shown = f"{sent.quantity} = {str(sent.value)[:64]!r}{_in(unit)}"
    if known is None:
        return f"{shown} is no value of this quantity"
    return f"{shown} does not fit the series, which has {known.kind}{_in(known.unit)}"


def _in(unit: object) -> str:
    return "" if unit is None else f" in {unit!r}"

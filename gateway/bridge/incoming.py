"""What a broker sends on one connection: packets cut out, messages taken in bulk.

The bridge's hot path, on the same reader as the endpoint's. A message that is too long for the log
is not taken and not acknowledged: the broker keeps it, and the operator is told of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from city.frame import RecordFlag
from gateway.bridge.receipts import Found
from gateway.bridge.window import Window, packets
from gateway.mqtt.decode import decode_body, measure
from gateway.mqtt.primitives import Cursor, check_topic
from gateway.mqtt.publishes import Batch, PublishReader, record_flag
from gateway.mqtt.reasons import Level, MqttError, Reason
from gateway.mqtt.wills import extras_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.bridge.bridge import Bridge
    from gateway.mqtt.packets import Packet, Publish

__all__ = ["Incoming", "Taker"]

PUBLISH: Final = 3
# Bits of a first byte.
QOS: Final = 6
PUBACK, PUBREC = b"\x40\x02", b"\x50\x02"
# A CONNACK of 3.1.1 that answers a CONNECT of 5.0.
CONNACK, SHORT_CONNACK_BYTES = 0x20, 2


class Taker(Protocol):
    """A connection, as what it reads sees it; `Publisher` and `Asker` as well."""

    cause: str

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        """Acknowledge what the log has."""
        ...

    def wants_receipt(self, identifier: int) -> None:
        """Send the PUBREC of a message that the log has."""
        ...


class Incoming:
    """Reads one connection.

    Attributes:
        window: What waits for its acknowledgement.
    """

    def __init__(self, bridge: Bridge, taker: Taker, level: Level) -> None:
        self._bridge = bridge
        self._taker = taker
        self._level = level
        self._reader = PublishReader(level, bridge.max_packet)
        self._batch = Batch()
        # Topics of this read that nobody asked for.
        self._foreign: set[bytes] = set()
        self._held: bytearray | None = None
        self._missing = 0
        self._skip = 0
        self.window = Window()

    def read(self, data: bytes, handle: Callable[[Packet], None]) -> None:
        """Take messages that can be read in bulk, and hand every other packet over.

        Whatever ends the connection, what came before it is taken.

        Raises:
            MqttError: If the broker breaks a rule.
        """
        data = self._joined(data)
        if not data:
            return
        self._batch = Batch()
        self._foreign.clear()
        try:
            self._packets(data, handle)
        finally:
            self._take()

    def take_one(self, packet: Publish) -> None:
        """Take a message that was not read in bulk."""
        topic, properties = packet.topic, packet.properties
        acknowledgement = b""
        if packet.qos:
            kind = PUBACK if packet.qos == 1 else PUBREC
            acknowledgement = kind + packet.identifier.to_bytes(2, "big")
        if not topic:
            raise MqttError(Reason.TOPIC_ALIAS_INVALID, "a topic alias, of which none was allowed")
        if not self._bridge.allows(topic):
            self._foreign.add(topic)
        elif packet.qos > 1 and not self._opens(packet, acknowledgement):
            return
        batch = self._batch
        flag = record_flag(packet.qos, retain=packet.retain, dup=packet.dup)
        batch.extras += extras_of(len(batch.topics), properties)
        batch.add(topic, packet.payload, flag, acknowledgement)

    def _joined(self, data: bytes) -> bytes:
        """Return what can be read now: behind what is skipped, with what was held."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._held is None:
            return data
        self._held += data
        self._missing -= len(data)
        if self._missing > 0:
            return b""
        data, self._held = bytes(self._held), None
        return data

    def _packets(self, data: bytes, handle: Callable[[Packet], None]) -> None:
        at, size = 0, len(data)
        while at < size and not self._taker.cause:
            at = self._reader.read(data, at, self._batch)
            if self._batch.fresh:
                self._check_fresh()
            if at == size:
                return
            start, end = measure(data, at, self._level)
            if start and end - at > self._bridge.max_packet and data[at] >> 4 == PUBLISH:
                at = self._pass_by(data, at, start, end)
            elif not start or end > size:
                self._hold(data, at, end - size if start else 1)
                return
            else:
                handle(self._decode(data, at, start, end))
                at = end

    def _decode(self, data: bytes, at: int, start: int, end: int) -> Packet:
        level = self._level
        if data[at] == CONNACK and end - start == SHORT_CONNACK_BYTES:
            level = Level.V3
        return decode_body(data[at], Cursor(data, start, end), level)

    def _hold(self, data: bytes, at: int, missing: int) -> None:
        self._held = bytearray(data[at:])
        self._missing = missing

    def _pass_by(self, data: bytes, at: int, start: int, end: int) -> int:
        """Leave a message that is too long with the broker; return where the next packet begins."""
        text = start + 2
        needed = text if len(data) < text else text + int.from_bytes(data[start:text], "big")
        if len(data) < min(needed, end):
            self._hold(data, at, needed - len(data))
            return len(data)
        # QoS 0 is gone, the others are kept for as long as nobody acknowledges them.
        self._bridge.left_behind(data[text:needed], end - at, kept=bool(data[at] & QOS))
        self._skip = max(end - len(data), 0)
        return min(end, len(data))

    def _check_fresh(self) -> None:
        """Take only what was asked for: a broker's words are not the city's rules."""
        fresh = self._batch.fresh
        foreign = {topic for topic in fresh if not self._is_wanted(topic)}
        fresh.clear()
        if foreign:
            self._foreign |= foreign
            # The next message of that topic is looked at again.
            self._reader.forget()

    def _is_wanted(self, topic: bytes) -> bool:
        try:
            check_topic(topic)
        except MqttError:
            return False
        return self._bridge.allows(topic)

    def _opens(self, packet: Publish, acknowledgement: bytes) -> bool:
        """Open a QoS 2 message; False where it is here already."""
        bridge = self._bridge
        found = bridge.receipts.take(packet, self._taker)
        if found is Found.NEW:
            return True
        bridge.redelivered += 1
        if found is Found.LOGGED and packets(acknowledgement)[0] not in self.window:
            self._taker.wants_receipt(packet.identifier)
        return False

    def _take(self) -> None:
        """Hand messages to the packer, but those that it has already or that are none of ours."""
        batch = self._batch
        if not batch.topics:
            return
        found = packets(b"".join(batch.acknowledgements))
        fault: MqttError | None = None
        if not self.window.admits(found):
            batch, fault = self._sift(batch)
            found = packets(b"".join(batch.acknowledgements))
        self.window.hold(found)
        if self._foreign:
            batch = self._without_foreign(batch)
        if batch.topics:
            self._bridge.took(len(batch.topics))
            self._bridge.intake.take(
                self._taker,
                self._bridge.broker.client,
                batch.topics,
                batch.payloads,
                bytes(batch.flags),
                batch.acknowledgements,
                batch.size_bytes,
                tuple(batch.extras),
            )
        if fault is not None:
            raise fault

    def _without_foreign(self, batch: Batch) -> Batch:
        """Let the broker forget messages that are none of ours; return the others."""
        foreign = {index for index, topic in enumerate(batch.topics) if topic in self._foreign}
        for index in foreign:
            self._bridge.refused(batch.topics[index])
        answers = b"".join(batch.acknowledgements[index] for index in sorted(foreign))
        self._taker.confirmed(answers, 0)
        return _without(batch, foreign)

    def _sift(self, batch: Batch) -> tuple[Batch, MqttError | None]:
        """Return a batch without messages that are held, and what is wrong with one of them."""
        again: set[int] = set()
        seen: set[bytes] = set()
        for index, acknowledgement in enumerate(batch.acknowledgements):
            if not acknowledgement:
                continue
            if packets(acknowledgement)[0] in self.window or acknowledgement in seen:
                if not batch.flags[index] & RecordFlag.DUP:
                    number = int.from_bytes(acknowledgement[2:], "big")
                    words = f"packet identifier {number} again, and its message waits for the log"
                    again |= set(range(index, len(batch.topics)))
                    return _without(batch, again), MqttError(Reason.PROTOCOL_ERROR, words)
                again.add(index)
                self._bridge.redelivered += 1
            seen.add(acknowledgement)
        return _without(batch, again), None


def _without(batch: Batch, left_out: set[int]) -> Batch:
    """Return a batch without some of its messages."""
    kept = Batch()
    named = {each.index: each for each in batch.extras}
    for index, topic in enumerate(batch.topics):
        if index in left_out:
            continue
        if index in named:
            extras = named[index]
            kept.extras.append(
                type(extras)(len(kept.topics), extras.content_type, extras.user_properties)
            )
        flag, acknowledgement = batch.flags[index], batch.acknowledgements[index]
        kept.add(topic, batch.payloads[index], flag, acknowledgement)
    return kept

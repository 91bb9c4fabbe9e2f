"""What a connection exchanges after CONNECT: every packet's rule, and nothing of sockets or time.

Source: MQTT 5.0 and 3.1.1, sections 3.3 to 3.13 and 4.3; rule by rule: docs/mqtt-rules.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gateway.mqtt.encode import encode
from gateway.mqtt.handshake import NO_LIMIT
from gateway.mqtt.packets import (
    Ack,
    Disconnect,
    Kind,
    Ping,
    Publish,
    Suback,
    Subscribe,
    Unsubscribe,
)
from gateway.mqtt.primitives import check_topic
from gateway.mqtt.properties import Properties
from gateway.mqtt.publishes import PublishReader, record_flag
from gateway.mqtt.reasons import LONGEST_WORDS, Level, MqttError, Reason
from gateway.mqtt.refusals import Refusal
from gateway.mqtt.sessions import Receipt
from gateway.mqtt.wills import extras_of

if TYPE_CHECKING:
    from gateway.grants import Grant
    from gateway.mqtt.endpoint import Endpoint
    from gateway.mqtt.handshake import Admitted
    from gateway.mqtt.packets import Connack, Connect, Packet
    from gateway.mqtt.publishes import Batch
    from gateway.mqtt.sessions import Holder, Session
    from gateway.mqtt.wire import Peer, Wire

__all__ = ["Exchange"]

ACKNOWLEDGING: Final = {1: b"\x40\x02", 2: b"\x50\x02"}
PINGRESP: Final = b"\xd0\x00"
SHARED = b"$share/"
NO_SUBSCRIPTIONS = "this endpoint takes messages and sends none"


class Exchange:
    """The agreement of one connection, and the packets under it.

    Attributes:
        level, session, grant: As agreed by CONNECT.
        in_flight: QoS 1 and 2 messages of this connection that are not fully acknowledged; counts
            in 5.0 only.
    """

    __slots__ = (
        "_aliases", "_client", "_endpoint", "_longest", "_peer", "_reader", "_talkative", "_wire",
        "grant", "in_flight", "level", "session",
    )  # fmt: skip

    def __init__(
        self,
        endpoint: Endpoint,
        wire: Wire,
        peer: Peer,
        connect: Connect,
        admitted: Admitted,
        session: Session,
    ) -> None:
        asked = connect.properties
        self._endpoint = endpoint
        self._wire = wire
        self._peer = peer
        self.level = connect.level
        self.session = session
        self.grant = admitted.grant
        self._client = admitted.client
        self._reader = PublishReader(connect.level, endpoint.settings.max_packet)
        self._aliases: dict[int, bytes] | None = None
        # Request Problem Information: a device that says 0 gets no words with acknowledgements.
        self._talkative = asked.request_problem_information != 0
        self._longest = asked.maximum_packet_size or NO_LIMIT
        self.in_flight = 0

    def use_grant(self, grant: Grant) -> None:
        """Replace what may be published."""
        self.grant = grant
        self._reader.forget()

    def read(self, data: bytes, at: int, batch: Batch) -> int:
        """Take plain PUBLISH packets in bulk; return where another one begins.

        Raises:
            MqttError: If a topic is none, or 3.1.1 may not publish it; those before are taken.
        """
        count = len(batch.topics)
        at = self._reader.read(data, at, batch)
        if batch.fresh:
            self._check_topics(batch, count)
        return at

    def count_in_flight(self, batch: Batch) -> MqttError | None:
        """Count the messages of a read; return what is wrong if there are more than agreed."""
        self.in_flight += len(batch.acknowledgements) - batch.acknowledgements.count(b"")
        if self.in_flight <= self._endpoint.settings.receive_maximum:
            return None
        words = f"{self.in_flight} messages unacknowledged"
        return MqttError(Reason.RECEIVE_MAXIMUM_EXCEEDED, words)

    def settle(self, acknowledgements: bytes, sender: Holder) -> None:
        """Note that the log has messages; `acknowledgements` are packets of 4 bytes each."""
        session, receipts = self.session, 0
        if session.receipts:
            receipts = session.settle(acknowledgements, sender)
        # What QoS 2 has in flight ends with its PUBCOMP.
        self.in_flight -= len(acknowledgements) // 4 - receipts

    def handle(self, packet: Packet, batch: Batch) -> None:
        """Act on any packet that was not read in bulk.

        Raises:
            MqttError: If it breaks a rule; the connection has to end.
        """
        match packet:
            case Publish():
                self._publish(packet, batch)
            case Ack(kind=Kind.PUBREL):
                self._release(packet)
            case Ping(kind=Kind.PINGREQ):
                self._wire.write(PINGRESP)
            case Subscribe():
                self._subscribe(packet)
            case Unsubscribe():
                granting = self._endpoint.settings.subscribe == "ignore"
                code = Reason.SUCCESS if granting else Reason.NO_SUBSCRIPTION_EXISTED
                codes = bytes((code,)) * len(packet.filters) if self.level == Level.V5 else b""
                self.send(Suback(Kind.UNSUBACK, packet.identifier, codes))
            case _:
                words = f"a device may not send {type(packet).__name__.upper()} here"
                raise MqttError(Reason.PROTOCOL_ERROR, words)

    def send(self, packet: Ack | Suback | Connack | Disconnect) -> None:
        """Write a packet, without its words where the device wants none or cannot take them."""
        bare = self.level == Level.V3 or (not self._talkative and isinstance(packet, Ack | Suback))
        data = encode(packet, self.level)
        if packet.properties.reason_string and (bare or len(data) > self._longest):
            properties = msgspec.structs.replace(packet.properties, reason_string=None)
            data = encode(msgspec.structs.replace(packet, properties=properties), self.level)
        if len(data) <= self._longest:
            self._wire.write(data)

    def _check_topics(self, batch: Batch, start: int) -> None:
        """Look at each topic that differs from the one before it."""
        fault: MqttError | None = None
        forbidden: set[bytes] = set()
        for topic in batch.fresh:
            try:
                check_topic(topic)
            except MqttError as error:
                batch.cut(batch.topics.index(topic, start))
                fault = error
                break
            if not self.grant.allows(topic):
                forbidden.add(topic)
        batch.fresh.clear()
        if forbidden:
            # The next message of that topic is looked at again.
            self._reader.forget()
            self._refuse_in_bulk(batch, start, forbidden)
        if fault is not None:
            raise fault

    def _refuse_in_bulk(self, batch: Batch, start: int, forbidden: set[bytes]) -> None:
        index = start
        while index < len(batch.topics):
            if batch.topics[index] not in forbidden:
                index += 1
                continue
            topic, acknowledgement = batch.topics[index], batch.acknowledgements[index]
            if self.level == Level.V3:
                batch.cut(index)
            else:
                batch.remove(index)
            identifier = int.from_bytes(acknowledgement[2:4], "big")
            self._refuse(topic, Kind.PUBACK if acknowledgement else None, identifier)

    def _refuse(self, topic: bytes, kind: Kind | None, identifier: int) -> None:
        """Refuse a message outside the allowed topics; `kind` acknowledges it (None: QoS 0)."""
        words = f"user {self.grant.user!r} may not publish there"[:LONGEST_WORDS]
        if self.level == Level.V3:
            # 3.1.1 has no word for it, so the connection ends; that counts the refusal.
            raise MqttError(Reason.NOT_AUTHORIZED, words, topic)
        self._endpoint.refusals.note(
            Refusal.TOPIC,
            client=self._client.decode(),
            address=self._peer.address,
            detail=words,
            topic=topic,
        )
        if kind is not None:
            properties = Properties(reason_string=words)
            self.send(Ack(kind, identifier, Reason.NOT_AUTHORIZED, properties))

    def _publish(self, packet: Publish, batch: Batch) -> None:
        properties = packet.properties
        if properties.subscription_identifiers:
            raise MqttError(Reason.PROTOCOL_ERROR, "a subscription identifier from a device")
        topic = packet.topic
        if properties.topic_alias is not None:
            topic = self._resolve(topic, properties.topic_alias)
        if not self.grant.allows(topic):
            kinds = (None, Kind.PUBACK, Kind.PUBREC)
            self._refuse(topic, kinds[packet.qos], packet.identifier)
            return
        if packet.qos > 1 and not self._open(packet.identifier):
            return
        acknowledgement = b""
        if packet.qos:
            acknowledgement = ACKNOWLEDGING[packet.qos] + packet.identifier.to_bytes(2, "big")
        flag = record_flag(packet.qos, retain=packet.retain, dup=packet.dup)
        batch.extras += extras_of(len(batch.topics), properties)
        batch.add(topic, packet.payload, flag, acknowledgement)

    def _resolve(self, topic: bytes, alias: int) -> bytes:
        """Return the topic that an alias stands for, or let it stand for one from now on."""
        if not 0 < alias <= self._endpoint.settings.topic_alias_maximum:
            raise MqttError(Reason.TOPIC_ALIAS_INVALID, f"topic alias {alias}")
        if self._aliases is None:
            self._aliases = {}
        if topic:
            self._aliases[alias] = topic
            return topic
        found = self._aliases.get(alias)
        if found is None:
            raise MqttError(Reason.PROTOCOL_ERROR, f"topic alias {alias} stands for nothing yet")
        return found

    def _open(self, identifier: int) -> bool:
        """Open a QoS 2 identifier; False if it is open: the message is here already."""
        receipts = self.session.receipts
        if receipts is None:
            receipts = self.session.receipts = {}
        found = receipts.get(identifier)
        if found is None:
            if len(receipts) >= self._endpoint.settings.receive_maximum:
                words = f"{len(receipts)} QoS 2 messages that were not released"
                raise MqttError(Reason.RECEIVE_MAXIMUM_EXCEEDED, words)
            receipts[identifier] = Receipt.WAITING
            return True
        if found is Receipt.DONE:
            self.send(Ack(Kind.PUBREC, identifier))
        else:
            receipts[identifier] = Receipt.ASKED_AGAIN
        # It is not in the batch, and its PUBCOMP will count it off.
        self.in_flight += 1
        return False

    def _release(self, packet: Ack) -> None:
        receipts = self.session.receipts
        found = receipts.pop(packet.identifier, None) if receipts else None
        code = Reason.IDENTIFIER_NOT_FOUND if found is None else Reason.SUCCESS
        self.in_flight = max(0, self.in_flight - 1)
        self.send(Ack(Kind.PUBCOMP, packet.identifier, code))

    def _subscribe(self, packet: Subscribe) -> None:
        if self._endpoint.settings.subscribe == "ignore":
            codes = bytes(each.options & 3 for each in packet.subscriptions)
            self.send(Suback(Kind.SUBACK, packet.identifier, codes))
            return
        if self.level == Level.V3:
            codes = bytes((Reason.UNSPECIFIED,)) * len(packet.subscriptions)
        else:
            codes = bytes(_refusal(each.filter) for each in packet.subscriptions)
        self._endpoint.refusals.note(
            Refusal.SUBSCRIBE,
            client=self._client.decode(),
            address=self._peer.address,
            detail=NO_SUBSCRIPTIONS,
            topic=packet.subscriptions[0].filter,
        )
        properties = Properties(reason_string=NO_SUBSCRIPTIONS)
        self.send(Suback(Kind.SUBACK, packet.identifier, codes, properties))


def _refusal(wanted: bytes) -> Reason:
    if wanted.startswith(SHARED):
        return Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
    if b"+" in wanted or b"#" in wanted:
        return Reason.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED
    return Reason.NOT_AUTHORIZED

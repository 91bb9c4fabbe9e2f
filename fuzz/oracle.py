"""Our reading of MQTT 5.0 against that of `mqtt5`, a codec written by others in another language.

What we read, it reads as the same packet. What it reads and we refuse, we refuse for a rule that it
is known not to check; anything else is a disagreement. (It has no 3.1.1, and stops the process's
thread on some strings that are no UTF-8; that counts as a refusal.)
"""

from __future__ import annotations

import random

import mqtt5

from fuzz.mutation import mutate
from fuzz.report import Decided
from fuzz.rig import packets_in
from gateway.mqtt.packets import (
    Ack,
    Connect,
    Disconnect,
    Kind,
    Packet,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, MqttError

__all__ = ["Oracle", "disagreement", "seeds"]

# Rules of MQTT 5.0 that `mqtt5` 0.8 does not check; the beginnings of our words.
STRICTER = (
    "U+0000",
    "a wildcard in a topic name",
    "wildcard inside the level",
    "`#` stands only at the end",
    "empty or with a NUL",
    "no name or no filter after $share/",
    "No Local on a shared",
    "an empty topic name",
    "packet identifier 0",
    "DUP with QoS 0",
    "the reserved flag of CONNECT",
    "QoS or retain of a will",
    "subscription options",
    "retain handling",
    "a SUBSCRIBE without topic filters",
    "an UNSUBSCRIBE without topic filters",
    "two subscription identifiers",
    "subscription_identifiers of 0",
    "authentication data without",
    "a string that is no UTF-8",
    # Lengths of properties against their packet, and bounds of a byte that is a flag.
    "the packet ends before its fields do",
    "properties longer than their packet",
    "payload_format of",
    "request_problem_information of",
    "request_response_information of",
    "receive_maximum of 0",
    "maximum_packet_size of 0",
    "a length longer than it needs to be",
)
# What `mqtt5` refuses and we read: rules of a connection rather than of a packet, codes that a
# client has to look at anyway, and an AUTH without a body (allowed in section 3.15.2.1).
INCOMPLETE = "incomplete"
LAXER = (
    "Topic alias must be != 0",
    "Missing property length",
    "Invalid SubAckReasonCode",
    "Invalid UnsubAckReasonCode",
)


def seeds() -> list[bytes]:
    """Return packets that a device may send, written by `mqtt5`."""
    once, twice = mqtt5.QoS.AT_LEAST_ONCE, mqtt5.QoS.EXACTLY_ONCE
    full = mqtt5.PublishPacket(
        "a/b",
        b"x" * 200,
        qos=once,
        packet_id=7,
        content_type="t",
        user_properties=[("k", "v")],
        topic_alias=3,
        response_topic="r",
        correlation_data=b"c",
        message_expiry_interval=4,
        payload_format_indicator=1,
    )
    will = mqtt5.Will("w", payload=b"x", qos=once, content_type="t", will_delay_interval=4)
    connect = mqtt5.ConnectPacket(
        "dev",
        username="u",
        password=b"p",
        will=will,
        keep_alive=3,
        session_expiry_interval=4,
        receive_max=3,
        topic_alias_max=3,
        max_packet_size=400,
    )
    packets = (
        mqtt5.PublishPacket("a/b", b"hello"),
        mqtt5.PublishPacket("a/b", b"hello", qos=once, packet_id=7, retain=True),
        mqtt5.PublishPacket("a/b", b"hello", qos=twice, packet_id=7, duplicate=True),
        full,
        mqtt5.ConnectPacket("dev"),
        connect,
        mqtt5.PubRelPacket(5),
        mqtt5.PubRelPacket(5, reason_code=mqtt5.PubRelReasonCode.PACKET_ID_NOT_FOUND),
        mqtt5.PingReqPacket(),
        mqtt5.DisconnectPacket(
            reason_code=mqtt5.DisconnectReasonCode.DISCONNECT_WITH_WILL_MESSAGE,
            session_expiry_interval=4,
        ),
        mqtt5.UnsubscribePacket(4, ["a/#", "b"]),
        mqtt5.SubscribePacket(4, [mqtt5.TopicFilter("a/#")], subscription_id=4),
    )
    return [packet.write() for packet in packets]


class Oracle:
    """Implements `fuzz.target.Target`."""

    name = "oracle"

    def __init__(self) -> None:
        self._seeds = seeds()

    def make(self, rng: random.Random) -> bytes:
        """Return a damaged packet."""
        return mutate(rng.choice(self._seeds), rng)

    def check(self, data: bytes) -> Decided:
        """Read it both ways."""
        ours = _ours(data)
        words = _difference(ours, data)
        assert not words, words
        return Decided(refused=1) if isinstance(ours, str) else Decided(accepted=1)


def disagreement(data: bytes) -> str:
    """Return in words what the two make of bytes; nothing where they agree."""
    return _difference(_ours(data), data)


def _difference(ours: Packet | str, data: bytes) -> str:
    if isinstance(ours, str) and ours.startswith(STRICTER):
        return ""
    theirs = _theirs(data)
    if isinstance(ours, str):
        known = isinstance(theirs, str)
        return "" if known else f"{data.hex()}: {ours!r}, and mqtt5 reads {theirs!r}"
    if isinstance(theirs, str):
        known = theirs.startswith(LAXER)
        return "" if known else f"{data.hex()}: {ours!r}, and mqtt5 says {theirs!r}"
    one, other = _fields(ours), _their_fields(theirs)
    return "" if one == other else f"{data.hex()}: {one!r} is not {other!r}"


def _ours(data: bytes) -> Packet | str:
    try:
        (packet, *rest) = packets_in(data, Level.V5) or [None]
    except MqttError as error:
        return error.words
    except AssertionError:
        return INCOMPLETE
    if isinstance(packet, Connect) and packet.level != Level.V5:
        return "protocol level 4"
    return INCOMPLETE if packet is None or rest else packet


def _theirs(data: bytes) -> mqtt5.Packet | str:
    try:
        packet, size = mqtt5.read(memoryview(data))
    except (ValueError, IndexError) as error:
        return str(error) or INCOMPLETE
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return "panic"
    return packet if size == len(data) else INCOMPLETE


def _fields(packet: Packet) -> tuple[object, ...]:  # noqa: PLR0911 - one a packet type
    match packet:
        case Publish():
            return (
                packet.topic.decode(),
                packet.payload,
                packet.qos,
                packet.identifier,
                packet.retain,
                packet.dup,
                packet.properties.topic_alias,
                *_message_fields(packet.properties),
            )
        case Connect():
            will = packet.will
            return (
                packet.client.decode(),
                packet.user,
                packet.password,
                packet.clean,
                packet.keep_alive_s,
                packet.properties.session_expiry_s or 0,
                packet.properties.maximum_packet_size,
                packet.properties.user_properties,
                *(() if will is None else _will_fields(will)),
            )
        case Ack():
            return packet.kind, packet.identifier, packet.code, packet.properties.reason_string
        case Subscribe():
            filters = tuple((each.filter.decode(), each.options) for each in packet.subscriptions)
            return packet.identifier, filters, packet.properties.subscription_identifiers
        case Unsubscribe():
            return packet.identifier, tuple(each.decode() for each in packet.filters)
        case Disconnect():
            return packet.code, packet.properties.session_expiry_s, packet.properties.reason_string
        case _:
            return (type(packet).__name__,)


def _message_fields(properties: Properties) -> tuple[object, ...]:
    return (
        properties.payload_format or 0,
        properties.message_expiry_s,
        properties.content_type,
        properties.response_topic,
        properties.correlation_data,
        properties.user_properties,
    )


def _will_fields(will: Will) -> tuple[object, ...]:
    properties = will.properties
    plain = (will.topic.decode(), will.payload, will.qos, will.retain, properties.will_delay_s or 0)
    return *plain, *_message_fields(properties)


def _their_fields(packet: mqtt5.Packet) -> tuple[object, ...]:  # noqa: PLR0911 - as above
    match packet:
        case mqtt5.PublishPacket():
            return (
                packet.topic,
                packet.payload,
                packet.qos,
                packet.packet_id or 0,
                packet.retain,
                packet.duplicate,
                packet.topic_alias,
                *_their_message_fields(packet),
            )
        case mqtt5.ConnectPacket():
            will = packet.will
            return (
                packet.client_id,
                packet.username,
                packet.password,
                packet.clean_start,
                packet.keep_alive,
                packet.session_expiry_interval,
                packet.max_packet_size,
                tuple(packet.user_properties),
                *(() if will is None else _their_will_fields(will)),
            )
        case mqtt5.PubAckPacket() | mqtt5.PubRecPacket():
            return THEIR_ACKS[type(packet)], packet.packet_id, packet.reason_code, packet.reason_str
        case mqtt5.PubRelPacket() | mqtt5.PubCompPacket():
            return THEIR_ACKS[type(packet)], packet.packet_id, packet.reason_code, packet.reason_str
        case mqtt5.SubscribePacket():
            filters = tuple((each.pattern, _options(each)) for each in packet.topic_filters)
            found = packet.subscription_id
            return packet.packet_id, filters, () if found is None else (found,)
        case mqtt5.UnsubscribePacket():
            return packet.packet_id, tuple(packet.patterns)
        case mqtt5.DisconnectPacket():
            return packet.reason_code, packet.session_expiry_interval, packet.reason_str
        case _:
            return (THEIR_OTHERS[type(packet)],)


THEIR_ACKS = {
    mqtt5.PubAckPacket: Kind.PUBACK,
    mqtt5.PubRecPacket: Kind.PUBREC,
    mqtt5.PubRelPacket: Kind.PUBREL,
    mqtt5.PubCompPacket: Kind.PUBCOMP,
}
THEIR_OTHERS: dict[type, str] = {
    mqtt5.ConnAckPacket: "Connack",
    mqtt5.SubAckPacket: "Suback",
    mqtt5.UnsubAckPacket: "Suback",
    mqtt5.PingReqPacket: "Ping",
    mqtt5.PingRespPacket: "Ping",
    mqtt5.AuthPacket: "Auth",
}


def _options(asked: mqtt5.TopicFilter) -> int:
    return (
        int(asked.max_qos)
        | asked.no_local << 2
        | asked.retain_as_published << 3
        | int(asked.retain_handling) << 4
    )


def _their_message_fields(message: mqtt5.PublishPacket | mqtt5.Will) -> tuple[object, ...]:
    return (
        message.payload_format_indicator,
        message.message_expiry_interval,
        message.content_type,
        message.response_topic,
        message.correlation_data,
        tuple(message.user_properties),
    )


def _their_will_fields(will: mqtt5.Will) -> tuple[object, ...]:
    plain = (will.topic, will.payload or b"", will.qos, will.retain, will.will_delay_interval)
    return *plain, *_their_message_fields(will)

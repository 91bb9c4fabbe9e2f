"""Packets one by one: golden bytes, and what is malformed."""

import re

import pytest

from fuzz.rig import packets_in
from gateway.mqtt.decode import decode_body
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Kind,
    Packet,
    Ping,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from gateway.mqtt.primitives import Cursor
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, MqttError, Reason

V3, V5 = Level.V3, Level.V5

# Written by hand from the tables of the two specifications.
GOLDEN: list[tuple[Level, str, Packet]] = [
    (V3, "10 0f 0004 4d515454 04 02 003c 0003 646576", Connect(V3, b"dev", keep_alive_s=60)),
    (
        V3,
        (
            "10 26 0004 4d515454 04 f6 0000 0001 63 0003 772f74 0004 676f6e65"
            "0004 75736572 0006 736563726574"
        ),
        Connect(
            V3, b"c", user="user", password=b"secret", will=Will(b"w/t", b"gone", 2, retain=True)
        ),
    ),
    (
        V5,
        "10 15 0004 4d515454 05 00 000a 05 11 0000000a 0003 646576",
        Connect(
            V5, b"dev", clean=False, keep_alive_s=10, properties=Properties(session_expiry_s=10)
        ),
    ),
    (V3, "20 02 01 00", Connack(0, session_present=True)),
    (V5, "20 03 00 87 00", Connack(0x87)),
    (V3, "30 07 0003 612f62 6869", Publish(b"a/b", b"hi")),
    (V3, "3b 09 0003 612f62 000a 6869", Publish(b"a/b", b"hi", 1, 10, retain=True, dup=True)),
    (V5, "34 0a 0003 612f62 000a 00 6869", Publish(b"a/b", b"hi", 2, 10)),
    (
        V5,
        "30 12 0003 612f62 0a 23 0002 26 0001 6b 0001 76 6869",
        Publish(b"a/b", b"hi", properties=Properties(topic_alias=2, user_properties=(("k", "v"),))),
    ),
    (V3, "40 02 000a", Ack(Kind.PUBACK, 10)),
    (V5, "50 03 000a 87", Ack(Kind.PUBREC, 10, 0x87)),
    (V3, "62 02 000a", Ack(Kind.PUBREL, 10)),
    (
        V5,
        "70 08 000a 92 04 1f 0001 78",
        Ack(Kind.PUBCOMP, 10, 0x92, Properties(reason_string="x")),
    ),
    (V3, "82 08 000a 0003 612f23 01", Subscribe(10, (Subscription(b"a/#", 1),))),
    (V5, "82 09 000a 00 0003 612f2b 2e", Subscribe(10, (Subscription(b"a/+", 0x2E),))),
    (V3, "90 03 000a 80", Suback(Kind.SUBACK, 10, b"\x80")),
    (V5, "b0 04 000a 00 11", Suback(Kind.UNSUBACK, 10, b"\x11")),
    (V3, "b0 02 000a", Suback(Kind.UNSUBACK, 10)),
    (V3, "a2 07 000a 0003 612f23", Unsubscribe(10, (b"a/#",))),
    (V3, "c0 00", Ping(Kind.PINGREQ)),
    (V5, "d0 00", Ping(Kind.PINGRESP)),
    (V3, "e0 00", Disconnect()),
    (V5, "e0 01 04", Disconnect(4)),
    (V5, "e0 07 00 05 11 00000005", Disconnect(0, Properties(session_expiry_s=5))),
    (
        V5,
        "f0 07 18 05 15 0002 6d31",
        Auth(0x18, Properties(authentication_method="m1")),
    ),
]

MALFORMED: list[tuple[str, Level, str, str]] = [
    ("a reserved flag of PUBREL", V3, "60 02 000a", "flags 0x0 in packet type 6"),
    ("a reserved flag of SUBSCRIBE", V3, "80 08 000a 0003 612f23 01", "flags 0x0 in packet type 8"),
    ("a reserved flag of UNSUBSCRIBE", V3, "a0 07 000a 0003 612f23", "flags 0x0 in packet type 10"),
    ("a reserved flag of PINGREQ", V5, "c1 00", "flags 0x1 in packet type 12"),
    ("a reserved flag of DISCONNECT", V5, "e1 00", "flags 0x1 in packet type 14"),
    ("a reserved flag of AUTH", V5, "f1 00", "flags 0x1 in packet type 15"),
    ("packet type 0", V5, "00 00", "packet type 0"),
    ("AUTH in 3.1.1", V3, "f0 00", "packet type 15"),
    ("QoS 3", V3, "36 09 0003 612f62 000a 6869", "QoS 3"),
    ("DUP with QoS 0", V3, "38 07 0003 612f62 6869", "DUP with QoS 0"),
    ("packet identifier 0", V3, "32 09 0003 612f62 0000 6869", "packet identifier 0"),
    ("packet identifier 0 of SUBSCRIBE", V3, "82 08 0000 0003 612f23 01", "packet identifier 0"),
    ("no topic name", V3, "30 04 0000 6869", "an empty topic name"),
    (
        "no topic name and no alias",
        V5,
        "30 05 0000 00 6869",
        "an empty topic name without a topic alias",
    ),
    ("a wildcard in a topic name", V3, "30 07 0003 612f2b 6869", "a wildcard in a topic name"),
    ("U+0000 in a topic name", V3, "30 07 0003 610062 6869", "U+0000 in a topic name"),
    ("a surrogate in a topic name", V3, "30 07 0003 eda080 6869", "a string that is no UTF-8"),
    (
        "an overlong topic name",
        V3,
        "30 07 0009 612f62 6869",
        "the packet ends before its fields do",
    ),
    (
        "a wildcard in a response topic",
        V5,
        "30 0b 0003 612f62 04 08 0001 23 68",
        "a wildcard in a topic name",
    ),
    (
        "a length longer than it needs to be",
        V5,
        "30 87 00 0003 612f62 00 68",
        "a length longer than it needs to be",
    ),
    ("a length of five bytes", V3, "30 80 80 80 80 01", "a length of more than four bytes"),
    (
        "properties longer than the packet",
        V5,
        "30 07 0003 612f62 7f 68",
        "properties longer than their packet",
    ),
    ("a property twice", V5, "30 0b 0003 612f62 04 01 00 01 00 68", "payload_format stands twice"),
    (
        "a property of another packet",
        V5,
        "30 0b 0003 612f62 05 11 00000001",
        "property 0x11 does not belong here",
    ),
    (
        "a property that does not exist",
        V5,
        "30 08 0003 612f62 02 7f 00",
        "property 0x7f does not belong here",
    ),
    ("a payload format of 2", V5, "30 08 0003 612f62 02 01 02", "payload_format of 2"),
    (
        "a receive maximum of 0",
        V5,
        "10 13 0004 4d515454 05 02 003c 03 21 0000 0003 646576",
        "receive_maximum of 0",
    ),
    (
        "authentication data alone",
        V5,
        "10 13 0004 4d515454 05 02 003c 03 16 0000 0003 646576",
        "authentication data without a method",
    ),
    (
        "two subscription identifiers",
        V5,
        "82 0d 000a 04 0b01 0b02 0003 612f23 01",
        "two subscription identifiers",
    ),
    (
        "a subscription identifier of 0",
        V5,
        "82 0b 000a 02 0b00 0003 612f23 01",
        "subscription_identifiers of 0",
    ),
    ("SUBSCRIBE without filters", V3, "82 02 000a", "a SUBSCRIBE without topic filters"),
    ("UNSUBSCRIBE without filters", V3, "a2 02 000a", "an UNSUBSCRIBE without topic filters"),
    ("a wildcard inside a level", V3, "82 08 000a 0003 612362 01", "wildcard inside the level"),
    ("QoS 3 in SUBSCRIBE", V3, "82 08 000a 0003 612f23 03", "subscription options 0x03"),
    ("reserved options in 3.1.1", V3, "82 08 000a 0003 612f23 04", "subscription options 0x04"),
    ("reserved options in 5.0", V5, "82 09 000a 00 0003 612f23 40", "subscription options 0x40"),
    ("retain handling 3", V5, "82 09 000a 00 0003 612f23 30", "retain handling 3"),
    ("a reserved flag of CONNACK", V3, "20 02 02 00", "reserved flags of CONNACK"),
    (
        "properties' length longer than it needs to be",
        V5,
        "30 08 0003 612f62 8000 68",
        "a length longer than it needs to be",
    ),
    (
        "properties' length of five bytes",
        V5,
        "30 0b 0003 612f62 8080808001 68",
        "a length of more than four bytes",
    ),
    ("a reason code that PUBREL does not have", V5, "62 03 000a 87", "reason code 0x87"),
    ("a reason code that DISCONNECT does not have", V5, "e0 01 01", "reason code 0x01"),
    (
        "No Local on a shared subscription",
        V5,
        "82 12 000a 00 000c 2473686172652f672f612f23 04",
        "No Local on a shared subscription",
    ),
    (
        "a shared filter without a name",
        V5,
        "82 0f 000a 00 0009 2473686172652f2f61 00",
        "no name or no filter after $share/",
    ),
    ("bytes after the last field", V3, "40 03 000a 00", "1 bytes after the last field"),
    ("a PINGREQ with a body", V3, "c0 01 00", "1 bytes after the last field"),
    (
        "the reserved flag of CONNECT",
        V3,
        "10 0f 0004 4d515454 04 03 003c 0003 646576",
        "the reserved flag of CONNECT",
    ),
    (
        "a will of QoS 3",
        V3,
        "10 17 0004 4d515454 04 1e 003c 0003 646576 0001 77 0003 676f6e",
        "a will of QoS 3",
    ),
    (
        "QoS of no will",
        V3,
        "10 0f 0004 4d515454 04 0a 003c 0003 646576",
        "QoS or retain of a will that is not there",
    ),
    (
        "retain of no will",
        V3,
        "10 0f 0004 4d515454 04 22 003c 0003 646576",
        "QoS or retain of a will that is not there",
    ),
    (
        "a password without user name",
        V3,
        "10 13 0004 4d515454 04 42 003c 0003 646576 0002 7077",
        "a password without a user name",
    ),
    (
        "a user name that is not there",
        V3,
        "10 0f 0004 4d515454 04 82 003c 0003 646576",
        "the packet ends before its fields do",
    ),
    (
        "a client identifier that is no UTF-8",
        V3,
        "10 0d 0004 4d515454 04 02 003c 0001 ff",
        "a string that is no UTF-8",
    ),
    (
        "U+0000 in a client identifier",
        V3,
        "10 0d 0004 4d515454 04 02 003c 0001 00",
        "U+0000 in a string",
    ),
    (
        "a user name that is no UTF-8",
        V3,
        "10 10 0004 4d515454 04 82 003c 0001 63 0001 ff",
        "a string that is no UTF-8",
    ),
    (
        "another protocol",
        V3,
        "10 0f 0004 4d515453 04 02 003c 0003 646576",
        "the protocol is not named MQTT",
    ),
    (
        "fields after the last one",
        V3,
        "10 10 0004 4d515454 04 02 003c 0003 646576 00",
        "1 bytes after the last field",
    ),
]


@pytest.mark.parametrize(("level", "data", "packet"), GOLDEN)
def test_golden_packets_are_read(level: Level, data: str, packet: Packet) -> None:
    assert packets_in(bytes.fromhex(data), level) == [packet]


@pytest.mark.parametrize(("level", "data", "packet"), GOLDEN)
def test_golden_packets_are_written(level: Level, data: str, packet: Packet) -> None:
    assert encode(packet, level) == bytes.fromhex(data)


@pytest.mark.parametrize(
    ("what", "level", "data", "words"), MALFORMED, ids=[each[0] for each in MALFORMED]
)
def test_what_mqtt_forbids_is_refused(what: str, level: Level, data: str, words: str) -> None:
    with pytest.raises(MqttError, match=re.escape(words)):
        packets_in(bytes.fromhex(data), level)


def test_before_connect_nothing_else_is_known() -> None:
    with pytest.raises(MqttError, match="the first packet is no CONNECT"):
        decode_body(0xC0, Cursor(b"", 0, 0), None)


def test_a_password_without_user_name_is_read_in_5() -> None:
    connect = Connect(V5, b"dev", password=b"token")
    assert packets_in(encode(connect, V5), V5) == [connect]


def test_a_length_longer_than_it_needs_to_be_is_read_in_3() -> None:
    data = bytes.fromhex("30 87 00 0003 612f62 6869")
    assert packets_in(data, V3) == [Publish(b"a/b", b"hi")]


def test_a_byte_order_mark_is_a_character_like_any_other() -> None:
    topic = "\ufeffa".encode()
    assert packets_in(encode(Publish(topic, b""), V3), V3) == [Publish(topic, b"")]


def test_every_other_protocol_level_is_an_error_of_version() -> None:
    for level in (0, 3, 6, 255):
        with pytest.raises(MqttError) as caught:
            packets_in(
                encode(Connect(V3, b"d"), V3).replace(b"MQTT\x04", b"MQTT" + bytes((level,))), V3
            )
        assert caught.value.reason is Reason.UNSUPPORTED_VERSION

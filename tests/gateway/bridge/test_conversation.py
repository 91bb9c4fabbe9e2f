"""What the bridge says to a broker, byte by byte, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.frame import ControlKind, Extras, RecordFlag
from city.requests import Request, encode_request
from gateway.bridge.bridge import Bridge
from gateway.bridge.broker import Broker
from gateway.bridge.conversation import Conversation
from gateway.bridge.dialler import Backoff
from gateway.bridge.requests import Requests
from gateway.mqtt.decode import decode_body, measure
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import (
    Ack,
    Connack,
    Disconnect,
    Kind,
    Packet,
    Ping,
    Publish,
    Suback,
    Subscribe,
)
from gateway.mqtt.primitives import Cursor
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level

if TYPE_CHECKING:
    from city.intake import Publisher

MAX_PACKET = 1_000
# MQTT 5.0 and 3.1.1, written by hand: clean start 0, keep alive 30, client `c`.
CONNECT_5 = bytes.fromhex("10 16 0004 4d515454 05 00 001e 08 11 00093a80 21 1000 0001 63")
CONNECT_3 = bytes.fromhex("10 0d 0004 4d515454 04 00 001e 0001 63")
SUBSCRIBE_5 = bytes.fromhex("82 09 0001 00 0003 612f23 11")
SUBSCRIBE_3 = bytes.fromhex("82 08 0001 0003 612f23 01")
CONNACK_3, SUBACK_3 = b"\x20\2\0\0", b"\x90\3\0\1\1"


class Taken(msgspec.Struct):
    publisher: Publisher
    topics: list[bytes]
    payloads: list[bytes]
    flags: bytes
    acknowledgements: list[bytes]
    extras: tuple[Extras, ...]


class FakeIntake:
    """The packer: remembers, and confirms when the test says so."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.controls: list[ControlKind] = []
        self.full = False

    def take(  # noqa: PLR0913, PLR0917 - the seam's signature
        self,
        publisher: Publisher,
        client: bytes,
        topics: list[bytes],
        payloads: list[bytes],
        flags: bytes,
        acknowledgements: list[bytes],
        size_bytes: int,
        extras: tuple[Extras, ...] = (),
    ) -> None:
        assert client == b"c"
        self.taken.append(Taken(publisher, topics, payloads, flags, acknowledgements, extras))

    def control(self, kind: ControlKind, client: str, detail: str) -> None:
        self.controls.append(kind)

    @property
    def payloads(self) -> list[bytes]:
        return [payload for taken in self.taken for payload in taken.payloads]


class FakeWire:
    def __init__(self) -> None:
        self.written = b""
        self.closed = False
        self.reading = True

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def said(self) -> bytes:
        written, self.written = self.written, b""
        return written


class FakeClock:
    def __init__(self) -> None:
        self.us = 1_000_000

    def now_us(self) -> int:
        return self.us


class Rig:
    """A bridge and its connections to a broker that the test plays."""

    def __init__(self, **wanted: object) -> None:
        self.intake = FakeIntake()
        broker = msgspec.structs.replace(Broker("host", 1883, (b"a/#",), client=b"c"), **wanted)
        self.bridge = Bridge(broker, self.intake, FakeClock(), MAX_PACKET)
        self.dial()

    def dial(self) -> None:
        self.wire = FakeWire()
        self.talk = Conversation(self.bridge, self.wire, 0.0)

    def hear(self, *packets: Packet) -> None:
        self.talk.received(b"".join(encode(each, self.bridge.level) for each in packets))

    def let_in(self, *, present: bool = False, suback: bytes = b"\1") -> None:
        self.hear(Connack(0, present), Suback(Kind.SUBACK, 1, suback))
        assert not self.talk.cause
        self.wire.said()

    def says(self) -> list[Packet]:
        data, at = self.wire.said(), 0
        found: list[Packet] = []
        while at < len(data):
            start, end = measure(data, at, self.bridge.level)
            found.append(decode_body(data[at], Cursor(data, start, end), self.bridge.level))
            at = end
        return found

    def log_has(self, index: int, *, messages: slice = slice(None)) -> None:
        taken = self.intake.taken[index]
        taken.publisher.confirmed(b"".join(taken.acknowledgements[messages]), 0)


def message(identifier: int, *, qos: int = 1, dup: bool = False, **more: object) -> Publish:
    topic = more.pop("topic", b"a/b")
    assert isinstance(topic, bytes)
    packet = Publish(topic, b"%d" % identifier, qos, identifier if qos else 0, dup=dup)
    return msgspec.structs.replace(packet, **more)


def pubacks(*identifiers: int) -> bytes:
    return b"".join(b"\x40\2" + each.to_bytes(2) for each in identifiers)


@pytest.fixture(params=[Level.V3, Level.V5])
def rig(request: pytest.FixtureRequest) -> Rig:
    made = Rig(level=request.param)
    made.let_in()
    return made


def test_connect_and_subscribe_are_these_bytes() -> None:
    rig = Rig()
    assert rig.wire.said() == CONNECT_5
    rig.hear(Connack())
    assert rig.wire.said() == SUBSCRIBE_5
    rig = Rig(level=Level.V3)
    assert rig.wire.said() == CONNECT_3
    rig.talk.received(CONNACK_3)
    assert rig.wire.said() == SUBSCRIBE_3
    rig.talk.received(SUBACK_3)
    assert rig.talk.open
    assert rig.bridge.state().reason == ""


def test_a_broker_without_5_is_asked_again_in_3_1_1() -> None:
    rig = Rig()
    # nats-server answers in 3.1.1: two bytes, and no properties.
    rig.talk.received(b"\x20\2\0\1")
    assert rig.wire.closed
    assert rig.bridge.level is Level.V3
    rig.dial()
    assert rig.wire.said() == CONNECT_3
    rig = Rig(level=Level.V5)
    rig.talk.received(b"\x20\2\0\1")
    assert rig.bridge.level is Level.V5
    assert "set version in its URL" in rig.talk.cause


def test_bytes_may_come_in_any_pieces(rig: Rig) -> None:
    packets = [message(1), message(2, payload=b"x" * 400), message(3, retain=True)]
    data = b"".join(encode(each, rig.bridge.level) for each in packets)
    for at in range(len(data)):
        rig.talk.received(data[at : at + 1])
    assert rig.intake.payloads == [each.payload for each in packets]
    flags = b"".join(taken.flags for taken in rig.intake.taken)
    assert flags == bytes([1, 1, 1 | RecordFlag.RETAIN])


def test_nothing_is_acknowledged_before_the_log_and_then_in_order(rig: Rig) -> None:
    rig.hear(message(7), message(8), message(9))
    assert rig.wire.said() == b""
    assert rig.bridge.state().held == 3
    # The later messages are of a shard that the log confirms first.
    rig.log_has(0, messages=slice(1, 3))
    assert rig.wire.said() == b""
    rig.log_has(0, messages=slice(0, 1))
    assert rig.wire.said() == pubacks(7, 8, 9)
    assert rig.bridge.state().held == 0


def test_a_redelivery_of_what_is_held_is_not_taken(rig: Rig) -> None:
    rig.hear(message(1), message(2))
    rig.hear(message(1, dup=True), message(3), message(2, dup=True))
    assert rig.intake.payloads == [b"1", b"2", b"3"]
    assert rig.bridge.redelivered == 2
    rig.log_has(0)
    rig.log_has(1)
    assert rig.wire.said() == pubacks(1, 2, 3)
    # It was on its way when the acknowledgement was: nobody can tell it from another message.
    rig.hear(message(1, dup=True))
    assert rig.intake.payloads[-1] == b"1"


def test_another_message_under_a_held_identifier_ends_the_connection(rig: Rig) -> None:
    rig.hear(message(1), message(2))
    rig.hear(message(3), message(1), message(4))
    assert "packet identifier 1 again" in rig.talk.cause
    assert rig.intake.payloads == [b"1", b"2", b"3"]


def test_what_an_old_connection_held_is_not_acknowledged_on_the_next(rig: Rig) -> None:
    rig.hear(message(1))
    rig.talk.ended("cable cut")
    rig.dial()
    rig.let_in(present=True)
    # The broker may have numbered anew: this is not the message that is held.
    rig.hear(message(1, dup=True))
    assert len(rig.intake.taken) == 2
    rig.log_has(0)
    assert rig.wire.said() == b""
    rig.log_has(1)
    assert rig.wire.said() == pubacks(1)


def test_qos_2_is_taken_once_over_a_reconnection(rig: Rig) -> None:
    rig.hear(message(1, qos=2), message(2, qos=2))
    rig.hear(message(1, qos=2, dup=True))
    assert rig.intake.payloads == [b"1", b"2"]
    rig.talk.ended("cable cut")
    rig.dial()
    rig.let_in(present=True)
    rig.hear(message(1, qos=2, dup=True), message(2, qos=2, dup=True))
    assert rig.intake.payloads == [b"1", b"2"]
    assert rig.says() == []
    rig.log_has(0)
    assert rig.says() == [Ack(Kind.PUBREC, 1), Ack(Kind.PUBREC, 2)]
    # It did not see the PUBREC.
    rig.hear(message(1, qos=2, dup=True))
    assert rig.says() == [Ack(Kind.PUBREC, 1)]
    rig.hear(Ack(Kind.PUBREL, 1), Ack(Kind.PUBREL, 2))
    assert rig.says() == [Ack(Kind.PUBCOMP, 1), Ack(Kind.PUBCOMP, 2)]
    assert rig.intake.payloads == [b"1", b"2"]


def test_qos_2_of_a_broker_that_numbers_anew_is_another_message(rig: Rig) -> None:
    rig.hear(message(1, qos=2))
    rig.talk.ended("broker killed")
    rig.dial()
    rig.let_in(present=True)
    rig.hear(message(1, qos=2, dup=True, payload=b"another"))
    assert rig.intake.payloads == [b"1", b"another"]
    # The log has the old one: that says nothing of the new one.
    rig.log_has(0)
    assert rig.says() == []
    rig.log_has(1)
    assert rig.says() == [Ack(Kind.PUBREC, 1)]


def test_a_broker_without_our_session_releases_nothing(rig: Rig) -> None:
    rig.hear(message(1, qos=2))
    rig.log_has(0)
    rig.talk.ended("broker lost its disk")
    rig.dial()
    rig.let_in(present=False)
    rig.hear(message(1, qos=2, dup=True))
    assert rig.intake.payloads == [b"1", b"1"]


def test_only_what_was_asked_for_is_taken(rig: Rig) -> None:
    rig.hear(message(1), message(2, topic=b"other/b"), message(3), message(4, topic=b"other/b"))
    rig.hear(message(5, qos=2, topic=b"$SYS/x"))
    assert rig.intake.payloads == [b"1", b"3"]
    assert rig.bridge.state().refused == 3
    # The broker may forget them, in their turn.
    assert rig.wire.said() == b""
    rig.log_has(0)
    assert rig.wire.said() == pubacks(1, 2, 3, 4) + b"\x50\2\0\5"


def test_what_ingest_asks_of_a_device_goes_to_the_broker_that_its_messages_come_from(
    rig: Rig,
) -> None:
    requests = Requests([rig.bridge])
    for each in (
        Request("c", "spBv1.0/water/NCMD/plc-1", b"born?"),
        Request("another", "spBv1.0/water/NCMD/plc-2", b"born?"),
        Request("c", "spBv1.0/+/NCMD/plc-3", b"born?"),
    ):
        requests.carry(encode_request(each))
    requests.carry(b"no request")
    assert rig.says() == [Publish(b"spBv1.0/water/NCMD/plc-1", b"born?")]
    state = rig.bridge.state()
    assert (state.requests, state.requests_dropped) == (1, 1)


def test_requests_to_devices_are_bounded_and_not_kept_for_a_broker_that_is_away(rig: Rig) -> None:
    for _ in range(150):
        rig.bridge.ask("a/NCMD", b"")
    assert len(rig.says()) == 100
    rig.bridge.tick(1.0)
    rig.bridge.ask("a/NCMD", b"")
    assert len(rig.says()) == 1
    rig.talk.ended("cable cut")
    rig.bridge.ask("a/NCMD", b"")
    rig.dial()
    rig.let_in(present=True)
    assert rig.says() == []
    state = rig.bridge.state()
    assert (state.requests, state.requests_dropped) == (101, 51)


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_a_message_that_is_too_long_stays_with_the_broker(rig: Rig, piece: int) -> None:
    packets = [message(1), message(2, topic=b"a/photo", payload=b"x" * 3_000), message(3)]
    data = b"".join(encode(each, rig.bridge.level) for each in packets)
    for at in range(0, len(data), piece):
        rig.talk.received(data[at : at + piece])
    assert rig.intake.payloads == [b"1", b"3"]
    state = rig.bridge.state()
    assert state.too_long == 1
    assert "'a/photo'" in state.warning
    assert "MADINA_MQTT_MAX_PACKET" in state.warning
    for index in range(len(rig.intake.taken)):
        rig.log_has(index)
    assert rig.wire.said() == pubacks(1, 3)


def test_properties_of_5_travel_with_their_message() -> None:
    rig = Rig()
    rig.let_in()
    told = Properties(content_type="cbor", user_properties=(("k", "v"),))
    rig.hear(message(1), message(2, properties=told), message(1, dup=True), message(3))
    assert rig.intake.payloads == [b"1", b"2", b"3"]
    assert rig.intake.taken[0].extras == (Extras(1, "cbor", (("k", "v"),)),)


@pytest.mark.parametrize(
    ("connack", "words"),
    [
        (Connack(0x86), "mend user and password"),
        (Connack(0x87, properties=Properties(reason_string="not you")), "(not you)"),
        (Connack(0x8A), "banned"),
    ],
)
def test_why_a_broker_does_not_let_us_in_is_said(connack: Connack, words: str) -> None:
    rig = Rig()
    rig.hear(connack)
    assert words in rig.talk.cause
    assert rig.wire.closed
    assert rig.intake.controls == []


def test_a_refused_filter_is_told_and_asked_for_again() -> None:
    rig = Rig(topics=(b"a/#", b"b/#"))
    rig.hear(Connack())
    rig.wire.said()
    words = Properties(reason_string="no way")
    rig.hear(Suback(Kind.SUBACK, 1, b"\1\x87", words))
    state = rig.bridge.state()
    assert state.connected
    assert "refuses 'b/#': code 0x87, not authorized (no way)" in state.reason
    rig.talk.tick(31.0)
    asked = [each for each in rig.says() if isinstance(each, Subscribe)]
    assert [each.subscriptions[0].filter for each in asked] == [b"b/#"]
    rig.hear(Suback(Kind.SUBACK, 1, b"\1"))
    assert rig.bridge.state().reason == ""


def test_less_than_was_asked_for_is_told() -> None:
    rig = Rig()
    rig.let_in(suback=b"\0")
    assert "with QoS 0 only" in rig.bridge.state().reason


def test_a_share_needs_a_broker_that_has_it() -> None:
    rig = Rig(share="city")
    rig.hear(Connack(properties=Properties(shared_subscription_available=0)))
    assert "no shared subscriptions" in rig.talk.cause
    rig = Rig(share="city")
    rig.talk.received(b"\x20\2\0\1")
    rig.dial()
    rig.talk.received(CONNACK_3)
    assert "leave out share" in rig.talk.cause


def test_silence_is_noticed_but_not_while_nothing_is_read(rig: Rig) -> None:
    rig.talk.tick(16.0)
    assert rig.says() == [Ping(Kind.PINGREQ)]
    rig.intake.full = True
    rig.hear(message(1))
    assert not rig.wire.reading
    for now_s in range(17, 100):
        rig.talk.tick(float(now_s))
    # The broker hears that we live, although we do not listen.
    assert 3 <= len(rig.says()) <= 6
    rig.talk.go_on()
    assert rig.wire.reading
    rig.talk.tick(131.0)
    assert rig.says() == [Ping(Kind.PINGREQ)]
    rig.talk.tick(142.0)
    assert rig.talk.cause == "the broker does not answer PINGREQ"
    assert rig.wire.closed


def test_a_broker_that_says_nothing_at_all_is_left() -> None:
    rig = Rig()
    rig.talk.tick(11.0)
    assert "does not answer CONNECT" in rig.talk.cause


def test_leaving_keeps_the_session(rig: Rig) -> None:
    rig.talk.leave("the bridge stops")
    assert rig.says() == [Disconnect()]
    assert rig.wire.closed
    assert rig.intake.controls == [ControlKind.CONNECT, ControlKind.DISCONNECT]


@pytest.mark.parametrize(
    "packet", [Connack(), Ping(Kind.PINGREQ), Ack(Kind.PUBACK, 1), message(1, topic=b"")]
)
def test_what_a_broker_may_not_send_ends_the_connection(rig: Rig, packet: Packet) -> None:
    rig.hear(message(1))
    rig.hear(packet)
    assert "breaks a rule of MQTT" in rig.talk.cause
    assert rig.intake.payloads == [b"1"]


def test_the_brokers_own_goodbye_is_told() -> None:
    rig = Rig()
    rig.let_in()
    rig.hear(message(1), Disconnect(0x8E))
    assert "another client uses this client_id" in rig.talk.cause
    assert rig.intake.payloads == [b"1"]


def test_bridges_do_not_come_back_in_step() -> None:
    highest = Backoff(lambda: 1.0)
    assert [highest.next_s() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    highest.reset()
    assert highest.next_s() == 0.5
    assert Backoff(lambda: 0.0).next_s() == 0

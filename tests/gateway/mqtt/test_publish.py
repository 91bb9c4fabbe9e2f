"""PUBLISH of QoS 0 and 1: what is taken, acknowledged and refused."""

import pytest

from city.access import AccessEntry, new_entry
from city.frame import ControlKind, Extras, RecordFlag
from fuzz.rig import KnownUsers, Rig
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Ack, Connect, Disconnect, Kind, Ping, Publish, Will
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, Reason
from gateway.mqtt.refusals import Refusal
from gateway.mqtt.wire import ConnectionSettings

V3, V5 = Level.V3, Level.V5
BOTH = pytest.mark.parametrize("level", [V3, V5])
FAR = "other/topic"


@pytest.fixture
def rig() -> Rig:
    """Return an endpoint whose user `acme` may publish its own topics and `city/+/noise`."""
    secret = "known"  # noqa: S105 - of this test
    entry = new_entry("acme", secret, provider="acme", topics=("city/+/noise",))
    return Rig(users=KnownUsers(entries={"acme": entry}))


def acme(level: Level, **more: object) -> Connect:
    return Connect(level, b"device", user="acme", password=b"known", **more)  # type: ignore[arg-type]


@BOTH
def test_messages_are_taken_in_order_with_their_flags(rig: Rig, level: Level) -> None:
    rig.connected(level).send(
        Publish(b"a", b"1"),
        Publish(b"a", b"2", 1, 7),
        Publish(b"b", b"", retain=True),
        Publish(b"a", b"4", 1, 8, dup=True, retain=True),
    )
    assert [(each.topic, each.payload, each.flag) for each in rig.messages] == [
        (b"a", b"1", 0),
        (b"a", b"2", RecordFlag.QOS_1),
        (b"b", b"", RecordFlag.RETAIN),
        (b"a", b"4", RecordFlag.QOS_1 | RecordFlag.DUP | RecordFlag.RETAIN),
    ]
    assert {each.client for each in rig.messages} == {b"device"}
    assert len(rig.intake.pending) == 1


@BOTH
def test_a_puback_comes_when_the_log_has_the_message_and_not_before(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    assert device.send(Publish(b"a", b"1", 1, 7), Publish(b"a", b"2", 1, 8)) == []
    rig.confirm()
    assert device.answers() == [Ack(Kind.PUBACK, 7), Ack(Kind.PUBACK, 8)]


@BOTH
def test_qos_0_is_never_acknowledged(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    device.send(Publish(b"a", b"1"))
    rig.confirm()
    assert device.answers() == []


@BOTH
def test_an_identifier_of_qos_1_may_come_again_and_is_a_new_message(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    for dup in (False, True):
        device.send(Publish(b"a", b"1", 1, 7, dup=dup))
        rig.confirm()
        assert device.answers() == [Ack(Kind.PUBACK, 7)]
    assert len(rig.messages) == 2


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16_300, 16_383, 16_384, 200_000])
@BOTH
def test_payloads_of_every_length_arrive_as_they_are(rig: Rig, level: Level, size: int) -> None:
    payload = bytes(each % 256 for each in range(size))
    rig.connected(level).send(Publish(b"a", payload, 1, 1), Publish(b"a", payload[:3]))
    assert [each.payload for each in rig.messages] == [payload, payload[:3]]


@BOTH
@pytest.mark.parametrize("length", [0, 1])
def test_a_packet_longer_than_the_limit_is_refused_by_its_header(level: Level, length: int) -> None:
    rig = Rig(ConnectionSettings(max_packet=1_000))
    device = rig.connected(level)
    overhead = len(encode(Publish(b"a", b"", 1, 1), level)) + 1
    data = encode(Publish(b"a", b"x" * (1_000 - overhead + length), 1, 1), level)
    assert len(data) == 1_000 + length
    answers = device.send_bytes(data[:10])
    if level == V5 and length:
        (answer,) = answers
        assert isinstance(answer, Disconnect)
        assert answer.code == Reason.PACKET_TOO_LARGE
    assert device.closed == bool(length)
    device.send_bytes(data[10:])
    assert len(rig.messages) == 1 - length
    assert rig.endpoint.refusals.counts[Refusal.TOO_LARGE] == length


@pytest.mark.parametrize("max_packet", [256, 300, 16_500, 17_000])
@BOTH
def test_the_limit_is_exact_for_packets_read_in_bulk(level: Level, max_packet: int) -> None:
    for length in range(max_packet - 3, max_packet + 4):
        rig = Rig(ConnectionSettings(max_packet=max_packet))
        device = rig.connected(level)
        size = next(
            n for n in range(length) if len(encode(Publish(b"a", b"x" * n), level)) >= length
        )
        data = encode(Publish(b"a", b"x" * size), level)
        device.send_bytes(data)
        assert len(rig.messages) == (len(data) <= max_packet)


@BOTH
def test_what_came_before_a_broken_packet_is_taken(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    device.send_bytes(
        encode(Publish(b"a", b"1", 1, 7), level) + b"\x36\x00" + encode(Publish(b"a", b"3"), level)
    )
    assert [each.payload for each in rig.messages] == [b"1"]
    assert device.closed
    rig.confirm()
    assert rig.endpoint.refusals.counts[Refusal.MALFORMED] == 1


@pytest.mark.parametrize(
    "topic", [b"a/+", b"#", b"a\0b", b"\xff", b"\xed\xa0\x80", b"", b"a/\xc0\x80"]
)
@BOTH
def test_what_is_no_topic_name_ends_the_connection(rig: Rig, level: Level, topic: bytes) -> None:
    device = rig.connected(level)
    device.send(Publish(b"good", b"1"), Publish(topic, b"2", 1, 1), Publish(b"good", b"3"))
    assert [each.payload for each in rig.messages] == [b"1"]
    assert device.closed
    counts = rig.endpoint.refusals.counts
    assert counts[Refusal.MALFORMED] + counts[Refusal.PROTOCOL] == 1


@BOTH
def test_unusual_topic_names_are_topic_names(rig: Rig, level: Level) -> None:
    topics = ["/", "a//b", " a b ", "Stra\u00dfe/\u6c34", "\U0001f6b0", "\ufeff", "a" * 40_000]
    device = rig.connected(level)
    device.send(*(Publish(topic.encode(), b"") for topic in topics))
    assert [each.topic.decode() for each in rig.messages] == topics
    assert not device.closed


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_5_is_told_of_a_forbidden_topic_and_stays(rig: Rig, qos: int) -> None:
    device = rig.connected(V5, acme(V5))
    own = b"madina/v1/acme/meter-7/up"
    identifiers = [0, 0, 0] if not qos else [1, 2, 3]
    answers = device.send(
        Publish(own, b"1", qos, identifiers[0]),
        Publish(FAR.encode(), b"2", qos, identifiers[1]),
        Publish(b"city/north/noise", b"3", qos, identifiers[2]),
    )
    assert [each.payload for each in rig.messages] == [b"1", b"3"]
    assert rig.endpoint.refusals.counts[Refusal.TOPIC] == 1
    assert not device.closed
    if qos:
        (answer,) = answers
        assert isinstance(answer, Ack)
        kind = Kind.PUBACK if qos == 1 else Kind.PUBREC
        assert (answer.kind, answer.identifier, answer.code) == (kind, 2, Reason.NOT_AUTHORIZED)
        assert "acme" in (answer.properties.reason_string or "")


def test_5_is_told_of_every_forbidden_message(rig: Rig) -> None:
    device = rig.connected(V5, acme(V5))
    for first in (1, 4):
        answers = device.send(*(Publish(FAR.encode(), b"", 1, first + each) for each in range(3)))
        assert [each.identifier for each in answers if isinstance(each, Ack)] == [
            first,
            first + 1,
            first + 2,
        ]
    assert rig.messages == []
    assert rig.endpoint.refusals.counts[Refusal.TOPIC] == 6


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_3_is_disconnected_after_a_forbidden_topic_was_counted(rig: Rig, qos: int) -> None:
    device = rig.connected(V3, acme(V3))
    own = b"madina/v1/acme/meter-7/up"
    identifiers = [0, 0, 0] if not qos else [1, 2, 3]
    device.send(
        Publish(own, b"1", qos, identifiers[0]),
        Publish(FAR.encode(), b"2", qos, identifiers[1]),
        Publish(own, b"3", qos, identifiers[2]),
    )
    assert [each.payload for each in rig.messages] == [b"1"]
    assert rig.endpoint.refusals.counts[Refusal.TOPIC] == 1
    assert device.closed


@BOTH
def test_a_grant_that_changes_counts_from_the_next_message(rig: Rig, level: Level) -> None:
    device = rig.connected(level, acme(level))
    device.send(Publish(b"city/north/noise", b"1"))
    rig.users.entries["acme"] = AccessEntry("acme", "acme")
    rig.endpoint.user_changed("acme")
    rig.pass_time(1)
    device.send(Publish(b"city/north/noise", b"2"))
    assert [each.payload for each in rig.messages] == [b"1"]


@BOTH
def test_a_user_that_is_disabled_or_gone_loses_its_connections(rig: Rig, level: Level) -> None:
    device, other = rig.connected(level, acme(level)), rig.connected(level, Connect(level, b"x"))
    rig.users.entries["acme"] = AccessEntry("acme", "acme", disabled=True)
    rig.endpoint.user_changed("acme")
    rig.pass_time(1)
    assert (device.closed, other.closed) == (True, False)
    rig.users.entries.clear()
    rig.endpoint.user_changed("acme")
    rig.pass_time(1)
    assert not other.closed


def test_topics_of_the_system_are_not_everybodys(rig: Rig) -> None:
    device = rig.connected(V5)
    (answer,) = device.send(Publish(b"$SYS/x", b"", 1, 1))
    assert isinstance(answer, Ack)
    assert answer.code == Reason.NOT_AUTHORIZED


def test_content_type_and_user_properties_are_kept_and_others_are_not(rig: Rig) -> None:
    pairs = (("b", "1"), ("a", "2"), ("b", "3"))
    kept = Properties(content_type="application/json", user_properties=pairs)
    other = Properties(
        payload_format=1, message_expiry_s=1, response_topic="r", correlation_data=b"c"
    )
    rig.connected(V5).send(
        Publish(b"a", b"0"), Publish(b"a", b"1", 1, 1, properties=kept), Publish(b"a", b"2"),
        Publish(b"a", b"3", properties=other),
    )  # fmt: skip
    assert [each.extras for each in rig.messages] == [
        None,
        Extras(1, "application/json", pairs),
        None,
        None,
    ]
    assert [each.payload for each in rig.messages] == [b"0", b"1", b"2", b"3"]


def test_a_topic_alias_stands_for_its_topic_until_it_stands_for_another(rig: Rig) -> None:
    device = rig.connected(V5)
    two, sixteen = Properties(topic_alias=2), Properties(topic_alias=16)
    device.send(
        Publish(b"a", b"1", properties=two),
        Publish(b"", b"2", 1, 9, properties=two),
        Publish(b"b", b"3", properties=sixteen),
        Publish(b"c", b"4", properties=two),
    )
    device.send(Publish(b"", b"5", properties=two), Publish(b"", b"6", properties=sixteen))
    assert [each.topic for each in rig.messages] == [b"a", b"a", b"b", b"c", b"c", b"b"]


@pytest.mark.parametrize(
    ("alias", "code"),
    [
        (0, Reason.TOPIC_ALIAS_INVALID),
        (17, Reason.TOPIC_ALIAS_INVALID),
        (3, Reason.PROTOCOL_ERROR),
    ],
)
def test_an_alias_that_cannot_be_ends_the_connection(rig: Rig, alias: int, code: Reason) -> None:
    device = rig.connected(V5)
    topic = b"" if code is Reason.PROTOCOL_ERROR else b"a"
    (answer,) = device.send(Publish(topic, b"1", properties=Properties(topic_alias=alias)))
    assert isinstance(answer, Disconnect)
    assert answer.code == code
    assert rig.messages == []


def test_an_alias_is_not_carried_over_to_the_next_connection(rig: Rig) -> None:
    alias = Properties(topic_alias=1)
    connect = Connect(V5, b"d", clean=False, properties=Properties(session_expiry_s=60))
    rig.connected(V5, connect).send(Publish(b"a", b"1", properties=alias))
    device = rig.device()
    device.send(connect)
    (answer,) = device.send(Publish(b"", b"2", properties=alias))
    assert isinstance(answer, Disconnect)


def test_a_subscription_identifier_from_a_device_ends_the_connection(rig: Rig) -> None:
    device = rig.connected(V5)
    device.send(Publish(b"a", b"", properties=Properties(subscription_identifiers=(1,))))
    assert device.closed
    assert rig.messages == []


def test_more_unacknowledged_messages_than_agreed_end_a_connection_of_5() -> None:
    rig = Rig(ConnectionSettings(receive_maximum=3))
    device = rig.connected(V5)
    device.send(*(Publish(b"a", b"", 1, each) for each in (1, 2, 3)))
    rig.confirm()
    device.send(*(Publish(b"a", b"", 1, each) for each in (4, 5)), Publish(b"a", b""))
    device.answers()
    assert not device.closed
    device.send(Publish(b"a", b"", 1, 6))
    assert not device.closed
    (answer,) = device.send(Publish(b"a", b"", 1, 7))
    assert isinstance(answer, Disconnect)
    assert answer.code == Reason.RECEIVE_MAXIMUM_EXCEEDED
    assert rig.endpoint.refusals.counts[Refusal.RECEIVE_MAXIMUM] == 1


def test_3_knows_no_receive_maximum() -> None:
    rig = Rig(ConnectionSettings(receive_maximum=3))
    device = rig.connected(V3)
    device.send(*(Publish(b"a", b"", 1, each) for each in range(1, 100)))
    assert not device.closed


@pytest.mark.parametrize(
    "asked", [Properties(request_problem_information=0), Properties(maximum_packet_size=64)]
)
def test_no_words_for_who_wants_none_or_has_no_room(asked: Properties) -> None:
    user = "a" * 60
    rig = Rig(users=KnownUsers(entries={user: new_entry(user, "known", provider="acme")}))
    connect = Connect(V5, b"d", user=user, password=b"known", properties=asked)
    device = rig.connected(V5, connect)
    answers = device.send(Publish(b"x", b"", 1, 1))
    assert answers == [Ack(Kind.PUBACK, 1, Reason.NOT_AUTHORIZED)]


@BOTH
def test_pings_are_answered(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    answers = device.send(Ping(Kind.PINGREQ), Publish(b"a", b"1"), Ping(Kind.PINGREQ))
    assert answers == [Ping(Kind.PINGRESP)] * 2


@pytest.mark.parametrize(
    "packet",
    [Ack(Kind.PUBACK, 1), Ack(Kind.PUBREC, 1), Ack(Kind.PUBCOMP, 1), Ping(Kind.PINGRESP)],
)
@BOTH
def test_what_only_a_server_may_send_ends_the_connection(
    rig: Rig, level: Level, packet: Ack | Ping
) -> None:
    device = rig.connected(level)
    device.send(packet)
    assert device.closed
    assert rig.endpoint.refusals.counts[Refusal.PROTOCOL] == 1


@BOTH
def test_a_will_outside_the_allowed_topics_is_refused_when_it_is_due(
    rig: Rig, level: Level
) -> None:
    device = rig.connected(level, acme(level, will=Will(FAR.encode(), b"gone")))
    device.connection.ended("lost")
    assert rig.messages == []
    assert rig.endpoint.refusals.counts[Refusal.WILL_TOPIC] == 1
    assert rig.intake.controls[-1] == (ControlKind.DISCONNECT, "device", "lost")

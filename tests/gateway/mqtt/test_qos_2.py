"""QoS 2 and sessions: taken once, whatever is sent again, as long as the process lives."""

import pytest

from city.frame import RecordFlag
from fuzz.rig import Device, Rig
from gateway.mqtt.packets import Ack, Connack, Connect, Disconnect, Kind, Publish
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, Reason
from gateway.mqtt.wire import ConnectionSettings

V3, V5 = Level.V3, Level.V5
BOTH = pytest.mark.parametrize("level", [V3, V5])
PUBLISH = Publish(b"a", b"1", 2, 7)
AGAIN = Publish(b"a", b"1", 2, 7, dup=True)
PUBREC, PUBREL, PUBCOMP = (Ack(kind, 7) for kind in (Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def resume(rig: Rig, level: Level, *, clean: bool = False) -> tuple[Device, bool]:
    """Connect with a session to be resumed; return whether it was there."""
    device = rig.device(level)
    properties = Properties(session_expiry_s=600) if level == V5 else Properties()
    (answer,) = device.send(Connect(level, b"device", clean=clean, properties=properties))
    assert isinstance(answer, Connack)
    return device, answer.session_present


@BOTH
def test_a_pubrec_comes_when_the_log_has_the_message_and_a_pubcomp_ends_it(
    rig: Rig, level: Level
) -> None:
    device = rig.connected(level)
    assert device.send(PUBLISH) == []
    rig.confirm()
    assert device.answers() == [PUBREC]
    assert device.send(PUBREL) == [PUBCOMP]
    assert [each.flag for each in rig.messages] == [RecordFlag.QOS_2]


@BOTH
def test_an_open_identifier_is_acknowledged_again_and_not_taken_again(
    rig: Rig, level: Level
) -> None:
    device = rig.connected(level)
    device.send(PUBLISH)
    rig.confirm()
    device.answers()
    assert device.send(AGAIN) == [PUBREC]
    assert len(rig.messages) == 1


@BOTH
def test_a_released_identifier_is_a_new_message(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    for dup in (False, True):
        device.send(Publish(b"a", b"1", 2, 7, dup=dup))
        rig.confirm()
        device.send(PUBREL)
    assert len(rig.messages) == 2


def test_an_identifier_that_is_not_open_is_released_in_3(rig: Rig) -> None:
    assert rig.connected(V3).send(PUBREL) == [PUBCOMP]


def test_an_identifier_that_is_not_open_is_not_found_in_5(rig: Rig) -> None:
    answers = rig.connected(V5).send(PUBREL)
    assert answers == [Ack(Kind.PUBCOMP, 7, Reason.IDENTIFIER_NOT_FOUND)]


@BOTH
def test_open_identifiers_survive_a_reconnection(rig: Rig, level: Level) -> None:
    device, present = resume(rig, level)
    assert not present
    device.send(PUBLISH)
    rig.confirm()
    device.connection.ended("lost")
    device, present = resume(rig, level)
    assert present
    assert device.send(AGAIN) == [PUBREC]
    assert device.send(PUBREL) == [PUBCOMP]
    assert len(rig.messages) == 1


@BOTH
def test_a_message_that_the_log_gets_after_the_reconnection_is_acknowledged_there(
    rig: Rig, level: Level
) -> None:
    device, _ = resume(rig, level)
    device.send(PUBLISH)
    device.connection.ended("lost")
    device, _ = resume(rig, level)
    assert device.send(AGAIN) == []
    rig.confirm()
    assert device.answers() == [PUBREC]
    assert device.send(AGAIN, PUBREL) == [PUBREC, PUBCOMP]
    assert len(rig.messages) == 1


@BOTH
def test_a_pubrec_is_not_sent_twice_on_one_connection(rig: Rig, level: Level) -> None:
    device, _ = resume(rig, level)
    device.send(PUBLISH)
    device.send(AGAIN)
    rig.confirm()
    assert device.answers() == [PUBREC]


@BOTH
def test_nobody_is_written_to_when_the_device_has_gone(rig: Rig, level: Level) -> None:
    device, _ = resume(rig, level)
    device.send(PUBLISH, Publish(b"a", b"2", 1, 8))
    device.connection.ended("lost")
    rig.confirm()
    assert device.answers() == []
    device, _ = resume(rig, level)
    assert device.send(AGAIN) == [PUBREC]


@BOTH
def test_a_clean_start_forgets_open_identifiers(rig: Rig, level: Level) -> None:
    device, _ = resume(rig, level)
    device.send(PUBLISH)
    rig.confirm()
    device.connection.ended("lost")
    device, present = resume(rig, level, clean=True)
    assert not present
    device.send(AGAIN)
    assert len(rig.messages) == 2


@BOTH
def test_a_clean_session_ends_with_its_connection(rig: Rig, level: Level) -> None:
    rig.connected(level).connection.ended("lost")
    assert rig.endpoint.sessions.kept == 0
    assert not resume(rig, level)[1]


@BOTH
def test_a_session_is_forgotten_when_its_time_is_over(level: Level) -> None:
    rig = Rig(ConnectionSettings(session_expiry_s=100))
    for seconds, expected in ((98, True), (102, False)):
        resume(rig, level)[0].connection.ended("lost")
        rig.pass_time(seconds)
        assert resume(rig, level)[1] == expected
    resume(rig, level)[0].connection.ended("lost")
    rig.pass_time(120)
    assert rig.endpoint.sessions.kept == 0


def test_disconnect_of_5_can_change_how_long_the_session_is_kept(rig: Rig) -> None:
    for expiry_s, kept in ((0, 0), (5, 1)):
        device, _ = resume(rig, V5)
        device.send(Disconnect(properties=Properties(session_expiry_s=expiry_s)))
        assert device.closed
        assert rig.endpoint.sessions.kept == kept
    rig.pass_time(20)
    assert rig.endpoint.sessions.kept == 0


def test_disconnect_of_5_cannot_keep_what_connect_did_not_ask_for(rig: Rig) -> None:
    device = rig.connected(V5)
    (answer,) = device.send(Disconnect(properties=Properties(session_expiry_s=5)))
    assert isinstance(answer, Disconnect)
    assert answer.code == Reason.PROTOCOL_ERROR


def test_the_session_that_was_left_first_gives_way() -> None:
    rig = Rig(ConnectionSettings(max_kept_sessions=2))
    for client in (b"1", b"2", b"1", b"3"):
        device = rig.connected(V3, Connect(V3, client, clean=False))
        device.connection.ended("lost")
    present: list[bool] = []
    for client in (b"1", b"2", b"3"):
        (answer,) = rig.device(V3).send(Connect(V3, client, clean=False))
        assert isinstance(answer, Connack)
        present.append(answer.session_present)
    assert present == [True, False, True]


def test_the_newer_of_two_connections_keeps_the_session(rig: Rig) -> None:
    older, _ = resume(rig, V3)
    older.send(PUBLISH)
    newer, present = resume(rig, V3)
    assert present
    assert older.closed
    older.connection.ended("closed")
    rig.confirm()
    assert newer.send(AGAIN) == [PUBREC]


def test_open_identifiers_count_against_what_was_agreed() -> None:
    rig = Rig(ConnectionSettings(receive_maximum=2))
    for level in (V3, V5):
        device = rig.connected(level)
        device.send(Publish(b"a", b"1", 2, 1), Publish(b"a", b"2", 2, 2))
        rig.confirm()
        device.answers()
        assert len(device.send(Ack(Kind.PUBREL, 1))) == 1
        device.send(Publish(b"a", b"3", 2, 3))
        assert not device.closed
        device.send(Publish(b"a", b"4", 2, 4))
        assert device.closed


def test_a_refused_message_of_qos_2_leaves_its_identifier_free(rig: Rig) -> None:
    device = rig.connected(V5)
    device.send(Publish(b"$SYS/x", b"1", 2, 7))
    device.send(PUBLISH)
    rig.confirm()
    assert device.answers() == [PUBREC]
    assert [each.payload for each in rig.messages] == [b"1"]

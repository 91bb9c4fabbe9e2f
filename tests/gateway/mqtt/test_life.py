"""The life of a connection: keep alive, wills, pauses, and every way to end."""

import pytest

from city.frame import ControlKind, Extras, RecordFlag
from fuzz.rig import Device, Rig
from gateway.mqtt import wills
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Connect, Disconnect, Kind, Ping, Publish, Will
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, Reason
from gateway.mqtt.refusals import LOGGED_EACH_SECOND, Refusal, Refusals
from gateway.mqtt.wire import ConnectionSettings

V3, V5 = Level.V3, Level.V5
BOTH = pytest.mark.parametrize("level", [V3, V5])
WILL = Will(b"status", b"gone", 1, retain=True)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def with_will(rig: Rig, level: Level, delay_s: int = 0, keep_s: int = 0) -> Device:
    will = Will(b"status", b"gone", 1, retain=True, properties=Properties(will_delay_s=delay_s))
    kept = Properties(session_expiry_s=keep_s)
    connect = Connect(level, b"device", clean=False, will=will if level == V5 else WILL)
    if level == V5:
        connect = Connect(V5, b"device", clean=False, will=will, properties=kept)
    return rig.connected(level, connect)


def published(rig: Rig) -> list[bytes]:
    return [each.payload for each in rig.messages]


@BOTH
def test_a_silent_device_is_disconnected_after_one_and_a_half_times_its_keep_alive(
    rig: Rig, level: Level
) -> None:
    device = rig.connected(level, Connect(level, b"d", keep_alive_s=10))
    rig.pass_time(14)
    device.send(Ping(Kind.PINGREQ))
    rig.pass_time(15)
    assert not device.closed
    rig.pass_time(3)
    assert device.closed
    assert device.answers() == ([] if level == V3 else [Disconnect(Reason.KEEP_ALIVE_TIMEOUT)])
    assert rig.endpoint.refusals.counts[Refusal.KEEP_ALIVE] == 1


@BOTH
def test_any_packet_is_a_sign_of_life(rig: Rig, level: Level) -> None:
    device = rig.connected(level, Connect(level, b"d", keep_alive_s=10))
    for number in range(10):
        rig.pass_time(14)
        device.send(Publish(b"a", b"", 1, number + 1))
    assert not device.closed


@BOTH
def test_without_keep_alive_a_device_may_be_silent_for_ever(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    rig.endpoint.tick(1e9)
    assert not device.closed


@BOTH
def test_a_will_is_a_message_with_a_flag(rig: Rig, level: Level) -> None:
    with_will(rig, level).connection.ended("lost")
    (message,) = rig.messages
    assert (message.client, message.topic, message.payload) == (b"device", b"status", b"gone")
    assert message.flag == RecordFlag.WILL | RecordFlag.QOS_1 | RecordFlag.RETAIN
    assert message.acknowledgement == b""
    rig.confirm()
    assert [kind for kind, _, _ in rig.intake.controls] == [
        ControlKind.CONNECT,
        ControlKind.DISCONNECT,
    ]


@BOTH
def test_a_will_without_retain_is_published_without(rig: Rig, level: Level) -> None:
    device = rig.connected(level, Connect(level, b"d", will=Will(b"w", b"x")))
    device.connection.ended("lost")
    assert [each.flag for each in rig.messages] == [RecordFlag.WILL]


@BOTH
def test_disconnect_takes_the_will_away(rig: Rig, level: Level) -> None:
    device = with_will(rig, level)
    device.send(Disconnect())
    assert device.closed
    device.connection.ended("closed")
    assert rig.messages == []
    assert rig.intake.controls[-1][0] is ControlKind.DISCONNECT
    assert rig.endpoint.connections == set()


@pytest.mark.parametrize("code", [0x04, 0x80, 0x98])
def test_disconnect_with_another_reason_publishes_the_will(rig: Rig, code: int) -> None:
    with_will(rig, V5).send(Disconnect(code))
    assert published(rig) == [b"gone"]


@BOTH
def test_no_will_is_published_where_there_was_none(rig: Rig, level: Level) -> None:
    rig.connected(level).connection.ended("lost")
    assert rig.messages == []


@BOTH
def test_a_broken_rule_and_a_takeover_and_silence_publish_the_will(rig: Rig, level: Level) -> None:
    with_will(rig, level).send_bytes(b"\x36\x00")
    assert len(rig.messages) == 1
    with_will(rig, level)
    with_will(rig, level)
    assert len(rig.messages) == 2
    rig.endpoint.shut_down()
    assert len(rig.messages) == 3


def test_what_came_with_disconnect_in_one_read_is_taken(rig: Rig) -> None:
    device = rig.connected(V3)
    device.send(Publish(b"a", b"1"), Disconnect(), Publish(b"a", b"2"))
    assert published(rig) == [b"1"]


@BOTH
@pytest.mark.parametrize("leaves", [True, False])
def test_what_was_sent_before_a_takeover_comes_first(rig: Rig, level: Level, leaves: bool) -> None:
    older = with_will(rig, level)
    sent = [Publish(b"a", b"1"), *([Disconnect()] if leaves else [])]
    older.rest = b"".join(encode(each, level) for each in sent)
    with_will(rig, level).send(Publish(b"a", b"2"))
    assert published(rig) == ([b"1", b"2"] if leaves else [b"1", b"gone", b"2"])
    assert older.closed


def test_a_delayed_will_waits_for_its_time(rig: Rig) -> None:
    with_will(rig, V5, delay_s=10, keep_s=60).connection.ended("lost")
    rig.pass_time(9)
    assert rig.messages == []
    assert rig.endpoint.wills.delayed == 1
    rig.pass_time(2)
    assert published(rig) == [b"gone"]


def test_a_device_that_is_back_in_time_takes_its_delayed_will_away(rig: Rig) -> None:
    with_will(rig, V5, delay_s=10, keep_s=60).connection.ended("lost")
    rig.pass_time(5)
    with_will(rig, V5, delay_s=10, keep_s=60)
    rig.pass_time(20)
    assert rig.messages == []


def test_a_clean_start_ends_the_session_and_publishes_its_delayed_will(rig: Rig) -> None:
    with_will(rig, V5, delay_s=10, keep_s=60).connection.ended("lost")
    rig.connected(V5)
    assert published(rig) == [b"gone"]


def test_a_delay_ends_with_the_session(rig: Rig) -> None:
    with_will(rig, V5, delay_s=100, keep_s=5).connection.ended("lost")
    rig.pass_time(6)
    assert published(rig) == [b"gone"]


def test_delayed_wills_are_published_when_the_process_stops(rig: Rig) -> None:
    with_will(rig, V5, delay_s=10, keep_s=60).connection.ended("lost")
    rig.endpoint.shut_down()
    assert published(rig) == [b"gone"]


def test_delayed_wills_are_bounded_and_the_oldest_goes_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wills, "MOST_DELAYED", 2)
    for number in range(3):
        will = Will(b"w", b"%d" % number, properties=Properties(will_delay_s=9))
        kept = Properties(session_expiry_s=60)
        connect = Connect(V5, b"%d" % number, will=will, properties=kept)
        rig.connected(V5, connect).connection.ended("lost")
    assert published(rig) == [b"0"]
    rig.pass_time(10)
    assert published(rig) == [b"0", b"1", b"2"]


def test_a_will_keeps_its_content_type_and_user_properties(rig: Rig) -> None:
    kept = Properties(content_type="text/plain", user_properties=(("k", "v"),))
    will = Will(b"w", b"x", properties=kept)
    rig.connected(V5, Connect(V5, b"d", will=will)).connection.ended("lost")
    assert rig.messages[0].extras == Extras(0, "text/plain", (("k", "v"),))


@BOTH
def test_a_stopping_process_says_so(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    waiting = rig.device()
    rig.endpoint.shut_down()
    assert device.answers() == ([] if level == V3 else [Disconnect(Reason.SHUTTING_DOWN)])
    assert device.closed
    assert waiting.closed


@BOTH
def test_a_connection_with_too_much_unconfirmed_is_not_read_until_half_is_confirmed(
    level: Level,
) -> None:
    rig = Rig(ConnectionSettings(unacked_bytes=1_000))
    device = rig.connected(level)
    for number in range(4):
        device.send(Publish(b"a", b"x" * 240, 1, number + 1))
        assert device.reading
    device.send(Publish(b"a", b"x" * 240, 1, 5))
    assert not device.reading
    first, second, third, *_ = rig.intake.pending
    first.confirm()
    second.confirm()
    assert not device.reading
    third.confirm()
    assert device.reading


def test_a_full_backlog_stops_whoever_publishes_and_lets_all_go_on_together(rig: Rig) -> None:
    devices = [rig.connected(V3, Connect(V3, b"%d" % each)) for each in range(3)]
    rig.intake.full = True
    for device in devices[:2]:
        device.send(Publish(b"a", b"1", 1, 1))
    assert [device.reading for device in devices] == [False, False, True]
    rig.intake.pending[0].confirm()
    assert [device.reading for device in devices] == [False, False, True]
    rig.intake.full = False
    rig.intake.pending[0].confirm()
    assert [device.reading for device in devices] == [True, True, True]


def test_a_backlog_that_got_room_by_itself_is_noticed_within_a_second(rig: Rig) -> None:
    device = rig.connected(V3)
    rig.intake.full = True
    device.send(Publish(b"a", b"1", 1, 1))
    rig.confirm()
    rig.intake.full = False
    rig.pass_time(1)
    assert device.reading


def test_a_device_that_is_not_read_is_not_blamed_for_its_silence(rig: Rig) -> None:
    device = rig.connected(V5, Connect(V5, b"d", keep_alive_s=1))
    rig.intake.full = True
    device.send(Publish(b"a", b"1", 1, 1))
    rig.pass_time(60)
    assert not device.closed
    rig.intake.full = False
    rig.endpoint.tick(rig.endpoint.now_s)
    assert device.reading
    rig.pass_time(1)
    assert not device.closed
    rig.pass_time(4)
    assert device.closed


def test_a_device_that_could_not_send_its_connect_gets_its_time_again(rig: Rig) -> None:
    device = rig.device()
    rig.intake.full = True
    rig.endpoint.pause()
    rig.pass_time(60)
    assert not device.closed
    rig.intake.full = False
    rig.pass_time(8)
    assert device.reading
    assert not device.closed
    rig.pass_time(8)
    assert device.closed


def test_an_own_limit_and_a_full_backlog_both_have_to_be_out_of_the_way() -> None:
    rig = Rig(ConnectionSettings(unacked_bytes=1_000))
    device = rig.connected(V3)
    device.send(Publish(b"a", b"x" * 2_000, 1, 1))
    rig.intake.full = True
    rig.confirm()
    assert not device.reading
    rig.intake.full = False
    rig.pass_time(1)
    assert device.reading


def test_nothing_is_read_or_written_after_the_end(rig: Rig) -> None:
    device = rig.connected(V5)
    device.send(Publish(b"a", b"1", 1, 1))
    device.connection.ended("lost")
    device.send(Publish(b"a", b"2", 1, 2))
    device.connection.go_on()
    device.connection.taken_over()
    device.connection.ended("again")
    rig.confirm()
    assert published(rig) == [b"1"]
    assert device.written.startswith(b"\x20")
    assert device.answers() == []
    assert len(rig.intake.controls) == 2


def test_refusals_are_all_counted_and_some_logged() -> None:
    refusals = Refusals()
    for _ in range(LOGGED_EACH_SECOND + 5):
        refusals.note(Refusal.TOPIC, client="d", address="a", detail="w", topic=b"t\xff")
    assert refusals.counts[Refusal.TOPIC] == LOGGED_EACH_SECOND + 5
    assert refusals.unlogged == 5
    refusals.tick()
    refusals.note(Refusal.SUBSCRIBE, client="d", address="a", detail="w")
    assert refusals.unlogged == 5

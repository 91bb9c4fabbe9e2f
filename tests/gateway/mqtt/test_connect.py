"""CONNECT: who gets in, as whom, and what the answer says."""

import pytest

from city.access import AccessEntry, new_entry, new_secret
from city.frame import ControlKind
from fuzz.rig import Device, KnownUsers, Rig
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Ack, Auth, Connack, Connect, Disconnect, Kind, Ping, Publish, Will
from gateway.mqtt.primitives import encode_varint
from gateway.mqtt.properties import NO_PROPERTIES, Properties
from gateway.mqtt.reasons import Level, Reason
from gateway.mqtt.refusals import Refusal
from gateway.mqtt.wire import LONGEST_CONNECT_BYTES, ConnectionSettings

V3, V5 = Level.V3, Level.V5
BOTH = pytest.mark.parametrize("level", [V3, V5])
SECRET = new_secret()


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def guarded() -> Rig:
    """Return an endpoint with one user, one disabled user and nobody anonymous from afar."""
    entry = new_entry("acme", SECRET, provider="acme")
    off = AccessEntry("off", "off", None, entry.salt, entry.secret_sha256, disabled=True)
    return Rig(users=KnownUsers(entries={"acme": entry, "off": off}))


def connack(device: Device, connect: Connect) -> Connack:
    (answer,) = device.send(connect)
    assert isinstance(answer, Connack)
    return answer


def refused(rig: Rig) -> list[Refusal]:
    return [reason for reason, count in rig.endpoint.refusals.counts.items() if count]


@BOTH
def test_a_device_gets_in_and_is_recorded(rig: Rig, level: Level) -> None:
    device = rig.device(level)
    answer = connack(device, Connect(level, b"dev"))
    assert (answer.code, answer.session_present) == (0, False)
    ((kind, client, words),) = rig.intake.controls
    assert (kind, client) == (ControlKind.CONNECT, "dev")
    assert "192.0.2.7:50123" in words
    assert rig.announced == [b"dev"]


def test_the_connack_of_5_says_what_this_endpoint_does_and_does_not(rig: Rig) -> None:
    answer = connack(rig.device(V5), Connect(V5, b"dev"))
    assert answer.properties == Properties(
        receive_maximum=4_096,
        topic_alias_maximum=16,
        maximum_packet_size=262_144,
        wildcard_subscription_available=0,
        subscription_identifiers_available=0,
        shared_subscription_available=0,
    )


def test_the_session_expiry_in_the_connack_is_what_is_really_kept(rig: Rig) -> None:
    for asked_s, told_s in ((86_400, 3_600), (3_600, None), (60, None), (0xFFFF_FFFF, 3_600)):
        asked = Properties(session_expiry_s=asked_s)
        answer = connack(rig.device(), Connect(V5, b"d", properties=asked))
        assert answer.properties.session_expiry_s == told_s


@BOTH
def test_a_second_connect_ends_the_connection(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    device.send(Connect(level, b"device"))
    assert device.closed
    assert refused(rig) == [Refusal.PROTOCOL]


@pytest.mark.parametrize(
    "data", [b"\xc0\x00", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00", b"\x30"]
)
def test_anything_before_connect_ends_the_connection_at_once(rig: Rig, data: bytes) -> None:
    device = rig.device()
    assert device.send_bytes(data) == []
    assert device.closed
    assert rig.intake.controls == []


def test_a_malformed_connect_of_3_is_closed_without_an_answer(rig: Rig) -> None:
    device = rig.device(V3)
    assert device.send_bytes(bytes.fromhex("10 0f 0004 4d515454 04 03 003c 0003 646576")) == []
    assert device.closed
    assert refused(rig) == [Refusal.MALFORMED]


def test_a_malformed_connect_of_5_is_told_so(rig: Rig) -> None:
    device = rig.device(V5)
    (answer,) = device.send_bytes(bytes.fromhex("10 10 0004 4d515454 05 03 003c 00 0003 646576"))
    assert isinstance(answer, Connack)
    assert answer.code == Reason.MALFORMED_PACKET
    assert "reserved flag" in (answer.properties.reason_string or "")
    assert device.closed


@pytest.mark.parametrize(("name", "level"), [(b"MQIsdp", 3), (b"MQTT", 3), (b"MQTT", 0)])
def test_an_older_protocol_is_told_so_in_3(rig: Rig, name: bytes, level: int) -> None:
    device = rig.device(V3)
    body = len(name).to_bytes(2, "big") + name + bytes((level, 2, 0, 60)) + b"\0\3dev"
    assert device.send_bytes(bytes((0x10, len(body))) + body) == [Connack(1)]
    assert device.closed
    assert refused(rig) == [Refusal.VERSION]


def test_a_newer_protocol_is_told_so_in_5(rig: Rig) -> None:
    device = rig.device(V5)
    (answer,) = device.send_bytes(bytes.fromhex("10 10 0004 4d515454 06 02 003c 00 0003 646576"))
    assert isinstance(answer, Connack)
    assert answer.code == Reason.UNSUPPORTED_VERSION
    assert device.closed


def test_an_empty_client_identifier_of_3_gets_one_for_a_clean_session(rig: Rig) -> None:
    connack(rig.device(V3), Connect(V3, b""))
    assert rig.announced[0].startswith(b"madina-")


def test_an_empty_client_identifier_of_3_is_refused_for_a_session_to_be_resumed(rig: Rig) -> None:
    device = rig.device(V3)
    assert connack(device, Connect(V3, b"", clean=False)) == Connack(2)
    assert device.closed
    assert refused(rig) == [Refusal.CLIENT_ID]


@pytest.mark.parametrize("clean", [True, False])
def test_an_empty_client_identifier_of_5_is_assigned_one(rig: Rig, clean: bool) -> None:
    first = connack(rig.device(), Connect(V5, b"", clean=clean)).properties.assigned_client
    second = connack(rig.device(), Connect(V5, b"", clean=clean)).properties.assigned_client
    assert first != second
    assert [each.decode() for each in rig.announced] == [first, second]


@BOTH
def test_client_identifiers_have_a_longest_length(rig: Rig, level: Level) -> None:
    assert connack(rig.device(level), Connect(level, b"a" * 1_024)).code == 0
    code = connack(rig.device(level), Connect(level, b"a" * 1_025)).code
    assert code == (2 if level == V3 else Reason.CLIENT_ID_NOT_VALID)


@BOTH
def test_right_credentials_get_in(guarded: Rig, level: Level) -> None:
    connect = Connect(level, b"d", user="acme", password=SECRET.encode())
    device = guarded.device(level, near=False)
    assert connack(device, connect).code == 0
    assert device.connection.user == "acme"


@pytest.mark.parametrize(
    ("user", "password", "codes", "refusal"),
    [
        ("acme", b"wrong", (4, 0x86), Refusal.CREDENTIALS),
        ("acme", None, (4, 0x86), Refusal.CREDENTIALS),
        ("nobody", b"x", (4, 0x86), Refusal.CREDENTIALS),
        pytest.param("off", SECRET.encode(), (5, 0x87), Refusal.DISABLED, id="disabled"),
        (None, None, (5, 0x87), Refusal.ANONYMOUS),
    ],
)
@BOTH
def test_others_do_not_get_in_and_are_told_why(
    guarded: Rig,
    level: Level,
    user: str | None,
    password: bytes | None,
    codes: tuple[int, int],
    refusal: Refusal,
) -> None:
    device = guarded.device(level, near=False)
    answer = connack(device, Connect(level, b"d", user=user, password=password))
    assert answer.code == codes[level == V5]
    assert device.closed
    assert refused(guarded) == [refusal]
    assert guarded.endpoint.connections == set()
    assert guarded.intake.controls == []


@BOTH
def test_while_no_users_are_known_devices_are_to_try_again(level: Level) -> None:
    rig = Rig(users=KnownUsers(known=False))
    device = rig.device(level, near=False)
    answer = connack(device, Connect(level, b"d", user="acme", password=b"x"))
    assert answer.code == (3 if level == V3 else Reason.SERVER_UNAVAILABLE)


def test_nothing_behind_a_refused_connect_is_looked_at(guarded: Rig) -> None:
    device = guarded.device(V5, near=False)
    answers = device.send(Connect(V5, b"d"), Publish(b"a", b""), Ping(Kind.PINGREQ))
    assert len(answers) == 1
    assert guarded.messages == []


def test_packets_behind_an_accepted_connect_are_taken_in_the_same_read(rig: Rig) -> None:
    device = rig.device(V3)
    answers = device.send(Connect(V3, b"d"), Publish(b"a", b"1"), Ping(Kind.PINGREQ))
    assert [type(each) for each in answers] == [Connack, Ping]
    assert [each.payload for each in rig.messages] == [b"1"]


def test_an_authentication_method_is_refused(rig: Rig) -> None:
    asked = Properties(authentication_method="SCRAM-SHA-1")
    answer = connack(rig.device(), Connect(V5, b"d", properties=asked))
    assert answer.code == Reason.BAD_AUTHENTICATION_METHOD


def test_auth_without_a_method_ends_the_connection(rig: Rig) -> None:
    device = rig.connected(V5)
    (answer,) = device.send(Auth(0x19, Properties(authentication_method="x")))
    assert isinstance(answer, Disconnect)
    assert answer.code == Reason.PROTOCOL_ERROR
    assert device.closed


def test_a_connect_longer_than_its_limit_is_refused_by_its_header(rig: Rig) -> None:
    device = rig.device()
    device.send_bytes(b"\x10" + encode_varint(LONGEST_CONNECT_BYTES - 4))
    assert not device.closed
    device = rig.device()
    device.send_bytes(b"\x10" + encode_varint(LONGEST_CONNECT_BYTES - 3))
    assert device.closed
    assert refused(rig) == [Refusal.TOO_LARGE]


def test_a_device_without_room_for_a_connack_is_refused_in_as_much_room_as_it_has(rig: Rig) -> None:
    for room in (63, 10, 5, 4):
        device = rig.device()
        device.send(Connect(V5, b"d", properties=Properties(maximum_packet_size=room)))
        assert device.closed
        assert len(device.written) <= room
    device = rig.device()
    device.send(
        Connect(V5, b"", properties=Properties(maximum_packet_size=64, session_expiry_s=9_999))
    )
    assert 0 < len(device.written) <= 64
    assert not device.closed


@BOTH
def test_a_client_identifier_that_connects_again_ends_the_older_connection(
    rig: Rig, level: Level
) -> None:
    older = rig.connected(level)
    newer = rig.connected(level)
    assert older.closed
    assert not newer.closed
    assert older.answers() == ([] if level == V3 else [Disconnect(Reason.SESSION_TAKEN_OVER)])
    assert rig.endpoint.sessions.taken_over == 1


@BOTH
def test_client_identifiers_are_each_users_own(guarded: Rig, level: Level) -> None:
    guarded.users.entries["other"] = new_entry("other", SECRET, provider="other")
    devices: list[Device] = []
    for user in ("acme", "other", None):
        device = guarded.device(level)
        password = None if user is None else SECRET.encode()
        assert connack(device, Connect(level, b"d", user=user, password=password)).code == 0
        devices.append(device)
    assert [device.closed for device in devices] == [False, False, False]
    assert len(set(guarded.announced)) == 3


def test_a_connection_elsewhere_ends_the_one_here(rig: Rig) -> None:
    device = rig.connected(V5)
    rig.endpoint.sessions.end_holder(b"device")
    rig.endpoint.sessions.end_holder(b"nobody")
    assert device.closed


def test_no_connect_in_time_ends_the_connection(rig: Rig) -> None:
    device = rig.device()
    device.send_bytes(b"\x10")
    rig.pass_time(10)
    assert not device.closed
    rig.pass_time(3)
    assert device.closed
    assert refused(rig) == [Refusal.CONNECT_TIMEOUT]


@BOTH
def test_bytes_come_as_they_like(rig: Rig, level: Level) -> None:
    device = rig.device(level)
    data = encode(Connect(level, b"d", will=Will(b"w", b"x")), level)
    data += encode(Publish(b"a/b", b"x" * 300, 1, 7), level)
    for byte in data:
        device.connection.received(bytes((byte,)))
    rig.confirm()
    assert [type(each) for each in device.answers()] == [Connack, Ack]


def test_an_ignoring_endpoint_does_not_tell_devices_not_to_subscribe() -> None:
    rig = Rig(ConnectionSettings(subscribe="ignore"))
    answer = connack(rig.device(), Connect(V5, b"d"))
    assert answer.properties.wildcard_subscription_available is None
    assert answer.properties.maximum_packet_size is not None
    assert answer.properties is not NO_PROPERTIES

"""SUBSCRIBE and UNSUBSCRIBE: always answered, never served."""

import pytest

from fuzz.rig import Rig
from gateway.mqtt.packets import (
    Connect,
    Disconnect,
    Kind,
    Suback,
    Subscribe,
    Subscription,
    Unsubscribe,
)
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, Reason
from gateway.mqtt.refusals import Refusal
from gateway.mqtt.wire import ConnectionSettings

V3, V5 = Level.V3, Level.V5
BOTH = pytest.mark.parametrize("level", [V3, V5])
THREE = Subscribe(
    9, (Subscription(b"a", 0), Subscription(b"b/#", 1), Subscription(b"$share/g/c", 2))
)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_3_is_refused_filter_by_filter(rig: Rig) -> None:
    device = rig.connected(V3)
    assert device.send(THREE) == [Suback(Kind.SUBACK, 9, b"\x80\x80\x80")]
    assert not device.closed


def test_5_is_refused_with_reasons_and_words(rig: Rig) -> None:
    device = rig.connected(V5)
    (answer,) = device.send(THREE)
    assert isinstance(answer, Suback)
    assert list(answer.codes) == [
        Reason.NOT_AUTHORIZED,
        Reason.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
        Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
    ]
    assert "sends none" in (answer.properties.reason_string or "")
    assert rig.endpoint.refusals.counts[Refusal.SUBSCRIBE] == 1


def test_5_gets_no_words_that_it_did_not_want(rig: Rig) -> None:
    asked = Properties(request_problem_information=0)
    (answer,) = rig.connected(V5, Connect(V5, b"d", properties=asked)).send(THREE)
    assert isinstance(answer, Suback)
    assert answer.properties == Properties()


@BOTH
def test_an_ignoring_endpoint_grants_and_stays_silent(level: Level) -> None:
    rig = Rig(ConnectionSettings(subscribe="ignore"))
    assert rig.connected(level).send(THREE) == [Suback(Kind.SUBACK, 9, b"\0\1\2")]


@pytest.mark.parametrize(("subscribe", "code"), [("refuse", 0x11), ("ignore", 0)])
def test_unsubscribe_is_answered_filter_by_filter(subscribe: str, code: int) -> None:
    settings = ConnectionSettings(subscribe="ignore" if subscribe == "ignore" else "refuse")
    packet = Unsubscribe(9, (b"a", b"b"))
    rig = Rig(settings)
    assert rig.connected(V3).send(packet) == [Suback(Kind.UNSUBACK, 9)]
    assert rig.connected(V5).send(packet) == [Suback(Kind.UNSUBACK, 9, bytes((code, code)))]


@BOTH
def test_a_filter_that_is_none_ends_the_connection(rig: Rig, level: Level) -> None:
    device = rig.connected(level)
    answers = device.send(Subscribe(9, (Subscription(b"a#", 0),)))
    assert device.closed
    assert answers == [] if level == V3 else isinstance(answers[0], Disconnect)


def test_words_about_a_long_filter_stay_short(rig: Rig) -> None:
    device = rig.connected(V5)
    (answer,) = device.send(Subscribe(9, (Subscription(b"+" + b"x" * 65_000, 0),)))
    assert isinstance(answer, Disconnect)
    assert 0 < len(answer.properties.reason_string or "") <= 200

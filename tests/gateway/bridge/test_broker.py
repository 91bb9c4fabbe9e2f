"""Broker URLs: what they say, and what is refused in which words."""

import re

import pytest

from gateway.bridge.broker import Broker, BrokerFiles, BrokerUrlError, parse_broker, parse_brokers
from gateway.mqtt.reasons import Level


def test_a_url_says_everything() -> None:
    broker = parse_broker(
        "mqtts://ci%20ty:p%40ss:w@broker.example?topic=zigbee2mqtt/%23&topic=a/+/b%20c&version=5"
        "&client_id=hall&share=city&qos=2&keep_alive=20&session_expiry=60&receive_maximum=100"
        "&ca=/ca.pem&certificate=/c.pem&key=/k.pem"
    )
    assert broker == Broker(
        host="broker.example",
        port=8883,
        # A plus is a wildcard here, never a space.
        topics=(b"zigbee2mqtt/#", b"a/+/b c"),
        level=Level.V5,
        user="ci ty",
        password=b"p@ss:w",
        client=b"hall",
        share="city",
        qos=2,
        keep_alive_s=20,
        session_expiry_s=60,
        receive_maximum=100,
        files=BrokerFiles("/ca.pem", "/c.pem", "/k.pem"),
    )
    assert broker.wanted == (b"$share/city/zigbee2mqtt/#", b"$share/city/a/+/b c")
    assert "ci ty" not in broker.address


def test_little_is_enough() -> None:
    broker = parse_broker("mqtt://[::1]?topic=%23")
    assert (broker.host, broker.port, broker.level, broker.qos) == ("::1", 1883, None, 1)
    assert broker.address == "[::1]:1883"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://host?topic=a", "begins with mqtt:// or mqtts://"),
        ("mqtt://?topic=a", "names its host"),
        ("mqtt://host:x?topic=a", "cannot be read"),
        ("mqtt://host?topic=a/#", "write # as %23"),
        ("mqtt://host/a", "topics stand behind ?topic="),
        ("mqtt://host", "say which topics"),
        ("mqtt://host?topic=a&topics=b", "'topics' is none of topic, version"),
        ("mqtt://host?topic=a%23", "wildcard inside the level"),
        ("mqtt://host?topic=$share/g/a", "share=NAME"),
        ("mqtt://host?topic=a&version=6", "version is 5 or 3.1.1"),
        ("mqtt://host?topic=a&qos=3", "qos is a number from 0 to 2"),
        ("mqtt://host?topic=a&client_id=x&client_id=y", "client_id stands twice"),
        ("mqtt://host?topic=a&ca=/ca.pem", "certificates need mqtts://"),
        ("mqtts://host?topic=a&key=/k.pem", "belong together"),
        ("mqtt://host?topic=a&share=g&version=3.1.1", "nats-server grants one and delivers"),
        ("mqtt://host?topic=a&share=a/b", "one plain word"),
        ("mqtt://:secret@host?topic=a", "a password needs a user"),
    ],
)
def test_what_cannot_work_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(BrokerUrlError, match=re.escape(words)) as refusal:
        parse_broker(url)
    assert "secret" not in str(refusal.value)


def test_two_urls_may_not_end_each_others_connection() -> None:
    with pytest.raises(BrokerUrlError, match="twice under one client identifier"):
        parse_brokers(["mqtt://host?topic=a", "mqtt://host?topic=b"])
    assert len(parse_brokers(["mqtt://u@host?topic=a", "mqtt://host?topic=b"])) == 2


def test_a_derived_client_identifier_stays_and_every_broker_takes_it() -> None:
    broker = parse_broker("mqtt://host?topic=a")
    name = broker.named("here", "bridge-0").client
    # Other topics are the same session, or the broker would queue for a name that nobody uses.
    assert parse_broker("mqtt://host?topic=b").named("here", "bridge-0").client == name
    assert name.isalnum()
    assert len(name) <= 23
    others = {
        broker.named("there", "bridge-0").client,
        broker.named("here", "bridge-1").client,
        parse_broker("mqtt://u@host?topic=a").named("here", "bridge-0").client,
    }
    assert len(others | {name}) == 4

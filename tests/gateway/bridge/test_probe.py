"""What `madina doctor` sees of real brokers, and what it makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.bridge.broker import parse_broker
from gateway.bridge.probe import BrokerLook, ProbeError, probe
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level
from madina.doctor.brokers import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import StartBroker


@pytest.mark.live
def test_mosquitto_tells_its_version_and_its_window(broker: StartBroker) -> None:
    # Its default of 20 messages in flight: one frame for each 20.
    server = broker.mosquitto("max_inflight_messages 20")
    wanted = parse_broker(f"mqtt://127.0.0.1:{server.port}?topic=plant/%23")
    found = [*judge("bridge", wanted, probe(wanted))]
    assert [each.verdict for each in found] == ["ok", "warning"]
    assert "mosquitto version" in found[0].words
    assert "MQTT 5.0" in found[0].words
    assert "max_inflight_messages is 20" in found[1].words


@pytest.mark.live
def test_nats_server_has_no_shared_subscriptions(broker: StartBroker) -> None:
    server = broker.nats()
    look = probe(parse_broker(f"mqtt://127.0.0.1:{server.port}?topic=a&share=city"))
    assert look.level is Level.V3
    assert "delivers nothing" in look.trouble


def test_a_broker_that_is_not_there_is_told(free_port: Callable[[], int]) -> None:
    with pytest.raises(ProbeError, match="refused"):
        probe(parse_broker(f"mqtt://127.0.0.1:{free_port()}?topic=a"))


@pytest.mark.parametrize(
    ("url", "look", "verdict", "words"),
    [
        ("mqtt://h?topic=a/b", BrokerLook(Level.V5, dropped=7), "warning", "max_queued_messages"),
        (
            "mqtt://h?topic=a/b",
            BrokerLook(Level.V5, Properties(maximum_qos=0)),
            "error",
            "messages may be lost",
        ),
        ("mqtt://h?topic=madina/v1/%23", BrokerLook(Level.V5), "warning", "any provider"),
    ],
)
def test_what_has_to_be_mended_is_said(
    url: str, look: BrokerLook, verdict: str, words: str
) -> None:
    first, second = judge("bridge h", parse_broker(url), look)
    assert first.verdict == "ok"
    assert second.verdict == verdict
    assert words in second.words

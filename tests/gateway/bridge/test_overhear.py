"""Listening at real brokers for a while: messages as they were published, refusals in words."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.bridge.broker import parse_broker
from gateway.bridge.overhear import OverhearError, overhear

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import StartBroker

pytestmark = pytest.mark.live

URL = "mqtt://127.0.0.1:{port}?topic=plant/%23"
AT_US = 1_790_000_000_000_000


def publishing(port: int, ended: threading.Event) -> None:
    """Publish until somebody has heard enough."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="machine")
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish("plant/press/mode", b"on", qos=1, retain=True).wait_for_publish(30)
    number = 0
    while not ended.wait(0.02):
        client.publish("plant/press/temp", str(number), qos=1)
        client.publish("office/temp", b"20", qos=1)
        number += 1
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
def test_what_is_published_meanwhile_is_heard_and_no_more(broker: StartBroker, kind: str) -> None:
    server = getattr(broker, kind)()
    ended = threading.Event()
    machine = threading.Thread(target=publishing, args=(server.port, ended))
    machine.start()
    try:
        wanted = parse_broker(URL.format(port=server.port))
        found = overhear(wanted, 60, 20, lambda: AT_US)
    finally:
        ended.set()
        machine.join()
    assert len(found) == 20
    assert {each.topic for each in found} <= {b"plant/press/temp", b"plant/press/mode"}
    numbers = [int(each.payload) for each in found if each.topic.endswith(b"temp")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {each.received_us for each in found} == {AT_US}


def test_silence_is_an_answer_too(broker: StartBroker) -> None:
    server = broker.mosquitto()
    assert overhear(parse_broker(URL.format(port=server.port)), 0.2, 10, lambda: AT_US) == []


def test_whoever_does_not_let_us_in_says_why(
    broker: StartBroker, free_port: Callable[[], int]
) -> None:
    server = broker.mosquitto("allow_anonymous false")
    wanted = f"mqtt://city:secret@127.0.0.1:{server.port}?topic=plant/%23"
    with pytest.raises(OverhearError, match="cannot be listened to") as refused:
        overhear(parse_broker(wanted), 1, 10, lambda: AT_US)
    assert "secret" not in str(refused.value)
    with pytest.raises(OverhearError, match="refused"):
        overhear(parse_broker(URL.format(port=free_port())), 1, 10, lambda: AT_US)

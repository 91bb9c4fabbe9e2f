"""Who may publish: users are made, used, confined to their topics and locked out, while it runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

ANSWER_S = 30
NOT_AUTHORIZED = 0x87
REFUSED = {"Not authorized", "Bad user name or password"}
MESSAGE = b'{"obs": [{"q": "pm2_5", "v": 12.5}]}'


class Device:
    """One MQTT 5.0 connection with or without a user."""

    def __init__(self, port: int, user: str | None = None, secret: str | None = None) -> None:
        self.connected: str | None = None
        self._answered, self.ended = threading.Event(), threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        if user is not None:
            self._client.username_pw_set(user, secret)
        self._client.on_connect = self._heard
        self._client.on_disconnect = self._gone
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._answered.wait(ANSWER_S)

    def publish(self, topic: str) -> int:
        """Publish with QoS 1; return the reason code of its acknowledgement."""
        codes: list[int] = []
        acknowledged = threading.Event()

        def heard(_client: Any, _data: Any, _id: int, code: Any, _properties: Any) -> None:  # noqa: ANN401
            codes.append(code.value)
            acknowledged.set()

        self._client.on_publish = heard
        self._client.publish(topic, MESSAGE, qos=1)
        assert acknowledged.wait(ANSWER_S)
        return codes[0]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:  # noqa: ANN401
        self.connected = str(code)
        self._answered.set()

    def _gone(self, *_: Any) -> None:  # noqa: ANN401
        self.ended.set()


def answer(port: int, user: str | None = None, secret: str | None = None) -> str | None:
    """Connect, and leave again; return what the endpoint said."""
    device = Device(port, user, secret)
    device.close()
    return device.connected


def test_users_publish_what_is_theirs_until_they_are_locked_out(
    start: Callable[..., Platform],
) -> None:
    platform = start(MADINA_MQTT_ANONYMOUS="never", MADINA_UNKNOWN_DEVICES="accept")
    port = platform.mqtt_port
    assert answer(port) in REFUSED
    secret = platform.madina("users", "add", "acme")["secret"]
    assert answer(port, "acme", "not " + secret) in REFUSED

    platform.until(lambda: answer(port, "acme", secret) == "Success", "the user is known")
    device = Device(port, "acme", secret)
    assert device.publish("madina/v1/acme/meter-7/up") == 0
    assert device.publish("madina/v1/other/meter-7/up") == NOT_AUTHORIZED
    platform.until(lambda: platform.ledger()["accepted"] == 1, "the message is accepted")

    platform.madina("users", "disable", "acme")
    assert device.ended.wait(ANSWER_S)
    assert answer(port, "acme", secret) in REFUSED
    device.close()
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert platform.interrupt() == 0

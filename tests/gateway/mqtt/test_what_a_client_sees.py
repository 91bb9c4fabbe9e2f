"""What a real client of MQTT 5.0 is told: paho on one side, a gateway process on the other."""

from __future__ import annotations

import queue
import subprocess
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import StartGateway

pytestmark = pytest.mark.live

DONE_S = 20
OWN = "madina/v1/acme/meter-7/up"


class Client:
    """A client that keeps what it is told."""

    def __init__(self, port: int, client: str = "") -> None:
        self.told: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client, protocol=MQTTProtocolVersion.MQTTv5
        )
        self.paho.on_connect = self._keep("connack")
        self.paho.on_publish = self._keep("puback")
        self.paho.on_subscribe = self._keep("suback")
        self.paho.on_disconnect = self._keep("disconnect")
        self._port = port

    def _keep(self, kind: str) -> Callable[..., None]:
        def keep(*told: Any) -> None:  # noqa: ANN401 - what paho hands over differs
            self.told.put((kind, told))

        return keep

    def connect(self, *, clean: bool = True, keep_s: int = 0) -> tuple[Any, ...]:
        """Connect; return what CONNACK told."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = keep_s
        self.paho.connect("127.0.0.1", self._port, clean_start=clean, properties=properties)
        self.paho.loop_start()
        return self.next("connack")

    def next(self, kind: str) -> tuple[Any, ...]:
        """Return the next thing told, which is of this kind."""
        found, told = self.told.get(timeout=DONE_S)
        assert found == kind, (found, told)
        return told

    def end(self) -> None:
        """Disconnect."""
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def port(nats_url: str, start_gateway: StartGateway) -> int:
    return start_gateway(nats_url).port


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    made = Client(port)
    yield made
    made.end()


def test_a_client_is_told_its_name_its_refusals_and_its_session(client: Client, port: int) -> None:
    _, _, _, reason, properties = client.connect()
    assert reason.value == 0
    assert properties.AssignedClientIdentifier.startswith("madina-")
    assert properties.WildcardSubscriptionAvailable == 0

    client.paho.publish("$SYS/forbidden", b"x", 1)
    _, _, _, reason, properties = client.next("puback")
    assert reason.value == 0x87
    assert "may not publish" in properties.ReasonString

    client.paho.publish(OWN, b"x", 2)
    assert client.next("puback")[3].value == 0

    client.paho.subscribe("a")
    _, _, _, (reason,), properties = client.next("suback")
    assert reason.value == 0x87
    assert "sends none" in properties.ReasonString


def test_a_session_is_there_again_and_another_connection_takes_it_over(port: int) -> None:
    first, second = Client(port, "meter"), Client(port, "meter")
    try:
        _, _, flags, _, properties = first.connect(clean=False, keep_s=86_400)
        assert not flags.session_present
        assert properties.SessionExpiryInterval == 3_600
        _, _, flags, _, _ = second.connect(clean=False, keep_s=60)
        assert flags.session_present
        assert first.next("disconnect")[3].value == 0x8E
    finally:
        # paho would connect again for ever, and so take turns with the other one.
        first.end()
        second.end()


@pytest.mark.parametrize("version", ["311", "5"])
def test_mosquitto_pub_says_why_it_was_refused(
    nats_url: str, start_gateway: StartGateway, version: str
) -> None:
    port = start_gateway(nats_url, mqtt_anonymous="never").port
    done = subprocess.run(
        ["mosquitto_pub", "-p", str(port), "-V", version, "-t", OWN, "-m", "x", "-u", "nobody"],
        capture_output=True,
        text=True,
        timeout=DONE_S,
        check=False,
    )
    assert done.returncode
    assert "Connection error" in done.stderr

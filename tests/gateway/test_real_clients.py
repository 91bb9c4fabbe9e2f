"""What others wrote speaks to us: four client libraries, both versions, every QoS."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import aiomqtt
import gmqtt
import paho.mqtt.client as paho
import pytest
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

if TYPE_CHECKING:
    from conftest import ReadFrames, StartGateway

pytestmark = pytest.mark.live

HOST = "127.0.0.1"
MESSAGES = 5
DONE_S = 20
TOPIC = "madina/v1/acme/metier-7/up"


async def with_mosquitto_pub(port: int, version: str, qos: int, payloads: list[bytes]) -> None:
    for payload in payloads:
        publishing = await asyncio.create_subprocess_exec(
            "mosquitto_pub", "-p", str(port), "-V", version.replace(".", ""), "-q", str(qos),
            "-t", TOPIC, "-m", payload.decode(), "-i", "tool",
        )  # fmt: skip
        assert await asyncio.wait_for(publishing.wait(), DONE_S) == 0


async def with_aiomqtt(port: int, version: str, qos: int, payloads: list[bytes]) -> None:
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client(HOST, port, protocol=protocol, identifier="tool") as client:
        for payload in payloads:
            await client.publish(TOPIC, payload, qos, timeout=DONE_S)


async def with_gmqtt(port: int, version: str, qos: int, payloads: list[bytes]) -> None:
    client = gmqtt.Client("tool")
    await client.connect(HOST, port, version=MQTTv50 if version == "5" else MQTTv311)
    for payload in payloads:
        client.publish(TOPIC, payload, qos=qos)
    # It has no public word for "everything is acknowledged".
    stored = client._persistent_storage
    await asyncio.wait_for(stored.wait_empty(), DONE_S)
    await client.disconnect()


async def with_paho(port: int, version: str, qos: int, payloads: list[bytes]) -> None:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="tool",
        protocol=MQTTProtocolVersion(5 if version == "5" else 4),
    )
    await asyncio.to_thread(client.connect, HOST, port)
    client.loop_start()
    try:
        sent = [client.publish(TOPIC, payload, qos) for payload in payloads]
        for each in sent:
            await asyncio.to_thread(each.wait_for_publish, DONE_S)
    finally:
        client.disconnect()
        client.loop_stop()


CLIENTS = {
    "mosquitto_pub": with_mosquitto_pub,
    "aiomqtt": with_aiomqtt,
    "gmqtt": with_gmqtt,
    "paho": with_paho,
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_version_and_qos_of_a_client_arrives_once_and_in_order(
    client: str, nats_url: str, start_gateway: StartGateway, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(nats_url)
    sent: list[tuple[bytes, int]] = []
    for version, qos in itertools.product(("3.1.1", "5"), (0, 1, 2)):
        payloads = [f"{version}-{qos}-{number}".encode() for number in range(MESSAGES)]
        await CLIENTS[client](gateway.port, version, qos, payloads)
        sent += [(payload, qos) for payload in payloads]
    assert gateway.stop() == 0
    frames = await frames_on_log(nats_url)
    arrived = [
        (payload, flag & 3)
        for frame in frames
        for payload, flag in zip(frame.payloads, frame.flags, strict=True)
    ]
    assert arrived == sent
    assert {topic for frame in frames for topic in frame.topics} == {TOPIC.encode()}
    assert {run.client for frame in frames for run in frame.runs} == {b"tool"}

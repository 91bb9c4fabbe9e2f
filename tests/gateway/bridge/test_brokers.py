"""Real brokers: what they have reaches the log, whoever is killed, and memory stays bounded."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from city.frame import Door, RecordFlag

if TYPE_CHECKING:
    from conftest import (
        BrokerServer,
        MakeSender,
        ReadFrames,
        StartBridge,
        StartBroker,
        Watch,
    )

pytestmark = pytest.mark.live

KILLS = 2
MIB = 1 << 20


def url(server: BrokerServer, topic: str = "plant/%23", more: str = "") -> str:
    return f"mqtt://127.0.0.1:{server.port}?topic={topic}{more}"


async def publish(server: BrokerServer, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "mosquitto_pub", "-p", str(server.port), *arguments
    )
    assert await process.wait() == 0


async def test_two_brokers_at_once_and_every_quality_of_service(
    nats_url: str,
    broker: StartBroker,
    start_bridge: StartBridge,
    watch: Watch,
    frames_on_log: ReadFrames,
) -> None:
    mosquitto, nats = broker.mosquitto(), broker.nats()
    await publish(mosquitto, "-t", "zigbee2mqtt/Küche 1", "-m", "kept", "-q", "1", "-r")
    first = url(mosquitto, "zigbee2mqtt/%23", "&qos=2&topic=other/%2B")
    bridge = start_bridge(nats_url, first, url(nats, more="&qos=2"))
    assert (await watch.state(nats_url, lambda it: it.connected)).version == "5.0"
    assert (await watch.state(nats_url, lambda it: it.connected, 1)).version == "3.1.1"
    for qos in "012":
        await publish(mosquitto, "-t", "zigbee2mqtt/a", "-m", f"m{qos}", "-q", qos)
        await publish(nats, "-t", "plant/b.c", "-m", f"n{qos}", "-q", qos)
    await watch.arrives(nats_url, {b"kept", b"m0", b"m1", b"m2", b"n0", b"n1", b"n2"})
    state = await watch.state(nats_url, lambda it: it.held == 0 and it.messages == 4)
    assert (state.reason, state.connects, state.session_present) == ("", 1, False)
    assert bridge.stop() == 0
    frames = await frames_on_log(nats_url)
    assert {frame.door for frame in frames} == {Door.BRIDGE}
    found = {
        payload: (topic, flag)
        for frame in frames
        for topic, payload, flag in zip(frame.topics, frame.payloads, frame.flags, strict=True)
    }
    assert found == {
        b"kept": ("zigbee2mqtt/Küche 1".encode(), RecordFlag.RETAIN | 1),
        **{b"m%d" % qos: (b"zigbee2mqtt/a", qos) for qos in range(3)},
        **{b"n%d" % qos: (b"plant/b.c", qos) for qos in range(3)},
    }
    # Who sent it, and once: the session was left in order.
    clients = {run.client for frame in frames for run in frame.runs}
    assert all(each.startswith(b"madina") for each in clients)
    assert len(clients) == 2


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
async def test_a_bridge_that_is_killed_loses_nothing_that_the_broker_had(
    kind: str,
    nats_url: str,
    broker: StartBroker,
    start_bridge: StartBridge,
    watch: Watch,
    sender: MakeSender,
) -> None:
    server = broker.mosquitto() if kind == "mosquitto" else broker.nats('ack_wait: "2s"')
    bridge = start_bridge(nats_url, url(server))
    await watch.state(nats_url, lambda it: it.connected)
    device = sender(server)
    for _ in range(KILLS):
        device.send(600)
        await asyncio.sleep(0.1)
        bridge.kill()
        device.send(200)
        bridge = start_bridge(nats_url, url(server))
    await device.settle()
    await watch.arrives(nats_url, device.acknowledged)
    assert (await watch.state(nats_url, lambda it: it.connected)).session_present
    assert len(device.acknowledged) == KILLS * 800


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
async def test_a_broker_that_is_killed_is_found_again(
    kind: str,
    nats_url: str,
    broker: StartBroker,
    start_bridge: StartBridge,
    watch: Watch,
    sender: MakeSender,
) -> None:
    server = broker.mosquitto() if kind == "mosquitto" else broker.nats('ack_wait: "2s"')
    start_bridge(nats_url, url(server))
    await watch.state(nats_url, lambda it: it.connected)
    device = sender(server)
    for _ in range(KILLS):
        device.send(500)
        await asyncio.sleep(0.2)
        server.kill()
        state = await watch.state(nats_url, lambda it: not it.connected)
        assert any(word in state.reason for word in ("closed", "broke", "connect")), state.reason
        server.start()
        await watch.state(nats_url, lambda it: it.connected)
    await device.settle()
    before = set(device.acknowledged)
    device.send(100)
    await device.settle()
    # Mosquitto acknowledges before it stores, so what it had acknowledged may die with it.
    await watch.arrives(nats_url, device.acknowledged - (before if kind == "mosquitto" else set()))


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_log_that_stands_still_makes_the_broker_keep_its_messages(
    version: str,
    broker: StartBroker,
    start_bridge: StartBridge,
    watch: Watch,
    sender: MakeSender,
) -> None:
    log, server = broker.log(), broker.mosquitto("max_inflight_messages 0")
    more = f"&version={version}"
    bridge = start_bridge(log.nats_url, url(server, more=more), unacked_bytes=MIB)
    await watch.state(log.nats_url, lambda it: it.connected)
    device = sender(server)
    device.send(100, size=2_000)
    await device.settle()
    await watch.arrives(log.nats_url, device.acknowledged)
    before_bytes = bridge.rss_bytes()
    log.signal(signal.SIGSTOP)
    device.send(5_000, size=4_000)
    await device.settle()
    grown_bytes = bridge.rss_bytes() - before_bytes
    log.signal(signal.SIGCONT)
    found = await watch.arrives(log.nats_url, device.acknowledged)
    # 20 MB went to the broker; of that the bridge takes its limit, and what one read brings.
    assert grown_bytes < 8 * MIB
    assert found.total() == len(device.acknowledged)


async def test_what_is_sent_again_while_it_is_held_is_taken_once(
    broker: StartBroker,
    start_bridge: StartBridge,
    watch: Watch,
    sender: MakeSender,
) -> None:
    log, server = broker.log(), broker.nats('ack_wait: "1s"')
    start_bridge(log.nats_url, url(server))
    await watch.state(log.nats_url, lambda it: it.connected)
    log.signal(signal.SIGSTOP)
    device = sender(server)
    device.send(300)
    await device.settle()
    await asyncio.sleep(2.5)
    log.signal(signal.SIGCONT)
    found = await watch.arrives(log.nats_url, device.acknowledged)
    state = await watch.state(log.nats_url, lambda it: it.held == 0)
    assert state.redelivered >= 300
    assert (found.total(), state.connects) == (300, 1)


async def test_a_refused_filter_is_told_in_words(
    nats_url: str, broker: StartBroker, start_bridge: StartBridge, watch: Watch
) -> None:
    # A session has 65,535 in all, and a filter that ends in # is two of nats-server's subjects.
    server = broker.nats("max_ack_pending: 65535")
    bridge = start_bridge(nats_url, url(server, "a/b", "&topic=plant/%23"))
    state = await watch.state(nats_url, lambda it: bool(it.reason) and it.connects == 1)
    assert "refuses 'plant/#': code 0x80; the broker's log says why" in state.reason
    assert "max_ack_pending" in state.reason
    assert bridge.stop() == 0
    assert '"event":"broker.refused"' in bridge.said.read_text()

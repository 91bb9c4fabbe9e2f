"""A gateway process: what devices are told is true, and everything it holds is bounded."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client

from city.frame import RecordFlag
from city.gateway_state import GatewayState, LogState, decode_state, state_subject
from city.subjects import STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Connect, LogServer, ReadFrames, StartGateway

pytestmark = pytest.mark.live

ANSWER_S = 20
SILENCE_S = 1.0
NAMES = ("gw-0", "gw-1")
TAKEN_OVER_5 = bytes([0x8E])
STOPS_5 = bytes([0x8B])


async def state_with(
    url: str, wanted: Callable[[GatewayState], bool], name: str = "gw-0"
) -> GatewayState:
    """Return the first state of a gateway that is as wanted."""
    client = Client()
    await client.connect(url)
    try:
        subscription = await client.subscribe(state_subject(name))  # pyright: ignore[reportUnknownMemberType] - nats-py
        async with asyncio.timeout(ANSWER_S):
            while True:
                message = await subscription.next_msg(ANSWER_S)
                state = decode_state(message.data)
                if wanted(state):
                    return state
    finally:
        await client.close()


async def test_a_message_is_on_the_log_when_mosquitto_pub_has_its_acknowledgement(
    nats_url: str, start_gateway: StartGateway, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(nats_url)
    arguments = ("-p", str(gateway.port), "-t", "a/b", "-m", "21.5", "-q", "1")
    publishing = await asyncio.create_subprocess_exec("mosquitto_pub", *arguments)
    assert await publishing.wait() == 0
    frames = [frame for frame in await frames_on_log(nats_url) if frame.topics]
    assert [(frame.topics, frame.payloads, frame.flags) for frame in frames] == [
        ([b"a/b"], [b"21.5"], bytes([RecordFlag.QOS_1]))
    ]
    state = await state_with(nats_url, lambda state: state.messages == 1)
    assert (state.log, state.waiting, state.connects) == (LogState.READY, False, 1)
    assert gateway.stop() == 0


async def test_nothing_is_acknowledged_while_the_log_stands_still(
    log_server: LogServer, start_gateway: StartGateway, connect: Connect
) -> None:
    gateway = start_gateway(log_server.url)
    device = await connect(gateway.port)
    log_server.signal(signal.SIGSTOP)
    device.publish(1, b"1")
    assert await device.hears_nothing(SILENCE_S)
    log_server.signal(signal.SIGCONT)
    await device.read_acknowledgements(1)
    assert device.acknowledged == [1]


@pytest.mark.parametrize("gateways", [1, 2])
@pytest.mark.parametrize("level", [4, 5])
async def test_a_second_connection_of_a_client_ends_the_first(
    nats_url: str, start_gateway: StartGateway, connect: Connect, gateways: int, level: int
) -> None:
    ports = [start_gateway(nats_url).port for _ in range(gateways)]
    first = await connect(ports[0], b"meter", level)
    other = await connect(ports[0], b"other", level)
    second = await connect(ports[-1], b"meter", level)
    rest = await first.rest()
    assert (rest[:1], rest[2:3]) == ((b"\xe0", TAKEN_OVER_5) if level == 5 else (b"", b""))
    second.writer.write(b"\xc0\0")
    other.writer.write(b"\xc0\0")
    pings = [await each.reader.readexactly(2) for each in (second, other)]
    assert pings == [b"\xd0\0"] * 2


async def test_processes_share_a_port(
    nats_url: str, start_gateway: StartGateway, connect: Connect, free_port: Callable[[], int]
) -> None:
    port = free_port()
    for _ in range(2):
        start_gateway(nats_url, mqtt_port=port)
    for number in range(40):
        device = await connect(port, b"meter-%d" % number)
        device.publish(1, b"1")
        await device.read_acknowledgements(1)
    parts = [await state_with(nats_url, lambda state: state.connects > 0, name) for name in NAMES]
    assert sum(state.messages for state in parts) == 40
    assert all(state.messages for state in parts)


async def test_an_orderly_stop_loses_nothing_and_says_goodbye(
    nats_url: str, start_gateway: StartGateway, connect: Connect, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(nats_url)
    device, newer = await connect(gateway.port), await connect(gateway.port, b"newer", 5)
    identifiers = itertools.count(1)

    async def send() -> None:
        while True:
            device.publish(next(identifiers), b"x")
            await device.writer.drain()
            await asyncio.sleep(0)

    async def stop_in_full_flow() -> int:
        await device.read_acknowledgements(2_000)
        return await asyncio.to_thread(gateway.stop)

    sending = asyncio.ensure_future(send())
    assert await stop_in_full_flow() == 0
    sending.cancel()
    with pytest.raises((asyncio.IncompleteReadError, OSError)):
        await device.read_acknowledgements(1_000_000)
    frames = await frames_on_log(nats_url)
    assert sum(len(frame.topics) for frame in frames) >= len(device.acknowledged)
    assert device.acknowledged == [*range(1, len(device.acknowledged) + 1)]
    goodbye = await newer.rest()
    assert (goodbye[:1], goodbye[2:3]) == (b"\xe0", STOPS_5)


async def test_devices_wait_and_memory_stays_bounded_when_the_log_is_full(
    nats_url: str, start_gateway: StartGateway, connect: Connect
) -> None:
    gateway = start_gateway(nats_url, log_max_bytes=16 << 20, unacked_bytes=4 << 20)
    devices = [await connect(gateway.port, b"meter-%d" % number) for number in range(20)]
    before_bytes = gateway.rss_bytes()
    payload, sent = bytes(60_000), 0

    async def flood(number: int) -> None:
        nonlocal sent
        for identifier in range(1, 100):
            devices[number].publish(identifier, payload, b"t/%d" % number)
            await devices[number].writer.drain()
            sent += 1

    flooding = asyncio.gather(*(flood(number) for number in range(20)))
    acknowledging = asyncio.gather(*(each.read_acknowledgements(99) for each in devices))
    full = await state_with(nats_url, lambda state: state.waiting and bool(state.reason))
    assert full.unacked_bytes < full.unacked_limit_bytes + (1 << 20)
    assert gateway.rss_bytes() - before_bytes < 64 << 20
    client = Client()
    await client.connect(nats_url)
    jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
    while not (flooding.done() and acknowledging.done()):
        # What ingest does with what it has applied.
        await jetstream.purge_stream(STREAM)
        await asyncio.sleep(0.05)
    await asyncio.gather(flooding, acknowledging)
    await client.close()
    assert sent == 20 * 99


async def test_devices_wait_while_the_disk_is_in_its_reserve(
    nats_url: str, start_gateway: StartGateway, connect: Connect
) -> None:
    gateway = start_gateway(nats_url, disk_reserve=1 << 60)
    state = await state_with(nats_url, lambda state: state.waiting)
    assert (state.log, "reserve" in state.reason) == (LogState.FULL, True)
    device = await connect(gateway.port)
    # What was on its way when it was read is acknowledged; nothing is read after it.
    device.publish(1, b"1")
    await device.read_acknowledgements(1)
    device.publish(2, b"2")
    assert await device.hears_nothing(SILENCE_S)
    assert gateway.stop() == 0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mqtt_max_connections": 5}, "max_connections"),
        ({"mqtt_connect_rate": 1}, "connect_rate"),
    ],
)
async def test_connections_beyond_the_limit_are_refused_and_counted(
    nats_url: str, start_gateway: StartGateway, settings: dict[str, int], reason: str
) -> None:
    gateway = start_gateway(nats_url, **settings)
    opened = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(12)]
    state = await state_with(nats_url, lambda state: state.refused.get(reason, 0) > 0)
    assert state.connections == state.connects - state.refused[reason] < 12
    for _, writer in opened:
        writer.close()


async def test_connections_beyond_the_rate_wait_for_their_turn(
    nats_url: str, start_gateway: StartGateway, connect: Connect
) -> None:
    gateway = start_gateway(nats_url, mqtt_connect_rate=10)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.gather(*(connect(gateway.port, b"meter-%d" % number) for number in range(25)))
    assert loop.time() - began_s > 1.2


async def test_a_device_that_says_nothing_is_cut_off(
    nats_url: str, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(nats_url, mqtt_connect_timeout=0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    assert await asyncio.wait_for(reader.read(), ANSWER_S) == b""
    writer.close()
    state = await state_with(nats_url, lambda state: state.connections == 0)
    assert state.refused == {"connect_timeout": 1}


PROXY_HEADER = bytes.fromhex("0d0a0d0a000d0a515549540a 21 11 000c c0000207 7f000001 c3bb 075b")


async def test_a_believed_proxy_says_where_a_device_is(
    nats_url: str, start_gateway: StartGateway, connect: Connect, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(nats_url, proxy_from="127.0.0.0/8")
    with pytest.raises(AssertionError, match="2002"):
        # Refused: behind a proxy nobody is near, so nobody is let in without a user.
        await connect(gateway.port, first=PROXY_HEADER)
    assert "192.0.2.7:50107" in gateway.said.read_text()
    with pytest.raises((asyncio.IncompleteReadError, OSError)):
        await connect(gateway.port)


async def test_a_device_that_does_not_read_is_cut_off(
    nats_url: str, start_gateway: StartGateway, connect: Connect
) -> None:
    gateway = start_gateway(nats_url)
    device = await connect(gateway.port)
    device.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)

    async def ping_for_ever() -> None:
        while True:
            device.writer.write(b"\xc0\0" * 10_000)
            await device.writer.drain()

    with pytest.raises(OSError, match=r"reset|Broken|lost"):
        await asyncio.wait_for(ping_for_ever(), ANSWER_S)
    await state_with(nats_url, lambda state: state.refused.get("slow_reader") == 1)

"""Kill -9 at any moment: what a device has an acknowledgement for is on the log."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Connect, LogServer, RawDevice, ReadFrames, StartGateway

pytestmark = pytest.mark.live

KILLS = 3
IN_FLIGHT = 20


async def keep_sending(device: RawDevice, until: asyncio.Event) -> None:
    """Keep some messages in flight; payloads are their numbers, counted from 1."""
    sent = 0
    while True:
        missing = min(IN_FLIGHT - (sent - len(device.acknowledged)), IN_FLIGHT)
        if until.is_set():
            if sent == len(device.acknowledged):
                return
        else:
            for number in range(sent + 1, sent + missing + 1):
                device.publish(number % 65_535 + 1, b"%d" % number)
            sent += missing
        await device.read_acknowledgements(len(device.acknowledged) + 1)


async def test_the_log_is_killed_again_and_again_and_has_everything_once_and_in_order(
    log_server: LogServer, start_gateway: StartGateway, connect: Connect, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(log_server.url)
    device = await connect(gateway.port)
    until = asyncio.Event()
    sending = asyncio.ensure_future(keep_sending(device, until))
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.05, 0.3))
        log_server.kill()
        log_server.start()
        before = len(device.acknowledged)
        while len(device.acknowledged) <= before + IN_FLIGHT:
            assert not sending.done(), sending.exception()
            await asyncio.sleep(0.01)
    until.set()
    await sending
    frames = [frame for frame in await frames_on_log(log_server.url) if frame.topics]
    payloads = [int(payload) for frame in frames for payload in frame.payloads]
    assert payloads == [*range(1, len(device.acknowledged) + 1)]
    counts = [(frame.count_before, frame.count_after) for frame in frames]
    assert [before for before, _ in counts] == [0, *(after for _, after in counts[:-1])]


async def test_a_killed_gateway_has_told_nobody_anything_untrue(
    nats_url: str, start_gateway: StartGateway, connect: Connect, frames_on_log: ReadFrames
) -> None:
    gateway = start_gateway(nats_url)
    device = await connect(gateway.port)
    sending = asyncio.ensure_future(keep_sending(device, asyncio.Event()))
    while len(device.acknowledged) < 500:
        await asyncio.sleep(0.001)
    gateway.process.kill()
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await sending
    payloads = {
        int(payload) for frame in await frames_on_log(nats_url) for payload in frame.payloads
    }
    assert payloads >= {*range(1, len(device.acknowledged) + 1)}

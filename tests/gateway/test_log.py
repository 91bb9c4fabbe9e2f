"""The log on a real nats-server: what was confirmed is there, exactly once, whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from city.clock import MachineClock
from city.frame import Frame
from city.gateway_state import LogState
from gateway.filling import Origin
from gateway.link import Link
from gateway.stream import StreamSettings
from gateway.uplink import Uplink, UplinkSettings

pytestmark = pytest.mark.live

Beside = Callable[[Awaitable[None]], AbstractAsyncContextManager[None]]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
ReadFrames = Callable[[str], Awaitable[list[Frame]]]


class Recording(Protocol):
    """What the `publisher` fixture gives."""

    acknowledgements: list[bytes]
    size_bytes: int

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None: ...


SETTINGS = UplinkSettings(StreamSettings(max_bytes=64 * 1024 * 1024), shards=4)


def take(uplink: Uplink, publisher: Recording, first: int, count: int = 10) -> None:
    topics = [b"madina/v1/acme/meter-%d/up" % (first % 7)] * count
    payloads = [b"%d" % number for number in range(first, first + count)]
    acknowledgements = [b"\x40\x02" + number.to_bytes(2) for number in range(count)]
    uplink.intake.take(
        publisher, b"meter", topics, payloads, b"\x01" * count, acknowledgements, 100
    )


async def test_what_is_taken_is_on_the_log_before_it_is_confirmed(
    nats_url: str,
    publisher: Recording,
    beside: Beside,
    eventually: Eventually,
    frames_on_log: ReadFrames,
) -> None:
    uplink = Uplink(Origin("gw-1", 5), SETTINGS, MachineClock())
    async with beside(Link(nats_url, "gw-1", [uplink.log]).run()):
        take(uplink, publisher, 0)
        assert publisher.acknowledgements == []
        await eventually(lambda: publisher.size_bytes == 100)
        assert b"".join(publisher.acknowledgements)[:4] == b"\x40\x02\x00\x00"
        (frame,) = await frames_on_log(nats_url)
        assert frame.payloads == [b"%d" % number for number in range(10)]
        assert (frame.gateway, frame.epoch, frame.count_after) == ("gw-1", 5, 10)
        assert uplink.condition().state is LogState.READY
        assert await uplink.drain(1.0)
        await asyncio.sleep(0)

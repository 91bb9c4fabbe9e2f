"""The log on a real nats-server: what was confirmed is there, exactly once, whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, StreamConfig

from city.clock import MachineClock
from city.filling import Origin
from city.frame import Frame
from city.gateway_state import LogState
from city.subjects import STREAM, STREAM_SUBJECTS
from link.nats_link import Link
from link.stream import StreamSettings
from link.uplink import Uplink, UplinkSettings

pytestmark = pytest.mark.live

Beside = Callable[[Awaitable[None]], AbstractAsyncContextManager[None]]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
ReadFrames = Callable[[str], Awaitable[list[Frame]]]


class Recording(Protocol):
    """What the `publisher` fixture gives."""

    acknowledgements: list[bytes]
    size_bytes: int

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None: ...


STREAM_SETTINGS = StreamSettings(max_bytes=64 * 1024 * 1024)
SETTINGS = UplinkSettings(STREAM_SETTINGS, shards=4)


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


async def test_a_stream_that_somebody_made_otherwise_is_brought_to_what_it_has_to_be(
    nats_url: str, publisher: Recording, beside: Beside, eventually: Eventually
) -> None:
    client = Client()
    await client.connect(nats_url)
    jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
    await jetstream.add_stream(  # pyright: ignore[reportUnknownMemberType] - nats-py
        StreamConfig(name=STREAM, subjects=[STREAM_SUBJECTS], max_age=5, max_bytes=1 << 20)
    )
    uplink = Uplink(Origin("gw-1", 5), SETTINGS, MachineClock())
    async with beside(Link(nats_url, "gw-1", [uplink.log]).run()):
        take(uplink, publisher, 0)
        await eventually(lambda: publisher.size_bytes == 100)
    config = (await jetstream.stream_info(STREAM)).config
    await client.close()
    assert (config.max_bytes, config.max_age) == (STREAM_SETTINGS.max_bytes, 0)
    assert (config.discard, config.allow_direct) == (DiscardPolicy.NEW, True)


async def test_a_server_that_takes_no_frame_of_the_longest_message_is_named_as_the_reason(
    nats_url: str, beside: Beside, eventually: Eventually
) -> None:
    settings = UplinkSettings(SETTINGS.stream, max_message_bytes=4 << 20)
    uplink = Uplink(Origin("gw-1", 5), settings, MachineClock())
    async with beside(Link(nats_url, "gw-1", [uplink.log]).run()):
        await eventually(lambda: "max_payload" in uplink.condition().words)
        assert uplink.condition().state is LogState.AWAY

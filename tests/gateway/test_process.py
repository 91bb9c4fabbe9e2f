"""A gateway process: what devices send over MQTT is on the log when they are told so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from city.frame import RecordFlag

if TYPE_CHECKING:
    from conftest import ReadFrames, StartGateway

pytestmark = pytest.mark.live


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
    assert gateway.stop() == 0

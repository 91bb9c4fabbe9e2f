"""The city on the air, heard through a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import perf_counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from city.clock import US_PER_S, SimulatedClock
from loadtest.city.broadcast import AirSettings, AirState, Broadcast
from loadtest.city.devices import City, Fault

if TYPE_CHECKING:
    from conftest import Mosquitto, Subscriber

pytestmark = pytest.mark.live

NOW_S = 1_781_568_000
CITY = City(7, ZoneInfo("UTC"))
ANSWER_S = 20


@contextlib.asynccontextmanager
async def on_air(
    broadcast: Broadcast, states: list[AirState]
) -> AsyncGenerator[Callable[[Callable[[AirState], bool]], Awaitable[None]]]:
    stop = asyncio.Event()

    async def until(reached: Callable[[AirState], bool]) -> None:
        async with asyncio.timeout(ANSWER_S):
            while not states or not reached(states[-1]):
                await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broadcast.run(stop, states.append))
        try:
            yield until
        finally:
            stop.set()


async def test_the_gap_is_filled_and_then_the_city_goes_on(
    mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    clock = SimulatedClock(NOW_S * US_PER_S)
    heard = {device.id: NOW_S - 1_800.0 for device in CITY.devices}
    broadcast = Broadcast(CITY, AirSettings("127.0.0.1", mosquitto.port), clock, heard)
    states: list[AirState] = []
    async with on_air(broadcast, states) as until:
        await until(lambda state: state.acked >= state.to_fill)
        filled = states[-1].to_fill
        assert states[-1].connected == len(CITY.devices)
        clock.advance(120 * US_PER_S)
        live = sum(
            device.first_after(NOW_S + 120) - device.first_after(NOW_S)
            for device in CITY.devices
            if device.fault is not Fault.SILENT
        )
        await until(lambda state: state.acked == filled + live)
    assert len(subscriber.wait_for(filled + live)) == filled + live
    assert {topic for topic, _ in subscriber.messages} == {
        device.topic.decode() for device in CITY.devices if device.fault is not Fault.SILENT
    }


async def test_the_past_keeps_to_its_rate(mosquitto: Mosquitto) -> None:
    settings = AirSettings("127.0.0.1", mosquitto.port, filled_per_s=200)
    broadcast = Broadcast(CITY, settings, SimulatedClock(NOW_S * US_PER_S), {})
    states: list[AirState] = []
    began_s = perf_counter()
    async with on_air(broadcast, states) as until:
        await until(lambda state: state.filled > 300)
        assert states[-1].filled <= 200 * (perf_counter() - began_s)


async def test_a_broker_that_was_killed_gets_the_rest(mosquitto: Mosquitto) -> None:
    clock = SimulatedClock(NOW_S * US_PER_S)
    heard = {device.id: NOW_S - 3_600.0 for device in CITY.devices}
    settings = AirSettings("127.0.0.1", mosquitto.port, filled_per_s=500)
    states: list[AirState] = []
    async with on_air(Broadcast(CITY, settings, clock, heard), states) as until:
        await until(lambda state: state.acked > 100)
        mosquitto.kill()
        mosquitto.start()
        await until(lambda state: state.acked == state.to_fill)
    assert states[-1].filled == states[-1].to_fill

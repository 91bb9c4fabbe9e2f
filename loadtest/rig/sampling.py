"""Reads the platform while it is under load, as a dashboard does: some devices, by HTTP and SSE.

The one file of this room that speaks HTTP.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from time import perf_counter
from typing import Final

import httpx
import msgspec
import numpy as np

from loadtest.rig.fleet_load import cuts_of, fleet_format, released
from loadtest.rig.order import Order
from loadtest.scenario.model import seconds_of
from loadtest.stream.content import FleetContent
from loadtest.timing import Timings, TimingsRecord

__all__ = ["ApiAddress", "ReadingRecord", "Sampler", "WatchedDevice", "watched_devices"]

ANSWER_S: Final = 30.0
# Below it a reading is of the run; above it somebody else's with the same name.
MESSAGES_KEPT: Final = 100_000
MS_PER_S: Final = 1_000
DASHBOARD_S: Final = 1.0
AGAIN_S: Final = 1.0


class ApiAddress(msgspec.Struct, frozen=True):
    """Where to ask, and with which key."""

    url: str
    key: str


class ReadingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of the platform by those who read it.

    Attributes:
        visible: From when a message was due until its observation came by SSE.
        freshness: Age of the newest observation of a device, each time somebody asked.
        answers: How long the API took for that.
        dashboards: How long it took for the figures of the page.
        failures: Answers that were none.
    """

    visible: TimingsRecord
    freshness: TimingsRecord
    answers: TimingsRecord
    dashboards: TimingsRecord
    failures: int


class WatchedDevice(msgspec.Struct, frozen=True):
    """A device that is looked at.

    Attributes:
        name: `provider/device`.
        due_s: By the time that a message says, in ms: when it is due.
    """

    name: str
    quantity: str
    due_s: dict[int, float]


class _Observation(msgspec.Struct, frozen=True):
    time: str
    quantity: str


class _Page(msgspec.Struct, frozen=True):
    items: list[_Observation]


def watched_devices(order: Order) -> list[WatchedDevice]:
    """Return some devices of each fleet, evenly spread, and when their messages are due."""
    scenario = order.scenario
    each = -(-scenario.reading.devices // len(scenario.fleets))
    found: list[WatchedDevice] = []
    for rule in scenario.fleets:
        content = FleetContent(rule, scenario, order.now_ms)
        form = fleet_format(rule, content, order.stems[rule.name])
        cuts = cuts_of(rule, content.numbering.connections, scenario.seed)
        step = max(1, rule.devices // max(1, each))
        for device in range(0, rule.devices, step)[:each]:
            numbers = content.numbering.of_device(device, content.curve.total)[:MESSAGES_KEPT]
            places = numbers % rule.devices % content.numbering.connections
            due_s, _ = released(content.curve.due_s(numbers), places, cuts)
            times = content.content(numbers).time_ms.tolist()
            found.append(
                WatchedDevice(
                    f"{rule.provider}/{form.name(device)}",
                    content.kind.signals[0].quantity,
                    dict(zip(times, due_s.tolist(), strict=True)),
                )
            )
    return found[: scenario.reading.devices]


class Sampler:
    """Reads until it is stopped."""

    def __init__(self, order: Order, at: ApiAddress) -> None:
        self._rule = order.scenario.reading
        self._devices = watched_devices(order)
        self._at = at
        self._started_s = 0.0
        self._failures = 0
        interval_s = order.interval_s
        self._visible, self._freshness = Timings(interval_s), Timings(interval_s)
        self._answers, self._dashboards = Timings(interval_s), Timings(interval_s)

    async def run(self, started_s: float) -> None:
        """Read, until cancelled; `started_s` is when the first message is due."""
        self._started_s = started_s
        headers = {"Authorization": f"Bearer {self._at.key}"}
        limits = httpx.Limits(max_connections=None)
        async with (
            httpx.AsyncClient(
                base_url=self._at.url,
                headers=headers,
                timeout=ANSWER_S,
                limits=limits,
                trust_env=False,
            ) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for device in self._devices:
                tasks.create_task(self._listen(client, device))
                tasks.create_task(self._ask(client, device))
            for _ in range(self._rule.dashboards):
                tasks.create_task(self._look(client))

    def record(self) -> ReadingRecord:
        """Return what was seen."""
        return ReadingRecord(
            visible=self._visible.record(),
            freshness=self._freshness.record(),
            answers=self._answers.record(),
            dashboards=self._dashboards.record(),
            failures=self._failures,
        )

    async def _listen(self, client: httpx.AsyncClient, device: WatchedDevice) -> None:
        """Take what comes by SSE."""
        asked = {"device": device.name, "quantity": device.quantity}
        while True:
            with suppress(httpx.HTTPError):
                async with client.stream("GET", "/v1/live", params=asked, timeout=None) as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("data:"):
                            self._see(device, line[5:])
            self._failures += 1
            await asyncio.sleep(AGAIN_S)

    def _see(self, device: WatchedDevice, data: str) -> None:
        with suppress(msgspec.MsgspecError):
            seen = msgspec.json.decode(data, type=_Observation)
            due_s = device.due_s.get(_time_ms(seen.time))
            if due_s is not None:
                self._add(self._visible, due_s, self._elapsed_s() - due_s)

    async def _ask(self, client: httpx.AsyncClient, device: WatchedDevice) -> None:
        """Ask how old the newest is, again and again."""
        asked = {"device": device.name, "quantity": device.quantity}
        every_s = seconds_of(self._rule.every)
        while True:
            began_s = self._elapsed_s()
            with suppress(httpx.HTTPError, msgspec.MsgspecError):
                answer = await client.get("/v1/observations/latest", params=asked)
                self._take(device, began_s, answer)
            await asyncio.sleep(max(0.01, every_s - (self._elapsed_s() - began_s)))

    def _take(self, device: WatchedDevice, began_s: float, answer: httpx.Response) -> None:
        if not answer.is_success:
            self._failures += 1
            return
        now_s = self._elapsed_s()
        self._add(self._answers, began_s, now_s - began_s)
        for item in msgspec.json.decode(answer.content, type=_Page).items:
            due_s = device.due_s.get(_time_ms(item.time))
            if due_s is not None:
                self._add(self._freshness, began_s, now_s - due_s)

    async def _look(self, client: httpx.AsyncClient) -> None:
        """Ask for what the page shows, each second."""
        while True:
            began_s = self._elapsed_s()
            with suppress(httpx.HTTPError):
                answer = await client.get("/v1/status")
                self._failures += not answer.is_success
                self._add(self._dashboards, began_s, self._elapsed_s() - began_s)
            await asyncio.sleep(DASHBOARD_S)

    def _elapsed_s(self) -> float:
        return perf_counter() - self._started_s

    def _add(self, timings: Timings, began_s: float, seconds: float) -> None:
        timings.add(np.array([max(0.0, began_s)]), np.array([seconds]))


def _time_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * MS_PER_S)

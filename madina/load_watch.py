"""The minutes of a load run: the generator's processes, those of the platform, what is read."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx
import msgspec

from city.clock import MachineClock
from loadtest.outcome.faults import Backlog, FaultOutcome
from loadtest.rig.crew import Crew, CrewProgress, crew_of
from loadtest.rig.machine import PartTick, ProcessWatch, folder_bytes, stolen
from loadtest.rig.order import Order, WorkerResult
from loadtest.rig.sampling import ApiAddress, ReadingRecord, Sampler
from loadtest.scenario.curve import Span, spans_of
from loadtest.scenario.model import seconds_of
from madina.errors import CommandError
from madina.load_faults import Faults
from madina.supervisor.death import die_with_parent

__all__ = ["LoadTarget", "Sending", "Watched"]

DISK_EVERY: Final = 5
BACKLOG_EVERY_S: Final = 0.5
ANSWER_S: Final = 2.0
CAUGHT_UP_S: Final = 60.0
US_PER_S: Final = 1_000_000
# Steps end where so many seconds' worth of messages wait: nothing larger will hold.
GIVEN_UP_S: Final = 3.0


class LoadTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the load goes to.

    Attributes:
        host, port: MQTT.
        address: Where its API is; None for somebody else's server.
        pids: Its processes by name, asked for each second: they may be started again.
        folder: Its data folder.
        through: `host` and `port` are a broker's that it bridges: what has a PUBACK may still be
            on its way.
    """

    host: str
    port: int
    address: ApiAddress | None = None
    pids: Callable[[], dict[str, int]] = dict
    folder: Path | None = None
    through: bool = False


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen while the load was on.

    Attributes:
        connected: Connections that were open when it began.
        started_us: When the first message was due, microseconds since 1970.
        ended_s: When the last process was done, by `time.monotonic`.
        lasted_s: The same, since the first message was due.
        faults: What was done, by place in the scenario.
        backlog: What waited meanwhile, where there were faults.
    """

    results: list[WorkerResult]
    history: list[CrewProgress]
    parts: dict[str, list[PartTick]]
    disk_bytes: dict[int, int]
    stolen: float
    reading: ReadingRecord | None
    connected: int
    started_us: int
    ended_s: float
    lasted_s: float
    faults: dict[int, FaultOutcome]
    backlog: list[Backlog]


class _Messages(msgspec.Struct, frozen=True):
    received: int
    pending: int


class _Ledger(msgspec.Struct, frozen=True):
    messages: _Messages


class Sending:
    """Orders being carried out."""

    def __init__(self, orders: list[Order], target: LoadTarget) -> None:
        self._orders = orders
        self._target = target
        self._spans = spans_of(orders[0].scenario.phases)
        self._history: list[CrewProgress] = []
        self._disk_bytes: dict[int, int] = {}
        self._backlog: list[Backlog] = []
        self._watch = ProcessWatch()
        self._given_up = False

    async def run(self) -> Watched:
        """Do all of it.

        Raises:
            CrewError: A process of the generator ended before it should.
            CommandError: No connection opened, or somebody pressed Ctrl-C before they did.
        """
        async with crew_of(self._orders, die_with_parent()) as crew:
            connected = await self._connected(crew)
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, crew.stop)
            stolen_before, all_before = stolen()
            crew.begin()
            started_us = MachineClock().now_us() + int(
                (crew.started_s - time.perf_counter()) * US_PER_S
            )
            faults = Faults(self._orders[0].scenario.faults, self._target.pids, self._target.folder)
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(faults.cause(crew.started_s))]
                if self._orders[0].scenario.faults and self._target.address is not None:
                    beside.append(tasks.create_task(self._look(crew, self._target.address)))
                results, reading = await self._sent(crew)
                lasted_s = time.perf_counter() - crew.started_s
                for each in beside:
                    each.cancel()
            stolen_after, all_after = stolen()
        return Watched(
            results=results,
            history=self._history,
            parts=self._watch.ticks,
            disk_bytes=self._disk_bytes,
            stolen=(stolen_after - stolen_before) / max(1.0, all_after - all_before),
            reading=reading,
            connected=connected,
            started_us=started_us,
            ended_s=time.monotonic(),
            lasted_s=lasted_s,
            faults=faults.done,
            backlog=self._backlog,
        )

    async def _connected(self, crew: Crew) -> int:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
        try:
            connected = await crew.connect()
        except asyncio.CancelledError as error:
            raise CommandError("stopped before the first message was due") from error
        if not connected:
            at = f"{self._target.host}:{self._target.port}"
            raise CommandError(f"no connection to {at} opened: is there an MQTT server?")
        return connected

    async def _sent(self, crew: Crew) -> tuple[list[WorkerResult], ReadingRecord | None]:
        order = self._orders[0]
        reads = order.scenario.reading.devices + order.scenario.reading.dashboards
        if self._target.address is None or not reads:
            return await crew.send(lambda progress: self._tell(crew, progress)), None
        sampler = Sampler(order, self._target.address)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(sampler.run(crew.started_s))
            results = await crew.send(lambda progress: self._tell(crew, progress))
            # What was acknowledged last has yet to be seen: without it the slowest would be left
            # out of what is said about how slow it was.
            await _caught_up(self._target.address)
            await asyncio.sleep(seconds_of(order.scenario.reading.every) * 2)
            reading.cancel()
        return results, sampler.record()

    async def _look(self, crew: Crew, at: ApiAddress) -> None:
        """Look at what waits, until cancelled."""
        headers = {"Authorization": f"Bearer {at.key}"}
        async with httpx.AsyncClient(
            base_url=at.url, headers=headers, timeout=ANSWER_S, trust_env=False
        ) as client:
            before = await _messages(client)
            while True:
                now = await _messages(client)
                pending = None if now is None else now.pending
                if now is not None and before is not None and self._target.through:
                    # What the broker has told devices, and the platform has not yet.
                    pending = now.pending + max(0, crew.acked - (now.received - before.received))
                elapsed_s = time.perf_counter() - crew.started_s
                self._backlog.append(Backlog(elapsed_s, pending, crew.waiting))
                await asyncio.sleep(BACKLOG_EVERY_S)

    def _tell(self, crew: Crew, progress: CrewProgress) -> None:
        self._history.append(progress)
        self._watch.look(progress.elapsed_s, self._target.pids() | crew.pids)
        second = int(progress.elapsed_s)
        if self._target.folder is not None and second % DISK_EVERY == 0:
            self._disk_bytes[second] = folder_bytes(self._target.folder)
        span = self._span(progress.elapsed_s)
        if span is not None and "step" in span.name and not self._given_up:
            before = self._history[-2] if len(self._history) > 1 else progress
            rate = max(1.0, (progress.due - before.due))
            self._given_up = progress.waiting > GIVEN_UP_S * rate
            if self._given_up:
                crew.stop()
        _show(progress, span)

    def _span(self, elapsed_s: float) -> Span | None:
        return next((each for each in self._spans if each.start_s <= elapsed_s < each.end_s), None)


async def _messages(client: httpx.AsyncClient) -> _Messages | None:
    """Return what the ledger says of messages; None where nobody tells."""
    with suppress(httpx.HTTPError, msgspec.MsgspecError):
        answer = await client.get("/v1/ledger")
        if answer.is_success:
            return msgspec.json.decode(answer.content, type=_Ledger).messages
    return None


async def _caught_up(at: ApiAddress) -> None:
    """Wait until nothing that was received waits any more, not for ever."""
    headers = {"Authorization": f"Bearer {at.key}"}
    async with httpx.AsyncClient(
        base_url=at.url, headers=headers, timeout=ANSWER_S, trust_env=False
    ) as client:
        give_up_s = time.monotonic() + CAUGHT_UP_S
        while time.monotonic() < give_up_s:
            now = await _messages(client)
            if now is not None and not now.pending:
                return
            await asyncio.sleep(BACKLOG_EVERY_S)


def _show(progress: CrewProgress, span: Span | None) -> None:
    line = (
        f"{progress.elapsed_s:6.0f} s  {span.name if span else 'waiting for the rest':20}"
        f"  {progress.connected:,} connected  {progress.sent:,} sent  {progress.acked:,} acked"
        f"  {progress.waiting:,} waiting  generator {progress.lag_s * 1_000:.0f} ms late"
    )
    again = sys.stderr.isatty()
    with suppress(BrokenPipeError):
        print(line.ljust(120) if again else line, end="\r" if again else "\n", file=sys.stderr)

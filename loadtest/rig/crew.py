"""The processes of a generator: started together, begun at one instant, heard each second."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Final

import msgspec

from loadtest.rig.order import Order, WorkerProgress, WorkerResult

__all__ = ["Crew", "CrewError", "CrewProgress", "crew_of", "worker_count"]

# A line holds what a process knows of each of its connections.
LINE_BYTES: Final = 1 << 30
# So long before the first message is due all are told when that is.
AHEAD_S: Final = 0.3
CONNECTIONS_EACH: Final = 15_000
MESSAGES_EACH: Final = 20_000


class CrewError(Exception):
    """A process of the generator ended before it should; the words are its last."""


class CrewProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far all of them are together.

    Attributes:
        due, sent, acked, waiting: Messages.
        lag_s: How late the latest of them was in the last second.
        cpu_s: Of all of them.
    """

    elapsed_s: float
    connected: int
    due: int
    sent: int
    acked: int
    resent: int
    waiting: int
    lost_connections: int
    cpu_s: float
    lag_s: float


def worker_count(connections: int, rate_per_s: float) -> int:
    """Return how many processes a load needs."""
    return max(1, -(-connections // CONNECTIONS_EACH), -(-int(rate_per_s) // MESSAGES_EACH))


class Crew:
    """Processes whose connections are open.

    Attributes:
        started_s: When the first message is due, by `perf_counter`.
    """

    def __init__(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        self._processes = processes
        self._last: list[WorkerProgress | None] = [None] * len(processes)
        self._results: list[WorkerResult | None] = [None] * len(processes)
        self.started_s = 0.0

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {f"generator-{at}": each.pid for at, each in enumerate(self._processes)}

    @property
    def waiting(self) -> int:
        """Messages that are due and not acknowledged, when the processes last told."""
        return self._sum().waiting

    @property
    def acked(self) -> int:
        """Messages that were acknowledged, when the processes last told."""
        return self._sum().acked

    async def connect(self) -> int:
        """Wait until all of them have opened what they could; return how many connections."""
        await asyncio.gather(*(self._hear(at) for at in range(len(self._processes))))
        return self._sum().connected

    async def send(self, tell: Callable[[CrewProgress], None]) -> list[WorkerResult]:
        """Let them begin, and wait for their results.

        Raises:
            CrewError: One of them ended before it should.
        """
        self.begin()
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._tell(tell))
            hearing = [tasks.create_task(self._hear_all(at)) for at in range(len(self._processes))]
            await asyncio.wait(hearing)
            telling.cancel()
        return [result for result in self._results if result is not None]

    def begin(self) -> None:
        """Tell all of them when the first message is due."""
        if not self.started_s:
            self.started_s = perf_counter() + AHEAD_S
            self._write(f"{self.started_s!r}\n".encode())

    def stop(self) -> None:
        """End early; what is in flight is still waited for."""
        self._write(b"stop\n")

    async def _hear_all(self, at: int) -> None:
        while self._results[at] is None:
            await self._hear(at)

    async def _hear(self, at: int) -> None:
        process = self._processes[at]
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            assert process.stderr is not None
            words = (await process.stderr.read()).decode(errors="replace").strip()
            status = await process.wait()
            last = words.splitlines()[-1] if words else "no word"
            raise CrewError(f"generator {at} ended with {status}: {last}")
        if line.startswith(b'{"elapsed_s"'):
            self._last[at] = msgspec.json.decode(line, type=WorkerProgress)
        else:
            self._results[at] = msgspec.json.decode(line, type=WorkerResult)

    async def _tell(self, tell: Callable[[CrewProgress], None]) -> None:
        while True:
            await asyncio.sleep(1.0)
            tell(self._sum())

    def _sum(self) -> CrewProgress:
        each = [progress for progress in self._last if progress is not None]
        return CrewProgress(
            elapsed_s=perf_counter() - self.started_s if self.started_s else 0.0,
            connected=sum(one.connected for one in each),
            due=sum(one.due for one in each),
            sent=sum(one.sent for one in each),
            acked=sum(one.acked for one in each),
            resent=sum(one.resent for one in each),
            waiting=sum(one.waiting for one in each),
            lost_connections=sum(one.lost_connections for one in each),
            cpu_s=sum(one.cpu_s for one in each),
            lag_s=max((one.lag_s for one in each), default=0.0),
        )

    def _write(self, line: bytes) -> None:
        for process in self._processes:
            if process.stdin is not None and not process.stdin.is_closing():
                process.stdin.write(line)


@asynccontextmanager
async def crew_of(
    orders: Sequence[Order], preexec: Callable[[], None] | None = None
) -> AsyncGenerator[Crew]:
    """Start a process for each order; they end with the block.

    Args:
        orders: What each is to do.
        preexec: Called in each new process, before it runs.
    """
    processes = [await _start(order, preexec) for order in orders]
    try:
        yield Crew(processes)
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*(process.wait() for process in processes))


async def _start(order: Order, preexec: Callable[[], None] | None) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loadtest.rig.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
        preexec_fn=preexec,
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    await process.stdin.drain()
    return process

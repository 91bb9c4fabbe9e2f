"""`python -m loadtest.rig.worker`: carries out one order, in a process of its own.

The order is a line of JSON on standard input. It says how far it is on standard output, a line of
JSON each second; the last line is its result. The second line that it reads says when to begin, by
the clock that all processes of a machine share; `stop` ends it early.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import msgspec
import numpy as np
import uvloop

from loadtest.connection import Connection
from loadtest.dialling import Dialler
from loadtest.rig.fleet_load import FleetLoad
from loadtest.rig.order import Order, WorkerProgress, WorkerResult
from loadtest.rig.tls import client_tls
from loadtest.scenario.model import seconds_of
from loadtest.timing import Timings

__all__ = ["main"]

# How late the generator itself may be with a message that is due.
TICK_S: Final = 0.001
FOLD_S: Final = 0.05
TELL_S: Final = 1.0
DIALS_AT_ONCE: Final = 64
GOODBYE_S: Final = 5.0
POLL_S: Final = 0.01
# A scenario's own connections cannot all come at once: so long past what its rate allows.
CONNECT_MORE_S: Final = 60.0
PAGE_BYTES: Final = 4_096


def main() -> None:
    """Carry out one order."""
    # Ctrl-C reaches the whole group; only the parent answers it, and tells.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    _tell(uvloop.run(_Worker(order).run()))


class _Worker:
    """One order being carried out."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._before_bytes = _resident_bytes()
        self._fleets = [FleetLoad(rule, order) for rule in order.scenario.fleets]
        self._connections = [each for fleet in self._fleets for each in fleet.connections]
        self._lag = Timings(order.interval_s)
        self._stopped_at_s: float | None = None
        self._started_s = self._ended_s = self._lag_s = 0.0
        self._cpu_s = self._connect_s = 0.0
        self._bytes = 0

    async def run(self) -> WorkerResult:
        """Do all of it."""
        server = self._order.scenario.server
        self._dialler = Dialler(
            self._order.host,
            self._order.port,
            sources=_sources(server.sources, self._order.worker),
            tls=client_tls(server.ca) if server.tls else None,
            per_s=server.dials_per_second / self._order.workers,
        )
        for fleet in self._fleets:
            fleet.role.lost = partial(self._lost, fleet)
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(self._dialler.work()) for _ in range(DIALS_AT_ONCE)]
            beside.append(tasks.create_task(self._keep_alive()))
            try:
                await self._connect()
                beside.append(tasks.create_task(self._listen()))
                await self._send()
                await self._close()
            finally:
                for task in beside:
                    task.cancel()
        return self._result()

    async def _connect(self) -> None:
        began_s = perf_counter()
        self._dialler.add(self._connections)
        server = self._order.scenario.server
        per_s = server.dials_per_second / self._order.workers
        give_up_s = began_s + len(self._connections) / per_s + CONNECT_MORE_S
        while perf_counter() < give_up_s:
            if self._connected() >= len(self._connections):
                break
            await asyncio.sleep(POLL_S)
        self._connect_s = perf_counter() - began_s
        grown = max(0, _resident_bytes() - self._before_bytes)
        self._bytes = grown // max(1, len(self._connections))
        _tell(self._progress(0.0))
        line = await asyncio.to_thread(sys.stdin.buffer.readline)
        self._started_s = float(line) if line.strip() else perf_counter()

    async def _listen(self) -> None:
        """Stop early when told to, or when whoever started us is gone."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        await reader.readline()
        self._stopped_at_s = perf_counter() - self._started_s

    async def _send(self) -> None:
        folded_s = self._started_s
        told_s = self._started_s
        cpu_s = process_time()
        give_up_s: float | None = None
        while True:
            now_s = perf_counter()
            pause_s = TICK_S
            if self._is_over():
                pause_s = POLL_S
                give_up_s = give_up_s or now_s + seconds_of(self._order.scenario.drain)
                if now_s > give_up_s or not any(each.waiting() for each in self._fleets):
                    break
            elif now_s >= self._started_s:
                self._raise_due(now_s)
            if now_s - folded_s >= FOLD_S:
                folded_s = now_s
                self._fold()
            if now_s - told_s >= TELL_S:
                told_s += TELL_S
                _tell(self._progress(now_s - self._started_s))
            await asyncio.sleep(pause_s)
        self._fold()
        self._ended_s = perf_counter()
        self._cpu_s = process_time() - cpu_s

    def _raise_due(self, now_s: float) -> None:
        elapsed_s = now_s - self._started_s
        for fleet in self._fleets:
            fleet.cut_off(elapsed_s)
            numbers = fleet.raise_due(elapsed_s, now_s)
            if numbers is not None:
                due_s = fleet.content.curve.due_s(numbers)
                # The last of them was written only now.
                lag_s = perf_counter() - self._started_s - due_s
                self._lag.add(due_s, np.maximum(lag_s, 0.0))
                self._lag_s = max(self._lag_s, float(lag_s[0]))

    def _is_over(self) -> bool:
        return self._stopped_at_s is not None or all(each.is_over for each in self._fleets)

    def _fold(self) -> None:
        for fleet in self._fleets:
            fleet.fold(self._started_s)

    def _lost(self, fleet: FleetLoad, connection: Connection) -> None:
        elapsed_s = perf_counter() - self._started_s if self._started_s else 0.0
        self._dialler.again(connection, fleet.back_after_s(connection, elapsed_s))

    async def _keep_alive(self) -> None:
        every_s = seconds_of(self._order.scenario.server.keep_alive)
        while every_s:
            await asyncio.sleep(every_s / 2)
            for connection in self._connections:
                connection.keep_alive()

    async def _close(self) -> None:
        for connection in self._connections:
            connection.finish()
        give_up_s = perf_counter() + GOODBYE_S
        while any(each.is_attached for each in self._connections):
            await asyncio.sleep(POLL_S)
            if perf_counter() > give_up_s:
                break
        for connection in self._connections:
            connection.abort()

    def _connected(self) -> int:
        return sum(fleet.role.scores.connected for fleet in self._fleets)

    def _progress(self, elapsed_s: float) -> WorkerProgress:
        scores = [fleet.role.scores for fleet in self._fleets]
        lag_s, self._lag_s = self._lag_s, 0.0
        return WorkerProgress(
            elapsed_s=elapsed_s,
            connected=sum(each.connected for each in scores),
            due=sum(fleet.ours - fleet.role.scores.void for fleet in self._fleets),
            sent=sum(each.sent for each in scores),
            acked=sum(each.acked for each in scores),
            resent=sum(each.resent for each in scores),
            waiting=sum(fleet.waiting() for fleet in self._fleets),
            lost_connections=sum(each.lost for each in scores),
            cpu_s=process_time(),
            lag_s=lag_s,
        )

    def _result(self) -> WorkerResult:
        return WorkerResult(
            worker=self._order.worker,
            seconds=self._ended_s - self._started_s,
            cpu_s=self._cpu_s,
            connect_s=self._connect_s,
            connections=len(self._connections),
            bytes_a_connection=self._bytes,
            dial_failures=self._dialler.failures,
            exhausted=dict(self._dialler.exhausted),
            lag=self._lag.record(),
            fleets=[fleet.result() for fleet in self._fleets],
            stopped_at_s=self._stopped_at_s,
        )


def _sources(count: int, worker: int) -> list[str]:
    """Return loopback addresses to come from; one is left to the system."""
    if count == 1:
        return []
    return [f"127.0.{1 + worker % 250}.{1 + at}" for at in range(count)]


def _tell(said: WorkerProgress | WorkerResult) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def _resident_bytes() -> int:
    """Return the memory of this process; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    return 0


if __name__ == "__main__":
    main()

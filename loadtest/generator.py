"""The load generator: connects, publishes on a schedule or as fast as windows allow, reports.

Open loop: each message has an instant at which it is due, whatever became of those before it, and
its latency counts from that instant. A server that stalls for a second is seen by every message
that was due in that second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import msgspec
import uvloop

from loadtest.connection import Connection, ConnectionRole
from loadtest.dialling import Dialler
from loadtest.packets import ConnectFields, connect_packet
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan, Schedule
from loadtest.report import LoadProgress, LoadReport

__all__ = ["LoadError", "generate", "run"]

# How late the generator itself may be with a message that is due.
TICK_S: Final = 0.001
# How often a closed loop is looked at; its messages need no tick.
LOOK_S: Final = 0.01
FOLD_S: Final = 0.05
PROGRESS_S: Final = 1.0
POLL_S: Final = 0.005
# After a goodbye servers close at once; one that does not is broken off.
GOODBYE_S: Final = 5.0
UNLIMITED: Final = 1 << 62
PAGE_BYTES: Final = 4096


class LoadError(Exception):
    """A plan that could not be carried out; the words say how far it came and why."""


def run(
    plan: LoadPlan,
    progress: Callable[[LoadProgress], None] | None = None,
    connected: Callable[[], Awaitable[None]] | None = None,
) -> LoadReport:
    """Carry out a plan in an event loop of its own. See `generate`."""
    return uvloop.run(generate(plan, progress=progress, connected=connected))


async def generate(
    plan: LoadPlan,
    *,
    progress: Callable[[LoadProgress], None] | None = None,
    stop: asyncio.Event | None = None,
    connected: Callable[[], Awaitable[None]] | None = None,
) -> LoadReport:
    """Carry out a plan.

    Args:
        plan: What to do.
        progress: Called each second.
        stop: Ends sending early; what is in flight is still waited for.
        connected: Awaited between the last connection and the first message.

    Raises:
        PlanError: If the plan says nothing that can be done.
        LoadError: If not all connections were open in time.
    """
    load = _Load(plan.checked(), progress, stop or asyncio.Event())
    failure: LoadError | None = None
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(load.dialler.work()) for _ in range(plan.dials_at_once)]
        beside.append(tasks.create_task(load.keep_alive()))
        try:
            await load.connect()
            if connected is not None:
                await connected()
            await load.send()
        except LoadError as error:
            failure = error
        finally:
            for task in beside:
                task.cancel()
            await load.close()
    if failure is not None:
        raise failure
    return load.report()


class _Load:
    """One run of a plan."""

    def __init__(
        self,
        plan: LoadPlan,
        progress: Callable[[LoadProgress], None] | None,
        stop: asyncio.Event,
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._stop = stop
        self._schedule = Schedule(plan.rate_per_s, plan.connections) if plan.rate_per_s else None
        fleet = Fleet(plan)
        step_s = self._schedule.step_s if self._schedule else None
        role = ConnectionRole(fleet.middles, qos=plan.qos, version=plan.version, step_s=step_s)
        self.dialler = Dialler(plan.host, plan.port)
        role.lost = self.dialler.again
        self._scores = role.scores
        self._before_bytes = _resident_bytes()
        self._connections = [
            Connection(role, self._introduction(number), fleet.packets(number))
            for number in range(plan.connections)
        ]
        self._due = 0
        self._started_s = self._ended_s = self._cpu_s = self._connect_s = 0.0
        self._folded_s = self._told_s = 0.0
        self._bytes = 0

    async def connect(self) -> None:
        """Open all connections."""
        began_s = perf_counter()
        self.dialler.add(self._connections)
        while self._scores.connected < self._plan.connections:
            await asyncio.sleep(POLL_S)
            if perf_counter() - began_s > self._plan.connect_s:
                raise LoadError(self._not_connected())
        self._connect_s = perf_counter() - began_s
        self._bytes = max(0, _resident_bytes() - self._before_bytes) // self._plan.connections

    async def send(self) -> None:
        """Send what is due until the plan is done, then wait for what is in flight."""
        cpu_s = process_time()
        self._started_s = self._folded_s = self._told_s = perf_counter()
        if self._schedule is None:
            self._let_go()
        else:
            for number, connection in enumerate(self._connections):
                connection.first_due_s = self._started_s + self._schedule.first_s(number)
        while not self._is_over():
            self._raise_due()
            await self._pause()
        self._call_in()
        give_up_s = perf_counter() + self._plan.drain_s
        while self._waiting() and perf_counter() < give_up_s:
            await self._pause()
        self._ended_s = perf_counter()
        self._cpu_s = process_time() - cpu_s

    async def keep_alive(self) -> None:
        """Ping on idle connections, until cancelled."""
        while self._plan.keep_alive_s:
            await asyncio.sleep(self._plan.keep_alive_s / 2)
            for connection in self._connections:
                connection.keep_alive()

    async def close(self) -> None:
        """Say goodbye on all connections."""
        for connection in self._connections:
            connection.finish()
        give_up_s = perf_counter() + GOODBYE_S
        while any(each.is_attached for each in self._connections):
            await asyncio.sleep(POLL_S)
            if perf_counter() > give_up_s:
                break
        for connection in self._connections:
            connection.abort()

    def report(self) -> LoadReport:
        """Return what became of the plan."""
        scores = self._scores
        numbered = [*enumerate(self._connections)]
        return LoadReport(
            # Reports are printed and kept; secrets are neither.
            plan=msgspec.structs.replace(self._plan, password=None),
            seconds=self._ended_s - self._started_s,
            cpu_s=self._cpu_s,
            connect_seconds=self._connect_s,
            bytes_a_connection=self._bytes,
            scheduled=self._due if self._schedule else None,
            sent=scores.sent,
            acked=scores.acked,
            resent=scores.resent,
            refused=scores.refused,
            lost_connections=scores.lost,
            unexpected_acks=scores.unexpected,
            latency=scores.latency.summary(),
            service=scores.service.summary(),
            sent_by_connection=[connection.next for connection in self._connections],
            unacked={at: left for at, each in numbered if (left := each.unacknowledged())},
            refusals={at: each.refusals for at, each in numbered if each.refusals},
            last_refusal=scores.last_refusal,
        )

    def _introduction(self, number: int) -> bytes:
        plan = self._plan
        return connect_packet(
            ConnectFields(
                client_id=f"{plan.client_prefix}-{number}",
                version=plan.version,
                keep_alive_s=plan.keep_alive_s,
                user=plan.user,
                password=plan.password,
            )
        )

    def _let_go(self) -> None:
        """Make everything due at once: a closed loop, or nothing where the rate is 0."""
        if self._plan.rate_per_s == 0:
            return
        total = self._plan.messages
        share, more = (UNLIMITED, 0) if total is None else divmod(total, self._plan.connections)
        for number, connection in enumerate(self._connections):
            connection.due = share + (number < more)
            connection.pump(perf_counter())

    def _raise_due(self) -> None:
        """Let connections know what has become due."""
        if self._schedule is None:
            return
        now_s = perf_counter()
        elapsed_s = now_s - self._started_s
        if self._plan.seconds is not None:
            # The last messages are those of the last instant, however late this tick is.
            elapsed_s = min(elapsed_s, self._plan.seconds)
        due = min(self._schedule.due(elapsed_s), self._plan.messages or UNLIMITED)
        for at in self._schedule.touched(self._due, due):
            number = at % self._plan.connections
            connection = self._connections[number]
            connection.due = self._schedule.due_of(number, due)
            connection.pump(now_s)
        self._due = due

    def _is_over(self) -> bool:
        if self._stop.is_set():
            return True
        total = self._plan.messages
        if total is not None and max(self._due, self._scores.sent) >= total:
            return True
        seconds = self._plan.seconds
        return seconds is not None and perf_counter() - self._started_s >= seconds

    def _call_in(self) -> None:
        """Take back what is due only because a closed loop never waits."""
        self._raise_due()
        if self._schedule is None:
            for connection in self._connections:
                connection.due = min(connection.due, connection.next)

    def _waiting(self) -> int:
        scores = self._scores
        due = self._due if self._schedule else scores.sent
        return due - (scores.acked + scores.refused if self._plan.qos else scores.sent)

    async def _pause(self) -> None:
        await asyncio.sleep(TICK_S if self._schedule else LOOK_S)
        now_s = perf_counter()
        if now_s - self._folded_s >= FOLD_S:
            self._folded_s = now_s
            self._scores.latency.fold()
            self._scores.service.fold()
        if self._progress and now_s - self._told_s >= PROGRESS_S:
            self._told_s += PROGRESS_S
            self._progress(self._how_far(now_s))

    def _how_far(self, now_s: float) -> LoadProgress:
        scores = self._scores
        return LoadProgress(
            elapsed_s=now_s - self._started_s,
            connected=scores.connected,
            sent=scores.sent,
            acked=scores.acked,
            resent=scores.resent,
            waiting=self._waiting(),
        )

    def _not_connected(self) -> str:
        plan, scores = self._plan, self._scores
        why = scores.last_refusal or f"{self.dialler.failures} dials without an answer"
        return (
            f"{scores.connected} of {plan.connections} connections to {plan.host}:{plan.port}"
            f" were open after {plan.connect_s:g} s: {why}"
        )


def _resident_bytes() -> int:
    """Return the memory of this process; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    return 0

"""Children in order: each is ready before the next begins, and stops after those behind it.

A child that dies is started again, later each time, and the reason is told. A child that says at
its first start that a person has to mend something (exit status 2) ends everything: starting it
again would not help.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from madina.errors import CommandError, SetupError
from madina.supervisor.child import Child, ChildSpec

__all__ = ["Supervisor"]

FIRST_BACKOFF_S = 0.5
LAST_BACKOFF_S = 30.0
# Whoever served this long has recovered: the next death starts with the first backoff again.
STEADY_S = 60.0
READY_TIMEOUT_S = 90.0
SETUP_STATUS = 2


class Supervisor:
    """Runs children until it is told to stop.

    Args:
        specs: In the order in which they start; they stop in reverse.
        logs: Folder of their log files.
        tell: Where reasons of restarts go, one line each.
        changed: Called with the process ids by name whenever a child has started.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        logs: Path,
        *,
        tell: Callable[[str], None],
        changed: Callable[[dict[str, int]], None],
    ) -> None:
        self._specs = specs
        self._logs = logs
        self._tell = tell
        self._changed = changed
        self._children: dict[str, Child] = {}
        self._stopping: set[str] = set()
        self._stop = asyncio.Event()
        self._force = asyncio.Event()

    def child(self, name: str) -> Child | None:
        """Return the process that runs under a name, or ran last; None before the first."""
        return self._children.get(name)

    async def run(self, announce: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start everything, announce, and keep it running until a signal says stop.

        Args:
            announce: Called once every child serves; cancelled where the stop comes first.

        Raises:
            SetupError: A child cannot start before a person mends something.
            CommandError: A child did not get ready in time, or was killed by a second signal.
        """
        loop = asyncio.get_running_loop()
        ends = [signal.SIGINT, signal.SIGTERM]
        # Ignored from the start: `nohup` wants this to survive its terminal.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            ends.append(signal.SIGHUP)
        for number in ends:
            loop.add_signal_handler(number, self._interrupt)
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._kill_when_forced())]
                if await self._start_all(group):
                    beside.append(group.create_task(announce()))
                await self._stop.wait()
                await self._stop_all()
                for each in beside:
                    each.cancel()
        except ExceptionGroup as errors:
            told = errors.subgroup((SetupError, CommandError))
            raise (told.exceptions[0] if told else errors) from None
        if self._force.is_set():
            raise CommandError("killed: somebody could not wait for the clean end")

    def _interrupt(self) -> None:
        if self._stop.is_set():
            self._force.set()
        self._stop.set()

    async def _kill_when_forced(self) -> None:
        await self._force.wait()
        self._stopping |= set(self._children)
        await asyncio.gather(*(child.kill() for child in self._children.values()))

    async def _start_all(self, group: asyncio.TaskGroup) -> bool:
        """Start one after the other; False where stopping came first."""
        for spec in self._specs:
            serves = asyncio.Event()
            group.create_task(self._keep(spec, serves), name=spec.name)
            if not await self._first(serves, READY_TIMEOUT_S):
                raise CommandError(
                    f"{spec.name} was not ready after {READY_TIMEOUT_S:g} s:"
                    f" see {self._logs / spec.name}.log"
                )
            if self._stop.is_set():
                return False
        return True

    async def _first(self, event: asyncio.Event, timeout_s: float) -> bool:
        """Wait for an event or for the stop; False where neither came in time."""
        waits = [asyncio.ensure_future(each.wait()) for each in (event, self._stop)]
        done, late = await asyncio.wait(
            waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        for each in late:
            each.cancel()
        return bool(done)

    async def _stop_all(self) -> None:
        for spec in reversed(self._specs):
            self._stopping.add(spec.name)
            if child := self._children.get(spec.name):
                await child.stop()

    async def _keep(self, spec: ChildSpec, serves: asyncio.Event) -> None:
        """Start a child again and again until it is its turn to stop."""
        loop = asyncio.get_running_loop()
        backoff_s = FIRST_BACKOFF_S
        while spec.name not in self._stopping:
            began_s = loop.time()
            child, status = await self._once(spec, serves)
            if spec.name in self._stopping:
                return
            why = f"{spec.name} ended ({_ending(status)})"
            if status == SETUP_STATUS and not serves.is_set():
                raise SetupError(child.last_words.removeprefix("madina: ") or why)
            if loop.time() - began_s > STEADY_S:
                backoff_s = FIRST_BACKOFF_S
            said = f". Its last words: {child.last_words}" if child.last_words else ""
            self._tell(f"{why}; starts again in {backoff_s:g} s{said}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), backoff_s)
            if self._stop.is_set():
                return
            backoff_s = min(2 * backoff_s, LAST_BACKOFF_S)

    async def _once(self, spec: ChildSpec, serves: asyncio.Event) -> tuple[Child, int]:
        """Run a child to its end."""
        child = await Child.start(spec)
        self._children[spec.name] = child
        self._changed({name: each.pid for name, each in self._children.items()})
        try:
            async with asyncio.TaskGroup() as group:
                ready = group.create_task(self._await_ready(child, serves))
                status = await child.run(self._logs)
                ready.cancel()
        except BaseException:
            await child.kill()
            raise
        return child, status

    async def _await_ready(self, child: Child, serves: asyncio.Event) -> None:
        if await child.ready():
            if serves.is_set():
                self._tell(f"{child.spec.name} serves again")
            serves.set()


def _ending(status: int) -> str:
    if status < 0:
        return signal.Signals(-status).name
    return f"status {status}"

"""Faults of a scenario, done to processes by their ids, to a disk, and to network links."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from loadtest.outcome.faults import FaultOutcome
from loadtest.rig.proxy import DONE, Manner
from loadtest.rig.small_disk import SmallDiskError, filled
from loadtest.scenario.model import Fault, seconds_of
from madina.errors import CommandError

__all__ = ["Faults", "Pids", "refuse_unknown_parts"]

Pids = Callable[[], dict[str, int]]
# What the supervisor calls them; gateways have a number.
CHILDREN: Final = {
    "gateway": "gateway-",
    "log": "nats",
    "node": "node",
    "bridge": "bridge-",
    "broker": "broker",
    "store": "store",
}
# What has no supervisor of ours; it runs elsewhere, or is no process at all.
SERVERS: Final = {"broker", "store"}
LOOK_S: Final = 0.05


def refuse_unknown_parts(faults: list[Fault], pids: Pids) -> None:
    """Look for the parts that faults name before anything is sent.

    Raises:
        CommandError: The platform has no such part here.
    """
    running = pids()
    for fault in faults:
        if fault.part is not None:
            _victims(fault, running)


class Faults:
    """The faults of one run.

    Attributes:
        done: What was done, by the fault's place in the scenario.
    """

    def __init__(self, faults: list[Fault], pids: Pids, folder: Path | None = None) -> None:
        """Prepare.

        Args:
            faults: Of the scenario.
            pids: Process ids by name, asked for at the moment of a fault: parts are started again.
            folder: The platform's data folder.
        """
        self._faults = faults
        self._pids = pids
        self._folder = folder
        self._started_s = 0.0
        self.done: dict[int, FaultOutcome] = {}

    async def cause(self, started_s: float) -> None:
        """Do each fault at its time.

        Args:
            started_s: When the first message is due, by `perf_counter`.

        Raises:
            CommandError: The platform has no such part here, or belongs to another user; the disk
                is not a small one; the link cannot be cut.
        """
        self._started_s = started_s
        async with asyncio.TaskGroup() as tasks:
            for place, fault in enumerate(self._faults):
                tasks.create_task(self._cause(place, fault))

    async def _cause(self, place: int, fault: Fault) -> None:
        await asyncio.sleep(max(0.0, seconds_of(fault.at) - self._now_s()))
        if fault.do == "kill":
            await self._kill(place, fault, _victims(fault, self._pids()))
            return
        at_s = self._now_s()
        try:
            async with self._hurt(fault):
                await asyncio.sleep(seconds_of(fault.lasts))
        finally:
            self.done[place] = FaultOutcome(name=fault.name, at_s=at_s, ended_s=self._now_s())

    @asynccontextmanager
    async def _hurt(self, fault: Fault) -> AsyncGenerator[None]:
        """Hurt something for the length of a block; it ends also where the run is stopped early."""
        if fault.do == "freeze":
            hurt = _victims(fault, self._pids())
            try:
                _send(hurt, signal.SIGSTOP)
                yield
            finally:
                _send(hurt, signal.SIGCONT)
        elif fault.proxy is not None:
            async with _told(fault):
                yield
        elif fault.do == "cut":
            try:
                await _link(fault, "down")
                yield
            finally:
                await _link(fault, "up")
        else:
            try:
                with filled(self._folder or Path()):
                    yield
            except SmallDiskError as error:
                raise CommandError(f"{fault.name}: {error}") from error

    async def _kill(self, place: int, fault: Fault, hurt: dict[str, int]) -> None:
        at_s = self._now_s()
        _send(hurt, signal.SIGKILL)
        outcome = FaultOutcome(name=fault.name, at_s=at_s, ended_s=at_s)
        self.done[place] = outcome
        # The supervisor is another process: it tells by a file.
        while any(self._pids().get(name) in {None, pid} for name, pid in hurt.items()):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        away_s = self._now_s() - at_s
        self.done[place] = msgspec.structs.replace(outcome, away_s=away_s)

    def _now_s(self) -> float:
        return time.perf_counter() - self._started_s


def _victims(fault: Fault, children: dict[str, int]) -> dict[str, int]:
    assert fault.part is not None, "a scenario without it is refused"
    begins = CHILDREN[fault.part]
    found = {name: pid for name, pid in children.items() if name.startswith(begins)}
    if not found:
        words = "no such process is one of `madina up` here"
        if fault.part in SERVERS:
            words = f"no {fault.part} of this platform is a server of its own on this machine"
        raise CommandError(f"{fault.name}: {words}")
    return found


@asynccontextmanager
async def _told(fault: Fault) -> AsyncGenerator[None]:
    """Have a proxy behave as a fault says; with the connection it forgets that."""
    host, _, port = (fault.proxy or "").rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except OSError as error:
        raise CommandError(
            f"{fault.name}: no `madina load proxy` is told anything there"
        ) from error
    try:
        manner = msgspec.convert({"kind": fault.do, "by_s": seconds_of(fault.by)}, Manner)
        writer.write(msgspec.json.encode(manner) + b"\n")
        answer = await reader.readline()
        if answer != DONE:
            words = answer.decode(errors="replace").strip() or "it has gone"
            raise CommandError(f"{fault.name}: the proxy says: {words}")
        yield
    finally:
        writer.close()


async def _link(fault: Fault, state: str) -> None:
    """Set a network link up or down."""
    assert fault.link is not None, "a scenario without it is refused"
    try:
        process = await asyncio.create_subprocess_exec(
            "ip", "link", "set", fault.link, state, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise CommandError(f"{fault.name}: there is no `ip`: install iproute2") from error
    _, said = await process.communicate()
    if process.returncode:
        words = said.decode(errors="replace").strip()
        raise CommandError(f"{fault.name}: {words} (root may cut links, see docs/load.md)")


def _send(hurt: dict[str, int], number: signal.Signals) -> None:
    for name, pid in hurt.items():
        try:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        except PermissionError as error:
            raise CommandError(
                f"process {pid} ({name}) belongs to another user: run the faults as that one"
            ) from error

"""Faults of a scenario, done to the processes that the supervisor says are its own."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from loadtest.outcome.faults import FaultOutcome
from loadtest.scenario.model import Fault, seconds_of
from madina.errors import CommandError

__all__ = ["Faults", "Pids"]

Pids = Callable[[], dict[str, int]]
# What the supervisor calls them; gateways have a number.
CHILDREN: Final = {"gateway": "gateway-", "log": "nats", "node": "node"}
LOOK_S: Final = 0.05


class Faults:
    """The faults of one run.

    Attributes:
        done: What was done, by the fault's place in the scenario.
    """

    def __init__(self, faults: list[Fault], pids: Pids) -> None:
        """Prepare.

        Args:
            faults: Of the scenario.
            pids: Process ids by name, asked for at the moment of a fault: parts are started again.
        """
        self._faults = faults
        self._pids = pids
        self._started_s = 0.0
        self.done: dict[int, FaultOutcome] = {}

    async def cause(self, started_s: float) -> None:
        """Do each fault at its time.

        Args:
            started_s: When the first message is due, by `perf_counter`.

        Raises:
            CommandError: The platform has no such part here, or belongs to another user.
        """
        self._started_s = started_s
        async with asyncio.TaskGroup() as tasks:
            for place, fault in enumerate(self._faults):
                tasks.create_task(self._cause(place, fault))

    async def _cause(self, place: int, fault: Fault) -> None:
        await asyncio.sleep(max(0.0, seconds_of(fault.at) - self._now_s()))
        hurt = _victims(fault, self._pids())
        if fault.do == "kill":
            await self._kill(place, fault, hurt)
        else:
            await self._freeze(place, fault, hurt)

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

    async def _freeze(self, place: int, fault: Fault, hurt: dict[str, int]) -> None:
        at_s = self._now_s()
        try:
            _send(hurt, signal.SIGSTOP)
            await asyncio.sleep(seconds_of(fault.lasts))
        finally:
            # Also where the run is stopped early: nobody else would let them go on.
            _send(hurt, signal.SIGCONT)
            self.done[place] = FaultOutcome(name=fault.name, at_s=at_s, ended_s=self._now_s())

    def _now_s(self) -> float:
        return time.perf_counter() - self._started_s


def _victims(fault: Fault, children: dict[str, int]) -> dict[str, int]:
    begins = CHILDREN[fault.part]
    found = {name: pid for name, pid in children.items() if name.startswith(begins)}
    if not found:
        raise CommandError(f"{fault.name}: no such process is one of `madina up` here")
    return found


def _send(hurt: dict[str, int], number: signal.Signals) -> None:
    for name, pid in hurt.items():
        try:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        except PermissionError as error:
            raise CommandError(
                f"process {pid} ({name}) belongs to another user: run the faults as that one"
            ) from error

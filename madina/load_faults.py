"""Faults of a scenario, done to the processes that the supervisor says are its own."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from loadtest.scenario.model import Fault, seconds_of
from madina.errors import CommandError

__all__ = ["Pids", "cause"]

Pids = Callable[[], dict[str, int]]
# What the supervisor calls them; gateways have a number.
CHILDREN: Final = {"gateway": "gateway-", "log": "nats", "node": "node"}


async def cause(faults: list[Fault], pids: Pids, started_s: float) -> None:
    """Do each fault at its time.

    Args:
        faults: Of the scenario.
        pids: Process ids by name, asked for at the moment of a fault: parts are started again.
        started_s: When the first message is due, by `perf_counter`.

    Raises:
        CommandError: The platform has no such part here, or belongs to another user.
    """
    async with asyncio.TaskGroup() as tasks:
        for fault in faults:
            tasks.create_task(_cause(fault, pids, started_s))


async def _cause(fault: Fault, pids: Pids, started_s: float) -> None:
    await asyncio.sleep(max(0.0, started_s + seconds_of(fault.at) - time.perf_counter()))
    hurt = _victims(fault, pids())
    if fault.do == "kill":
        _send(hurt, signal.SIGKILL)
        return
    try:
        _send(hurt, signal.SIGSTOP)
        await asyncio.sleep(seconds_of(fault.lasts))
    finally:
        # Also where the run is stopped early: nobody else would let them go on.
        _send(hurt, signal.SIGCONT)


def _victims(fault: Fault, children: dict[str, int]) -> list[int]:
    begins = CHILDREN[fault.part]
    found = [pid for name, pid in children.items() if name.startswith(begins)]
    if not found:
        raise CommandError(f"{fault.name}: no such process is one of `madina up` here")
    return found


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        except PermissionError as error:
            raise CommandError(
                f"process {pid} belongs to another user: run the faults as that one"
            ) from error

"""The supervisor, with children that are small Python programs."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from madina.errors import CommandError, SetupError
from madina.supervisor.child import ChildSpec
from madina.supervisor.supervise import Supervisor

DEADLINE_S = 20
SERVES = "import os, signal, sys\nos.write(int(sys.argv[-1]), b'ready\\n')\n"
STAYS = "print(NAME, 'began', flush=True)\nsignal.sigwait([signal.SIGTERM])\nprint(NAME, 'ended')\n"


def child(name: str, program: str) -> ChildSpec:
    return ChildSpec(name, (sys.executable, "-c", f"NAME = {name!r}\n{program}"), stop_s=5)


class Run:
    """A supervisor under test: what it told, and what to do once everything serves."""

    def __init__(self, specs: list[ChildSpec], logs: Path) -> None:
        self.told: list[str] = []
        self.pids: dict[str, int] = {}
        self.announced = asyncio.Event()
        self.supervisor = Supervisor(specs, logs, tell=self.told.append, changed=self._changed)

    async def __call__(self, then: Callable[["Run"], None]) -> None:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run(self.announce))
            await self.announced.wait()
            then(self)

    async def announce(self) -> None:
        self.announced.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await asyncio.sleep(0.02)

    def _changed(self, pids: dict[str, int]) -> None:
        self.pids = pids


def interrupt(_run: Run) -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_children_start_in_order_and_stop_in_reverse(
    number: signal.Signals, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    note = f"open({str(order)!r}, 'a').write(f'{{NAME}} %s\\n')\n"
    body = note % "began" + SERVES + "signal.sigwait([signal.SIGTERM])\n" + note % "ended"
    masked = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n" + body
    run = Run([child("log", masked), child("node", masked)], tmp_path)
    await run(lambda _: os.kill(os.getpid(), number))
    assert order.read_text().splitlines() == ["log began", "node began", "node ended", "log ended"]


async def test_a_child_that_dies_is_started_again_and_the_reason_is_told(tmp_path: Path) -> None:
    run = Run([child("node", SERVES + "print('my last words', flush=True)\n" + STAYS)], tmp_path)
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
        group.create_task(run.supervisor.run(run.announce))
        await run.announced.wait()
        first = run.pids["node"]
        os.kill(first, signal.SIGKILL)
        await run.until(lambda: "node serves again" in run.told)
        assert run.pids["node"] != first
        interrupt(run)
    assert run.told[0].startswith("node ended (SIGKILL); starts again in 0.5 s")


async def test_a_child_that_needs_a_person_ends_everything_with_its_own_words(
    tmp_path: Path,
) -> None:
    refuses = "import sys\nprint('madina: the store is newer', file=sys.stderr)\nsys.exit(2)\n"
    specs = [child("log", SERVES + STAYS), child("node", refuses)]
    run = Run(specs, tmp_path)
    with pytest.raises(SetupError, match=r"^the store is newer$"):
        await run.supervisor.run(run.announce)
    assert not run.announced.is_set()
    with pytest.raises(ProcessLookupError):
        os.kill(run.pids["log"], 0)


async def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES
    spec = ChildSpec(
        "node", (sys.executable, "-c", deaf + "while True: signal.pause()\n"), stop_s=0.2
    )
    run = Run([spec], tmp_path)
    await run(interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(run.pids["node"], 0)


async def test_a_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES
    spec = ChildSpec("node", (sys.executable, "-c", deaf + "while True: signal.pause()\n"))
    run = Run([spec], tmp_path)

    def twice(_run: Run) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.0, interrupt, run)
        loop.call_later(0.2, interrupt, run)

    with pytest.RaisesGroup(CommandError):
        await run(twice)


async def test_the_output_of_a_child_is_in_its_log_file(tmp_path: Path) -> None:
    run = Run([child("node", "print('hello from', NAME, flush=True)\n" + SERVES + STAYS)], tmp_path)
    await run(interrupt)
    assert "hello from node" in (tmp_path / "node.log").read_text()

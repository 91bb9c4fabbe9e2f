"""Faults reach the processes that they name, are undone, and say what cannot be done."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import psutil
import pytest

from loadtest.rig import small_disk
from loadtest.scenario.model import Fault
from madina.errors import CommandError
from madina.load_faults import Faults, refuse_unknown_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Madina

Part = Literal["gateway", "log", "node", "bridge", "broker", "store"]


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


async def done(fault: Fault, pids: dict[str, int]) -> Faults:
    faults = Faults([fault], lambda: pids)
    await faults.cause(perf_counter())
    return faults


def refused(fault: Fault, pids: dict[str, int]) -> str:
    with pytest.raises(ExceptionGroup) as group:
        asyncio.run(done(fault, pids))
    (cause,) = group.value.exceptions
    assert isinstance(cause, CommandError)
    return str(cause)


@pytest.mark.parametrize("part", ["gateway", "log", "node", "bridge"])
def test_a_part_that_does_not_run_here_is_named(part: Part) -> None:
    words = f"freeze of {part}: no such process is one of `madina up` here"
    fault = Fault(at=0, do="freeze", part=part, lasts=1)
    assert refused(fault, {"demo-city": os.getpid()}) == words


def test_a_part_that_does_not_run_is_named_before_anything_is_sent() -> None:
    faults = [Fault(at=0, do="fill-disk", lasts=1), Fault(at=0, do="kill", part="broker")]
    refuse_unknown_parts(faults, lambda: {"broker": os.getpid()})
    with pytest.raises(CommandError, match=r"kill of broker: no broker of this platform"):
        refuse_unknown_parts(faults, lambda: {"node": os.getpid()})


@pytest.mark.parametrize("part", ["broker", "store"])
def test_a_server_that_is_none_of_this_machine_is_named(part: Part) -> None:
    words = refused(Fault(at=0, do="kill", part=part), {"node": os.getpid()})
    where = "is a server of its own on this machine"
    assert words == f"kill of {part}: no {part} of this platform {where}"


def test_a_link_that_cannot_be_cut_is_named() -> None:
    words = refused(Fault(at=0, do="cut", link="no-such-link", lasts=1), {})
    assert words.startswith("cut of no-such-link: ")
    assert words.endswith("(root may cut links, see docs/load.md)")


def test_a_machine_that_has_no_ip_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    words = refused(Fault(at=0, do="cut", link="lo", lasts=1), {})
    assert words == "cut of lo: there is no `ip`: install iproute2"


def test_a_proxy_that_does_not_run_is_named() -> None:
    words = refused(Fault(at=0, do="refuse", proxy="127.0.0.1:1", lasts=1), {})
    assert words == "refuse of 127.0.0.1:1: no `madina load proxy` is told anything there"


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:port", ":1883", "127.0.0.1:99999"])
def test_a_proxy_to_nowhere_is_refused(madina: Madina, address: str) -> None:
    ended = madina("load", "proxy", address)
    assert (ended.status, ended.err) == (1, f"madina: {address!r} is no HOST:PORT\n")


def test_a_disk_that_others_need_is_not_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_disk, "LARGEST_BYTES", 0)
    faults = Faults([Fault(at=0, do="fill-disk", lasts=1)], dict, tmp_path)
    with pytest.raises(ExceptionGroup) as group:
        asyncio.run(faults.cause(perf_counter()))
    words = str(group.value.exceptions[0])
    assert words.startswith(f"fill-disk: the disk of {tmp_path} has ")
    assert "put the data folder on one of at most" in words
    assert not list(tmp_path.iterdir())


def test_somebody_elses_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_pid: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    words = refused(Fault(at=0, do="kill", part="log"), {"nats": 4711})
    assert words == "process 4711 (nats) belongs to another user: run the faults as that one"


def test_a_kill_is_an_instant_and_the_part_is_away_until_it_has_another_process(
    victim: subprocess.Popen[bytes],
) -> None:
    pids = {"gateway-0": victim.pid}

    async def killed() -> Faults:
        faults = Faults([Fault(at=0.05, do="kill", part="gateway")], lambda: pids)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(faults.cause(perf_counter()))
            assert await asyncio.to_thread(victim.wait, 10) == -signal.SIGKILL
            assert faults.done[0].away_s is None
            pids["gateway-0"] = victim.pid + 1
        return faults

    outcome = asyncio.run(killed()).done[0]
    assert outcome.name == "kill of gateway"
    assert outcome.at_s == outcome.ended_s >= 0.05
    assert outcome.away_s is not None
    assert outcome.away_s > 0


def test_what_is_frozen_goes_on_also_where_the_run_is_stopped(
    victim: subprocess.Popen[bytes],
) -> None:
    state = psutil.Process(victim.pid)

    async def stopped() -> Faults:
        faults = Faults([Fault(at=0, do="freeze", part="node", lasts=60)], lambda: pids)
        async with asyncio.TaskGroup() as tasks:
            causing = tasks.create_task(faults.cause(perf_counter()))
            while state.status() != psutil.STATUS_STOPPED:
                await asyncio.sleep(0.01)
            causing.cancel()
        return faults

    pids = {"node": victim.pid}
    outcome = asyncio.run(stopped()).done[0]
    assert state.status() != psutil.STATUS_STOPPED
    assert 0 < outcome.ended_s - outcome.at_s < 60
    again = asyncio.run(done(Fault(at=0, do="freeze", part="node", lasts=0.1), pids)).done[0]
    assert again.ended_s - again.at_s >= 0.1
    assert again.away_s is None


def test_faults_are_for_a_platform_on_this_machine(madina: Madina) -> None:
    ended = madina("load", "run", "gateway-killed", "--host", "127.0.0.1")
    assert ended.status == 1
    assert "faults: they are done to a `madina up` on this machine" in ended.err


@pytest.mark.parametrize(
    "more", [(), ("--rate", "5"), ("gateway-killed", "--host", "127.0.0.1")], ids=str
)
def test_through_is_for_a_scenario_on_our_own_platform(
    madina: Madina, more: tuple[str, ...]
) -> None:
    ended = madina("load", "run", "--through", "127.0.0.1:1884", *more)
    assert ended.status == 1
    assert ended.err.startswith("madina: --through is for a scenario, and for the platform")

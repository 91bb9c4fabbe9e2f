"""Faults that a scenario states: done to the parts that run, and what came of it checked."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from nats.aio.client import Client

from city.subjects import STREAM
from loadtest.outcome.run import LoadRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(240)]


FROZEN = """
name: frozen
fleets:
 - {name: own, devices: 50, every: 500ms, kind: noise}
phases:
 - {kind: hold, seconds: 8s}
faults:
 - {at: 2s, do: freeze, part: node, lasts: 3s, expect: {catch_up: 1ms}}
reading: {devices: 1}
budgets: {lag_p99: 5s}
"""


def carried_out(platform: Platform, scenario: str | Path, folder: Path) -> tuple[int, Any]:
    """Run a scenario; return the exit status and what it told."""
    done = subprocess.run(
        [*platform.program, "load", "run", scenario, "--out", folder, "--json", "--exact"],
        env=platform.environment, capture_output=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.stdout, done.stderr.decode()
    return done.returncode, msgspec.json.decode(done.stdout)


@pytest.mark.parametrize("name", ["gateway-killed", "log-frozen"])
def test_a_fault_is_done_marked_and_costs_nothing(
    name: str, start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start()
    before = platform.run.children
    status, told = carried_out(platform, name, tmp_path)
    assert (status, told["complaints"]) == (0, [])
    record = msgspec.json.decode(Path(told["record"]).read_bytes(), type=LoadRun)
    (fault,) = record.scenario.faults
    (window,) = record.windows
    assert window.name.startswith(fault.name)
    names = ("faults: ", fault.name)
    checks = [each.met for each in record.budgets if each.name.startswith(names)]
    assert checks == [True, True, True]
    outcome = record.faults[0]
    assert outcome.catch_up_s is not None
    assert len(record.backlog) > 20
    if fault.do == "kill":
        assert platform.run.children["gateway-0"] != before["gateway-0"]
        assert outcome.away_s is not None
        assert 0 < outcome.away_s < 20
        assert window.instant
    else:
        assert told["latency"]["max_ms"] > 2_000


def lose_the_last_frame(platform: Platform) -> None:
    """Take a frame off the log while nobody reads it: what no platform may ever do."""

    async def lose() -> None:
        client = Client()
        await client.connect(platform.run.nats)
        try:
            jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
            state = (await jetstream.stream_info(STREAM)).state
            assert await jetstream.delete_msg(STREAM, state.last_seq)
        finally:
            await client.close()

    platform.until(lambda: frozen(platform), "the node is frozen")
    # Something comes meanwhile, and nobody reads it.
    time.sleep(1.5)
    asyncio.run(lose())


def frozen(platform: Platform) -> bool:
    status = Path(f"/proc/{platform.run.children['node']}/status").read_text(encoding="ascii")
    return "T (stopped)" in status


def test_a_message_that_was_acknowledged_and_lost_fails_the_run(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start()
    scenario = tmp_path / "frozen.yaml"
    scenario.write_text(FROZEN.replace("catch_up: 1ms", "lost: 0"))
    losing = threading.Thread(target=lose_the_last_frame, args=(platform,))
    losing.start()
    status, told = carried_out(platform, scenario, tmp_path)
    losing.join()
    assert status == 1
    assert told["account"]["lost"] > 0
    assert f"{told['account']['lost']} promised messages are not there" in told["complaints"]
    assert any("faults: lost" in words for words in told["complaints"])


def test_an_expectation_that_was_not_kept_fails_the_run(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    scenario = tmp_path / "frozen.yaml"
    # No reading is as fresh as that; how soon a backlog was gone is seen by looks, once a second.
    scenario.write_text(FROZEN.replace("lag_p99: 5s", "lag_p99: 5s, freshness_p99: 1ms"))
    status, told = carried_out(start(), scenario, tmp_path)
    assert (status, told["account"]["lost"]) == (1, 0)
    checks = {each["name"]: each for each in told["budgets"]}
    caught_up = checks["freeze of node: catch_up"]
    assert caught_up["wanted"] == "<= 0.001 s"
    assert caught_up["met"] == (caught_up["measured"] <= 0.001)
    failed = {words.removeprefix("budget ").rpartition(": ")[0] for words in told["complaints"]}
    assert failed == {name for name, each in checks.items() if not each["met"]}
    assert "freshness_p99" in failed

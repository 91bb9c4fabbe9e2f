"""Faults that a scenario states: done to the parts that run, and what came of it checked."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from loadtest.outcome.run import LoadRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(240)]


@pytest.mark.parametrize("name", ["gateway-killed", "log-frozen"])
def test_a_fault_is_done_marked_and_costs_nothing(
    name: str, start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start()
    before = platform.run.children
    done = subprocess.run(
        [*platform.program, "load", "run", name, "--out", tmp_path, "--json", "--exact"],
        env=platform.environment, capture_output=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.stdout, done.stderr.decode()
    told = msgspec.json.decode(done.stdout)
    assert (done.returncode, told["complaints"]) == (0, [])
    record = msgspec.json.decode(Path(told["record"]).read_bytes(), type=LoadRun)
    (fault,) = record.scenario.faults
    assert fault.name in [window.name for window in record.windows]
    checks = [each.met for each in record.budgets if each.name.startswith(fault.name)]
    assert checks == [True, True, True]
    if fault.do == "kill":
        assert platform.run.children["gateway-0"] != before["gateway-0"]
    else:
        assert told["latency"]["max_ms"] > 2_000

"""`madina load run SCENARIO`: the whole account of a run against the whole platform."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from loadtest.outcome.run import LoadRun

if TYPE_CHECKING:
    from conftest import Platform

pytestmark = [
    pytest.mark.live, pytest.mark.journey, pytest.mark.alone, pytest.mark.timeout(240),
]  # fmt: skip

MIXED = """
name: mixed
seed: 11
clock: {start: '2026-03-28T12:00', speed: 14400, timezone: Europe/Madrid}
fleets:
 - name: noise
   devices: 30
   every: 500ms
   kind: noise
   mqtt: "5.0"
   habits: {duplicates: 0.1, malformed: 0.05, missing: 0.05, stuck: 0.1, dead: 0.1}
   outages: [{at: 2s, lasts: 1s, share: 0.4}]
 - {name: bins, devices: 50, every: 2s, kind: waste, mode: multiplexed, format: chirpstack-v3,
    qos: 2}
 - {name: water, devices: 50, every: 2s, kind: water, mode: multiplexed, format: senml-json,
    habits: {wrong_unit: 0.2}}
phases:
 - {kind: ramp, seconds: 1s, to: 1}
 - {kind: hold, seconds: 6s}
reading: {devices: 3, dashboards: 1}
budgets: {lag_p99: 5s}
"""
STEADY = """
name: steady
fleets:
 - {name: own, devices: 20, every: 20ms, in_flight: 4}
phases:
 - {kind: hold, seconds: 10s}
reading: {devices: 2}
budgets: {lag_p99: 5s}
checked: 4
"""


def run(platform: Platform, text: str, tmp_path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    done = subprocess.run(
        [*platform.program, "load", "run", path, "--out", tmp_path, "--json", *options],
        env=platform.environment,
        capture_output=True,
        check=False,
        timeout=200,
    )
    assert done.stdout, done.stderr.decode()
    return done.returncode, msgspec.json.decode(done.stdout)


def test_every_spoilt_and_every_good_message_is_accounted_for(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start(MADINA_MQTT_ANONYMOUS="never", MADINA_TIMEZONE="Europe/Madrid")
    status, told = run(platform, MIXED, tmp_path, "--exact")
    assert (status, told["complaints"]) == (0, [])
    account, found = told["account"], told["findings"]
    assert account["accepted"] == account["good"] == account["good_sent"] > 500
    assert account["quarantined"] == account["malformed"] > 5
    assert account["duplicate"] >= account["repeats"] > 5
    assert account["rejected"] == account["wrong_units"] > 5
    assert found["devices"] == 130
    # A day and a bit in seven seconds, over the night in which the clocks change.
    assert found["answers"] > 2 * 130
    assert told["visible"]["count"] > 10
    assert told["freshness"]["count"] > 10

    record = msgspec.json.decode(Path(told["record"]).read_bytes(), type=LoadRun)
    assert {"gateway-0", "node", "nats", "generator-0"} <= record.parts.keys()
    assert record.total("late") > 0
    page = Path(told["record"]).with_suffix(".html").read_text(encoding="utf-8")
    assert "Holds." in page


def test_virtual_devices_that_would_be_parked_are_refused_before_the_run(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    # Nobody registers virtual devices: their messages would be parked, promised and not accepted.
    platform = start()
    text = STEADY.replace("devices: 20,", "devices: 20, mode: virtual,")
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    done = subprocess.run(
        [*platform.program, "load", "run", path], env=platform.environment, capture_output=True,
        check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "MADINA_UNKNOWN_DEVICES=accept" in done.stderr

"""`madina load calibrate`: a platform of its own is measured, and the city's is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from loadtest.capacity.calibration import Calibration
from loadtest.capacity.trials import FORMATS

pytestmark = [pytest.mark.live, pytest.mark.journey]

MADINA = (sys.executable, "-m", "madina", "load", "calibrate")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "MADINA_DATA_DIR": str(folder / "data")}
    return subprocess.run(
        [*MADINA, *options], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.mark.timeout(240)
def test_costs_of_every_part_and_format_are_measured(tmp_path: Path) -> None:
    done = run(tmp_path, "--rate", "1500", "--seconds", "4", "--json")
    assert done.returncode == 0, done.stderr.decode()
    found = msgspec.json.decode(done.stdout, type=Calibration)
    kept = (tmp_path / "calibration.json").read_bytes()
    assert msgspec.json.decode(kept, type=Calibration) == found
    assert {*found.codecs} == {*FORMATS}
    assert all(cost.ingest_us > 0 for cost in found.codecs.values())
    assert found.own_connection.us_a_message > 0
    assert 0 < found.commits.commit_share < 1
    assert found.connection_bytes > 500
    assert found.broker is not None
    assert found.broker.us_a_message > 0
    # Nothing is left of the platform that was measured, and the city's folder was never made.
    assert [each.name for each in tmp_path.iterdir()] == ["calibration.json"]


def test_a_file_that_cannot_be_kept_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    done = run(tmp_path, "--out", str(tmp_path / "nowhere" / "calibration.json"))
    assert done.returncode == 1
    assert b"its folder does not exist" in done.stderr
    assert done.stdout == b""

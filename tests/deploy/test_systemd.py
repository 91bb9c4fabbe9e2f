"""The units are ones that systemd takes, and leave little to whoever breaks in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
EXPOSURE = re.compile(r"Overall exposure level for \S+: ([\d.]+)")
# `OK` in the words of systemd-analyze is up to 4.9; a plain service has 9.6.
EXPOSURE_MOST = 3.0


def test_there_is_a_unit_for_each_role() -> None:
    assert [path.name for path in UNITS] == [
        "madina-gateway@.service",
        "madina-ingest.service",
        "madina-node.service",
        "madina-services.service",
        "madina-up.service",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit_and_finds_it_hardly_exposed(
    unit: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    text = unit.read_text(encoding="utf-8")
    assert "/opt/madina/.venv/bin/madina" in text
    program = tmp_path / "madina"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / unit.name.replace("@.", "@0.")
    # Who installs the units makes the user; a machine that runs tests has nobody.
    text = text.replace("/opt/madina/.venv/bin/madina", str(program)).replace(
        "=madina\n", "=root\n"
    )
    copy.write_text(text, encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    ours = [line for line in verified.stderr.splitlines() if unit.name.partition("@")[0] in line]
    assert (verified.returncode, ours) == (0, [])
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    found = EXPOSURE.search(judged.stdout)
    assert found, judged.stderr
    record_property("exposure", float(found[1]))
    assert float(found[1]) <= EXPOSURE_MOST, found[0]

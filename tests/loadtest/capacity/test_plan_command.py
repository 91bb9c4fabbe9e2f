"""`madina load plan` as people call it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from loadtest.capacity.calibration import Calibration
from loadtest.capacity.plan import Plan
from madina.commands.load_plan import example_calibration, read_calibration
from madina.errors import CommandError
from madina.main import COMMANDS, build

RUNNER = CliRunner()


def plan(*options: str) -> str:
    done = RUNNER.invoke(build([*COMMANDS]), ["load", "plan", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_prints_tables_markdown_and_json(tmp_path: Path) -> None:
    asked = ("--devices", "500e9", "--cities", "1e4", "--interval", "15m")
    assert "The federation: 10,000 such cities" in plan(*asked)
    assert "### Where today's design ends" in plan(*asked, "--markdown")
    page = tmp_path / "plan.html"
    found = msgspec.json.decode(plan(*asked, "--json", "--html", str(page)), type=Plan)
    assert found.federation[1].messages_per_s == pytest.approx(555_555_556, rel=1e-6)
    assert page.stat().st_size > 1_000_000


def test_a_calibration_of_ones_own_is_used(tmp_path: Path, calibration: Calibration) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(msgspec.json.encode(calibration))
    assert "a processor, 2026-11-27" in plan("--devices", "1000", "--calibration", str(path))


def test_the_one_that_comes_along_says_where_it_was_measured() -> None:
    found = example_calibration()
    assert found.machine.cores > 0
    assert found.made_at > "2026"
    assert found.stored_bytes > 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"{}", "is no calibration"), (b"[", "is no calibration")],
)
def test_files_that_are_no_calibration_are_named(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "calibration.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        read_calibration(path)


def test_a_calibration_of_another_version_is_refused(
    tmp_path: Path, calibration: Calibration
) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(calibration, format=99)))
    with pytest.raises(CommandError, match="has format 99"):
        read_calibration(path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--devices", "many"), "--devices many is no number"),
        (("--devices", "9", "--interval", "soon"), "--interval soon is no duration"),
        (("--devices", "9", "--html", "/nowhere/plan.html"), "cannot be written"),
        (("--devices", "9", "--peak", "0"), "peak 0 is too small"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: tuple[str, ...], words: str) -> None:
    done = RUNNER.invoke(build([*COMMANDS]), ["load", "plan", *options])
    assert done.exit_code == 1
    assert words in str(done.exception)
